using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Engines.Hooks;

/// <summary>Any workload, managed by the commands or URLs that the group names. docs/hooks.md is the contract.</summary>
/// <param name="group">Named to the status hook, with the slot that is asked about; its term is 0.</param>
/// <param name="http">Gives a client that follows no redirects; it stays the giver's.</param>
public sealed class HooksEngine(
    HooksEngineSpec hooks, string group, string slot, IPodCommandRunner commands, Func<HttpClient> http, TimeProvider time) : IEngine
{
    private readonly HookCaller _caller = new(commands, http, time);

    public async Task<EngineReply> StatusAsync(MemberEndpoint member, CancellationToken cancellationToken)
    {
        var request = Request("status", member, null, new EngineContext(group, slot, 0));
        return await _caller.CallAsync(hooks.Status, member, request, cancellationToken) switch
        {
            HookAnswer.Text text => HookStatus.Parse(HookCaller.Name(request), text.Answer),
            HookAnswer.None none => none.Why,
            var answer => throw new InvalidOperationException($"unknown answer {answer}"),
        };
    }

    public Task<EngineOutcome> PromoteAsync(
        MemberEndpoint member, EngineContext context, CancellationToken cancellationToken) =>
        hooks.Promote is { } promote
            ? CommandAsync(promote, member, Request("promote", member, null, context), cancellationToken)
            : NotDone($"{member.PodName} was not promoted: the group has no hook promote");

    public Task<EngineOutcome> FollowAsync(
        MemberEndpoint member, MemberEndpoint primary, EngineContext context, CancellationToken cancellationToken) =>
        member.PodUid == primary.PodUid
            ? NotDone($"{member.PodName} was not ordered to follow itself: member and primary are the same")
            : hooks.Follow is { } follow
                ? CommandAsync(follow, member, Request("follow", member, primary, context), cancellationToken)
                : NotDone($"{member.PodName} was not made a standby: the group has no hook follow");

    /// <summary>Without the hook nothing is done, and that is said: a member is not read-only because nobody asked it.</summary>
    public Task<EngineOutcome> DemoteAsync(
        MemberEndpoint member, EngineContext context, CancellationToken cancellationToken) =>
        hooks.Demote is { } demote
            ? CommandAsync(demote, member, Request("demote", member, null, context), cancellationToken)
            : NotDone($"{member.PodName} was not made read-only: the group has no hook demote");

    /// <summary>The hook is called on the member itself: it has no use for the address that the Service leads to.</summary>
    public async Task<EngineOutcome> VerifyAsync(
        MemberEndpoint member, string address, int port, EngineContext context, CancellationToken cancellationToken)
    {
        if (hooks.Verify is { } verify)
            return await CommandAsync(verify, member, Request("verify", member, null, context), cancellationToken);
        return await StatusAsync(member, cancellationToken) switch
        {
            EngineReply.Answered { Status.Writable: true } => new EngineOutcome.Done(),
            EngineReply.Answered => new EngineOutcome.NotDone($"hook status of {member.PodName} does not say writable: true"),
            var reply => new EngineOutcome.NotDone(EngineReply.Describe(reply)),
        };
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<EngineOutcome> CommandAsync(
        HookSpec hook, MemberEndpoint member, HookRequest request, CancellationToken cancellationToken) =>
        await _caller.CallAsync(hook, member, request, cancellationToken) is HookAnswer.None none
            ? new EngineOutcome.NotDone(EngineReply.Describe(none.Why))
            : new EngineOutcome.Done();

    private static Task<EngineOutcome> NotDone(string message) =>
        Task.FromResult<EngineOutcome>(new EngineOutcome.NotDone(message));

    private static HookRequest Request(string action, MemberEndpoint member, MemberEndpoint? primary, EngineContext context) => new(
        action, context.Group, member.Namespace, context.Slot, context.Term, new HookMember(member.PodName, member.PodAddress),
        primary is null ? null : new HookMember(primary.PodName, primary.PodAddress));
}
