using FailoverOperator.Simulator.Faults;

namespace FailoverOperator.Simulation;

/// <summary>The operator and the agents as they ship, under faults from seeds. <c>make simulate SEEDS=n</c> searches more of them.</summary>
public sealed class SimulationTests
{
    /// <summary>Few for every day.</summary>
    private const int Seeds = 40;

    private const int EndlessSeeds = 10;

    private const int PlannedSeeds = 25;

    /// <summary>I1, I2, I3, I5, I6, and L1 when everything has healed.</summary>
    [Fact]
    public void Whatever_happens_nothing_is_lost_and_in_the_end_all_is_as_it_should_be()
    {
        var reached = new HashSet<string>();
        for (var seed = 1; seed <= Seeds; seed++)
        {
            var result = Simulator.Simulation.Run(Schedule.Of(seed));
            Assert.True(result.Violation is null, $"{result.Violation}; replay it with: make simulate SEED={seed}");
            reached.UnionWith(result.Sometimes.Keys);
        }
        // Else nothing has been shown.
        Assert.Superset(new HashSet<string> { "fence Released", "fence LeaseExpired", "cause PrimaryProcessDown", "cause PrimaryIsolated",
            "release SelfFenced" }, reached);
    }

    /// <summary>The volume of a primary is lost before any standby has come to its timeline, or soon after.</summary>
    [Theory]
    [InlineData(679)]
    [InlineData(934)]
    [InlineData(1233)]
    public void A_primary_that_nobody_followed_yet_may_be_lost_for_good(int seed)
    {
        var result = Simulator.Simulation.Run(Schedule.Of(seed));
        Assert.True(result.Violation is null, $"{result.Violation}; replay it with: make simulate SEED={seed}");
        if (seed != 679) Assert.True(result.Sometimes.ContainsKey("the volume of a primary is lost"));
    }

    /// <summary>
    /// The old primary has just been demoted and has not come to follow the new one yet, which is lost for good after half a second. An operator
    /// that has seen all of it knows what that can have cost; to one that is started anew in between the old primary's agent tells it.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_primary_that_served_for_a_moment_costs_no_more_than_that_moment(bool isOperatorStartedAnew)
    {
        var crash = new Strike(Fault.OperatorCrash, 426, 10, 0, 497, Failover: 1);
        var schedule = Schedule.Of(103) with
        {
            Strikes =
            [
                new Strike(Fault.NodeCutOff, 6937, 6, 8, 2740), .. isOperatorStartedAnew ? [crash] : Array.Empty<Strike>(),
                new Strike(Fault.VolumeLost, 876, 5, 10, 487, Failover: 1),
            ],
        };
        var result = Simulator.Simulation.Run(schedule);
        Assert.True(result.Violation is null, $"{result.Violation}");
        Assert.True(result.Sometimes.ContainsKey("the volume of a primary is lost"));
    }

    /// <summary>
    /// The lease is deleted again and again, so that three members are the primary within seconds, and the last one is lost before it serves. Who still
    /// has the log of the first one is not asked for what the third one had acknowledged.
    /// </summary>
    [Theory]
    [InlineData(919)]
    public void A_log_from_before_is_not_taken_for_the_lost_one(int seed) => HasNoViolation(seed);

    /// <summary>The old primary's own volume is back with all of its log, or a standby has it, and the others have little or nothing.</summary>
    [Theory]
    [InlineData(928)]
    public void Who_has_all_of_the_lost_log_is_enough(int seed) => HasNoViolation(seed);

    /// <summary>
    /// Who was given the lease last gave it back before it was promoted, bound still by the promises of members that are gone: that they are gone
    /// frees those who are back, though no failover runs that asks about them.
    /// </summary>
    [Theory]
    [InlineData(30291)]
    public void Promises_of_members_that_are_gone_keep_nobody_back(int seed) => HasNoViolation(seed);

    /// <summary>Two were promoted from the same log, one after the other; the volume of the second is lost, and the first is back with what nobody followed.</summary>
    [Theory]
    [InlineData(30371)]
    public void A_log_that_nobody_continued_is_a_witness(int seed) => HasNoViolation(seed);

    /// <summary>
    /// A primary is lost with its volume before anybody saw which log it began; two have the log that it began from, two have only the one before that:
    /// these are witnesses, though they do not know of the log in between.
    /// </summary>
    [Theory]
    [InlineData(71012)]
    public void Logs_from_before_the_one_that_the_lost_one_began_from_are_witnesses(int seed) => HasNoViolation(seed);

    /// <summary>The lease is emptied and deleted five times, each time after its holder had said, and an operator written down, that it had gone.</summary>
    [Theory]
    [InlineData(20189)]
    public void What_is_written_down_of_a_holders_end_outlives_its_lease(int seed) => HasNoViolation(seed);

    /// <summary>Whoever emptied the lease took with it by how many members the last holder lived; and a pod was deleted.</summary>
    [Theory]
    [InlineData(40304)]
    public void Members_that_nobody_knows_of_count(int seed) => HasNoViolation(seed);

    private static void HasNoViolation(int seed)
    {
        var result = Simulator.Simulation.Run(Schedule.Of(seed));
        Assert.True(result.Violation is null, $"{result.Violation}; replay it with: make simulate SEED={seed}");
    }

    [Fact]
    public void The_same_seed_gives_the_same_trace_letter_for_letter()
    {
        for (var seed = 1000; seed < 1005; seed++)
        {
            var (one, other) = (Simulator.Simulation.Run(Schedule.Of(seed), isRecording: true),
                Simulator.Simulation.Run(Schedule.Of(seed), isRecording: true));
            Assert.Equal(one.Trace, other.Trace);
            Assert.Equal(one.TraceHash, other.TraceHash);
            Assert.NotEqual(Simulator.Simulation.Run(Schedule.Of(seed + 100)).TraceHash, one.TraceHash);
        }
    }

    [Fact]
    public void While_faults_never_end_nothing_happens_that_must_not()
    {
        for (var seed = 1; seed <= EndlessSeeds; seed++)
        {
            var result = Simulator.Simulation.Run(Schedule.Endless(seed));
            Assert.True(result.Violation is null, $"{result.Violation}; replay it with: make simulate KIND=endless SEED={seed}");
            Assert.Null(result.Recovery);
        }
    }

    /// <summary>As before, and I7: with brakes, failback, and people who ask for switchovers, failovers and rest.</summary>
    [Fact]
    public void What_people_ask_for_and_what_brakes_keep_back_changes_nothing_of_that()
    {
        var reached = new HashSet<string>();
        for (var seed = 1; seed <= PlannedSeeds; seed++)
        {
            var result = Simulator.Simulation.Run(Schedule.Planned(seed));
            Assert.True(result.Violation is null, $"{result.Violation}; replay it with: make simulate KIND=planned SEED={seed}");
            reached.UnionWith(result.Sometimes.Keys);
        }
        Assert.Superset(new HashSet<string> { "failback", "cause Requested", "a failover after another one, with a cooldown", "group Suppressed True Suspended" }, reached);
    }

    [Fact]
    public void Worlds_that_run_side_by_side_do_not_touch_each_other()
    {
        var seeds = Enumerable.Range(2000, 6).ToArray();
        var alone = seeds.Select(seed => Simulator.Simulation.Run(Schedule.Of(seed)).TraceHash).ToArray();
        var together = new string[seeds.Length];
        Parallel.For(0, seeds.Length, n => together[n] = Simulator.Simulation.Run(Schedule.Of(seeds[n])).TraceHash);
        Assert.Equal(alone, together);
    }

    [Fact]
    public void Keeping_the_lines_changes_nothing() =>
        Assert.Equal(Simulator.Simulation.Run(Schedule.Of(7), isRecording: true).TraceHash, Simulator.Simulation.Run(Schedule.Of(7)).TraceHash);
}
