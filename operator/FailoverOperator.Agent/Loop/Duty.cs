using FailoverOperator.Agent.Servers;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Agent.Loop;

/// <summary>What the server is to be for now. Closed: nested types only.</summary>
public abstract record Duty
{
    private Duty()
    {
    }

    public sealed record Serve(long Term, LeaseTerms Terms, HistoryFloor? Floor = null) : Duty;

    public sealed record Follow(Leader Leader) : Duty;

    public sealed record StandBy : Duty;
}

/// <summary>How the performing of a duty ended by itself. Closed: nested types only.</summary>
public abstract record DutyEnd
{
    private DutyEnd()
    {
    }

    /// <summary>The server was primary, and its process ended.</summary>
    public sealed record Crashed(string Why) : DutyEnd;

    /// <summary>The server cannot be made, or kept, writable.</summary>
    public sealed record GivenUp(string Why) : DutyEnd;
}

/// <summary>Decisions about duties, pure.</summary>
public static class Duties
{
    private const int TriesBeforeGivingUp = 3;

    /// <summary>From one restart of a crashed primary to the next at least, else it is somebody else's turn.</summary>
    private static readonly TimeSpan RestartPause = TimeSpan.FromMinutes(1);

    /// <summary>
    /// The duty that an order means for the server. Null: whatever it is now. A member that claims is not writable yet and need not become
    /// anything else first.
    /// </summary>
    public static Duty? For(AgentOrder order, AgentMemory memory) => order switch
    {
        // Terms that can never be accepted are not applied either.
        AgentOrder.Serve serve when memory is { Lease: { } lease, Tenure: { } tenure } =>
            new Duty.Serve(serve.Term, LeaseTimings.Of(lease.Terms).IsSafe ? lease.Terms : tenure.Terms, lease.Floor),
        AgentOrder.Serve or AgentOrder.Claim or AgentOrder.Demote or AgentOrder.HandOver => null,
        AgentOrder.Follow follow when LeaderOf(follow, memory.Lease) is { } leader => new Duty.Follow(leader),
        AgentOrder.Follow or AgentOrder.StandBy or AgentOrder.Release => new Duty.StandBy(),
        _ => throw new ArgumentOutOfRangeException(nameof(order), order, "unknown order"),
    };

    /// <summary>Whether the server is what it should be. Null: it did not say.</summary>
    public static bool? IsFulfilled(Duty duty, EngineReply reply) => (duty, reply) switch
    {
        (Duty.Serve, EngineReply.Answered(var status)) => status is { Role: EngineRole.Primary, Writable: true },
        (Duty.Follow follow, EngineReply.Answered(var status)) => status is { Role: EngineRole.Standby, Writable: false, Link: ReplicationLink.Up or ReplicationLink.Syncing }
            && status.FollowsAddress == follow.Leader.Address,
        (Duty.StandBy, EngineReply.Answered(var status)) => status is { Role: not EngineRole.Primary, Writable: false },
        // There is no server process.
        (_, EngineReply.Refused) => false,
        _ => null,
    };

    /// <summary>
    /// Whether to stop trying to make the server writable. Long enough for a fault that passes, short enough for another member to
    /// take over within the time that an expired lease would cost.
    /// </summary>
    public static bool IsHopeless(int failures, TimeSpan since, LeaseTerms terms) => failures >= TriesBeforeGivingUp && since >= LeaseTimings.Of(terms).Duration;

    /// <summary>Until when a crashed primary may be started again while the lease is kept. Null: not at all.</summary>
    /// <param name="lastRestart">The last time that it was. Null: never.</param>
    public static TimeSpan? RestartUntil(LeaseTerms terms, TimeSpan? lastRestart, TimeSpan now) =>
        terms.RestartTimeoutSeconds > 0 && !(lastRestart is { } last && now < last + RestartPause) ? now + TimeSpan.FromSeconds(terms.RestartTimeoutSeconds) : null;

    private static Leader? LeaderOf(AgentOrder.Follow follow, LeaseRecord? lease) =>
        new[] { lease?.Terms, lease?.Accepted }.OfType<LeaseTerms>().SelectMany(t => t.Members)
            .FirstOrDefault(m => LeaseContract.Identity(m.Name, m.Uid) == follow.Holder && m.Address.Length > 0) is { } member
            ? new Leader(member.Name, member.Address, follow.Term)
            : null;
}
