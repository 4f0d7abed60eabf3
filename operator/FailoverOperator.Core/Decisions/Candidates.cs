using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Decisions;

/// <summary>What a candidate is measured by.</summary>
/// <param name="From">The old primary. Null: there was none.</param>
/// <param name="PrimaryPositionBytes">Its last known position.</param>
/// <param name="RequiredPositionBytes">The least position within the recovery point objective. Null: unknown.</param>
/// <param name="History">The log that the positions belong to. Null: not told.</param>
public sealed record Benchmark(MemberReference? From, long? PrimaryPositionBytes, long? RequiredPositionBytes, string? History)
{
    /// <summary>
    /// Of the holder, as this process has seen it at work. A holder that traffic was never led to is measured by what its own failover was
    /// measured by: the log is still that of the primary before it, which the standbys still follow.
    /// </summary>
    public static Benchmark Of(GroupObservation group)
    {
        var slot = SlotHolder.Of(group);
        if (slot.Holder is { } holder && group.PrimaryMemory is { } memory && memory.Uid == holder.Uid)
            return new(ProcessIdentity.Sure(holder, memory), memory.PositionBytes, memory.RequiredPositionBytes, memory.History);
        var from = slot.Holder is null ? null : slot.Holder with { ContainerId = null };
        return slot is { PromotionTimedOut: true, Choice.Spec: var plan } && NeverHadTraffic(group, slot)
            ? Of(plan) with { From = from! with { Address = plan.From?.Address } }
            : new(from, null, null, null);
    }

    private static bool NeverHadTraffic(GroupObservation group, SlotHolder slot) =>
        group.Services.Any(s => s.Role == TrafficRole.Active) && group.Services.All(s => s.PublishedTerm is not { } term || term < slot.Term);

    public static Benchmark Of(FailoverSpec plan) => new(plan.From, plan.PrimaryPositionBytes, plan.RequiredPositionBytes, plan.PrimaryHistory);
}

/// <summary>Whether a member may be promoted. Closed: nested types only.</summary>
public abstract record Eligibility
{
    private Eligibility()
    {
    }

    /// <param name="LagBytes">Bytes behind the old primary's last known position. Null: unknown, but surely within the target.</param>
    public sealed record Eligible(long? LagBytes) : Eligibility;

    /// <param name="Reason">CamelCase, see <see cref="Reasons"/>.</param>
    public sealed record Ineligible(string Reason, string Message) : Eligibility;
}

/// <summary>
/// Chooses whom to promote. Invariant I4: never a member whose loss is unknown or beyond the recovery point
/// objective, never on data older than <paramref name="maxAge"/>.
/// </summary>
public sealed class Candidates(RedundancyGroupSpec spec, Benchmark benchmark, TimeSpan maxAge)
{
    /// <summary>The eligible members, best first.</summary>
    public IReadOnlyList<Member> Ranked(IEnumerable<Member> members)
    {
        var eligible = members.Where(m => Judge(m) is Eligibility.Eligible);
        var ranked = eligible.OrderBy(_ => 0);
        foreach (var order in spec.Promotion.CandidateOrder)
        {
            ranked = order switch
            {
                CandidateOrder.LeastLag => ranked.ThenBy(Lag),
                CandidateOrder.Zone => ranked.ThenBy(m => m.Node.Zone is not null && m.Node.Zone == benchmark.From?.Zone ? 1 : 0),
                CandidateOrder.Name => ranked.ThenBy(m => m.Name, StringComparer.Ordinal),
                _ => throw new ArgumentOutOfRangeException(nameof(members), order, "unknown order"),
            };
        }
        return [.. ranked.ThenBy(m => m.Name, StringComparer.Ordinal)];
    }

    public Eligibility Judge(Member member)
    {
        if (IsOldPrimary(member)) return No(Reasons.NoCandidate, $"{member.Name} is the failed primary");
        if (Unfit(member) is { } unfit) return No(Reasons.NoCandidate, $"{member.Name} {unfit}");
        if (member.Probe.Reply is EngineReply.Unauthorized) return No(Reasons.CredentialsRejected, $"{member.Name} rejects the operator's credentials");
        if (member.Probe.Reply is EngineReply.Failed failed) return No(Reasons.EngineFailed, $"{member.Name} answers wrongly: {failed.Message}");
        if (member.Probe.Status is not { } status) return No(Reasons.MembersUnknown, $"{member.Name} does not answer: {EngineReply.Describe(member.Probe.Reply)}");
        if (member.StatusAge > maxAge) return No(Reasons.MembersUnknown, $"{member.Name} does not answer any more");
        if (status.Role == EngineRole.Unknown) return No(Reasons.MembersUnknown, $"{member.Name} does not know its role");
        if (status.Link == ReplicationLink.Syncing) return No(Reasons.NoCandidate, $"{member.Name} is still copying the data");
        return Loss(member.Name, status);
    }

    public bool IsOldPrimary(Member member) => member.Uid == benchmark.From?.Uid;

    /// <summary>The least lag first; an unknown but bounded one after all that are known.</summary>
    private long Lag(Member member) => Judge(member) is Eligibility.Eligible { LagBytes: { } lag } ? lag : long.MaxValue;

    private static string? Unfit(Member member) =>
        member.Pod.Terminating ? "is being deleted"
        : member.Pod.Phase != PodPhase.Running ? $"is not running, phase {member.Pod.Phase}"
        : !member.Pod.Ready ? "is not ready"
        : member.Node.State != NodeState.Ready ? $"is on node {member.Node.Name}, which is {member.Node.State}"
        : null;

    private Eligibility Loss(string name, EngineStatus status)
    {
        if (status.ReportedLagBytes == 0 && !FollowsSomebodyElse(status) && status.Link != ReplicationLink.Down) return new Eligibility.Eligible(0);
        if (benchmark.RequiredPositionBytes is { } required && status.PositionBytes is { } position)
            return SharesHistory(status) ? Loss(name, position, required) : No(Reasons.LagUnknown, $"{name} holds another history than the primary's");
        return LossByTime(name, status);
    }

    private Eligibility Loss(string name, long position, long required) => position >= required
        ? new Eligibility.Eligible(Math.Max(0, (benchmark.PrimaryPositionBytes ?? position) - position))
        : No(Reasons.BeyondRpo, $"{name} misses more than the last {spec.Targets.RpoSeconds} s of writes ({required - position} bytes beyond)");

    /// <summary>
    /// Without the primary's position: a standby that received the log until so long ago misses at most what was
    /// written since.
    /// </summary>
    private Eligibility LossByTime(string name, EngineStatus status)
    {
        // Somebody made it the primary: what it misses is lost, whoever is chosen, and a second writer would lose more.
        if (spec.Engine.StartsAs == StartState.ReadOnly && status is { Role: EngineRole.Primary, Writable: true }) return new Eligibility.Eligible(null);
        if (FollowsSomebodyElse(status)) return No(Reasons.LagUnknown, $"{name} follows {status.FollowsAddress}, which is not {benchmark.From!.Name}, and what it misses of that is unknown");
        var since = status.Link == ReplicationLink.Up ? TimeSpan.Zero : status.LinkDownFor;
        if (since is null) return No(Reasons.LagUnknown, $"{name} does not tell how far behind it is");
        return since <= TimeSpan.FromSeconds(spec.Targets.RpoSeconds)
            ? new Eligibility.Eligible(null)
            : No(Reasons.LagUnknown, FormattableString.Invariant($"{name} has received nothing for {since.Value.TotalSeconds:0} s, and what the primary wrote since is unknown"));
    }

    /// <summary>Its link says how far behind another one it is, not behind the old primary.</summary>
    private bool FollowsSomebodyElse(EngineStatus status) =>
        benchmark.From?.Address is { } address && status.FollowsAddress is { } followed && followed != address;

    private bool SharesHistory(EngineStatus status) =>
        benchmark.History is null || status.History is null || benchmark.History == status.History || benchmark.History == status.PreviousHistory;

    private static Eligibility.Ineligible No(string reason, string message) => new(reason, message);
}
