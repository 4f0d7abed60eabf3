using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Hosting;
using FailoverOperator.Testing;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>Switchovers of a group without agents, in virtual time: asked for, and by drains and updates.</summary>
public class OrderlyStopTests
{
    internal static OperatorWorld Running()
    {
        var world = new OperatorWorld { Settings = new OperatorSettings { WebhookFolder = "/webhook" } };
        world.Update("rev-1", "OnDelete");
        foreach (var pod in world.Pods()) world.Api.Change<V1Pod>("shop", pod.Name(), p => p.Metadata.Labels["controller-revision-hash"] = "rev-1");
        world.StartOperator();
        world.UntilSteady("db-0");
        world.Servers.Commands.Clear();
        return world;
    }

    internal static void Ask(OperatorWorld world, int deadlineSeconds = 60) => world.Api.Seed(new Failover
    {
        Metadata = new V1ObjectMeta { Name = "move", NamespaceProperty = "shop", Generation = 1 },
        Spec = new FailoverSpec { GroupRef = new GroupReference { Name = "db" }, Type = FailoverType.Switchover, Target = "db-2", DeadlineSeconds = deadlineSeconds },
    });

    internal static FailoverStatus? Request(OperatorWorld world) => world.Failovers.Single(f => f.Name() == "move").Status;

    internal static Failover Switchover(OperatorWorld world) => world.Failovers.Single(f => f.Name() == "db-0-2");

    [Fact]
    public void The_primary_is_stopped_ended_and_replaced_and_nothing_is_lost()
    {
        using var world = Running();
        var first = world.Pod("db-0").Uid();
        world.Server("db-0").Position = 5000;
        Ask(world);
        world.Until(() => world.Servers.Commands.Count > 0, "it is stopped");
        Assert.Equal(first, world.Pod("db-0").Uid());
        world.Until(() => Request(world) is { Phase: FailoverPhase.Completed }, "the request ends");
        var status = Switchover(world).Status!;
        Assert.Equal((FenceEvidence.PodTerminated, "db-2", 0L, 5000L), (status.Fence!.Evidence, status.Candidate!.Name, status.LostBytes!.Value, status.End!.PositionBytes));
        Assert.InRange(status.DowntimeMilliseconds!.Value, 1, 2000);
        Assert.Equal(["demote db-0", "promote db-2 2"], world.Servers.Commands.Where(c => !c.StartsWith("follow", StringComparison.Ordinal)));
        Assert.Equal(5000, world.Server("db-2").Position);
        Assert.NotEqual(first, world.Pod("db-0").Uid());
        world.UntilSteady("db-2");
        Assert.Equal(["db-2"], world.Traffic);
    }

    [Fact]
    public void A_target_that_does_not_get_everything_gets_nothing_and_the_primary_writes_again()
    {
        using var world = Running();
        var first = world.Pod("db-0").Uid();
        world.Server("db-2").IsLate = true;
        world.Server("db-0").Position = 5000;
        Ask(world);
        world.Until(() => Request(world) is { Phase: FailoverPhase.Aborted, Reason: Reasons.SwitchedBack }, "it is given up", TimeSpan.FromSeconds(6));
        world.Server("db-2").IsLate = false;
        world.UntilSteady("db-0");
        Assert.Equal(["demote db-0", "promote db-0 1"], world.Servers.Commands.Where(c => !c.StartsWith("follow", StringComparison.Ordinal)));
        Assert.Equal((first, 5000L, "db-0"), (world.Pod("db-0").Uid(), world.Server("db-0").Position, Assert.Single(world.Traffic)));
    }

    [Theory]
    [MemberData(nameof(KilledOperators.Phases), MemberType = typeof(KilledOperators))]
    public void An_operator_killed_after_a_phase_was_written_is_followed_by_one_that_finishes_it(FailoverPhase phase)
    {
        using var world = Running();
        world.IsKilledAfter(phase, () => Ask(world));
        world.Until(() => Request(world) is { Phase: FailoverPhase.Completed }, "the request ends");
        world.UntilSteady("db-2");
        Assert.Equal(0, Switchover(world).Status!.LostBytes);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_operator_killed_at_any_call_leaves_nothing_that_the_next_one_does_not_settle(bool isLate)
    {
        for (var calls = 1; calls <= 16; calls++)
        {
            using var world = Running();
            world.Server("db-0").Position = 5000;
            world.Server("db-2").IsLate = isLate;
            Ask(world);
            world.Operator.Api.Faults.Before = KillAfter(world, calls);
            world.Pass(TimeSpan.FromSeconds(1));
            world.KillOperator();
            world.StartOperator();
            world.Until(() => Request(world)?.Phase.IsEnd() == true, $"the request ends, killed after {calls} calls");
            world.Server("db-2").IsLate = false;
            world.UntilSteady(Request(world)!.Phase == FailoverPhase.Completed ? "db-2" : "db-0");
            Assert.Equal(5000, world.Server(world.Traffic.Single()).Position);
        }
    }

    private static Func<ApiCall, CancellationToken, Task> KillAfter(OperatorWorld world, int calls)
    {
        var left = calls;
        return (_, _) =>
        {
            if (left-- == 0) world.KillOperator();
            return Task.CompletedTask;
        };
    }

    [Fact]
    public void An_eviction_of_the_primary_is_held_until_another_one_is()
    {
        using var world = Running();
        world.Until(() => world.Api.Peek<V1PodDisruptionBudget>("shop", "db-primary") is not null, "the budget is there");
        world.Cordon("node-1");
        Assert.False(world.TryEvict("db-0"));
        world.Until(() => world.Failovers is [_, { Status.Phase: FailoverPhase.Completed }], "the primary hands over");
        Assert.Equal((FailoverType.Switchover, FailoverCause.NodeDrain, 0L), (Switchover(world).Spec.Type, Switchover(world).Spec.Cause, Switchover(world).Status!.LostBytes!.Value));
        world.Until(() => world.TryEvict("db-0"), "what has its name is a standby");
    }

    [Fact]
    public void An_update_restarts_the_standbys_first_and_the_primary_last()
    {
        using var world = Running();
        world.Server("db-0").Position = 5000;
        world.Update("rev-2");
        world.Until(() => world.Pods().Count == 3 && world.Pods().All(p => p.Revision() == "rev-2"), "every pod is of the new revision");
        Assert.Equal((FailoverType.Switchover, FailoverCause.RollingUpdate, FailoverPhase.Completed), (Switchover(world).Spec.Type, Switchover(world).Spec.Cause, Switchover(world).Status!.Phase));
        world.UntilSteady(Switchover(world).Status!.Candidate!.Name);
        Assert.Equal((2, 5000L), (world.Failovers.Count, world.Server(world.Traffic.Single()).Position));
    }
}
