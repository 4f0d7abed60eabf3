using System.Globalization;
using CsCheck;
using FailoverOperator.Core.Tests.Leases.Simulation;

namespace FailoverOperator.Core.Tests.Leases;

/// <summary>The product's own decisions, and the product's own agents, in a world of delays, losses and wrong clocks: I1, I2, I3, I6, L1.</summary>
public sealed class WholeOperatorTests
{
    /// <summary>Few for every day. <c>FAILOVER_SCHEDULES=10000</c> searches for an hour.</summary>
    private static readonly int Schedules = int.Parse(Environment.GetEnvironmentVariable("FAILOVER_SCHEDULES") ?? "150", CultureInfo.InvariantCulture);

    [Fact]
    public void Whatever_happens_one_member_writes_at_most_and_in_the_end_one_does() => Mixes.All.Sample(Judge, iter: Schedules);

    /// <summary>What fails is run again with notes.</summary>
    private static void Judge(Schedule schedule)
    {
        if (World(schedule, notes: false).Run() is null) return;
        var again = World(schedule, notes: true);
        Assert.Fail($"{again.Run()}{Environment.NewLine}{schedule}{Environment.NewLine}{again.Journal}");
    }

    private static LeaseWorld World(Schedule schedule, bool notes)
    {
        var store = new OperatorStore();
        return new LeaseWorld(schedule, new HolderRules(), new ElectorRules(), notes,
            makeOperator: (world, node, clock, period) => new WholeOperator(world, store, node, clock, period));
    }
}
