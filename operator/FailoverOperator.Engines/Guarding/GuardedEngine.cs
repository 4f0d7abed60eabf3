using System.Collections.Concurrent;
using System.Collections.Frozen;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Engines.Guarding;

/// <summary>
/// An engine whose operations that keep failing on a member are not tried for a while: a hook that hangs would hold up its group with each call, and one
/// that fails at once would be run again every second. The answer meanwhile is that nothing is known.
/// <para>
/// For each member and operation by itself: a member that is down says nothing about its neighbour, nor a hook <c>follow</c> that is wrong about
/// <c>status</c>. Members whose state somebody waits for are asked whatever their circuit says, see <see cref="AlwaysAsk"/>.
/// </para>
/// </summary>
/// <param name="decisiveAfter">By then who judges members has judged: a circuit of questions opens later than that.</param>
/// <param name="time">Its wall clock must never step.</param>
public sealed class GuardedEngine(IEngine engine, TimeSpan decisiveAfter, TimeProvider time) : IEngine
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(5);

    /// <summary>A standby that is back is of use again after at most this; if its pod changes, at once.</summary>
    private static readonly TimeSpan LongestPauseOfQuestions = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LongestPauseOfCommands = TimeSpan.FromMinutes(1);

    private readonly CircuitSettings _questions = new(decisiveAfter * 2, FirstPause, LongestPauseOfQuestions);
    private readonly CircuitSettings _commands = new(TimeSpan.Zero, FirstPause, LongestPauseOfCommands);
    private readonly ConcurrentDictionary<string, Circuit<EngineReply>> _status = new();
    private readonly ConcurrentDictionary<CommandKey, Circuit<EngineOutcome>> _orders = new();
    private volatile FrozenSet<string> _always = [];

    /// <summary>What is not tried on a member now.</summary>
    public IReadOnlyList<CircuitObservation> OpenOf(string podUid) => IsUntroubled ? [] :
    [
        .. new[] { _status.TryGetValue(podUid, out var status) ? status.Open : null }
            .Concat(_orders.Where(o => o.Key.Member == podUid).OrderBy(o => o.Key.Operation)
                .Select(o => o.Value.Open is { } open ? open with { Primary = o.Key.Primary } : null)).OfType<CircuitObservation>(),
    ];

    /// <summary>From now on these are asked each time, and nobody else is but by its circuit.</summary>
    public void AlwaysAsk(IEnumerable<string> podUids) => _always = podUids.ToFrozenSet();

    /// <summary>Something about the pod has changed, such as a container that was started anew: everything is tried again.</summary>
    public void Forgive(string podUid)
    {
        _status.TryRemove(podUid, out _);
        foreach (var key in _orders.Keys.Where(k => k.Member == podUid)) _orders.TryRemove(key, out _);
    }

    /// <summary>Forgets all pods but these.</summary>
    public void Keep(IReadOnlyCollection<string> podUids)
    {
        if (IsUntroubled) return;
        foreach (var uid in _status.Keys.Concat(_orders.Keys.Select(k => k.Member)).Except(podUids).ToList()) Forgive(uid);
    }

    public async Task<EngineReply> StatusAsync(MemberEndpoint member, CancellationToken cancellationToken)
    {
        if (!_status.TryGetValue(member.PodUid, out var circuit)) return Note(member, await engine.StatusAsync(member, cancellationToken));
        // Detection, a failover that runs, a person who waits: their own intervals and deadlines bound how often they ask.
        if (_always.Contains(member.PodUid)) return Note(member, await engine.StatusAsync(member, cancellationToken));
        var reply = await circuit.TryAsync(token => engine.StatusAsync(member, token), cancellationToken);
        if (reply is not null && FailureOf(reply) is null) return Note(member, reply);
        return circuit.Open is { } open
            ? new EngineReply.Silent($"{member.PodName} is not asked, circuit open until {open.Until}: {open.Failure}") { WasAsked = false }
            // A trial of somebody else's has just closed it.
            : reply ?? await engine.StatusAsync(member, cancellationToken);
    }

    /// <summary>
    /// Never kept back. A failover in progress, or an outage that only this ends, waits for it: the step's own retry, its deadline
    /// (<c>promotion.timeoutSeconds</c>) and the next candidate bound how often it is tried.
    /// </summary>
    public Task<EngineOutcome> PromoteAsync(MemberEndpoint member, EngineContext context, CancellationToken cancellationToken) =>
        engine.PromoteAsync(member, context, cancellationToken);

    /// <summary>To follow another primary is another matter: after a failover it is tried at once, whatever was before.</summary>
    public Task<EngineOutcome> FollowAsync(
        MemberEndpoint member, MemberEndpoint primary, EngineContext context, CancellationToken cancellationToken) =>
        OrderAsync(new(member.PodUid, GuardedOperation.Follow, primary.PodUid), $"{member.PodName} is not told to follow {primary.PodName}",
            token => engine.FollowAsync(member, primary, context, token), cancellationToken);

    /// <summary>Not a fence: a switchover that waits for it is given up at its deadline, and nothing has changed.</summary>
    public Task<EngineOutcome> DemoteAsync(MemberEndpoint member, EngineContext context, CancellationToken cancellationToken) =>
        OrderAsync(new(member.PodUid, GuardedOperation.Demote, null), $"{member.PodName} is not told to become read-only",
            token => engine.DemoteAsync(member, context, token), cancellationToken);

    /// <summary>Never kept back: it ends a failover in progress, which bounds how long it is tried.</summary>
    public Task<EngineOutcome> VerifyAsync(
        MemberEndpoint member, string address, int port, EngineContext context, CancellationToken cancellationToken) =>
        engine.VerifyAsync(member, address, port, context, cancellationToken);

    public ValueTask DisposeAsync() => engine.DisposeAsync();

    /// <summary>Nothing has failed lately, and no order is remembered: so it is of most groups at most times.</summary>
    private bool IsUntroubled => _status.IsEmpty && _orders.IsEmpty;

    private EngineReply Note(MemberEndpoint member, EngineReply reply)
    {
        if (FailureOf(reply) is null) _status.TryRemove(member.PodUid, out _);
        else _status.TryAdd(member.PodUid, new Circuit<EngineReply>(GuardedOperation.Status, _questions, FailureOf, time));
        return reply;
    }

    private async Task<EngineOutcome> OrderAsync(
        CommandKey key, string what, Func<CancellationToken, Task<EngineOutcome>> order, CancellationToken cancellationToken)
    {
        var circuit = _orders.GetOrAdd(key, k => new Circuit<EngineOutcome>(k.Operation, _commands, FailureOf, time));
        if (await circuit.TryAsync(order, cancellationToken) is not { } outcome)
            return new EngineOutcome.NotDone($"{what}, circuit open until {circuit.Open?.Until}: {circuit.Open?.Failure}");
        if (outcome is EngineOutcome.Done) _orders.TryRemove(key, out _);
        return outcome;
    }

    /// <summary>A refused connection is an answer, and a cheap one: nobody listens. So is that a password is wrong.</summary>
    private static string? FailureOf(EngineReply reply) => reply switch
    {
        EngineReply.Answered or EngineReply.Refused or EngineReply.Unauthorized => null,
        EngineReply.Silent or EngineReply.Failed => EngineReply.Describe(reply),
        _ => throw new ArgumentOutOfRangeException(nameof(reply), reply, "unknown reply"),
    };

    private static string? FailureOf(EngineOutcome outcome) => (outcome as EngineOutcome.NotDone)?.Message;

    /// <param name="Primary">Of <see cref="GuardedOperation.Follow"/>: whom to follow.</param>
    private sealed record CommandKey(string Member, GuardedOperation Operation, string? Primary);
}
