using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Hosting;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>Drains of the primary's node, in virtual time. The drain here does what kubectl's does: cordon, then evict, again and again.</summary>
public class DrainTests
{
    private static readonly OperatorSettings WithWebhook = new() { WebhookFolder = "/webhook" };

    [Fact]
    public void The_primary_hands_over_before_its_pod_is_evicted()
    {
        using var world = Running();
        var budget = Budget(world)!;
        Assert.Equal("0", budget.Spec.MaxUnavailable.Value);
        Assert.Equal((world.Group.Uid(), true), (budget.Metadata.OwnerReferences[0].Uid, budget.Metadata.OwnerReferences[0].Controller!.Value));

        var first = world.Pod("db-0").Uid();
        world.Cordon("node-1");
        var isEvicted = false;
        world.Until(() => world.EveryFiveSeconds(() => isEvicted |= world.TryEvict("db-0")) && isEvicted, "the eviction passes");
        var switchover = world.Failovers[^1];
        Assert.Equal((FailoverType.Switchover, FailoverCause.NodeDrain), (switchover.Spec.Type, switchover.Spec.Cause));
        Assert.Equal((FailoverPhase.Completed, FenceEvidence.Released, 0L), (switchover.Status!.Phase, switchover.Status.Fence!.Evidence, switchover.Status.LostBytes!.Value));
        Assert.NotEqual("db-0", switchover.Status.Candidate!.Name);
        Assert.InRange(switchover.Status.DowntimeMilliseconds!.Value, 0, 2000);
        world.Until(() => world.Pods().Any(p => p.Name() == "db-0" && p.Uid() != first), "its pod is made anew");
        world.UntilSteady(switchover.Status.Candidate.Name);
        Assert.Equal(2, world.Failovers.Count);
    }

    [Fact]
    public void A_cordon_alone_moves_nothing_unless_that_is_wanted()
    {
        using var world = Running();
        world.Cordon("node-1");
        world.Pass(TimeSpan.FromSeconds(20));
        Assert.Single(world.Failovers);
        world.Api.Change<RedundancyGroup>("shop", "db", g => g.Spec = g.Spec with { Disruption = new DisruptionSpec { OnCordon = DisruptionAnswer.Switchover } });
        world.Until(() => world.Failovers is [_, { Spec.Cause: FailoverCause.NodeCordon, Status.Phase: FailoverPhase.Completed }], "the primary hands over");
        world.Pass(TimeSpan.FromSeconds(20));
        Assert.Equal(2, world.Failovers.Count);
    }

    [Fact]
    public void With_nobody_to_take_over_the_eviction_is_held_and_the_group_says_why()
    {
        using var world = Running();
        foreach (var standby in new[] { "db-1", "db-2" }) world.Agent(standby).Server.Follows = null;
        foreach (var standby in new[] { "db-1", "db-2" }) world.Api.Change<V1Pod>("shop", standby, p => p.Status.Conditions[0].Status = "False");
        world.Pass(TimeSpan.FromSeconds(2));
        world.Cordon("node-1");
        Assert.False(world.TryEvict("db-0"));
        world.Until(() => world.Condition("Progressing") == "True DisruptionWaits", "it is told");
        world.Pass(TimeSpan.FromSeconds(20));
        Assert.False(world.TryEvict("db-0"));
        Assert.Single(world.Failovers);
        foreach (var standby in new[] { "db-1", "db-2" }) world.Api.Change<V1Pod>("shop", standby, p => p.Status.Conditions[0].Status = "True");
        world.Until(() => world.Failovers is [_, { Spec.Cause: FailoverCause.NodeDrain, Status.Phase: FailoverPhase.Completed }], "it begins as soon as it can");
    }

    [Fact]
    public void An_operator_killed_in_between_is_followed_by_one_that_goes_on()
    {
        using var world = Running();
        world.Cordon("node-1");
        Assert.False(world.TryEvict("db-0"));
        world.Until(() => world.Failovers is [_, { Status.Phase: FailoverPhase.Fencing }], "it has begun");
        world.KillOperator();
        world.Pass(TimeSpan.FromSeconds(1));
        world.StartOperator();
        world.Until(() => world.Failovers is [_, { Status.Phase: FailoverPhase.Completed }], "it ends well");
        world.Until(() => world.TryEvict("db-0"), "the eviction passes");
    }

    [Fact]
    public void The_budget_comes_back_goes_with_the_wish_for_it_and_yields_to_another_one()
    {
        using var world = Running();
        world.Api.Remove<V1PodDisruptionBudget>("shop", "db-primary");
        world.Until(() => Budget(world) is not null, "it is made anew");
        world.Api.Change<V1PodDisruptionBudget>("shop", "db-primary", b => (b.Spec.MaxUnavailable, b.Metadata.Generation) = (1, 2));
        world.Until(() => Budget(world)!.Spec.MaxUnavailable.Value == "0", "it is put right");
        world.Api.Seed(Others("db", new Dictionary<string, string> { ["app"] = "db" }));
        world.Until(() => Budget(world) is null, "two would make every eviction fail");
        world.Api.Remove<V1PodDisruptionBudget>("shop", "db");
        world.Until(() => Budget(world) is not null, "the other one is gone");
        var ofAnotherMode = Others("db-members", new Dictionary<string, string> { ["app"] = "db" });
        ofAnotherMode.Metadata.Labels = new Dictionary<string, string> { [ApiGroup.GroupLabel] = "db" };
        world.Api.Seed(ofAnotherMode);
        world.Until(() => Budget(world) is null, "one of the group's own counts as well");
        world.Api.Remove<V1PodDisruptionBudget>("shop", "db-members");
        world.Api.Seed(Others("db", new Dictionary<string, string> { [ApiGroup.RoleLabel] = "standby" }));
        world.Until(() => Budget(world) is not null, "one for the standbys is in nobody's way");
        world.Api.Change<RedundancyGroup>("shop", "db", g => g.Spec = g.Spec with { Disruption = new DisruptionSpec { OnEviction = DisruptionAnswer.Ignore } });
        world.Until(() => Budget(world) is null, "it is not wanted any more");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Without_the_right_everything_else_goes_on(bool mayRead)
    {
        using var world = new OperatorWorld(AgentedWorld.Agented) { Settings = WithWebhook };
        world.StartOperator();
        world.Operator.Api.Faults.FailNext(ApiFailure.Forbidden, call => call.Kind == "PodDisruptionBudget" && (!mayRead || call.Verb == "create"), times: int.MaxValue);
        world.UntilSteady("db-0");
        world.Until(() => world.Condition("Progressing") == "False Steady", "nothing more is to be done");
        Assert.Contains("evictions of the primary are not held", world.Group.Status!.Conditions.Single(c => c.Type == "Progressing").Message);
        world.Pass(TimeSpan.FromSeconds(30));
        Assert.InRange(world.Operator.Api.Calls.Count(c => c is { Kind: "PodDisruptionBudget", Verb: "create" }), 0, 1);
        world.KillContainer("db-0");
        world.UntilSteady("db-1");
    }

    [Fact]
    public void An_older_API_server_gets_the_budget_in_its_version()
    {
        using var world = new OperatorWorld(AgentedWorld.Agented) { Settings = WithWebhook };
        world.Unserve("policy", "v1", "poddisruptionbudgets");
        world.StartOperator();
        world.UntilSteady("db-0");
        world.Until(() => world.Api.Peek<V1Beta1PodDisruptionBudget>("shop", "db-primary") is { ApiVersion: "policy/v1beta1" }, "it is made");
    }

    [Fact]
    public void Without_a_switchover_or_a_webhook_no_budget_holds_a_drain_for_ever()
    {
        using var agentless = new OperatorWorld(spec => spec with { Fencing = new FencingSpec { Policy = [FencingMethod.NodeOutOfService] } }) { Settings = WithWebhook };
        agentless.StartOperator();
        agentless.UntilSteady("db-0");
        using var unseeing = AgentedWorld.Running();
        foreach (var world in new[] { agentless, unseeing })
        {
            world.Pass(TimeSpan.FromSeconds(10));
            Assert.Null(Budget(world));
        }
    }

    [Fact]
    public void Failing_back_waits_until_the_node_takes_pods_again()
    {
        using var world = new OperatorWorld(spec => AgentedWorld.Agented(spec) with
        {
            Failback = new FailbackSpec { Policy = FailbackPolicy.Automatic, StabilizationSeconds = 1 },
            Promotion = spec.Promotion with { Priorities = [new MemberPriority { Member = "db-0", Priority = 200 }] },
        })
        { Settings = WithWebhook };
        world.StartOperator();
        world.UntilSteady("db-0");
        world.Cordon("node-1");
        Assert.False(world.TryEvict("db-0"));
        world.Until(() => world.Failovers is [_, { Status.Phase: FailoverPhase.Completed }], "the primary hands over");
        world.Pass(TimeSpan.FromSeconds(40));
        Assert.Equal(2, world.Failovers.Count);
        world.Uncordon("node-1");
        world.UntilSteady("db-0", "it gets its place back");
    }

    private static OperatorWorld Running()
    {
        var world = new OperatorWorld(AgentedWorld.Agented) { Settings = WithWebhook };
        world.StartOperator();
        world.UntilSteady("db-0");
        world.Until(() => Budget(world) is not null, "the budget is there");
        return world;
    }

    private static V1PodDisruptionBudget? Budget(OperatorWorld world) => world.Api.Peek<V1PodDisruptionBudget>("shop", "db-primary");

    private static V1PodDisruptionBudget Others(string name, Dictionary<string, string> labels) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "shop" },
        Spec = new V1PodDisruptionBudgetSpec { MaxUnavailable = 1, Selector = new V1LabelSelector { MatchLabels = labels } },
    };
}

/// <summary>What a drain does.</summary>
internal static class Drains
{
    public static void Cordon(this OperatorWorld world, string node) => world.Api.Change<V1Node>(null, node, n => n.Spec = new V1NodeSpec { Unschedulable = true });

    public static void Uncordon(this OperatorWorld world, string node) => world.Api.Change<V1Node>(null, node, n => n.Spec = new V1NodeSpec());

    public static IReadOnlyList<V1Pod> Pods(this OperatorWorld world) => world.Api.PeekAll<V1Pod>();

    /// <summary>As the API server does it: the webhook is told, then every budget that selects the pod is asked. All here allow none.</summary>
    /// <returns>Whether the pod is deleted.</returns>
    public static bool TryEvict(this OperatorWorld world, string name)
    {
        var pod = world.Pod(name);
        world.AskBeforeEviction(name);
        if (world.Api.PeekAll<V1PodDisruptionBudget>().Any(b => LabelSelectors.Matches(b.Spec.Selector, new Dictionary<string, string>(pod.Metadata.Labels), emptySelectsAll: true))) return false;
        world.Api.DeleteAsync<V1Pod>("shop", name, new DeleteOptions(), CancellationToken.None).GetAwaiter().GetResult();
        return true;
    }

    /// <summary>So often kubectl tries again.</summary>
    public static bool EveryFiveSeconds(this OperatorWorld world, Action act)
    {
        if (world.Now.Ticks % TimeSpan.FromSeconds(5).Ticks < TimeSpan.FromMilliseconds(20).Ticks) act();
        return true;
    }

    public static void Unserve(this OperatorWorld world, string group, string version, string plural) => world.Api.Unserve(group, version, plural);
}
