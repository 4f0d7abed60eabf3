using CsCheck;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Reporting;

namespace FailoverOperator.Core.Tests.Reporting;

/// <summary>What failures have cost: each failover is counted once.</summary>
public sealed class StatisticsTests
{
    private const string Since = "2026-11-27T03:00:00Z";

    private static FailoverRecord Past(
        long term, FailoverPhase phase = FailoverPhase.Completed, long? downtime = 1000, long? detect = 400,
        FailoverType type = FailoverType.Failover, FailoverCause cause = FailoverCause.PrimaryNodeDown)
    {
        var running = Given.Running(phase, type, "db-1", term: term);
        return running with
        {
            Spec = running.Spec with { Cause = cause, DetectedAt = Since },
            Status = running.Status with
            {
                DowntimeMilliseconds = downtime,
                Phases = detect is { } time ? [new PhaseDuration { Name = TimedPhase.Detect, Milliseconds = time }] : [],
            },
        };
    }

    private static GroupObservation Group(GroupStatistics? last, TimeSpan span, params FailoverRecord[] failovers) =>
        Given.Healthy() with { Failovers = failovers, Statistics = new(last, span, TimeSpan.Zero) };

    private static readonly GroupStatistics Empty = new() { Since = Since, AsOf = Since, Availability = "100.000" };

    [Fact]
    public void Means_come_with_the_number_of_their_values()
    {
        var sum = Statistics.Of(Group(Empty, TimeSpan.FromHours(10),
            Past(1, type: FailoverType.Election, downtime: null), Past(2, downtime: 5400, detect: 5000), Past(3, FailoverPhase.Failed, downtime: null),
            Past(4, downtime: 600, detect: 300), Past(5, downtime: null, detect: null), Past(6, FailoverPhase.Aborted),
            Past(7, type: FailoverType.Switchover, downtime: 70), Past(8, cause: FailoverCause.Requested, downtime: 30)));
        Assert.Equal((8, 3, 1, 2, 100), (sum.CountedTerm, sum.Failovers, sum.FailedFailovers, sum.PlannedChanges, sum.PlannedDowntimeMilliseconds));
        Assert.Equal((2, 6000, 3000), (sum.Recoveries, sum.DowntimeMilliseconds, sum.MeanTimeToRecoveryMilliseconds));
        Assert.Equal((2, 5300, 2650), (sum.Detections, sum.DetectionMilliseconds, sum.MeanTimeToDetectionMilliseconds));
        Assert.Equal(12_000, sum.MeanTimeBetweenFailuresSeconds);
        // 6 s of 36000 s; the planned ones are apart.
        Assert.Equal("99.983", sum.Availability);
        Assert.Null(sum.AsOf);
    }

    [Fact]
    public void Nothing_new_changes_nothing_for_an_hour()
    {
        var group = Group(Empty with { CountedTerm = 2 }, TimeSpan.FromHours(2), Past(2));
        Assert.Same(group.Statistics.Last, Statistics.Of(group));
        var due = Statistics.Of(group with { Statistics = group.Statistics with { Age = Statistics.ReckonedEvery } });
        Assert.Equal((null, "100.000"), (due.AsOf, due.Availability));
    }

    [Fact]
    public void A_failover_that_runs_holds_back_those_after_it()
    {
        var running = Past(3, FailoverPhase.Verifying);
        Assert.Equal(2, Statistics.Of(Group(Empty, Given.Seconds(60), Past(2), running, Past(4))).CountedTerm);
        Assert.Equal(4, Statistics.Of(Group(Empty, Given.Seconds(60), Past(2), Past(3), Past(4))).CountedTerm);
    }

    [Fact]
    public void Lost_sums_are_made_anew_from_the_records_that_exist()
    {
        var sum = Statistics.Of(Group(null, TimeSpan.Zero, Past(5), Past(6) with { IsOwn = false }, Past(7)));
        Assert.Equal((7, 2, Since), (sum.CountedTerm, sum.Failovers, sum.Since));
        // How long that was is known with the next look.
        Assert.Equal((null, null), (sum.MeanTimeBetweenFailuresSeconds, sum.Availability));
        var next = Statistics.Of(Group(sum, TimeSpan.FromHours(1), Past(7)) is var group ? group with { Statistics = group.Statistics with { Age = Given.Seconds(60) } } : null!);
        Assert.Equal((1800, "99.944"), (next.MeanTimeBetweenFailuresSeconds, next.Availability));
        Assert.Null(Statistics.Of(Group(null, TimeSpan.Zero)).Since);
    }

    /// <summary>However the records arrive, in how many looks, and whatever is pruned once it is counted.</summary>
    [Fact]
    public void Each_is_counted_once() => Gen.Select(Gen.Int[1, 12], Gen.Int[0, 11].Array[0, 8]).Sample((count, looks) =>
    {
        var all = Enumerable.Range(1, count).Select(term => Past(term, downtime: 100 * term)).ToArray();
        var sum = Empty;
        foreach (var seen in looks.Append(count))
        {
            var known = all.Take(seen).Where(f => f.Spec.Term > sum.CountedTerm - 1).ToArray();
            sum = Statistics.Of(Group(sum, Given.Seconds(1000), known));
        }
        Assert.Equal((count, count, 50 * count * (count + 1)), (sum.Failovers, sum.CountedTerm, sum.DowntimeMilliseconds));
    });

    [Fact]
    public void What_is_not_counted_yet_is_not_forgotten()
    {
        FailoverRecord[] past = [Past(1, type: FailoverType.Switchover), Past(2, type: FailoverType.Switchover), Past(3, type: FailoverType.Switchover), Past(4)];
        Assert.Equal(["db-0-1"], FailoverHistory.Surplus(past, limit: 1, countedTerm: 1).Select(f => f.Name));
        Assert.Equal(["db-0-1", "db-0-2", "db-0-3"], FailoverHistory.Surplus(past, limit: 1, countedTerm: 4).Select(f => f.Name));
    }
}
