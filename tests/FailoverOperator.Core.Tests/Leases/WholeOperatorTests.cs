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

    /// <summary>What the search has found, each once a second writer or a group without a primary.</summary>
    [Fact]
    public void What_once_went_wrong_does_not_again()
    {
        // An old version of the lease, delivered late, and then the lease deleted.
        Judge(new Schedule(2239544, 2, 0, true, [1, 0, 1, 1, 1, 1, -1, -1, -1, 1], [new(Fault.ContainerRestart, 15108, 4, 1, 7566), new(Fault.DeleteLease, 20562, 5, 5, 3821),
            new(Fault.Isolation, 4607, 5, 1, 11725), new(Fault.ServerCrash, 7631, 6, 1, 10099), new(Fault.ServerCrash, 4967, 3, 7, 10848)]));
        // The lease deleted after its release, before it was given anew.
        Judge(new Schedule(14508, 2, 3, true, [0, -1, 1, 1, -1, 0, 0, 0, 0, 0], [new(Fault.Forge, 23917, 2, 5, 7637), new(Fault.PodStop, 9855, 5, 5, 1854),
            new(Fault.AgentFreeze, 12856, 1, 2, 1056), new(Fault.ServerCrash, 4136, 2, 0, 10106), new(Fault.DeleteLease, 4337, 0, 7, 6808)]));
        // Its term edited after it was made anew.
        Judge(new Schedule(14104, 2, 1, true, [1, 1, -1, -1, -1, 1, 1, 1, 0, 1], [new(Fault.Forge, 19801, 2, 2, 8042), new(Fault.AgentFreeze, 16405, 6, 0, 9575),
            new(Fault.DeleteLease, 12315, 5, 2, 222), new(Fault.DeleteLease, 16428, 0, 0, 3577)]));
        // Deleted after the first holder had claimed it, and given to the same one anew with a shorter D, before the operator knew that it serves.
        Judge(new Schedule(66, 3, 3, true, [0, -1, 1, 0, 1, -1, 1, -1, 1, 0],
            [new(Fault.Isolation, 2000, 0, 0, 14000), new(Fault.NewTimings, 2519, 0, 1, 100), new(Fault.DeleteLease, 3558, 0, 0, 100)]));
    }

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
