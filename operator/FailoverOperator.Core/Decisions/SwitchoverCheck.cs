using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Decisions;

/// <summary>One thing that must be so before a switchover begins.</summary>
/// <param name="Reason">CamelCase, see <see cref="Reasons"/>; why it has to wait.</param>
public sealed record Check(bool Passed, string Reason, string Message);

/// <summary>Whether a switchover would be lossless and short now. While the primary writes, so that nothing is at stake yet.</summary>
public static class SwitchoverCheck
{
    /// <summary>The first check that fails. Null: all pass.</summary>
    public static Check? Hindrance(GroupObservation group, Diagnosis diagnosis, string? target) => All(group, diagnosis, target).FirstOrDefault(check => !check.Passed);

    /// <param name="target">Name of a pod. Null: any.</param>
    public static IReadOnlyList<Check> All(GroupObservation group, Diagnosis diagnosis, string? target) =>
        [PrimaryWrites(group, diagnosis), HoldsLease(group), TargetIsReady(group, target)];

    /// <summary>Who would become the primary. Null: nobody can now.</summary>
    public static Member? Target(GroupObservation group, string? target) =>
        CandidatesOf(group).Ranked(group.Members).FirstOrDefault(m => (target is null || m.Name == target) && IsConnected(m));

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

    private static Check TargetIsReady(GroupObservation group, string? target)
    {
        var candidates = CandidatesOf(group);
        if (Target(group, target) is { } ready)
        {
            var lag = (candidates.Judge(ready) as Eligibility.Eligible)?.LagBytes is { } bytes ? $", {bytes} bytes behind" : "";
            return new(true, Reasons.Ready, $"{ready.Name} would take over{lag}");
        }
        var wanted = group.Members.Where(m => target is null ? !candidates.IsOldPrimary(m) : m.Name == target).ToList();
        var refusals = wanted.Select(candidates.Judge).OfType<Eligibility.Ineligible>().ToList();
        if (refusals.Count > 0) return new(false, refusals[0].Reason, string.Join("; ", refusals.Select(r => r.Message)));
        if (candidates.MissingQuorum(group.Members) is { } missing) return new(false, Reasons.QuorumNotHeard, missing);
        return new(false, Reasons.NoCandidate, wanted.Count == 0 ? $"{target ?? "a standby"} is not there"
            : $"{string.Join(", ", wanted.Select(m => m.Name))} does not receive the primary's log at present");
    }

    /// <summary>It is to have everything as soon as the primary stops, not sometime later.</summary>
    private static bool IsConnected(Member member) => member.Probe.Status?.Link == ReplicationLink.Up;

    private static Candidates CandidatesOf(GroupObservation group) =>
        Candidates.Of(group, Benchmark.Of(group), FailoverProcedure.ReadinessBound(group.Spec), FenceEvidence.Released);
}
