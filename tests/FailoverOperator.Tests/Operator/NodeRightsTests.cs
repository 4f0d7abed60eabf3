using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Hosting;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>An operator that may not read nodes: it was told so, or it finds out.</summary>
public class NodeRightsTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void With_agents_a_power_cut_is_survived_by_the_expiry_of_the_lease(bool told)
    {
        using var world = Running(told, agents: true);
        world.CutPower("node-1");
        var cut = world.Now;
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "another one takes over");
        Assert.InRange(world.Now - cut, TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(5.5));
        Assert.Equal(FenceEvidence.LeaseExpired, world.Failovers[^1].Status!.Fence!.Evidence);
        Assert.NotEqual(FailoverCause.PrimaryNodeDown, world.Failovers[^1].Spec.Cause);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Without_agents_a_power_cut_blocks_and_the_message_says_what_may_not_be_read(bool told)
    {
        using var world = Running(told);
        world.CutPower("node-1");
        world.Api.Change<V1Node>(null, "node-1", n => n.Status.Conditions[0].Status = "Unknown");
        world.Until(() => world.Condition("Progressing") == "False FenceUnproven", "it is blocked");
        Assert.Contains("may not read nodes (the chart's rbac.nodes)", world.Failovers[^1].Status!.Message);
        Assert.Equal(FailoverCause.PrimaryUnresponsive, world.Failovers[^1].Spec.Cause);
        world.Pass(TimeSpan.FromMinutes(5));
        Assert.DoesNotContain("promote db-1 2", world.Servers.Commands);

        world.Api.Change<Failover>("shop", "db-0-2", f => f.Metadata.Annotations = new Dictionary<string, string> { [ApiGroup.FenceConfirmedAnnotation] = "db-0" });
        world.Until(() => world.Failovers[^1].Status!.Phase == FailoverPhase.Completed, "it goes on when a person has confirmed");
    }

    /// <summary>What the kubelet confirms needs no look at its node.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_deleted_primary_is_replaced(bool agents)
    {
        using var world = Running(told: true, agents);
        world.Api.Change<V1Pod>("shop", "db-0", p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch);
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "another one takes over");
        world.UntilSteady(world.Failovers[^1].Status!.Candidate!.Name);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void That_a_kubelet_has_caught_up_is_known_only_of_a_node_that_may_be_read(bool mayRead)
    {
        using var world = new OperatorWorld { NodesAreForbidden = !mayRead };
        Start(world);
        world.Server("db-0").Hangs = true;
        world.Api.Remove<V1Pod>("shop", "db-0");
        world.Pass(TimeSpan.FromMinutes(3));
        Assert.Equal(mayRead ? FenceEvidence.KubeletCaughtUp : null, world.Failovers[^1].Status!.Fence?.Evidence);
    }

    [Fact]
    public void Who_was_told_does_not_ask()
    {
        using var world = Running(told: true);
        world.Pass(TimeSpan.FromMinutes(1));
        Assert.DoesNotContain(world.Operator.Api.Calls, call => call.Kind == "Node");
    }

    [Fact]
    public void Who_is_refused_asks_again_now_and_then_until_the_right_is_granted()
    {
        using var world = Running(told: false);
        world.Pass(TimeSpan.FromMinutes(30));
        Assert.InRange(world.Operator.Api.Calls.Count(call => call.Kind == "Node"), 10, 30);
        Assert.Equal([null, null, null], Zones(world));

        world.NodesAreForbidden = false;
        world.Until(() => Zones(world) is ["zone-1", "zone-2", "zone-3"], "the zones are known", TimeSpan.FromMinutes(6));
    }

    /// <summary>What was known may be long over: a node that has gone dark since is not the one that was seen.</summary>
    [Fact]
    public void A_right_that_is_lost_on_the_way_takes_what_was_known_along()
    {
        using var world = new OperatorWorld();
        Start(world);
        Assert.Equal(["zone-1", "zone-2", "zone-3"], Zones(world));
        world.NodesAreForbidden = true;
        world.Api.EndWatches();
        world.Until(() => Zones(world).All(zone => zone is null), "the zones are forgotten");
        world.Pass(TimeSpan.FromMinutes(1));
        Assert.Single(world.Failovers);
        Assert.All(world.Group.Status!.Members, member => Assert.Equal(MemberHealth.Healthy, member.Health));
    }

    private static IReadOnlyList<string?> Zones(OperatorWorld world) => [.. world.Group.Status!.Members.Select(m => m.Zone)];

    private static OperatorWorld Running(bool told, bool agents = false)
    {
        var world = new OperatorWorld(agents ? AgentedWorld.Agented : null) { Settings = new OperatorSettings { ReadNodes = !told }, NodesAreForbidden = true };
        Start(world);
        return world;
    }

    private static void Start(OperatorWorld world)
    {
        world.StartOperator();
        world.UntilSteady("db-0");
    }
}
