using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;

namespace FailoverOperator.Core.Tests.Leases;

/// <summary>
/// Leases and agents of a slot with three members; this agent is db-0's. D 5 s, renewed every second, stop after 3 s, demote within 1 s.
/// </summary>
internal static class GivenLease
{
    public const string Me = "db-0/uid-0";
    public const string Other = "db-1/uid-1";
    public const string Third = "db-2/uid-2";

    /// <summary>When this agent was started: so long ago that nothing that it promised before it may still count.</summary>
    public static readonly TimeSpan Start = At(-100);

    public static readonly LeaseTerms Terms = new() { Members = [Member(0), Member(1), Member(2)] };

    /// <summary>Longer in everything: D 10 s, renewed every 2 s, stop after 7 s, demote within 2 s.</summary>
    public static readonly LeaseTerms Longer = Terms with
    {
        LeaseDurationSeconds = 10,
        RenewIntervalMilliseconds = 2000,
        StopAfterMilliseconds = 7000,
        DemoteTimeoutMilliseconds = 2000,
    };

    public static readonly LeaseTerms Grown = Terms with { Members = [Member(0), Member(1), Member(2), Member(3)] };

    public static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    public static LeaseMember Member(int index) => new($"db-{index}", $"uid-{index}", $"10.0.0.{index}", 8008);

    /// <summary>Assigned by the operator, not claimed yet.</summary>
    public static LeaseRecord Assigned(string holder, long term) =>
        new() { Holder = holder, Term = term, Assignment = LeaseContract.Assignment(holder, term), Terms = Terms };

    public static LeaseRecord Claimed(string holder, long term) => Assigned(holder, term).Renewed(Terms);

    public static LeaseRecord Revoked(long term) => ElectorProtocol.Revoke(Claimed(Me, term));

    public static ReleaseNote Note(string holder, long term) => new(holder, term, ReleaseReason.SelfFenced, null, null);

    public static AgentMemory Agent => AgentMemory.Start(Me, Start);

    /// <summary>Holds the lease in this term since a renewal that was sent at 0 s.</summary>
    public static AgentMemory Holder(long term = 5) => Agent.Saw(Assigned(Me, term), At(-1)).Renew(At(0), At(0.1));

    /// <summary>A renewal that is acknowledged.</summary>
    public static AgentMemory Renew(this AgentMemory memory, TimeSpan sentAt, TimeSpan answeredAt, LeaseTerms? applied = null)
    {
        var sending = memory.Renewing(applied ?? memory.Lease!.Terms, sentAt);
        return sending.Renewed(sending.Sent!, sending.Lease!.Renewed(sending.Sent!.Accepted), answeredAt);
    }

    /// <summary>Every process of the server has ended.</summary>
    public static AgentMemory Dead(this AgentMemory memory) => memory.Demoted(ReleaseReason.ProcessDown, null, null);

    /// <summary>Another holder is acknowledged.</summary>
    public static AgentMemory Promise(this AgentMemory memory, string holder, long term, TimeSpan now, int seconds = 5) =>
        Assert.IsType<AcknowledgeOutcome.Granted>(memory.Acknowledge(new AcknowledgeRequest(holder, term, memory.Identity, seconds), now)).Memory;
}
