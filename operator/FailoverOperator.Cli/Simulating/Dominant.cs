using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.Views;

namespace FailoverOperator.Cli.Simulating;

/// <summary>The field of the spec that most of the downtime comes from.</summary>
/// <param name="Phase">The phase that took longest, or the reason why it never ended.</param>
/// <param name="Field">Path of the field, below spec. Null: no field decides, the servers and the cluster themselves do.</param>
/// <param name="Value">What it is set to. Null: there is none, or it is no number.</param>
/// <param name="Message">A sentence.</param>
public sealed record Dominant(string Phase, string? Field, string? Value, string Message)
{
    /// <summary>Null: no failover was completed.</summary>
    internal static Dominant? Of(RedundancyGroupSpec spec, PhaseTimes median, IReadOnlyList<Failover> records)
    {
        if (records.Count == 0) return null;
        var phases = new (TimedPhase Phase, long? Milliseconds)[]
        {
            (TimedPhase.Detect, median.Detect), (TimedPhase.Decide, median.Decide), (TimedPhase.Fence, median.Fence),
            (TimedPhase.Promote, median.Promote), (TimedPhase.Repoint, median.Repoint), (TimedPhase.Verify, median.Verify),
        };
        var (phase, milliseconds) = phases.MaxBy(p => p.Milliseconds ?? -1);
        if (milliseconds is null) return null;
        var evidence = records.GroupBy(r => r.Status!.Fence?.Evidence).MaxBy(g => g.Count())!.Key;
        var (field, value) = Behind(spec, phase, evidence);
        var because = field is null ? "no field of the spec decides it" : $"{field}{(value is null ? "" : $": {value}")}";
        return new(phase.ToString(), field, value, FormattableString.Invariant($"most of it is {phase}, {milliseconds} ms by the median: {because}"));
    }

    /// <param name="waiting">Reason and message of what the group waited for. Null: unknown.</param>
    internal static Dominant OfWaiting(string? waiting)
    {
        var reason = waiting?.Split(':')[0] ?? "";
        var field = reason switch
        {
            Reasons.FenceUnproven => "fencing.policy",
            Reasons.QuorumNotHeard or Reasons.NoCandidate or Reasons.AllMembersDown => "spares",
            Reasons.BeyondRpo => "targets.rpoSeconds",
            Reasons.NotInLease => "fencing.policy",
            Reasons.ApprovalRequired or Reasons.ManualOnly => "promotion.policy",
            _ => null,
        };
        return new(reason.Length > 0 ? reason : "unknown", field, null,
            $"it waits, {waiting ?? "why is unknown"}{(field is null ? "" : $" (see {field})")}");
    }

    private static (string? Field, string? Value) Behind(RedundancyGroupSpec spec, TimedPhase phase, FenceEvidence? evidence)
    {
        var detection = spec.Detection;
        return phase switch
        {
            // A lease that runs out is noticed and proven by the same time.
            TimedPhase.Detect or TimedPhase.Fence when evidence is FenceEvidence.LeaseExpired =>
                ("detection.leaseDurationSeconds", Number(detection.LeaseDurationSeconds)),
            TimedPhase.Detect when detection.OnProcessCrash == OnProcessCrash.RestartFirst && evidence is FenceEvidence.Released =>
                ("detection.restartTimeoutSeconds", Number(detection.RestartTimeoutSeconds)),
            TimedPhase.Detect when evidence is FenceEvidence.Released =>
                ("detection.probeIntervalMilliseconds", Number(detection.ProbeIntervalMilliseconds)),
            TimedPhase.Detect => ("detection.unhealthyAfterSeconds", Number(detection.UnhealthyAfterSeconds)),
            TimedPhase.Fence => ("fencing.policy", string.Join(", ", spec.Fencing.Policy)),
            _ => (null, null),
        };
    }

    private static string Number(int number) => FormattableString.Invariant($"{number}");
}
