using System.Globalization;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Reporting;

/// <summary>One part of the time that a failover may take.</summary>
/// <param name="What">For people.</param>
/// <param name="Field">The field of the spec that decides about it. Null: none.</param>
public sealed record TimeShare(string What, long Milliseconds, string? Field);

/// <summary>
/// How long a failover takes at worst, by the settings: until the failure is known, until the old primary is surely stopped, until the new one is promoted,
/// and until traffic leads to it. The worst that has an end: a fence that nothing proves has none, and waits for a person.
/// </summary>
public sealed record Feasibility(IReadOnlyList<TimeShare> Shares)
{
    /// <summary>What promotion and traffic take where the group has no failover to go by.</summary>
    public const long AssumedMilliseconds = 1000;

    public long WorstMilliseconds => Shares.Sum(s => s.Milliseconds);

    public bool Meets(TargetsSpec targets) => WorstMilliseconds <= targets.RtoSeconds * 1000L;

    public static Feasibility Of(GroupObservation group)
    {
        var past = group.Failovers.Where(f => f is { IsOwn: true, Spec.Type: FailoverType.Failover, Status.Phase: FailoverPhase.Completed }).ToList();
        return new([.. UntilFenced(group), .. UntilStandbyIsThere(group), UntilPromoted(past), UntilRepointed(past)]);
    }

    private static IEnumerable<TimeShare> UntilStandbyIsThere(GroupObservation group) => group.Spec.Standby switch
    {
        StandbyTemperature.Hot => [],
        StandbyTemperature.Warm => [new("catching up", (long)Recovery.CatchUp.Timeout(group.Spec).TotalMilliseconds, "warm.syncTimeoutSeconds")],
        StandbyTemperature.Cold => [new("the standby's start", (long)Recovery.ColdStandby.Timeout(group.Spec).TotalMilliseconds, "cold.startTimeoutSeconds")],
        _ => throw new ArgumentOutOfRangeException(nameof(group), group.Spec.Standby, "unknown temperature"),
    };

    /// <summary>Says what cannot be met, which field decides most, and what would do.</summary>
    public string Explain(TargetsSpec targets)
    {
        var parts = string.Join(", ", Shares.Select(s => $"{s.What} {Seconds(s.Milliseconds)}{(s.Field is { } field ? $" ({field})" : "")}"));
        var most = Shares.Where(s => s.Field is not null).MaxBy(s => s.Milliseconds);
        var advice = most is null ? "" : $"; {most.Field} decides most: lower it, or raise targets.rtoSeconds to {(WorstMilliseconds + 999) / 1000}";
        return $"a failover may take {Seconds(WorstMilliseconds)}, targets.rtoSeconds is {targets.RtoSeconds}: {parts}{advice}";
    }

    /// <summary>With agents the lease is both: when it has run out, its holder has stopped.</summary>
    private static IEnumerable<TimeShare> UntilFenced(GroupObservation group)
    {
        var (detection, fencing) = (group.Spec.Detection, group.Spec.Fencing);
        if (group.HasAgents)
        {
            yield return new("the lease's end", detection.LeaseDurationSeconds * 1000L, "detection.leaseDurationSeconds");
            yield break;
        }
        yield return new("detection", (detection.UnhealthyAfterSeconds * 1000L) + detection.ProbeTimeoutMilliseconds, "detection.unhealthyAfterSeconds");
        yield return new("the proof of the old primary's end", fencing.TimeoutSeconds * 1000L * fencing.Policy.Count, "fencing.timeoutSeconds");
    }

    private static TimeShare UntilPromoted(List<FailoverRecord> past) => Measured("promotion", past, TimedPhase.Promote);

    private static TimeShare UntilRepointed(List<FailoverRecord> past) => Measured("traffic", past, TimedPhase.Repoint, TimedPhase.Verify);

    /// <summary>The median: one slow failover is no reason to call a target impossible.</summary>
    private static TimeShare Measured(string what, List<FailoverRecord> past, params TimedPhase[] phases)
    {
        var times = past.Select(f => f.Status.Phases.Where(p => phases.Contains(p.Name)).Sum(p => p.Milliseconds)).Where(t => t > 0).Order().ToList();
        return times.Count == 0
            ? new($"{what}, so far unmeasured,", AssumedMilliseconds, null)
            : new(string.Create(CultureInfo.InvariantCulture, $"{what}, median of {times.Count},"), times[times.Count / 2], null);
    }

    private static string Seconds(long milliseconds) => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000.0:0.0} s");
}
