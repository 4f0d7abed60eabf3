using CsCheck;
using FailoverOperator.Core.Tests.Leases.Simulation;

namespace FailoverOperator.Core.Tests.Leases;

public sealed class LeaseWorldTests
{
    /// <summary>Few for every day. <c>FAILOVER_SCHEDULES=1000000</c> searches for a night.</summary>
    private static readonly int Schedules =
        int.Parse(Environment.GetEnvironmentVariable("FAILOVER_SCHEDULES") ?? "2000", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>I1, I2, I3, L1; see <see cref="Check"/>.</summary>
    [Fact]
    public void Whatever_happens_one_member_writes_at_most_and_in_the_end_one_does() =>
        Mixes.All.Sample(schedule => Judge(schedule, calm: false, world => world.Run()), iter: Schedules);

    /// <summary>L2, by what the members promise each other.</summary>
    [Fact]
    public void While_only_the_API_server_is_away_nothing_changes() =>
        Outage.Sample(schedule => Judge(schedule, calm: true, Uninterrupted), iter: Schedules / 10);

    /// <summary>L2.</summary>
    [Fact]
    public void While_only_the_operators_are_away_nothing_changes() =>
        OperatorsAway.Sample(schedule => Judge(schedule, calm: true, Uninterrupted), iter: Schedules / 10);

    [Fact]
    public void Without_failsafe_an_outage_of_the_API_server_stops_the_primary() =>
        Outage.Sample(schedule => Judge(schedule with { Failsafe = false }, calm: true, Interrupted), iter: 20);

    private static readonly Gen<int> AnyTimings = Gen.Int[0, LeaseWorld.Timings.Length - 1];

    private static readonly Gen<Schedule> Outage = Gen.Select(Gen.Int[2, 3], AnyTimings).SelectMany((members, timings) =>
        Schedule.Story(members, timings, (new(Fault.ApiOutage, 1000, 0, 0, 20_000), 2000)));

    private static readonly Gen<Schedule> OperatorsAway = Gen.Select(Gen.Int[1, 3], AnyTimings).SelectMany((members, timings) =>
        Schedule.Story(members, timings, (new(Fault.OperatorCut, 1000, 0, 0, 20_000), 2000), (new(Fault.OperatorCut, 1000, 1, 0, 20_000), 2000)));

    private static string? Interrupted(LeaseWorld world) => world.Run() ?? (world.Interruptions > 0 ? null : "nobody stopped");

    private static string? Uninterrupted(LeaseWorld world) =>
        world.Run() ?? (world.Interruptions == 0 && world.LastTerm == 1 ? null : $"L2: stopped {world.Interruptions} times, term {world.LastTerm}");

    /// <summary>What fails is run again with notes.</summary>
    private static void Judge(Schedule schedule, bool calm, Func<LeaseWorld, string?> run)
    {
        if (run(new LeaseWorld(schedule, new HolderRules(), new ElectorRules(), calm: calm)) is null) return;
        var again = new LeaseWorld(schedule, new HolderRules(), new ElectorRules(), notes: true, calm);
        Assert.Fail($"{run(again)}{Environment.NewLine}{schedule}{Environment.NewLine}{again.Journal}");
    }
}
