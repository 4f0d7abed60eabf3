using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using static FailoverOperator.Tests.Operator.AgentedWorld;

namespace FailoverOperator.Tests.Operator;

/// <summary>The place goes back to the member that is wanted most, in virtual time.</summary>
public class FailbackTests
{
    private const int StabilizationSeconds = 60;
    private const double Tolerance = 2;

    [Fact]
    public void After_a_failover_the_wanted_member_gets_its_place_back_when_it_has_been_fit_for_long_enough()
    {
        using var world = Running();
        world.KillContainer("db-0");
        world.UntilSteady("db-1");
        var whole = world.Now;
        world.Until(() => world.Failovers[^1].Spec.Type == FailoverType.Failback, "the failback begins");
        Assert.InRange((world.Now - whole).TotalSeconds, StabilizationSeconds - Tolerance, StabilizationSeconds + Tolerance);
        world.UntilSteady("db-0");
        var failback = world.Failovers[^1];
        Assert.Equal((FailoverPhase.Completed, "db-0"), (failback.Status!.Phase, failback.Status.Candidate!.Name));
        Assert.Equal((1, 1), world.Group.Status!.Statistics is { } s ? (s.Failovers, s.PlannedChanges) : default);
        world.Pass(TimeSpan.FromMinutes(3));
        Assert.Equal(3, world.Failovers.Count);
    }

    [Fact]
    public void A_break_begins_the_count_anew_and_so_does_another_operator()
    {
        using var world = Running();
        world.KillContainer("db-0");
        world.UntilSteady("db-1");
        world.Pass(TimeSpan.FromSeconds(40));
        world.KillContainer("db-0");
        world.Pass(TimeSpan.FromSeconds(40));
        Assert.Equal(2, world.Failovers.Count);
        world.KillOperator();
        world.StartOperator();
        world.Pass(TimeSpan.FromSeconds(40));
        Assert.Equal(2, world.Failovers.Count);
        world.UntilSteady("db-0", "it gets its place back in the end");
    }

    private static OperatorWorld Running()
    {
        var world = new OperatorWorld(spec => Agented(spec) with
        {
            Protection = ProtectionSpec.Off,
            Failback = new FailbackSpec { Policy = FailbackPolicy.Automatic, StabilizationSeconds = StabilizationSeconds },
            Promotion = spec.Promotion with { Priorities = [new MemberPriority { Member = "db-0", Priority = 200 }] },
        });
        world.StartOperator();
        world.UntilSteady("db-0");
        return world;
    }
}
