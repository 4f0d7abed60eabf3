using FailoverOperator.Api.Agents;

namespace FailoverOperator.Core.Leases;

/// <summary>What an agent is to make of its server now. Closed: nested types only.</summary>
public abstract record AgentOrder
{
    private AgentOrder()
    {
    }

    /// <summary>Be writable, in this term. Renew meanwhile.</summary>
    public sealed record Serve(long Term) : AgentOrder;

    /// <summary>
    /// The lease is assigned to this member, which has not renewed it yet: renew. Not writable until that is acknowledged.
    /// </summary>
    public sealed record Claim(long Term) : AgentOrder;

    /// <summary>
    /// Stop to be writable, at once; at <paramref name="KillAt"/> at the latest every process of the server is killed. Then
    /// <see cref="AgentMemory.Demoted"/>.
    /// </summary>
    public sealed record Demote(string Why, TimeSpan KillAt) : AgentOrder;

    /// <summary>Shut down in order, before <paramref name="StopAt"/>. Then <see cref="AgentMemory.Demoted"/>: somebody else takes over.</summary>
    public sealed record HandOver(long Term, TimeSpan StopAt) : AgentOrder;

    /// <summary>Nothing is writable by this term any more: write that into the lease. Then <see cref="AgentMemory.Released"/>.</summary>
    public sealed record Release(ReleaseNote Note) : AgentOrder;

    /// <summary>Replicate from the holder.</summary>
    public sealed record Follow(string Holder, long Term) : AgentOrder;

    /// <summary>Be not writable; there is nobody to follow.</summary>
    public sealed record StandBy(string Why) : AgentOrder;
}

/// <summary>
/// The holder's side of the lease protocol, pure: from what the agent remembers and the present moment always the same order.
/// Invariant I1: <see cref="AgentOrder.Serve"/> is given only within a tenure, and before its <see cref="Tenure.StopAt"/>.
/// </summary>
public static class AgentProtocol
{
    public static AgentOrder Decide(AgentMemory memory, TimeSpan now)
    {
        if (memory.Tenure is { } tenure) return Holding(memory, tenure, now);
        if (memory.Lost is { } lost) return new AgentOrder.Demote($"the lease of term {lost.Term} is not this member's any more", lost.KillAt);
        if (memory.Owed is { } note && IsWorthWriting(note, memory.Lease)) return new AgentOrder.Release(note);
        if (memory.Lease is not { } lease) return new AgentOrder.StandBy("the lease has not been read, or there is none");
        if (lease.Holder is null) return new AgentOrder.StandBy("nobody holds the lease");
        if (!lease.IsAuthentic) return new AgentOrder.StandBy($"the lease names {lease.Holder} in term {lease.Term}; the operator did not");
        return lease.IsHeldBy(memory.Identity) ? Assigned(memory, lease, now) : new AgentOrder.Follow(lease.Holder, lease.Term);
    }

    /// <summary>When to decide again at the latest, if nothing happens before. Null: no deadline runs.</summary>
    public static TimeSpan? NextDeadline(AgentMemory memory, TimeSpan now) =>
        memory.Tenure is { } tenure ? (now < tenure.StopAt ? tenure.StopAt : tenure.KillAt)
        : memory.Lost is { } lost ? lost.KillAt
        : memory.Lease?.IsHeldBy(memory.Identity) == true && now < memory.PledgedUntil ? memory.PledgedUntil
        : null;

    /// <summary>
    /// When the next renewal is due, if the order is to <see cref="AgentOrder.Serve"/>, <see cref="AgentOrder.Claim"/> or
    /// <see cref="AgentOrder.HandOver"/>: at once for a new term, and when the last one was acknowledged without
    /// <paramref name="applied"/>.
    /// </summary>
    public static TimeSpan NextRenewal(AgentMemory memory, LeaseTerms applied)
    {
        if (memory.Sent is not { } sent || sent.Term != memory.Lease?.Term) return TimeSpan.MinValue;
        if (memory.Tenure is not { } tenure) return sent.SentAt + LeaseTimings.Of(sent.Accepted).RenewInterval;
        var putOff = tenure.ConfirmedAt >= sent.SentAt && tenure.Offered is null && tenure.Terms != applied && LeaseTimings.Of(applied).IsSafe;
        return putOff ? TimeSpan.MinValue : sent.SentAt + LeaseTimings.Of(tenure.Strict).RenewInterval;
    }

    /// <summary>
    /// From when on the other members are to be asked although no renewal has failed: one has been without an answer for a quarter of the
    /// time that was left to it, so that a slow API server leaves time for more than one round. Null: none is without an answer.
    /// </summary>
    public static TimeSpan? NextRound(AgentMemory memory) =>
        memory is { Tenure: { } tenure, Sent: { } sent } && sent.SentAt > tenure.ConfirmedAt ? sent.SentAt + ((tenure.StopAt - sent.SentAt) / 4) : null;

    /// <summary>
    /// Whether a note tells anybody something now: only while the lease is of the same term, does not say so already, and was not
    /// given to somebody else.
    /// </summary>
    public static bool IsWorthWriting(ReleaseNote note, LeaseRecord? lease) => lease is not null && lease.Term == note.Term
        && lease.Release?.Term != note.Term && (lease.Holder == note.Holder || !lease.IsAuthentic);

    private static AgentOrder Holding(AgentMemory memory, Tenure tenure, TimeSpan now) =>
        now >= tenure.StopAt ? new AgentOrder.Demote($"no renewal of term {tenure.Term} was acknowledged in time", tenure.KillAt)
        : memory.IsStopping || memory.Lease is { IsToHandOver: true } lease && lease.Term == tenure.Term ? new AgentOrder.HandOver(tenure.Term, tenure.StopAt)
        : new AgentOrder.Serve(tenure.Term);

    private static AgentOrder Assigned(AgentMemory memory, LeaseRecord lease, TimeSpan now)
    {
        if (lease.Term <= memory.ReleasedTerm) return new AgentOrder.StandBy($"term {lease.Term} was given back");
        if (!LeaseTimings.Of(lease.Terms).IsSafe) return new AgentOrder.StandBy("by the lease's timings two members could be writable at once");
        if (now >= memory.PledgedUntil || PledgeIsVoid(lease)) return new AgentOrder.Claim(lease.Term);
        var seconds = (memory.PledgedUntil - now).TotalSeconds;
        return new AgentOrder.StandBy(FormattableString.Invariant($"promised not to be promoted for {seconds:0.0} s more"));
    }

    /// <summary>
    /// Nobody can be writable by a promise of this agent: the last holder released. The operator leaves such a note in the lease only
    /// if that holder had outlasted all earlier ones, see <see cref="ElectorProtocol.KeepsRelease"/>. The first term is no exception:
    /// a lease that was deleted, or a group that was made anew, begins with it, too.
    /// </summary>
    private static bool PledgeIsVoid(LeaseRecord lease) => lease.Release is { } note && note.Term < lease.Term;
}
