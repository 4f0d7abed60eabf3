using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;
using static FailoverOperator.Tests.Operator.OrderlyStopTests;

namespace FailoverOperator.Tests.Operator;

/// <summary>What may happen in a switchover without agents between the order to stop and the end of the old primary: nothing of it costs a write.</summary>
public class OrderlyStopFaultTests
{
    /// <summary>A switchover to db-2, which waits for it: db-0 has stopped, and is ahead.</summary>
    private static OperatorWorld Stopped()
    {
        var world = Running();
        world.Server("db-2").IsLate = true;
        world.Server("db-0").Position = 5000;
        // Everybody has been asked since.
        world.Pass(TimeSpan.FromSeconds(2));
        Ask(world);
        world.Until(() => world.Servers.Commands.Contains("demote db-0"), "db-0 is stopped");
        return world;
    }

    /// <summary>The same, and its operator has died as soon as it had written down where the log ends, before it did anything about it.</summary>
    private static OperatorWorld Orphaned()
    {
        var world = Running();
        world.Server("db-0").Position = 5000;
        world.Operator.Api.Faults.Before = (_, _) =>
        {
            if (!world.OperatorRuns || world.Failovers.All(f => f.Status?.End is null)) return Task.CompletedTask;
            world.KillOperator();
            // This call is not made any more.
            return Task.FromCanceled(new CancellationToken(canceled: true));
        };
        Ask(world);
        world.Until(() => !world.OperatorRuns, "the operator dies");
        Assert.Null(world.Pod("db-0").Metadata.DeletionTimestamp);
        return world;
    }

    private static void Delete(OperatorWorld world, string pod) => world.Api.DeleteAsync<V1Pod>("shop", pod, new DeleteOptions(), CancellationToken.None).GetAwaiter().GetResult();

    [Fact]
    public void A_write_that_the_primary_took_while_it_was_told_to_stop_is_waited_for()
    {
        using var world = Stopped();
        world.Server("db-0").Position = 5001;
        world.Server("db-2").IsLate = false;
        world.Until(() => Request(world) is { Phase: FailoverPhase.Completed }, "the request ends");
        Assert.Equal((5001L, 5001L, 0L), (Switchover(world).Status!.End!.PositionBytes, world.Server("db-2").Position, Switchover(world).Status!.LostBytes!.Value));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_primary_that_answers_no_more_after_it_was_stopped_is_failed_over_as_always(bool isDeletedByAPerson)
    {
        using var world = Stopped();
        if (isDeletedByAPerson) Delete(world, "db-0");
        else world.Server("db-0").Hangs = true;
        world.Until(() => Request(world) is { Phase: FailoverPhase.Aborted }, "the switchover is given up");
        world.Server("db-2").IsLate = false;
        // db-2 lacks what db-0 had, and is not chosen for that a person wanted it.
        world.UntilSteady("db-1");
        Assert.Equal((FailoverType.Failover, FailoverPhase.Completed, 5000L), (world.Failovers[^1].Spec.Type, world.Failovers[^1].Status!.Phase, world.Server("db-1").Position));
        Assert.Null(Switchover(world).Status!.End);
    }

    [Fact]
    public void The_next_operator_goes_on_when_the_primary_is_still_where_it_stopped()
    {
        using var world = Orphaned();
        world.Pass(TimeSpan.FromSeconds(30));
        world.StartOperator();
        world.Until(() => Request(world) is { Phase: FailoverPhase.Completed }, "the request ends");
        world.UntilSteady("db-2");
        Assert.Equal((0L, 5000L), (Switchover(world).Status!.LostBytes!.Value, world.Server("db-2").Position));
    }

    [Fact]
    public void What_was_made_writable_while_no_operator_ran_keeps_its_pod_and_its_writes()
    {
        using var world = Orphaned();
        var (uid, server) = (world.Pod("db-0").Uid(), world.Server("db-0"));
        (server.IsPrimary, server.IsStopped, server.Position) = (true, false, 6000);
        world.StartOperator();
        world.Until(() => Request(world) is { Phase: FailoverPhase.Aborted, Reason: Reasons.PrimaryRecovered }, "the switchover is given up");
        world.UntilSteady("db-0");
        Assert.Equal((uid, 6000L), (world.Pod("db-0").Uid(), server.Position));
    }

    [Fact]
    public void A_primary_that_the_next_operator_does_not_hear_is_not_taken_at_its_word_of_before()
    {
        using var world = Orphaned();
        world.Server("db-0").Hangs = true;
        world.StartOperator();
        world.Until(() => Request(world) is { Phase: FailoverPhase.Aborted }, "the switchover is given up");
        Assert.Null(world.Pod("db-0").Metadata.DeletionTimestamp);
        world.Server("db-0").Hangs = false;
        world.UntilSteady("db-0");
        Assert.Equal(5000, world.Server("db-0").Position);
    }

    [Fact]
    public void A_person_who_deletes_its_pod_then_does_what_the_operator_was_about_to_do()
    {
        using var world = Orphaned();
        Delete(world, "db-0");
        world.Pass(TimeSpan.FromMilliseconds(20));
        world.StartOperator();
        world.Until(() => Request(world) is { Phase: FailoverPhase.Completed }, "the request ends");
        world.UntilSteady("db-2");
        Assert.Equal((0L, 5000L), (Switchover(world).Status!.LostBytes!.Value, world.Server("db-2").Position));
    }

    [Fact]
    public void A_pod_that_a_person_removed_by_force_is_no_ended_one_until_its_kubelet_has_caught_up()
    {
        using var world = Orphaned();
        world.Api.Remove<V1Pod>("shop", "db-0");
        world.StartOperator();
        world.Pass(TimeSpan.FromSeconds(30));
        Assert.Equal((FailoverPhase.Fencing, Reasons.FenceUnproven), (Switchover(world).Status!.Phase, Switchover(world).Status!.Reason));
        Assert.DoesNotContain("promote db-2 2", world.Servers.Commands);
        world.Until(() => Request(world) is { Phase: FailoverPhase.Completed }, "its kubelet has been there ever since");
        Assert.Equal((FenceEvidence.KubeletCaughtUp, 0L), (Switchover(world).Status!.Fence!.Evidence, Switchover(world).Status!.LostBytes!.Value));
    }
}
