using FailoverOperator.Simulation.Mutants;
using FailoverOperator.Simulator.Faults;

namespace FailoverOperator.Simulation;

/// <summary>
/// The simulation is worth something only if it finds mistakes. <c>make simulate MUTANTS=n</c> tells how many seeds each of them needs.
/// </summary>
public sealed class MutantTests
{
    [Theory]
    [InlineData(nameof(AgentMutants.TakesSilenceForAcknowledgement), "I1", 3)]
    [InlineData(nameof(AgentMutants.TakesSilenceForPromises), "I1", 3)]
    [InlineData(nameof(AgentMutants.AsksOneMemberOnly), "I1", 3)]
    [InlineData(nameof(AgentMutants.ReleasesBeforeTheEnd), "I3", 19)]
    [InlineData(nameof(AgentMutants.DoesNotWatch), "I1", 19)]
    [InlineData(nameof(AgentMutants.HasNoWatchdog), "I1", 36)]
    [InlineData(nameof(AgentMutants.StopsLate), "I1", 36)]
    [InlineData(nameof(AgentMutants.WaitsForNoStandby), "I5", 3)]
    [InlineData(nameof(AgentMutants.WaitsForStandbysTooLate), "I5", 160)]
    [InlineData(nameof(AgentMutants.NeverRewinds), "L1", 3)]
    [InlineData(nameof(OperatorMutants.CountsTooFast), "I1", 139)]
    [InlineData(nameof(OperatorMutants.PromotesBeforeTheFence), "I3", 17)]
    [InlineData(nameof(OperatorMutants.ReusesTerms), "I2", 3)]
    [InlineData(nameof(OperatorMutants.AsksForNoSynchrony), "I5", 3)]
    [InlineData(nameof(OperatorMutants.ConfirmsFromMemory), "L1", 6)]
    [InlineData(nameof(OperatorMutants.ChoosesFromOldAnswers), "L1", 5)]
    [InlineData(nameof(PolicyMutants.IgnoresBrakes), "I7", 1)]
    [InlineData(nameof(PolicyMutants.FailsBackAtOnce), "I7", 1)]
    public void A_mistake_is_found(string name, string invariant, int around)
    {
        var (_, seams, kind) = AllMutants.All.Single(m => m.Name == name);
        var found = Seeds(around).Select(seed => Simulator.Simulation.Run(kind.Schedule(seed), seams).Violation).FirstOrDefault(v => v is not null);
        Assert.Equal(invariant, found?.Invariant);
    }

    /// <summary>And the code that ships stands where the mistakes fall.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(17)]
    [InlineData(19)]
    [InlineData(6)]
    [InlineData(36)]
    [InlineData(139)]
    [InlineData(160)]
    [InlineData(5)]
    public void What_finds_mistakes_finds_none_where_there_is_none(int seed) => Assert.Null(Simulator.Simulation.Run(Schedule.Of(seed)).Violation);

    [Fact]
    public void A_failing_schedule_shrinks_to_a_few_strikes_that_fail_in_the_same_way()
    {
        var seams = new AgentMutants.HasNoWatchdog();
        var schedule = new Schedule(7, [new(Fault.WatchesBreak, 1000, 1, 1, 500), new(Fault.AgentPause, 5300, 0, 0, 30_000),
            new(Fault.WallClockStep, 9000, 1, 0, 900)]);
        var smallest = Shrinker.Shrink(schedule, "I1", seams);
        Assert.Equal(Fault.AgentPause, Assert.Single(smallest.Strikes).Fault);
        Assert.Equal("I1", Simulator.Simulation.Run(smallest, seams).Violation?.Invariant);
    }

    /// <summary>A change of the code moves what a seed does; a mistake is found by one near by all the same.</summary>
    private static IEnumerable<int> Seeds(int around) => Enumerable.Range(around, 60);
}
