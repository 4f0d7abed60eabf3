using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>Group db depends on group below: that one fails over first. In virtual time.</summary>
public class DependencyTests
{
    /// <summary>An event that has to be noticed without a look by the clock: that comes every 10 s.</summary>
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(1);

    [Fact]
    public void What_takes_both_down_is_mended_from_below()
    {
        using var world = Running();
        CutPower(world);
        world.Until(() => world.Condition("Suppressed") == "True WaitingForDependency", "it waits");
        world.Until(() => world.ConditionOf("below", "Progressing") == "False FenceUnproven", "the other one waits for a person");
        world.Pass(TimeSpan.FromSeconds(30));
        Assert.Single(world.Failovers);
        Assert.Contains("waits for group below, which fails over (below-0-2), at most until 2026-01-01T00:0", Message(world, "Suppressed"), StringComparison.Ordinal);
        Assert.Contains("dependsOn.waitSeconds", Message(world, "Suppressed"), StringComparison.Ordinal);
        Assert.Contains("redundancy_failovers_suppressed_total{namespace=\"shop\",group=\"db\",reason=\"WaitingForDependency\"} 1", world.Operator.Metrics(), StringComparison.Ordinal);

        Confirm(world, "below");
        world.Until(() => world.FailoversOf("below")[^1].Status?.Phase == FailoverPhase.Completed, "the other one fails over");
        world.Until(() => world.Failovers.Count == 2, "and this one begins", AtOnce);
        Assert.True(string.CompareOrdinal(world.Failovers[^1].Status!.Steps[0].BeganAt, world.FailoversOf("below")[^1].Status!.EndedAt) >= 0);
        Confirm(world, "db");
        world.Until(() => world.Failovers[^1].Status?.Phase == FailoverPhase.Completed, "and ends");
    }

    [Fact]
    public void A_group_that_is_not_back_in_time_is_waited_for_no_longer()
    {
        using var world = Running(waitSeconds: 60);
        CutPower(world);
        world.Until(() => world.Condition("Suppressed") == "True WaitingForDependency", "it waits");
        var failed = world.Now;
        world.Until(() => world.Failovers.Count == 2, "it begins");
        Assert.InRange((world.Now - failed).TotalSeconds, 55, 62);
        Assert.NotEqual(FailoverPhase.Completed, world.FailoversOf("below")[^1].Status?.Phase);
    }

    [Fact]
    public void A_person_need_not_wait()
    {
        using var world = Running();
        CutPower(world);
        world.Until(() => world.Condition("Suppressed") == "True WaitingForDependency", "it waits");
        world.Api.Seed(new Failover
        {
            Metadata = new V1ObjectMeta { Name = "mine", NamespaceProperty = "shop" },
            Spec = new FailoverSpec { GroupRef = new GroupReference { Name = "db" }, Type = FailoverType.Failover },
        });
        world.Until(() => world.Failovers.Any(f => f.Name() == "db-0-2"), "it begins", AtOnce);
    }

    [Fact]
    public void Where_the_other_one_is_well_a_failover_takes_but_a_moment_longer()
    {
        using var world = Running();
        world.NewPodsAreBroken = true;
        world.Api.Change<V1Pod>("shop", "db-0", p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch);
        var failed = world.Now;
        world.Until(() => world.Failovers[^1].Status is { Phase: FailoverPhase.Completed } && world.Failovers.Count == 2, "it fails over");
        Assert.InRange((world.Now - failed).TotalSeconds, 1, 3);
    }

    [Fact]
    public void Two_that_fail_in_the_same_moment_fail_over_in_order_whoever_looks_first()
    {
        using var world = Running();
        world.NewPodsAreBroken = true;
        world.Api.Change<V1Pod>("shop", "db-0", p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch);
        world.Pass(TimeSpan.FromMilliseconds(500));
        world.Api.Change<V1Pod>("shop", "below-0", p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch);
        world.Until(() => world.Failovers.Count == 2, "it begins");
        Assert.Equal(FailoverPhase.Completed, world.FailoversOf("below").Single(f => f.Spec.Term == 2).Status?.Phase);
        world.Until(() => world.Failovers[^1].Status?.Phase == FailoverPhase.Completed, "it ends");
    }

    /// <summary>Each group is another replica's: all that one knows of the other's comes from the API server.</summary>
    [Fact]
    public void Replicas_that_own_one_of_the_two_each_keep_the_order()
    {
        using var world = new OperatorWorld(spec => Depends(spec, 300), Alone);
        _ = world.StartReplicas(3);
        UntilBothSteady(world);
        CutPower(world);
        world.Until(() => world.Condition("Suppressed") == "True WaitingForDependency", "it waits");
        world.Until(() => world.ConditionOf("below", "Progressing") == "False FenceUnproven", "the other one waits for a person");
        world.Pass(TimeSpan.FromSeconds(30));
        Assert.Single(world.Failovers);
        Confirm(world, "below");
        world.Until(() => world.FailoversOf("below")[^1].Status?.Phase == FailoverPhase.Completed, "the other one fails over");
        world.Until(() => world.Failovers.Count == 2, "and this one begins", AtOnce);
    }

    [Fact]
    public void A_circle_is_named_holds_nobody_up_and_is_broken_by_any_of_them()
    {
        using var world = new OperatorWorld(spec => Depends(spec, 300), spec => Alone(spec) with { DependsOn = [new DependencySpec { Name = "db" }] });
        world.StartOperator();
        UntilBothSteady(world);
        Assert.Equal(("False DependencyCycle", "False DependencyCycle"), (world.ConditionOf("db", "Accepted"), world.ConditionOf("below", "Accepted")));
        Assert.Contains("dependsOn leads in a circle: db → below → db", Message(world, "Accepted"), StringComparison.Ordinal);
        world.Api.Change<V1Pod>("shop", "below-0", p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch);
        world.Api.Change<V1Pod>("shop", "db-0", p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch);
        world.UntilSteady("db-1");
        world.Api.Change<RedundancyGroup>("shop", "below", g => g.Spec = g.Spec with { DependsOn = [] });
        world.Until(() => (world.ConditionOf("db", "Accepted"), world.ConditionOf("below", "Accepted")) == ("True Valid", "True Valid"), "it is broken", AtOnce);
    }

    [Fact]
    public void A_group_that_does_not_exist_is_said_and_waited_for_by_nobody_until_it_does()
    {
        using var world = new OperatorWorld(spec => Depends(spec, 300));
        world.StartOperator();
        world.UntilSteady("db-0");
        Assert.Equal("False DependencyNotFound", world.Condition("Accepted"));
        Assert.Contains("there is no group below in this namespace", Message(world, "Accepted"), StringComparison.Ordinal);
        world.Api.Change<V1Pod>("shop", "db-0", p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch);
        world.UntilSteady("db-1");
        world.AddGroup("below", Alone);
        world.Until(() => world.Condition("Accepted") == "True Valid", "it is there", AtOnce);
        world.Api.Remove<RedundancyGroup>("shop", "below");
        world.Until(() => world.Condition("Accepted") == "False DependencyNotFound", "it is gone", AtOnce);
    }

    private static OperatorWorld Running(int waitSeconds = 300)
    {
        var world = new OperatorWorld(spec => Depends(spec, waitSeconds), Alone);
        world.StartOperator();
        UntilBothSteady(world);
        return world;
    }

    private static void UntilBothSteady(OperatorWorld world) => world.Until(
        () => (world.Condition("Available"), world.ConditionOf("below", "Available")) == ("True PrimaryServing", "True PrimaryServing")
            && (world.Condition("Redundant"), world.ConditionOf("below", "Redundant")) == ("True EnoughSpares", "True EnoughSpares"), "both are well");

    private static RedundancyGroupSpec Alone(RedundancyGroupSpec spec) => spec with { Protection = ProtectionSpec.Off };

    private static RedundancyGroupSpec Depends(RedundancyGroupSpec spec, int waitSeconds) =>
        Alone(spec) with { DependsOn = [new DependencySpec { Name = "below", WaitSeconds = waitSeconds }] };

    /// <summary>The node of both primaries; nothing proves their end.</summary>
    private static void CutPower(OperatorWorld world)
    {
        world.CutPower("node-1");
        world.Api.Change<V1Node>(null, "node-1", n => n.Status.Conditions[0].Status = "Unknown");
    }

    private static void Confirm(OperatorWorld world, string group) => world.Api.Change<Failover>("shop", $"{group}-0-2", f =>
        f.Metadata.Annotations = new Dictionary<string, string> { [ApiGroup.FenceConfirmedAnnotation] = $"{group}-0" });

    private static string Message(OperatorWorld world, string type) => world.Group.Status!.Conditions.First(c => c.Type == type).Message;
}
