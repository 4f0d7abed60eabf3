using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Recovery;

/// <summary>
/// A standby that does not run. It is scaled up only after the old primary has been fenced, and while nobody who runs may be promoted; it is scaled
/// down only while a member of the group's own workload is the primary and takes writes, or, to fence it, in a planned return to one. What it has when it
/// runs is judged then: a lag that nobody could ask for before is no known lag.
/// </summary>
public static class ColdStandby
{
    /// <summary>Whatever is started has what was written before.</summary>
    public static bool SharesData(RedundancyGroupSpec spec) => spec is { Standby: StandbyTemperature.Cold, Cold.Data: ColdData.Shared };

    public static TimeSpan Timeout(RedundancyGroupSpec spec) => TimeSpan.FromSeconds(spec.Cold?.StartTimeoutSeconds ?? ColdSpec.DefaultStartTimeoutSeconds);

    public static string Name(RedundancyGroupSpec spec) => $"{spec.Cold?.WorkloadRef.Kind} {spec.Cold?.WorkloadRef.Name}";

    /// <summary>Hope enough to fence a primary that has failed: it could be started, or starts. What it has is not known before.</summary>
    public static bool IsHoped(GroupObservation group) => group is { Spec.Standby: StandbyTemperature.Cold, Cold: ColdObservation.Seen };

    /// <summary>Whether one of its members is the primary.</summary>
    public static bool IsActive(GroupObservation group) => SlotHolder.Of(group).MemberIn(group) is { IsCold: true };

    /// <summary>Who takes the place back from the cold standby: of the group's own workload the one that is wanted most. Null: it does not have it.</summary>
    public static Member? Wanted(GroupObservation group) => !IsActive(group) ? null : group.Members.Where(m => !m.IsCold)
        .OrderByDescending(m => Candidates.PriorityOf(group.Spec, m.Name)).ThenBy(m => m.Name, StringComparer.Ordinal).FirstOrDefault();

    /// <summary>Nobody may be promoted now. Null: there is no cold standby, or it is not for this.</summary>
    public static Decision? Await(GroupObservation group, FailoverRecord failover, Choice.Nobody nobody)
    {
        if (group.Spec.Standby != StandbyTemperature.Cold || !failover.ReplacesPrimary) return null;
        var timeout = Timeout(group.Spec);
        if (failover.Status.Phase != FailoverPhase.Starting)
        {
            return new Decision.Advance(new Step.Enter(FailoverPhase.Starting)
            {
                Reason = Reasons.StartingStandby,
                Message = FormattableString.Invariant($"nobody who runs may be promoted, so {Name(group.Spec)} is started, for up to {timeout.TotalSeconds:0} s (cold.startTimeoutSeconds)"),
            });
        }
        if (group.Cold is ColdObservation.Seen { Replicas: 0 } down) return new Decision.Advance(new Step.ScaleStandby(1, down.Version));
        if (group.Cold is ColdObservation.Unusable unusable) return new Decision.Blocked(Reasons.StandbyUnavailable, unusable.Message);
        var left = timeout - failover.InPhaseFor;
        var missing = Missing(group, nobody);
        return left > TimeSpan.Zero
            ? new Decision.Wait(left < FailoverProcedure.RetryPause ? left : FailoverProcedure.RetryPause, Reasons.StartingStandby, missing)
            // Whoever gets there later is promoted after all.
            : new Decision.Blocked(Reasons.StandbyNotStarted, missing.Within(why => FormattableString.Invariant(
                $"{Name(group.Spec)} could not be promoted in cold.startTimeoutSeconds ({timeout.TotalSeconds:0} s): {why}")));
    }

    /// <summary>Phase Fencing of a planned return: the cold standby is scaled down, and its kubelet's word for its end is the proof.</summary>
    public static Decision HandOver(GroupObservation group, FailoverRecord failover)
    {
        var from = failover.Spec.From!;
        if (Fence.OfPrimary(group, failover) is { } proof)
            return new Decision.Advance(new Step.Enter(FailoverPhase.Electing) { Fence = proof.Evidence, FencedBy = proof.By });
        switch (group.Cold)
        {
            case ColdObservation.Seen { Replicas: 0 }:
                return FencingLadder.Next(group, failover);
            case ColdObservation.Seen up:
                // Nothing has been done yet.
                if (PrimaryDetector.Diagnose(group) is Diagnosis.PrimaryFailed failed)
                    return new Decision.Abort(failed.Reason, $"{from.Name} has failed: {string.Join(", ", failed.Evidence)}");
                return RequestCheck.Target(group, failover.Spec) is null
                    ? new Decision.Abort(Reasons.NotReadyYet, $"{failover.Spec.Target} is not ready any more, and nothing had been done")
                    : new Decision.Advance(new Step.ScaleStandby(0, up.Version));
            case ColdObservation.Unusable(var message):
                return new Decision.Abort(Reasons.StandbyUnavailable, message);
            default:
                var left = TimeSpan.FromSeconds(failover.Spec.DeadlineSeconds) - failover.InPhaseFor;
                return left > TimeSpan.Zero
                    ? new Decision.Wait(FailoverProcedure.RetryPause, Reasons.FailoverRunning, Unread(group))
                    : new Decision.Abort(Reasons.DeadlineExceeded, $"{Unread(group)}, and nothing is known to have been done");
        }
    }

    /// <summary>In quiet times it rests. Null: it does, or is the primary itself.</summary>
    /// <param name="group">Its primary takes writes, and no failover runs.</param>
    public static Step.ScaleStandby? Rest(GroupObservation group) =>
        group is { Spec.Standby: StandbyTemperature.Cold, Cold: ColdObservation.Seen { Replicas: > 0 } up }
        && SlotHolder.Of(group).MemberIn(group) is { IsCold: false, IsWritablePrimary: true }
        && !group.Members.Any(m => m is { IsCold: true, IsWritablePrimary: true })
            ? new(0, up.Version)
            : null;

    /// <summary>What is known of a failover to it beforehand. Null: the group has none. IsReady null: nobody can tell before it runs.</summary>
    public static (bool? IsReady, string Reason, string Message)? Prospect(GroupObservation group) => group switch
    {
        { Spec.Standby: not StandbyTemperature.Cold } => null,
        { Cold: ColdObservation.Seen } when SharesData(group.Spec) => (true, Reasons.ColdStandby,
            $"{Name(group.Spec)} would be started; it does not run, so nobody can ask for its lag: by cold.data: Shared it works on the primary's own storage, which the operator cannot check"),
        { Cold: ColdObservation.Seen } => (null, Reasons.ColdStandby,
            FormattableString.Invariant($"{Name(group.Spec)} would be started; whether it is within targets.rpoSeconds ({group.Spec.Targets.RpoSeconds} s) is not known before it runs and tells its lag, and it is not promoted otherwise")),
        { Cold: ColdObservation.Unusable(var message) } => (false, Reasons.StandbyUnavailable, message),
        _ => (null, Reasons.StandbyUnavailable, Unread(group)),
    };

    private static Explanation Missing(GroupObservation group, Choice.Nobody nobody) =>
        group.Cold is not ColdObservation.Seen ? new(Unread(group), null)
        : group.Members.Any(m => m.IsCold) ? nobody.Why
        : new($"{Name(group.Spec)} has no pod yet", null);

    private static string Unread(GroupObservation group) =>
        $"{Name(group.Spec)} cannot be read: {(group.Cold as ColdObservation.Unread)?.Why ?? "nobody has looked yet"}";
}
