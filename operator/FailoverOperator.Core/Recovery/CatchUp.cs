using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Recovery;

/// <summary>
/// Warm standbys: one that runs and is known to be beyond the recovery point objective may still get there, from what it has received and not taken
/// in yet. It is hope enough to fence a primary that has failed, and is waited for before it is promoted. Invariant I4 stays: whoever is promoted
/// is within the objective by then, and an unknown lag is neither waited for nor promoted.
/// </summary>
public static class CatchUp
{
    public static TimeSpan Timeout(RedundancyGroupSpec spec) =>
        TimeSpan.FromSeconds(spec.Warm?.SyncTimeoutSeconds ?? WarmSpec.DefaultSyncTimeoutSeconds);

    /// <summary>Whether somebody who may not be promoted now is known to miss nothing but time.</summary>
    public static bool IsHoped(GroupObservation group, Benchmark benchmark) => Behind(group, Hope(group, benchmark)).Count > 0;

    /// <summary>How far each of them is behind, for people.</summary>
    public static string Describe(GroupObservation group, Benchmark benchmark) => Words(Behind(group, Hope(group, benchmark)));

    /// <summary>Nobody may be promoted now. Null: nobody is to be waited for either.</summary>
    public static Decision? Await(GroupObservation group, FailoverRecord failover, TimeSpan bound)
    {
        if (group.Spec.Standby != StandbyTemperature.Warm || failover.Spec.Type != FailoverType.Failover) return null;
        var behind = Behind(group, Candidates.Of(group, Benchmark.Of(failover.Spec), bound, failover.Status.Fence?.Evidence, atRest: true));
        if (behind.Count == 0) return null;
        var timeout = Timeout(group.Spec);
        if (failover.Status.Phase != FailoverPhase.CatchingUp)
        {
            return new Decision.Advance(new Step.Enter(FailoverPhase.CatchingUp)
            {
                Reason = Reasons.CatchingUp,
                Message = FormattableString.Invariant($"waits for up to {timeout.TotalSeconds:0} s (warm.syncTimeoutSeconds) until a standby has caught up: {Words(behind)}"),
            });
        }
        var left = timeout - failover.InPhaseFor;
        return left > TimeSpan.Zero
            ? new Decision.Wait(left < FailoverProcedure.RetryPause ? left : FailoverProcedure.RetryPause, Reasons.CatchingUp, Words(behind))
            // Whoever gets there later is promoted after all.
            : new Decision.Blocked(Reasons.CatchUpTimedOut, DataLoss.Offer(group, FormattableString.Invariant(
                $"no standby caught up to within targets.rpoSeconds ({group.Spec.Targets.RpoSeconds} s) in warm.syncTimeoutSeconds ({timeout.TotalSeconds:0} s): {Words(behind)}; ")
                + $"the first that gets there is promoted, or the old primary when it is back"));
    }

    /// <summary>As if the old primary's end were proven by the best of proofs.</summary>
    private static Candidates Hope(GroupObservation group, Benchmark benchmark) =>
        Candidates.Of(group, benchmark, FailoverProcedure.ReadinessBound(group.Spec), FenceEvidence.Released);

    private static List<Eligibility.Ineligible> Behind(GroupObservation group, Candidates candidates) => group.Spec.Standby != StandbyTemperature.Warm
        ? []
        : [.. group.Members.Select(candidates.Judge).OfType<Eligibility.Ineligible>().Where(e => e.MayCatchUp)];

    private static string Words(IEnumerable<Eligibility.Ineligible> behind) => string.Join("; ", behind.Select(e => e.Message));
}
