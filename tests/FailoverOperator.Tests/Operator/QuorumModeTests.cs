using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>Mode Quorum, from the members' election to the Service's endpoints.</summary>
public sealed class QuorumModeTests
{
    [Fact]
    public void Traffic_follows_the_elected_leader_and_a_budget_guards_the_majority()
    {
        using var world = Running();
        Assert.Equal(["db-1"], world.Traffic);
        Assert.Equal(("db-1", 3L), (world.Group.Status!.Slots[0].Holder, world.Group.Status.Slots[0].Term!.Value));
        Assert.Equal("2", world.Api.Peek<V1PodDisruptionBudget>("shop", "db-members")!.Spec.MinAvailable.Value);
        Assert.Equal("True EnoughSpares", world.Condition("Redundant"));

        // The old leader is cut off and does not know yet.
        Elect(world, "db-2", 4, deposed: null);
        world.Until(() => world.Traffic is ["db-2"], "the new leader", TimeSpan.FromSeconds(1));
        world.Pass(TimeSpan.FromSeconds(5));
        Assert.Equal(["db-2"], world.Traffic);
        Assert.Equal(("4", "db-2"), (world.Api.Peek<V1Service>("shop", "db-rw")!.Metadata.Annotations[ApiGroup.TermLabel], world.Group.Status.Slots[0].Holder));
        Assert.Empty(world.Failovers);
        Assert.Empty(world.Servers.Commands);
    }

    [Fact]
    public void Two_leaders_of_one_term_get_no_traffic_and_a_higher_term_ends_it()
    {
        using var world = Running();
        Elect(world, "db-2", 3, deposed: null);
        world.Until(() => world.Condition("Available") == "False SplitBrainSuspected" && world.Traffic.Count == 0, "neither");
        Elect(world, "db-0", 5, deposed: "db-1");
        world.Until(() => world.Traffic is ["db-0"] && world.Condition("Available") == "True PrimaryServing", "a higher term");
    }

    [Fact]
    public void A_lost_majority_is_said_and_traffic_stays()
    {
        using var world = Running();
        world.Server("db-0").Up = false;
        world.Until(() => world.Condition("FailoverReady") == "False TooFewSpares", "none to spare");
        world.Server("db-2").Up = false;
        world.Until(() => world.Condition("Available") == "False QuorumLost", "lost");
        Assert.Equal(["db-1"], world.Traffic);
        world.Server("db-2").Up = true;
        world.Until(() => world.Condition("Available") == "True PrimaryServing", "back");
    }

    [Fact]
    public void A_member_on_a_node_that_is_gone_is_replaced_after_a_while_unless_the_majority_needs_everybody()
    {
        using var world = Running();
        var pod = world.Pod("db-0").Uid();
        world.CutPower("node-1");
        world.Server("db-2").Up = false;
        world.Api.Remove<V1Node>(null, "node-1");
        world.Pass(TimeSpan.FromSeconds(310));
        Assert.Null(world.Pod("db-0").Metadata.DeletionTimestamp);
        world.Server("db-2").Up = true;
        world.Until(() => world.Pod("db-0") is { Metadata.DeletionTimestamp: not null } && world.Pod("db-0").Uid() == pod, "a majority answers again", TimeSpan.FromSeconds(3));

        using var patient = Running();
        patient.CutPower("node-1");
        patient.Api.Remove<V1Node>(null, "node-1");
        patient.Pass(TimeSpan.FromSeconds(299));
        Assert.Null(patient.Pod("db-0").Metadata.DeletionTimestamp);
        patient.Until(() => patient.Pod("db-0").Metadata.DeletionTimestamp is not null, "in time", TimeSpan.FromSeconds(2));
    }

    private static OperatorWorld Running()
    {
        var world = new OperatorWorld(spec => spec with
        {
            Mode = RedundancyMode.Quorum,
            Spares = 1,
            Engine = new EngineSpec { Type = EngineType.Hooks, Hooks = new HooksEngineSpec { Status = new HookSpec { Http = new HttpHookSpec { Port = 80 } } } },
        });
        world.StartOperator();
        world.Until(() => world.Condition("Available") == "False NoLeader", "nobody leads yet");
        Elect(world, "db-1", 3, deposed: null);
        world.Until(() => world.Condition("Available") == "True PrimaryServing" && world.Condition("Progressing") == "False Steady" && world.Traffic is ["db-1"], "a leader");
        return world;
    }

    private static void Elect(OperatorWorld world, string pod, long term, string? deposed)
    {
        if (deposed is not null) world.Server(deposed).IsPrimary = false;
        (world.Server(pod).IsPrimary, world.Server(pod).Term) = (true, term);
    }
}
