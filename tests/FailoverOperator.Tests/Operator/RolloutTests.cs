using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>Updates of the StatefulSet, in virtual time.</summary>
public class RolloutTests
{
    [Fact]
    public void Standbys_are_restarted_one_by_one_and_the_primary_last()
    {
        using var world = Running();
        var restarted = new List<string>();
        var uids = world.Pods().ToDictionary(p => p.Name(), p => p.Uid());
        world.Update("rev-2");
        world.Until(
            () =>
            {
                var missing = world.Pods().Where(p => p.Metadata.DeletionTimestamp is not null).ToList();
                Assert.InRange(missing.Count, 0, 1);
                foreach (var pod in missing.Where(p => !restarted.Contains(p.Name())))
                {
                    Assert.NotEqual(world.Group.Status!.Slots[0].Holder, pod.Name());
                    restarted.Add(pod.Name());
                }
                return world.Pods().Count == 3 && world.Pods().All(p => p.Revision() == "rev-2");
            },
            "every pod is of the new revision");
        Assert.Equal(["db-2", "db-1", "db-0"], restarted);
        Assert.All(world.Pods(), p => Assert.NotEqual(uids[p.Name()], p.Uid()));
        var switchover = Assert.Single(world.Failovers.Skip(1));
        Assert.Equal((FailoverType.Switchover, FailoverCause.RollingUpdate, FailoverPhase.Completed), (switchover.Spec.Type, switchover.Spec.Cause, switchover.Status!.Phase));
        world.UntilSteady(switchover.Status.Candidate!.Name);
        world.Pass(TimeSpan.FromSeconds(20));
        Assert.Equal(2, world.Failovers.Count);
    }

    [Fact]
    public void A_revision_that_does_not_start_stops_at_the_first_standby()
    {
        using var world = Running();
        world.NewPodsAreBroken = true;
        world.Update("rev-2");
        world.Pass(TimeSpan.FromMinutes(2));
        Assert.Equal("db-2", Assert.Single(world.Pods(), p => p.Revision() == "rev-2").Name());
        Assert.Single(world.Failovers);
        Assert.Equal("True WaitingForMembers", world.Condition("Progressing"));
        // The next one mends it.
        world.NewPodsAreBroken = false;
        world.Update("rev-3");
        world.Until(() => world.Pods().Count == 3 && world.Pods().All(p => p.Revision() == "rev-3"), "every pod is of the newest revision", TimeSpan.FromMinutes(5));
    }

    [Theory]
    [InlineData("RollingUpdate", DisruptionAnswer.Switchover)]
    [InlineData("OnDelete", DisruptionAnswer.Ignore)]
    public void What_others_update_is_left_to_them(string strategy, DisruptionAnswer answer)
    {
        using var world = Running(strategy, answer);
        world.Update("rev-2");
        world.Pass(TimeSpan.FromSeconds(20));
        Assert.All(world.Pods(), p => Assert.Equal("rev-1", p.Revision()));
        Assert.Equal("False Steady", world.Condition("Progressing"));
    }

    [Fact]
    public void A_crash_of_the_operator_in_between_changes_nothing()
    {
        using var world = Running();
        world.Update("rev-2");
        for (var crash = 1; crash <= 8; crash++)
        {
            world.Pass(TimeSpan.FromMilliseconds(700 * crash));
            world.KillOperator();
            world.Pass(TimeSpan.FromMilliseconds(300));
            world.StartOperator();
        }
        world.Until(() => world.Pods().Count == 3 && world.Pods().All(p => p.Revision() == "rev-2"), "every pod is of the new revision");
        Assert.All(world.Failovers.Skip(1), f => Assert.Equal(FailoverType.Switchover, f.Spec.Type));
    }

    private static OperatorWorld Running(string strategy = "OnDelete", DisruptionAnswer onUpdate = DisruptionAnswer.Switchover)
    {
        var world = new OperatorWorld(spec => AgentedWorld.Agented(spec) with { Disruption = new DisruptionSpec { OnUpdate = onUpdate } });
        world.Update("rev-1", strategy);
        foreach (var pod in world.Pods()) world.Api.Change<V1Pod>("shop", pod.Name(), p => p.Metadata.Labels["controller-revision-hash"] = "rev-1");
        world.StartOperator();
        world.UntilSteady("db-0");
        return world;
    }
}

/// <summary>What the controller of StatefulSets does when the template changes.</summary>
internal static class Updates
{
    public static string? Revision(this V1Pod pod) => pod.Metadata.Labels.TryGetValue("controller-revision-hash", out var revision) ? revision : null;

    public static void Update(this OperatorWorld world, string revision, string? strategy = null) => world.Api.Change<V1StatefulSet>("shop", "db", workload =>
    {
        if (strategy is not null) workload.Spec.UpdateStrategy = new V1StatefulSetUpdateStrategy { Type = strategy };
        workload.Status = new V1StatefulSetStatus { ObservedGeneration = workload.Metadata.Generation, UpdateRevision = revision };
    });
}
