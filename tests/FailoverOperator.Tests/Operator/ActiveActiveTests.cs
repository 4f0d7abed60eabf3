using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>Mode ActiveActive, from the members to the Service's endpoints.</summary>
public sealed class ActiveActiveTests
{
    [Fact]
    public void All_members_take_traffic_and_a_budget_of_its_own_guards_them()
    {
        using var world = Running();
        Assert.Equal("True EnoughSpares", world.Condition("Redundant"));
        Assert.Equal("False Steady", world.Condition("Progressing"));
        Assert.All(world.Group.Status!.Members, m => Assert.Equal((MemberRole.Active, MemberHealth.Healthy), (m.Role, m.Health)));
        var budget = world.Api.Peek<V1PodDisruptionBudget>("shop", "db-members")!;
        Assert.Equal("2", budget.Spec.MinAvailable.Value);
        Assert.Equal("db", budget.Spec.Selector.MatchLabels["app"]);
        Assert.Equal(world.Group.Uid(), Assert.Single(budget.Metadata.OwnerReferences).Uid);
        Assert.Empty(world.Failovers);
        Assert.Empty(world.Servers.Commands);
    }

    [Theory]
    [InlineData("crash")]
    [InlineData("hang")]
    [InlineData("not ready")]
    [InlineData("deleted")]
    public void Who_fails_takes_no_traffic_within_a_second_and_is_let_in_again_when_it_has_been_well_for_a_while(string how)
    {
        using var world = Running();
        world.Pass(TimeSpan.FromMilliseconds(130));
        var failed = world.Now;
        Fail(world, how);
        world.Until(() => !world.Traffic.Contains("db-1"), "out of traffic", TimeSpan.FromSeconds(1));
        world.Until(() => world.Pod("db-1")?.Metadata.Labels[ApiGroup.RoleLabel] != RoleLabels.Active || how == "deleted", "by its label", TimeSpan.FromSeconds(1));
        Assert.InRange((world.Now - failed).TotalSeconds, 0, 1);
        world.Until(() => world.Condition("Redundant") == "False TooFewSpares", "it is said");
        Assert.Equal("True EnoughActive", world.Condition("Available"));

        world.Pass(TimeSpan.FromSeconds(3));
        Recover(world, how);
        var recovered = world.Now;
        world.Until(() => world.Traffic.Contains("db-1"), "let in again");
        Assert.InRange((world.Now - recovered).TotalSeconds, how == "deleted" ? 6.5 : 9.5, 11);
        world.Until(() => world.Condition("Progressing") == "False Steady", "all is well");
        Assert.Contains("""redundancy_ejections_total{namespace="shop",group="db"} 1""", world.Operator.Metrics(), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_that_come_back_are_let_in_one_after_the_other_and_too_few_are_said()
    {
        using var world = Running();
        world.Server("db-1").Up = false;
        world.Server("db-2").Up = false;
        world.Until(() => world.Condition("Available") == "False TooFewActive", "too few");
        Assert.Equal(["db-0"], world.Traffic);
        world.Server("db-1").Up = true;
        world.Server("db-2").Up = true;
        world.Until(() => world.Traffic.Count == 2, "the first");
        var first = world.Now;
        world.Until(() => world.Traffic.Count == 3, "the second");
        Assert.InRange((world.Now - first).TotalSeconds, 4.9, 5.5);
        world.Until(() => world.Condition("Available") == "True EnoughActive", "enough");
    }

    [Fact]
    public void When_all_fall_silent_one_after_the_other_all_take_traffic_again()
    {
        using var world = Running();
        foreach (var pod in new[] { "db-0", "db-1", "db-2" })
        {
            world.Server(pod).Hangs = true;
            world.Pass(TimeSpan.FromSeconds(1));
        }
        world.Until(() => world.Traffic.Count == 3 && world.Condition("Available") == "Unknown MembersUnknown", "nobody is out", TimeSpan.FromSeconds(2));
        foreach (var pod in new[] { "db-0", "db-1", "db-2" }) world.Server(pod).Hangs = false;
        world.Until(() => world.Condition("Available") == "True EnoughActive", "all are well");
        Assert.Equal(3, world.Traffic.Count);
    }

    [Fact]
    public void A_new_operator_takes_nobody_out_and_one_that_is_cut_off_neither()
    {
        using var world = Running();
        world.KillOperator();
        world.Server("db-2").Up = false;
        world.StartOperator();
        world.Until(() => world.Traffic.SequenceEqual(["db-0", "db-1"]), "it goes on");
        world.Operator.Api.IsCutOff = true;
        world.Server("db-1").Up = false;
        world.Pass(TimeSpan.FromSeconds(20));
        world.Server("db-1").Up = true;
        world.Operator.Api.IsCutOff = false;
        world.Pass(TimeSpan.FromSeconds(3));
        Assert.Equal(["db-0", "db-1"], world.Traffic);
    }

    [Fact]
    public void A_person_who_changes_a_label_or_the_Service_is_put_right()
    {
        using var world = Running();
        world.Api.Change<V1Pod>("shop", "db-1", p => p.Metadata.Labels.Remove(ApiGroup.RoleLabel));
        world.Until(() => !world.Traffic.Contains("db-1"), "edited");
        world.Api.Change<V1Service>("shop", "db-rw", s => s.Spec.Selector = new Dictionary<string, string> { ["app"] = "db", [ApiGroup.PodNameLabel] = "db-0" });
        world.Until(() => world.Traffic.Count == 3, "put right");
        Assert.Equal(["app", ApiGroup.RoleLabel], world.Api.Peek<V1Service>("shop", "db-rw")!.Spec.Selector.Keys.Order());
    }

    [Fact]
    public void Where_only_the_older_version_of_budgets_is_served_that_is_used_and_where_they_are_forbidden_it_is_said()
    {
        using var old = new OperatorWorld(ActiveActive);
        old.Api.Unserve("policy", "v1", "poddisruptionbudgets");
        old.StartOperator();
        old.Until(() => old.Api.Peek<V1Beta1PodDisruptionBudget>("shop", "db-members") is not null, "v1beta1");
        Assert.Null(old.Api.Peek<V1PodDisruptionBudget>("shop", "db-members"));

        using var world = new OperatorWorld(ActiveActive);
        world.Forbidden = "PodDisruptionBudget";
        world.StartOperator();
        world.Until(() => world.Condition("Available") == "True EnoughActive", "it goes on without");
        world.Until(() => Message(world, "Redundant").Contains("evictions are not bounded: the operator lacks the right to PodDisruptionBudgets", StringComparison.Ordinal), "and says so");
        Assert.Null(world.Api.Peek<V1PodDisruptionBudget>("shop", "db-members"));
    }

    [Fact]
    public void A_budget_of_somebody_else_is_left_alone_and_the_own_one_follows_the_spec_and_the_mode()
    {
        using var world = Running();
        world.Api.Change<RedundancyGroup>("shop", "db", g => g.Spec = g.Spec with { MinActive = 1 });
        world.Until(() => world.Api.Peek<V1PodDisruptionBudget>("shop", "db-members")!.Spec.MinAvailable.Value == "1", "minActive");
        world.Api.Change<RedundancyGroup>("shop", "db", g => g.Spec = Objects.Spec("db", "db-rw"));
        world.Until(() => world.Api.Peek<V1PodDisruptionBudget>("shop", "db-members") is null, "another mode");

        using var other = new OperatorWorld(ActiveActive);
        other.Api.Seed(new V1PodDisruptionBudget { Metadata = new V1ObjectMeta { Name = "db-members", NamespaceProperty = "shop" }, Spec = new V1PodDisruptionBudgetSpec { MaxUnavailable = 0 } });
        other.StartOperator();
        other.Until(() => other.Condition("Available") == "True EnoughActive", "it goes on");
        Assert.Contains("PodDisruptionBudget db-members is somebody else's", Message(other, "Redundant"), StringComparison.Ordinal);
        Assert.Equal("0", other.Api.Peek<V1PodDisruptionBudget>("shop", "db-members")!.Spec.MaxUnavailable.Value);
    }

    /// <summary>Such as when a webhook that the API server asks about budgets is down.</summary>
    [Fact]
    public void A_budget_of_an_earlier_mode_that_cannot_be_deleted_holds_up_no_election()
    {
        using var world = Running();
        world.Until(() => world.Api.Peek<V1PodDisruptionBudget>("shop", "db-members") is not null, "it is there");
        world.Operator.Api.Faults.FailNext(ApiFailure.Unavailable, call => call is { Verb: "delete", Kind: "PodDisruptionBudget" }, times: 3);
        foreach (var pod in new[] { "db-1", "db-2" }) world.Server(pod).IsPrimary = false;
        world.Api.Change<RedundancyGroup>("shop", "db", g => g.Spec = Objects.Spec("db", "db-rw"));
        world.UntilSteady("db-0");
        Assert.NotNull(world.Api.Peek<V1PodDisruptionBudget>("shop", "db-members"));
        world.Until(() => world.Api.Peek<V1PodDisruptionBudget>("shop", "db-members") is null, "at last");
        Assert.InRange(world.Operator.Api.Calls.Count(c => c is { Kind: "PodDisruptionBudget", Verb: "delete" }), 4, 5);
    }

    [Fact]
    public void A_group_that_had_a_primary_becomes_one_in_which_all_are_active()
    {
        using var world = new OperatorWorld();
        world.StartOperator();
        world.UntilSteady("db-0");
        world.Api.Seed(new V1PodDisruptionBudget
        {
            Metadata = new V1ObjectMeta { Name = "db-primary", NamespaceProperty = "shop", OwnerReferences = [new V1OwnerReference { ApiVersion = "v1", Kind = "RedundancyGroup", Name = "db", Uid = world.Group.Uid() }] },
            Spec = new V1PodDisruptionBudgetSpec { MaxUnavailable = 0 },
        });
        foreach (var pod in new[] { "db-1", "db-2" }) world.Server(pod).IsPrimary = true;
        world.Api.Change<RedundancyGroup>("shop", "db", g => g.Spec = ActiveActive(g.Spec));
        world.Until(() => world.Traffic.Count == 3 && world.Condition("Available") == "True EnoughActive", "all take traffic");
        Assert.DoesNotContain(ApiGroup.PodNameLabel, world.Api.Peek<V1Service>("shop", "db-rw")!.Spec.Selector.Keys);
        Assert.Empty(world.Group.Status!.Slots);
        Assert.Null(world.Api.Peek<V1PodDisruptionBudget>("shop", "db-primary"));
        Assert.Single(world.Failovers);
    }

    /// <summary>Of two budgets for one pod the API server obeys neither.</summary>
    [Fact]
    public void Beside_a_budget_of_somebody_for_the_same_pods_there_is_none_of_its_own()
    {
        using var world = Running();
        world.Api.Seed(new V1PodDisruptionBudget
        {
            Metadata = new V1ObjectMeta { Name = "mine", NamespaceProperty = "shop" },
            Spec = new V1PodDisruptionBudgetSpec { MaxUnavailable = 1, Selector = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { ["app"] = "db" } } },
        });
        world.Until(() => world.Api.Peek<V1PodDisruptionBudget>("shop", "db-members") is null, "its own goes");
        world.Until(() => Message(world, "Redundant").Contains("bounded by PodDisruptionBudget mine alone", StringComparison.Ordinal), "and that is said");
        world.Api.Remove<V1PodDisruptionBudget>("shop", "mine");
        world.Until(() => world.Api.Peek<V1PodDisruptionBudget>("shop", "db-members") is not null, "its own comes back");
    }

    /// <summary>A replica that sees work undone stands in for the owner; that another one has its pause is no such work.</summary>
    [Fact]
    public void Two_replicas_let_members_in_one_after_the_other_too()
    {
        using var world = new OperatorWorld(ActiveActive);
        world.StartReplicas(2);
        world.Until(() => world.Traffic.Count == 3 && world.Condition("Available") == "True EnoughActive", "all take traffic");
        world.Pass(TimeSpan.FromSeconds(20));
        world.Server("db-1").Up = false;
        world.Server("db-2").Up = false;
        world.Until(() => world.Condition("Available") == "False TooFewActive", "too few");
        world.Server("db-1").Up = true;
        world.Server("db-2").Up = true;
        world.Until(() => world.Traffic.Count == 2, "the first");
        var first = world.Now;
        world.Until(() => world.Traffic.Count == 3, "the second");
        Assert.InRange((world.Now - first).TotalSeconds, 4.8, 6.5);
    }

    [Fact]
    public void A_request_for_a_switchover_ends_and_says_why()
    {
        using var world = Running();
        world.Api.Seed(new Failover
        {
            Metadata = new V1ObjectMeta { Name = "please", NamespaceProperty = "shop" },
            Spec = new FailoverSpec { GroupRef = new GroupReference { Name = "db" }, Slot = ApiGroup.FirstSlot, Type = FailoverType.Switchover },
        });
        world.Until(() => world.Failovers[0].Status is { Phase: FailoverPhase.Failed, Reason: Reasons.NotRequestable }, "refused");
    }

    private static OperatorWorld Running()
    {
        var world = new OperatorWorld(ActiveActive);
        world.StartOperator();
        world.Until(() => world.Traffic.Count == 3 && world.Condition("Available") == "True EnoughActive" && world.Condition("Progressing") == "False Steady", "all take traffic");
        return world;
    }

    private static RedundancyGroupSpec ActiveActive(RedundancyGroupSpec spec) =>
        spec with { Mode = RedundancyMode.ActiveActive, MinActive = 2, Spares = 1, Engine = new EngineSpec { Type = EngineType.Redis } };

    private static void Fail(OperatorWorld world, string how)
    {
        if (how == "crash") world.Server("db-1").Up = false;
        else if (how == "hang") world.Server("db-1").Hangs = true;
        else if (how == "not ready") Ready(world, "False");
        else world.Api.Change<V1Pod>("shop", "db-1", p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch);
    }

    private static void Recover(OperatorWorld world, string how)
    {
        if (how == "crash") world.Server("db-1").Up = true;
        else if (how == "hang") world.Server("db-1").Hangs = false;
        else if (how == "not ready") Ready(world, "True");
    }

    private static void Ready(OperatorWorld world, string isReady) => world.Api.Change<V1Pod>("shop", "db-1", p => p.Status.Conditions[0].Status = isReady);

    private static string Message(OperatorWorld world, string type) => world.Group.Status!.Conditions.First(c => c.Type == type).Message;
}
