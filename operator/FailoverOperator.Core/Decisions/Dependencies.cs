using System.Globalization;
using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Decisions;

/// <summary>
/// A tier above a database is of no use before the database is: its failover waits for that of the database (<c>spec.dependsOn</c>). It waits for a bounded
/// time, and for nobody who waits for it, so that whatever depends on whatever, every group may act in the end.
/// </summary>
public static class Dependencies
{
    /// <summary>
    /// What takes two groups down is not noticed of both in the same moment: so long after the first sign a failover waits to see whether a group that it
    /// depends on is well. By then whoever watches that one has asked its primary, or missed a renewal, and says so. A silence has lasted longer than
    /// this before it is called a failure, so that nothing is added to the longest time that a failover takes.
    /// </summary>
    public static readonly TimeSpan Settling = TimeSpan.FromSeconds(1);

    /// <summary>A failover would be begun, if nothing kept it back.</summary>
    public static bool HasFailed(Diagnosis diagnosis) => diagnosis is Diagnosis.PrimaryFailed or Diagnosis.PrimaryDemoted;

    /// <summary>There are signs that it has failed, or it has.</summary>
    public static bool IsUnwell(Diagnosis diagnosis) => HasFailed(diagnosis) || diagnosis is Diagnosis.PrimarySuspected;

    /// <summary>What keeps the failover back. Null: nothing.</summary>
    /// <param name="group">Its primary has failed.</param>
    public static Restraint? On(GroupObservation group)
    {
        foreach (var (dependency, spec) in WaitedFor(group))
        {
            if (Trouble(dependency) is not { } trouble) continue;
            var wait = TimeSpan.FromSeconds(spec.WaitSeconds);
            var until = string.Create(CultureInfo.InvariantCulture, $"until {(group.FailedSince!.Since + wait).UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}");
            return new(Reasons.WaitingForDependency,
                $"waits for group {dependency.Name}, which {trouble}, at most {until} (dependsOn.waitSeconds); {Brakes.InsteadOfWaiting(group)}", wait - group.FailedSince.For);
        }
        return null;
    }

    /// <summary>How long it still takes to see whether the others are well. Null: that is known, or there are none.</summary>
    public static TimeSpan? SettlesIn(GroupObservation group) =>
        group.FailedSince is { UnwellFor: var unwell } && unwell < Settling && WaitedFor(group).Any() ? Settling - unwell : null;

    private static IEnumerable<(DependencyObservation Dependency, DependencySpec Spec)> WaitedFor(GroupObservation group) =>
        group.Spec.DependsOn.Where(spec => group.FailedSince?.For < TimeSpan.FromSeconds(spec.WaitSeconds) && !group.DependencyGraph.IsCircular(spec.Name))
            .Join(group.Dependencies, spec => spec.Name, dependency => dependency.Name, (spec, dependency) => (dependency, spec));

    /// <summary>Unknown is not well.</summary>
    private static string? Trouble(DependencyObservation dependency) => dependency switch
    {
        { Failover: { } failover } => $"fails over ({failover})",
        { Available: null } => "has not been reported yet",
        { Available.Status: ConditionStatus.True } => null,
        { Available: var condition } => $"is not Available ({condition.Reason}: {condition.Message})",
    };
}
