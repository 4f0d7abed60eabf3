using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Decisions;

/// <summary>One thing that must be so before a request is carried out.</summary>
/// <param name="Reason">CamelCase, see <see cref="Reasons"/>; why it has to wait.</param>
public sealed record Check(bool Passed, string Reason, string Message);

/// <summary>
/// Whether a request can be carried out now: a switchover if it would be lossless and short, a failover if somebody could take over. While
/// the primary is as it is, so that nothing is at stake yet.
/// </summary>
public static class RequestCheck
{
    /// <summary>The first check that fails. Null: all pass.</summary>
    public static Check? Hindrance(GroupObservation group, Diagnosis diagnosis, FailoverSpec request) =>
        All(group, diagnosis, request).FirstOrDefault(check => !check.Passed);

    public static IReadOnlyList<Check> All(GroupObservation group, Diagnosis diagnosis, FailoverSpec request) => request.Type is FailoverType.Switchover or FailoverType.Failback
        ? [NotSuspended(group), PrimaryWrites(group, diagnosis), LetsGo(group), TargetIsReady(group, request)]
        : [NotSuspended(group), HasPrimary(group), TargetIsReady(group, request)];

    /// <summary>Who would become the primary. Null: nobody can now.</summary>
    public static Member? Target(GroupObservation group, FailoverSpec request)
    {
        var candidates = CandidatesOf(group);
        // Only a failover may cost what a person has accepted.
        return Target(group, request, candidates)
            ?? (request.Type == FailoverType.Failover && candidates.Accepting(group) is { } accepting ? Target(group, request, accepting) : null);
    }

    private static Member? Target(GroupObservation group, FailoverSpec request, Candidates candidates) => candidates.Ranked(group.Members)
        .FirstOrDefault(m => (request.Target is null || m.Name == request.Target) && (request.Type == FailoverType.Failover || (ColdStandby.SharesData(group.Spec) ? !m.IsCold : IsConnected(group, m))));

    /// <summary>All who could in a switchover, best first.</summary>
    public static IReadOnlyList<Member> Ready(GroupObservation group) => [.. CandidatesOf(group).Ranked(group.Members).Where(m => IsConnected(group, m))];

    private static Check NotSuspended(GroupObservation group) => Restraint.Of(group) is { } restraint
        ? new(false, restraint.Reason, restraint.Message)
        : new(true, Reasons.NotSuppressed, "the group is not suspended");

    private static Check HasPrimary(GroupObservation group) => SlotHolder.Of(group).Holder is { } holder
        ? new(true, Reasons.PrimaryServing, $"{holder.Name} is to be replaced, whether it takes writes or not")
        : new(false, Reasons.NoPrimary, "no primary has been chosen yet");

    private static Check PrimaryWrites(GroupObservation group, Diagnosis diagnosis) => diagnosis is Diagnosis.Healthy
        ? new(true, Reasons.PrimaryServing, $"{SlotHolder.Of(group).Holder?.Name} takes writes")
        : new(false, Reasons.PrimaryNotServing, "the primary is not seen to take writes, see condition Available of the group");

    private static Check HoldsLease(GroupObservation group)
    {
        var holder = SlotHolder.Of(group).Holder;
        return holder is not null && group.Lease?.Record is { IsClaimed: true } lease && lease.IsHeldBy(ProcessIdentity.InLease(holder))
            ? new(true, Reasons.PrimaryServing, $"{holder.Name} holds the lease")
            : new(false, Reasons.PrimaryNotServing, "the primary does not hold the lease");
    }

    private static Check LetsGo(GroupObservation group) =>
        group.HasAgents ? HoldsLease(group) : ColdStandby.SharesData(group.Spec) ? CanBeScaledDown(group) : CanBeStopped(group);

    /// <summary>What is needed after the writes have been stopped is looked at before.</summary>
    private static Check CanBeStopped(GroupObservation group) => SlotHolder.Of(group).MemberIn(group) switch
    {
        { Node: { IsSeenDown: true } node } down => new(false, Reasons.PrimaryNotServing, $"node {node.Name} is {node.State}, so that its kubelet could not confirm the end of {down.Name}"),
        { Probe.Status.PositionBytes: not null } primary => new(true, Reasons.PrimaryServing, $"{primary.Name} can be told to stop, and tells its position"),
        var primary => new(false, Reasons.LagUnknown, $"{primary?.Name ?? "the primary"} does not tell its position, so that nobody could be known to have all of its log"),
    };

    private static Check CanBeScaledDown(GroupObservation group) => ColdStandby.IsActive(group) && group.Cold is ColdObservation.Seen { Replicas: > 0 }
        ? new(true, Reasons.ColdStandby, $"{ColdStandby.Name(group.Spec)} can be scaled down")
        : new(false, Reasons.StandbyUnavailable, ColdStandby.Prospect(group) is { IsReady: not true } prospect ? prospect.Message : "the primary is not the cold standby");

    private static Check TargetIsReady(GroupObservation group, FailoverSpec request)
    {
        var candidates = CandidatesOf(group);
        if (Target(group, request) is { } ready)
        {
            var lag = (candidates.Judge(ready) as Eligibility.Eligible)?.LagBytes is { } bytes ? $", {bytes} bytes behind" : "";
            return new(true, Reasons.Ready, $"{ready.Name} would take over{lag}");
        }
        if (request is { Type: FailoverType.Failover, Target: null } && ColdStandby.IsHoped(group))
            return new(true, Reasons.ColdStandby, $"{ColdStandby.Name(group.Spec)} would be started");
        var wanted = group.Members.Where(m => request.Target is null ? !candidates.IsOldPrimary(m) : m.Name == request.Target).ToList();
        var refusals = wanted.Select(candidates.Judge).OfType<Eligibility.Ineligible>().ToList();
        if (refusals.Count > 0) return new(false, refusals[0].Reason, string.Join("; ", refusals.Select(r => r.Message)) + Advice(group, request, refusals));
        if (candidates.MissingQuorum(group.Members) is { } missing) return new(false, Reasons.QuorumNotHeard, missing + Advice(group, request, candidates.Refusals(group.Members)));
        return new(false, Reasons.NoCandidate, wanted.Count == 0 ? $"{request.Target ?? "a standby"} is not there"
            : $"{string.Join(", ", wanted.Select(m => m.Name))} does not receive the primary's log at present");
    }

    private static string Advice(GroupObservation group, FailoverSpec request, IEnumerable<Eligibility.Ineligible> refusals) =>
        request.Type == FailoverType.Failover ? Elections.Advice(refusals, group) : "";

    /// <summary>It is to have everything as soon as the primary stops, not sometime later; and without agents nobody but itself can say so.</summary>
    private static bool IsConnected(GroupObservation group, Member member) =>
        member.Probe.Status is { Link: ReplicationLink.Up } status && (group.HasAgents || status.PositionBytes is not null);

    /// <summary>As if the primary's end were proven by the best of proofs.</summary>
    private static Candidates CandidatesOf(GroupObservation group) =>
        Candidates.Of(group, Benchmark.Of(group), FailoverProcedure.ReadinessBound(group.Spec), FenceEvidence.Released);
}
