using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Recovery;

/// <summary>
/// What is another way in a switchover than in a failover: the primary is asked to hand over instead of being fenced, and only a standby that
/// has everything takes its place; otherwise it takes it back.
/// </summary>
public static class Switchover
{
    /// <summary>A standby that was connected has everything at once; so long it is waited for before the old primary comes back.</summary>
    public static readonly TimeSpan CatchUpTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Whether the operator may try one at all.</summary>
    public static bool IsPossible(RedundancyGroupSpec spec) => spec.Agent is not null || OrderlyStop.WhyNot(spec) is null;

    /// <summary>Phase Fencing.</summary>
    public static Decision HandOver(GroupObservation group, FailoverRecord failover) =>
        group.HasAgents ? HandLeaseOver(group, failover)
        : ColdStandby.SharesData(group.Spec) ? ColdStandby.HandOver(group, failover)
        : OrderlyStop.HandOver(group, failover);

    /// <summary>Until the primary has let go nothing has been done, and everything can be taken back.</summary>
    private static Decision HandLeaseOver(GroupObservation group, FailoverRecord failover)
    {
        var from = failover.Spec.From!;
        if (Fence.OfPrimary(group, failover) is { } proof)
            return new Decision.Advance(new Step.Enter(FailoverPhase.Electing) { Fence = proof.Evidence, FencedBy = proof.By });
        // A primary that fails on the way is fenced as always.
        if (PrimaryDetector.Diagnose(group) is Diagnosis.PrimaryFailed failed)
            return GiveUp(group, failed.Reason, $"{from.Name} has failed: {string.Join(", ", failed.Evidence)}");
        if (group.Lease?.Record is not { } lease || !lease.IsHeldBy(ProcessIdentity.InLease(from)))
            return new Decision.Abort(Reasons.HolderChanged, $"the lease is not that of {from.Name} any more");
        var deadline = TimeSpan.FromSeconds(failover.Spec.DeadlineSeconds);
        if (failover.PhaseFor >= deadline)
            return GiveUp(group, Reasons.DeadlineExceeded, $"{from.Name} did not hand over within deadlineSeconds ({failover.Spec.DeadlineSeconds} s)");
        if (lease.IsToHandOver)
            return new Decision.Wait(deadline - failover.PhaseFor, Reasons.FailoverRunning, $"waiting for {from.Name} to stop the writes and to let the standbys catch up");
        return RequestCheck.Target(group, failover.Spec) is null
            ? new Decision.Abort(Reasons.NotReadyYet, $"{failover.Spec.Target} is not ready any more, and nothing had been done")
            : new Decision.Advance(new Step.AskHandOver(lease.Holder!, lease.Version));
    }

    /// <summary>
    /// Whose answers the choice is waited with. Not the old primary's: it restarts, and is of interest only if the target does not come. If that one
    /// has all of the log, by the old primary's own word, nobody else's changes anything.
    /// </summary>
    public static IEnumerable<Member> Asked(GroupObservation group, FailoverRecord failover) => group.Members.Where(MayTakeItBack(failover) || LastWord.Of(group, Benchmark.Of(failover.Spec))?.History is null
        ? m => m.Uid != failover.Spec.From!.Uid
        : m => m.Name == failover.Spec.Target);

    /// <summary>Phase Electing: whether to wait a little longer for the target, or for the old primary. Null: choose now.</summary>
    public static Decision? Await(GroupObservation group, FailoverRecord failover, TimeSpan bound)
    {
        if (!group.HasAgents) return OrderlyStop.Await(group, failover, bound);
        if (Target(group, failover, bound) is not null) return null;
        var left = TimeSpan.FromSeconds(failover.Spec.DeadlineSeconds) - failover.PhaseFor;
        if (failover.PhaseFor >= CatchUpTimeout && (left <= TimeSpan.Zero || Back(group, failover, bound) is not null)) return null;
        var asked = group.Members.Where(m => m.Address is not null && (m.Name == failover.Spec.Target || (MayTakeItBack(failover) && m.Uid == failover.Spec.From!.Uid))).ToList();
        return asked.Count > 0 ? new Decision.Advance(new Step.AskMembers(asked))
            : new Decision.Wait(FailoverProcedure.RetryPause, Reasons.FailoverRunning, $"waiting for {failover.Spec.Target} or {failover.Spec.From!.Name}");
    }

    /// <summary>
    /// The target if it has everything; else the old primary, which has; else, as neither is there any more, whoever a failover would choose.
    /// </summary>
    public static Choice Choose(GroupObservation group, FailoverRecord failover, TimeSpan bound)
    {
        if ((Target(group, failover, bound) ?? Back(group, failover, bound)) is { } member) return new Choice.Candidate(member, 0);
        return LeaseElections.Replacement(group, Benchmark.Of(failover.Spec), bound, failover.Status.Fence?.Evidence, atRest: true);
    }

    /// <summary>The target did not have everything in time, so that nothing has changed but the term.</summary>
    public static bool IsBack(FailoverRecord failover) =>
        failover.IsPlanned && failover.Status.Candidate?.Uid == failover.Spec.From?.Uid;

    /// <summary>Null: it misses something, or may.</summary>
    private static Member? Target(GroupObservation group, FailoverRecord failover, TimeSpan bound)
    {
        var end = EndOfLog(group, failover);
        var benchmark = Benchmark.Of(failover.Spec);
        if (end is not null) benchmark = benchmark with { PrimaryPositionBytes = end, RequiredPositionBytes = end };
        var candidates = Candidates.Of(group, benchmark, bound, failover.Status.Fence?.Evidence, atRest: true);
        var isLossless = end is not null || LeasePlan.IsSynchronous(group.Spec);
        return !isLossless || Rivals.AtWork(group, failover.Spec.From).Count > 0 ? null
            : candidates.Ranked(group.Members).FirstOrDefault(m => m.Name == failover.Spec.Target
                && benchmark.KinshipOf(m.Probe.Status!) == Kinship.Same && (end is null || m.Probe.Status!.PositionBytes >= end));
    }

    private static Member? Back(GroupObservation group, FailoverRecord failover, TimeSpan bound) =>
        Rivals.AtWork(group, failover.Spec.From).Count == 0 && LeaseElections.Again(group, failover.Spec.From!, bound) is { } back
            && LeaseLimits.Of(group, failover.Status.Fence?.Evidence)!.Frees(back) ? back : null;

    private static bool MayTakeItBack(FailoverRecord failover) => failover.PhaseFor >= CatchUpTimeout - FailoverProcedure.FreshnessBound;

    /// <summary>Null: it did not end in order, or does not say.</summary>
    private static long? EndOfLog(GroupObservation group, FailoverRecord failover) => LastWord.Of(group, Benchmark.Of(failover.Spec))?.PositionBytes;

    private static Decision GiveUp(GroupObservation group, string reason, string message) => group.Lease?.Record is { IsToHandOver: true } lease
        ? new Decision.Advance(new Step.AskHandOver(lease.Holder!, lease.Version, Withdraw: true))
        : new Decision.Abort(reason, message);
}
