using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using k8s.Models;
using static FailoverOperator.Tests.Operator.AgentedWorld;

namespace FailoverOperator.Tests.Operator;

/// <summary>People ask for a switchover, in virtual time.</summary>
public class SwitchoverTests
{
    [Fact]
    public void The_target_becomes_the_primary_and_the_request_ends_with_it()
    {
        using var world = Running();
        Ask(world);
        world.Until(() => Request(world).Status is { Phase: FailoverPhase.Completed }, "the request ends");
        var switchover = world.Failovers.Single(f => f.Name() == "db-0-2");
        Assert.Equal((FailoverType.Switchover, FailoverCause.Requested, FailoverPhase.Completed), (switchover.Spec.Type, switchover.Spec.Cause, switchover.Status!.Phase));
        Assert.Equal((FenceEvidence.Released, "db-2", 0L), (switchover.Status.Fence!.Evidence, switchover.Status.Candidate!.Name, switchover.Status.LostBytes!.Value));
        Assert.NotNull(switchover.Status.DowntimeMilliseconds);
        Assert.Equal(("db-0-2", "db-2"), (Request(world).Status!.ExecutedAs, Request(world).Status!.Candidate!.Name));
        world.UntilSteady("db-2");
        Assert.Null(Lease(world).HandOver);
        Assert.Equal(2, Lease(world).Term);
    }

    [Fact]
    public void A_target_that_cannot_be_is_refused_and_nothing_happens()
    {
        using var world = Running();
        Ask(world, target: "db-7");
        world.Until(() => Request(world).Status is { Phase: FailoverPhase.Failed, Reason: Reasons.RequestInvalid }, "it is refused");
        Assert.Contains("there are db-0, db-1, db-2", Request(world).Status!.Message);
        world.UntilSteady("db-0");
        Assert.Equal(1, Lease(world).Term);
    }

    [Theory]
    [MemberData(nameof(KilledOperators.Phases), MemberType = typeof(KilledOperators))]
    public void An_operator_killed_after_a_phase_was_written_is_followed_by_one_that_finishes_it(FailoverPhase phase)
    {
        using var world = Running();
        world.IsKilledAfter(phase, () => Ask(world));
        world.Until(() => Request(world).Status is { Phase: FailoverPhase.Completed }, "the request ends");
        Assert.Equal(["db-0-1", "db-0-2", "move"], world.Failovers.Select(f => f.Name()).Order());
        world.UntilSteady("db-2");
    }

    [Fact]
    public void A_primary_that_crashes_meanwhile_is_failed_over()
    {
        using var world = Running();
        world.Operator.Api.Faults.Before = (_, _) =>
        {
            if (world.Failovers.Any(f => f.Name() == "db-0-2" && f.Status?.Phase == FailoverPhase.Fencing)) world.Server("db-0").Up = false;
            return Task.CompletedTask;
        };
        Ask(world);
        world.Until(() => Request(world).Status is { EndedAt: not null }, "the request ends");
        world.Operator.Api.Faults.Before = null;
        Assert.NotEqual("db-0", Lease(world).Holder?.Split('/')[0]);
        Assert.Single(world.Servers.Primaries);
    }

    private static void Ask(OperatorWorld world, string target = "db-2") => world.Api.Seed(new Failover
    {
        Metadata = new V1ObjectMeta { Name = "move", NamespaceProperty = "shop" },
        Spec = new FailoverSpec { GroupRef = new GroupReference { Name = "db" }, Type = FailoverType.Switchover, Target = target, ExpectedHolder = "db-0", Reason = "test" },
    });

    private static Failover Request(OperatorWorld world) => world.Failovers.Single(f => f.Name() == "move");
}
