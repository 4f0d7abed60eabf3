using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>The operator as a whole, from fault to record, in virtual time.</summary>
public class FailoverTests
{
    [Fact]
    public void A_new_group_gets_its_first_primary_and_the_others_follow_it()
    {
        using var world = Running();
        Assert.Equal(["promote db-0 1", "follow db-1 db-0", "follow db-2 db-0"], world.Servers.Commands);
        Assert.Equal("True Ready", world.Condition("FailoverReady"));
        var first = Assert.Single(world.Failovers);
        Assert.Equal(("db-0-1", FailoverType.Election, FailoverPhase.Completed), (first.Name(), first.Spec.Type, first.Status!.Phase));
        Assert.Equal("active", world.Pod("db-0").Metadata.Labels[ApiGroup.RoleLabel]);
        Assert.Equal("standby", world.Pod("db-1").Metadata.Labels[ApiGroup.RoleLabel]);
        var selector = world.Api.Peek<V1Service>("shop", "db-rw")!.Spec.Selector;
        Assert.Equal(("db", "active", "db-0"), (selector["app"], selector[ApiGroup.RoleLabel], selector[ApiGroup.PodNameLabel]));
        world.Pass(TimeSpan.FromSeconds(30));
        Assert.Equal("True Valid", world.Condition("Accepted"));
    }

    [Fact]
    public void A_running_replication_is_adopted_without_a_command()
    {
        using var world = new OperatorWorld();
        world.Until(() => world.Api.PeekAll<V1Pod>().Count == 3, "the pods are there");
        world.Server("db-2").IsPrimary = true;
        world.Server("db-0").Follows = world.Server("db-1").Follows = world.Server("db-2").Address;
        world.StartOperator();
        world.UntilSteady("db-2");
        Assert.Empty(world.Servers.Commands);
        Assert.Equal(FailoverType.Adoption, Assert.Single(world.Failovers).Spec.Type);
    }

    [Fact]
    public void A_deleted_primary_is_replaced_and_its_successor_follows()
    {
        using var world = Running();
        world.Api.Change<V1Pod>("shop", "db-0", p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch);
        world.UntilSteady("db-1");
        var failover = world.Failovers[^1];
        Assert.Equal((FailoverCause.PrimaryPodGone, FailoverPhase.Completed), (failover.Spec.Cause, failover.Status!.Phase));
        Assert.Equal(0, failover.Status.LostBytes);
        Assert.Equal(TargetVerdict.Met, failover.Status.Targets);
        Assert.Equal([TimedPhase.Detect, TimedPhase.Decide, TimedPhase.Fence, TimedPhase.Promote, TimedPhase.Repoint, TimedPhase.Verify], failover.Status.Phases.Select(p => p.Name));
        Assert.Single(world.Servers.Primaries);
        Assert.Equal(2, world.Group.Status!.Slots[0].Term);
    }

    [Fact]
    public void A_crashed_server_that_starts_read_only_is_replaced_without_deleting_its_pod()
    {
        using var world = Running();
        var uid = world.Pod("db-0").Uid();
        var server = world.Server("db-0");
        (server.Up, server.IsPrimary) = (false, false);
        world.Pass(TimeSpan.FromMilliseconds(500));
        world.Api.Change<V1Pod>("shop", "db-0", p => Objects.Restart(p, "container-again"));
        (server.Up, server.Instance) = (true, "run-again");
        world.UntilSteady("db-1");
        Assert.Equal(FenceEvidence.ProcessEnded, world.Failovers[^1].Status!.Fence!.Evidence);
        Assert.Equal(uid, world.Pod("db-0").Uid());
        Assert.Equal(world.Server("db-1").Address, server.Follows);
    }

    [Fact]
    public void On_a_node_without_power_nobody_is_promoted_until_a_person_confirms()
    {
        using var world = Running();
        CutPower(world);
        world.Until(() => world.Condition("Progressing") == "False FenceUnproven", "it says that the fence is unproven");
        world.Pass(TimeSpan.FromMinutes(5));
        Assert.DoesNotContain("promote db-1 2", world.Servers.Commands);
        Assert.Contains("kubectl annotate fo db-0-2 failover-operator.io/fence-confirmed=db-0", world.Failovers[^1].Status!.Message);

        Confirm(world, "db-1");
        world.Until(() => world.Failovers[^1].Status!.Reason == Reasons.FenceConfirmationInvalid, "the wrong name is refused");
        Assert.DoesNotContain("promote db-1 2", world.Servers.Commands);

        Confirm(world, "db-0");
        world.Until(() => world.Failovers[^1].Status!.Phase == FailoverPhase.Completed, "it goes on");
        Assert.Equal(FenceEvidence.ConfirmedByPerson, world.Failovers[^1].Status!.Fence!.Evidence);
    }

    [Fact]
    public void On_a_node_without_power_a_group_that_says_Proceed_takes_the_risk_and_says_so()
    {
        using var world = Running(spec => spec with { Fencing = spec.Fencing with { WhenUnproven = UnprovenFence.Proceed, TimeoutSeconds = 10 } });
        CutPower(world);
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "it is promoted");
        Assert.Equal(FenceEvidence.Unproven, world.Failovers[^1].Status!.Fence!.Evidence);
    }

    /// <summary>Invariant I10: killed after any step, its successor finishes the same failover.</summary>
    [Theory]
    [MemberData(nameof(KilledOperators.Phases), MemberType = typeof(KilledOperators))]
    public void An_operator_killed_after_a_phase_was_written_is_followed_by_one_that_finishes_the_same_failover(FailoverPhase phase)
    {
        using var world = Running();
        world.IsKilledAfter(phase, () => world.Api.Change<V1Pod>("shop", "db-0", p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch));
        world.Until(() => world.Failovers[^1].Status?.Phase == FailoverPhase.Completed, "the same failover ends", TimeSpan.FromMinutes(4));
        Assert.Equal(["db-0-1", "db-0-2"], world.Failovers.Select(f => f.Name()));
        Assert.NotNull(world.Failovers[^1].Status!.DowntimeMilliseconds);
        Assert.Single(world.Servers.Primaries);
        world.UntilSteady(world.Failovers[^1].Status!.Candidate!.Name);
    }

    [Fact]
    public void A_failover_that_a_person_made_up_is_refused_and_changes_nothing()
    {
        using var world = Running();
        world.Api.Seed(new Failover
        {
            Metadata = new V1ObjectMeta { Name = "mine", NamespaceProperty = "shop" },
            Spec = new FailoverSpec { GroupRef = new GroupReference { Name = "db" }, Slot = "0", Term = 9, Type = FailoverType.Failover, Cause = FailoverCause.PrimaryProcessDown },
        });
        world.Until(() => world.Failovers.Single(f => f.Name() == "mine").Status?.Reason == Reasons.RequestInvalid, "it is refused");
        world.UntilSteady("db-0");
        Assert.DoesNotContain(world.Servers.Commands, c => c.StartsWith("promote", StringComparison.Ordinal) && c != "promote db-0 1");
    }

    [Fact]
    public void A_deleted_group_leaves_workload_labels_and_services_as_they_are()
    {
        using var world = Running();
        world.Api.Remove<RedundancyGroup>("shop", "db");
        world.Pass(TimeSpan.FromSeconds(30));
        Assert.Equal("active", world.Pod("db-0").Metadata.Labels[ApiGroup.RoleLabel]);
        Assert.Equal("active", world.Api.Peek<V1Service>("shop", "db-rw")!.Spec.Selector[ApiGroup.RoleLabel]);
        Assert.Single(world.Servers.Primaries);
        Assert.Equal(3, world.Api.PeekAll<V1Pod>().Count);
    }

    private static OperatorWorld Running(Func<RedundancyGroupSpec, RedundancyGroupSpec>? change = null)
    {
        var world = new OperatorWorld(change);
        world.StartOperator();
        world.UntilSteady("db-0");
        return world;
    }

    private static void CutPower(OperatorWorld world)
    {
        world.DeadNodes.Add("node-1");
        world.Server("db-0").Hangs = true;
        world.Api.Change<V1Node>(null, "node-1", n => n.Status.Conditions[0].Status = "Unknown");
    }

    private static void Confirm(OperatorWorld world, string pod) => world.Api.Change<Failover>("shop", "db-0-2", f =>
        f.Metadata.Annotations = new Dictionary<string, string> { [ApiGroup.FenceConfirmedAnnotation] = pod });

    /// <summary>It has heard nobody yet: that is no news of the group.</summary>
    [Fact]
    public void A_restarted_operator_says_nothing_before_it_has_heard_the_members()
    {
        using var world = new OperatorWorld();
        world.SlowDownServers(TimeSpan.FromMilliseconds(300));
        world.StartOperator();
        world.UntilSteady("db-0");
        var before = world.Group.Status!.Conditions.Select(c => (c.Type, c.Status, c.LastTransitionTime)).ToList();
        world.KillOperator();
        world.Pass(TimeSpan.FromSeconds(5));
        world.StartOperator();
        world.Pass(TimeSpan.FromSeconds(30));
        Assert.Equal(before, world.Group.Status!.Conditions.Select(c => (c.Type, c.Status, c.LastTransitionTime)));
        Assert.DoesNotContain(world.Api.PeekAll<Eventsv1Event>(), e => e.Reason == "FailureSuspected");

        // Of a group of which nothing has been heard for longer it tells that.
        world.KillOperator();
        foreach (var name in new[] { "db-0", "db-1", "db-2" }) world.Server(name).Hangs = true;
        world.SlowDownServers(TimeSpan.FromHours(1));
        world.StartOperator();
        world.Pass(TimeSpan.FromSeconds(4));
        Assert.Equal("Unknown FailureSuspected", world.Condition("Available"));
    }
}
