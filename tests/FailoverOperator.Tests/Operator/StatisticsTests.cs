using FailoverOperator.Api.RedundancyGroups;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>What failures have cost outlives their records, and the operator.</summary>
public sealed class StatisticsTests
{
    [Fact]
    public void Each_failover_is_counted_once_whatever_is_deleted_and_restarted()
    {
        using var world = new OperatorWorld(spec => spec with { Protection = ProtectionSpec.Off, FailoverHistoryLimit = 1 });
        world.StartOperator();
        world.UntilSteady("db-0");
        Delete(world, "db-0", successor: "db-1");
        world.KillOperator();
        world.StartOperator();
        Delete(world, "db-1", successor: "db-0");
        world.Until(() => world.Group.Status!.Statistics?.CountedTerm == 3, "the second one is counted");
        world.Pass(TimeSpan.FromMinutes(61));

        var statistics = world.Group.Status!.Statistics!;
        Assert.Equal((2, 0, 2), (statistics.Failovers, statistics.PlannedChanges, statistics.Recoveries));
        var lasted = world.Failovers.Select(f => f.Status!.DowntimeMilliseconds ?? 0).Max();
        Assert.InRange(statistics.DowntimeMilliseconds, lasted + 1, (2 * lasted) + 1000);
        Assert.Equal(statistics.DowntimeMilliseconds / 2, statistics.MeanTimeToRecoveryMilliseconds);
        Assert.InRange(statistics.MeanTimeBetweenFailuresSeconds!.Value, 1800, 1900);
        Assert.StartsWith("99.9", statistics.Availability);
        Assert.Contains("redundancy_availability_ratio{namespace=\"shop\",group=\"db\"} 0.999", world.Operator.Metrics());
    }

    private static void Delete(OperatorWorld world, string pod, string successor)
    {
        world.Api.Change<V1Pod>("shop", pod, p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch);
        world.Until(() => world.Group.Status!.Slots[0].Holder == successor, $"{successor} takes over");
        world.UntilSteady(successor);
    }
}
