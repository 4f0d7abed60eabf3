using System.Globalization;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Reporting;

/// <summary>
/// Adds up what failovers have cost. Each is counted once, however often this is asked and whoever asks: those up to <c>countedTerm</c> are, and the
/// sums are written together with it.
/// </summary>
public static class Statistics
{
    /// <summary>Time goes on without failures, too.</summary>
    public static readonly TimeSpan ReckonedEvery = TimeSpan.FromHours(1);

    /// <summary>As long as too little time has passed for an availability.</summary>
    private static readonly TimeSpan FirstReckonedAfter = TimeSpan.FromMinutes(1);

    /// <inheritdoc cref="Of(IReadOnlyList{GroupObservation})"/>
    public static GroupStatistics Of(GroupObservation group) => Of([group]);

    /// <summary>The statistics as they are to be; the very ones that are there, if there is nothing new.</summary>
    /// <param name="slots">The group, seen by each of its slots.</param>
    public static GroupStatistics Of(IReadOnlyList<GroupObservation> slots)
    {
        var (before, span, age) = slots[0].Statistics;
        var news = slots.SelectMany(News).ToList();
        var isDue = age >= (before?.Availability is null ? FirstReckonedAfter : ReckonedEvery);
        if (before is not null && news.Count == 0 && !isDue) return before;
        var start = before ?? new GroupStatistics { Since = news.Select(f => f.Spec.DetectedAt).Where(at => at is not null).Min(StringComparer.Ordinal) };
        var countedTerm = Slots.AreBound(slots[0].Spec) ? 0 : CountedTerm(slots[0]);
        return Reckon(news.Aggregate(start, Add) with { AsOf = null, CountedTerm = countedTerm }, before is null ? null : span, slots.Count);
    }

    /// <summary>Up to which term the slot's failovers are counted, when the statistics are written.</summary>
    public static long CountedTerm(GroupObservation slot) => News(slot).Select(f => f.Spec.Term).Append(slot.Statistics.CountedTerm).Max();

    /// <summary>Ended failovers that are not counted yet. One that still runs holds back those after it: its term would be passed over.</summary>
    private static List<FailoverRecord> News(GroupObservation slot) =>
        [.. slot.Failovers.Where(f => f.IsOwn && f.Spec.Term > slot.Statistics.CountedTerm).OrderBy(f => f.Spec.Term).TakeWhile(f => f.IsEnded)];

    private static GroupStatistics Add(GroupStatistics sum, FailoverRecord failover)
    {
        var downtime = failover.Status.DowntimeMilliseconds;
        return (failover.Spec, failover.Status.Phase) switch
        {
            ({ Type: FailoverType.Switchover or FailoverType.Failback } or { Type: FailoverType.Failover, Cause: FailoverCause.Requested }, FailoverPhase.Completed) =>
                sum with { PlannedChanges = sum.PlannedChanges + 1, PlannedDowntimeMilliseconds = sum.PlannedDowntimeMilliseconds + (downtime ?? 0) },
            ({ Type: FailoverType.Failover }, FailoverPhase.Completed) => AddDetection(sum with
            {
                Failovers = sum.Failovers + 1,
                Recoveries = sum.Recoveries + (downtime is null ? 0 : 1),
                DowntimeMilliseconds = sum.DowntimeMilliseconds + (downtime ?? 0),
            }, failover),
            ({ Type: FailoverType.Failover }, FailoverPhase.Failed) => sum with { FailedFailovers = sum.FailedFailovers + 1 },
            _ => sum,
        };
    }

    private static GroupStatistics AddDetection(GroupStatistics sum, FailoverRecord failover) =>
        failover.Status.Phases.FirstOrDefault(p => p.Name == TimedPhase.Detect) is { Milliseconds: var milliseconds }
            ? sum with { Detections = sum.Detections + 1, DetectionMilliseconds = sum.DetectionMilliseconds + milliseconds }
            : sum;

    /// <param name="span">Since counting began. Null: it begins now.</param>
    private static GroupStatistics Reckon(GroupStatistics sum, TimeSpan? span, int slots) => sum with
    {
        MeanTimeBetweenFailuresSeconds = sum.Failovers > 0 && span is { } time ? (long)time.TotalSeconds / sum.Failovers : null,
        MeanTimeToRecoveryMilliseconds = sum.Recoveries > 0 ? sum.DowntimeMilliseconds / sum.Recoveries : null,
        MeanTimeToDetectionMilliseconds = sum.Detections > 0 ? sum.DetectionMilliseconds / sum.Detections : null,
        Availability = span is { TotalMilliseconds: > 0 and var observed } && observed * slots > sum.DowntimeMilliseconds ? Percentage(1 - (sum.DowntimeMilliseconds / (observed * slots))) : null,
    };

    /// <summary>Rounded down: nobody gets a nine for nothing.</summary>
    private static string Percentage(double share) => (Math.Floor(share * 100_000) / 1000).ToString("0.000", CultureInfo.InvariantCulture);
}
