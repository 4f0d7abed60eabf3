using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.Simulating;
using FailoverOperator.Simulator.Trials;

namespace FailoverOperator.Cli.Tests.Simulating;

/// <summary>The simulator itself, a few seeds of each fault: what comes out must make sense.</summary>
public sealed class TrialTests
{
    [Theory]
    [InlineData("process-crash", 0.1, 5, FenceEvidence.Released)]
    [InlineData("power-cut", 3, 10, FenceEvidence.LeaseExpired)]
    [InlineData("zone-loss", 3, 10, FenceEvidence.LeaseExpired)]
    public void A_failover_takes_as_long_as_the_timings_have_it(string fault, double least, double most, FenceEvidence evidence)
    {
        foreach (var result in Run(PlannerTests.Group([]), fault, seeds: 1))
        {
            Assert.Null(result.Violation);
            Assert.InRange(result.Downtime!.Value.TotalSeconds, least, most);
            Assert.Equal((0, TimeSpan.Zero, 1), (result.LostWrites, result.Loss, result.Failovers));
            Assert.Equal(evidence, result.Record!.Status!.Fence!.Evidence);
        }
    }

    [Fact]
    public void A_primary_that_is_cut_off_is_replaced_when_its_lease_has_run_out() =>
        Assert.InRange(Assert.Single(Run(PlannerTests.Group([]), "partition", seeds: 1)).Downtime!.Value.TotalSeconds, 3, 10);

    [Fact]
    public void The_same_seed_gives_the_same_result()
    {
        var (one, other) = (Run(PlannerTests.Group([]), "power-cut", seeds: 1)[0], Run(PlannerTests.Group([]), "power-cut", seeds: 1)[0]);
        Assert.Equal((one.Downtime, one.Loss), (other.Downtime, other.Loss));
        Assert.Equal(one.Record!.Status!.EndedAt, other.Record!.Status!.EndedAt);
    }

    [Fact]
    public void A_group_without_anybody_left_never_comes_back()
    {
        var group = PlannerTests.Group([Member("db-0"), Member("db-1")], holder: "db-1");
        var result = Trial.Run(SimulationPlanner.OfLoss(group, "zone", "a").Scenarios[0].Plan, seed: 1);
        Assert.Null(result.Downtime);
        Assert.Null(result.LostWrites);
        Assert.NotNull(result.Waiting);
    }

    [Fact]
    public void The_zones_are_those_of_the_members_and_the_first_one_is_struck()
    {
        // The primary and one standby in one zone: the third alone cannot know who has the last writes, with RPO 0.
        var group = PlannerTests.Group([Member("db-0", "b"), Member("db-1", "a"), Member("db-2", "a")], holder: "db-1");
        var result = Assert.Single(Run(group, "zone-loss", seeds: 1));
        Assert.Null(result.Downtime);
        Assert.StartsWith("QuorumNotHeard", result.Waiting);
    }

    private static List<TrialResult> Run(RedundancyGroup group, string fault, int seeds)
    {
        var plan = SimulationPlanner.OfFaults(group, [fault]).Scenarios[0].Plan;
        return [.. Enumerable.Range(1, seeds).Select(seed => Trial.Run(plan, seed))];
    }

    private static MemberStatus Member(string name, string zone = "a") =>
        new() { Name = name, Node = $"node of {name}", Zone = zone, Health = MemberHealth.Healthy };
}
