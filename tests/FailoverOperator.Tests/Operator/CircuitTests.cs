using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;

namespace FailoverOperator.Tests.Operator;

/// <summary>Circuit breakers around the engine, in the whole operator and in virtual time.</summary>
public class CircuitTests
{
    [Fact]
    public void A_standby_that_hangs_is_asked_ever_more_seldom_and_is_unknown_until_it_answers_again()
    {
        using var world = Running();
        var hanging = world.Server("db-2");
        hanging.Hangs = true;
        world.Until(() => Member(world).Message?.Contains("circuit open until", StringComparison.Ordinal) == true, "its circuit is open");
        Assert.Equal(MemberHealth.Unknown, Member(world).Health);
        var (asked, primary) = (hanging.Questions, world.Server("db-0").Questions);
        world.Pass(TimeSpan.FromMinutes(10));
        Assert.InRange(hanging.Questions - asked, 15, 30);
        Assert.InRange(world.Server("db-0").Questions - primary, 1100, 1300);
        Assert.Equal((MemberHealth.Unknown, "True PrimaryServing"), (Member(world).Health, world.Condition("Available")));
        Assert.Contains("redundancy_member_circuits_open{namespace=\"shop\",group=\"db\",member=\"db-2\"} 1", world.Operator.Metrics(), StringComparison.Ordinal);
        hanging.Hangs = false;
        world.Until(() => Member(world).Health == MemberHealth.Healthy, "it is healthy again", TimeSpan.FromSeconds(70));
        Assert.Contains("redundancy_member_circuits_open{namespace=\"shop\",group=\"db\",member=\"db-2\"} 0", world.Operator.Metrics(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_primary_is_asked_as_often_as_ever_and_a_failover_asks_everybody()
    {
        using var world = Running();
        // The only other one has failed for long, and its circuit stays open for half a minute.
        world.Server("db-1").Hangs = true;
        world.Server("db-2").Hangs = true;
        world.Until(() => Member(world).Message?.Contains("circuit open until", StringComparison.Ordinal) == true, "its circuit is open");
        world.Pass(TimeSpan.FromMinutes(3));
        world.Server("db-1").Hangs = false;
        world.Server("db-2").Hangs = false;
        world.Api.Change<k8s.Models.V1Pod>("shop", "db-0", p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch);
        var failed = world.Now;
        world.Until(() => world.Failovers[^1] is { Spec.Type: FailoverType.Failover, Status.Phase: FailoverPhase.Completed }, "it fails over");
        Assert.InRange((world.Now - failed).TotalSeconds, 0, 3);
    }

    [Fact]
    public void A_standby_whose_hook_fails_is_told_to_follow_ever_more_seldom_and_another_primary_at_once()
    {
        using var world = Running();
        var stray = world.Server("db-2");
        (stray.RefusesToFollow, stray.Follows) = (true, null);
        world.Until(() => Member(world).Message?.Contains("Follow kept failing, circuit open until", StringComparison.Ordinal) == true, "its circuit is open");
        var orders = stray.Orders;
        world.Pass(TimeSpan.FromMinutes(8));
        Assert.InRange(stray.Orders - orders, 7, 14);
        stray.RefusesToFollow = false;
        world.Api.Change<k8s.Models.V1Pod>("shop", "db-0", p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch);
        world.Until(() => stray.Follows == world.Server("db-1").Address, "it follows the new primary", TimeSpan.FromSeconds(4));
    }

    private static MemberStatus Member(OperatorWorld world) => world.Group.Status!.Members.First(m => m.Name == "db-2");

    private static OperatorWorld Running()
    {
        var world = new OperatorWorld(spec => spec with { Protection = ProtectionSpec.Off });
        world.StartOperator();
        world.UntilSteady("db-0");
        return world;
    }
}
