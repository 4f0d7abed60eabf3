using FailoverOperator.Core.Observations;

namespace FailoverOperator.Engines;

/// <summary>
/// For members that nobody asks: each "answers" at once, and tells nothing. Whoever uses it goes by the pods' readiness. It does nothing
/// that it is asked to, and says so.
/// </summary>
public sealed class NoEngine : IEngine
{
    private static readonly EngineReply Nothing = new EngineReply.Answered(new EngineStatus { Role = EngineRole.Unknown, Writable = false });

    public Task<EngineReply> StatusAsync(MemberEndpoint member, CancellationToken cancellationToken) => Task.FromResult(Nothing);

    public Task<EngineOutcome> PromoteAsync(MemberEndpoint member, EngineContext context, CancellationToken cancellationToken) => NotDone(member);

    public Task<EngineOutcome> FollowAsync(MemberEndpoint member, MemberEndpoint primary, EngineContext context, CancellationToken cancellationToken) =>
        NotDone(member);

    public Task<EngineOutcome> DemoteAsync(MemberEndpoint member, EngineContext context, CancellationToken cancellationToken) => NotDone(member);

    public Task<EngineOutcome> VerifyAsync(MemberEndpoint member, string address, int port, EngineContext context, CancellationToken cancellationToken) =>
        NotDone(member);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static Task<EngineOutcome> NotDone(MemberEndpoint member) =>
        Task.FromResult<EngineOutcome>(new EngineOutcome.NotDone($"{member.PodName} was not asked: the group has no engine (engine.type: None)"));
}
