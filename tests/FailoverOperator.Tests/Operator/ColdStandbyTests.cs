using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>A standby that is started when it is needed, and rests when it is not, in virtual time. Never do two members take writes.</summary>
public class ColdStandbyTests
{
    [Theory]
    [InlineData("Deployment")]
    [InlineData("StatefulSet")]
    public void It_is_started_after_the_fence_promoted_and_given_the_traffic(string kind)
    {
        using var world = Steady(kind: kind);
        Assert.Equal((0, "True ColdStandby", "True EnoughSpares"), (world.Cold!.Replicas, world.Condition("FailoverReady"), world.Condition("Redundant")));
        LosePrimary(world);
        Until(world, () => world.Cold.Replicas == 1, "it is scaled up");
        Assert.Equal((FailoverPhase.Starting, FenceEvidence.PodTerminated), (Last(world).Status!.Phase, Last(world).Status!.Fence!.Evidence));
        Until(world, () => Last(world).Status!.Phase == FailoverPhase.Completed, "it is promoted");

        var standby = Assert.Single(world.Cold.Pods);
        Assert.Equal(standby.Name(), Last(world).Status!.Candidate!.Name);
        Assert.Equal([standby.Name()], world.Traffic);
        Assert.True(world.Servers[standby.Status.PodIP].IsPrimary);
        Assert.Null(Last(world).Status!.LostBytes);
        Assert.InRange(Assert.Single(Last(world).Status!.Phases, p => p.Name == TimedPhase.Start).Milliseconds, 3000, 6000);
        Assert.Equal(Last(world).Status!.DowntimeMilliseconds, Last(world).Status!.Phases.Sum(p => p.Milliseconds));
        world.Pass(TimeSpan.FromMinutes(5));
        Assert.Equal((1, 2), (world.Cold.Replicas, world.Failovers.Count));
    }

    [Fact]
    public void Failback_lets_it_rest_before_a_member_of_the_workload_is_promoted()
    {
        using var world = OnStandby(FailbackPolicy.Automatic);
        var standby = Assert.Single(world.Cold!.Pods);
        Heal(world);
        Until(world, () => world.Cold.Replicas == 0, "it is scaled down");
        Assert.Equal((FailoverType.Failback, FailoverPhase.Fencing), (Last(world).Spec.Type, Last(world).Status!.Phase));
        Until(world, () => Last(world).Status!.Phase == FailoverPhase.Completed, "it has its place again");
        Assert.Equal(("db-0", FenceEvidence.PodTerminated), (Last(world).Status!.Candidate!.Name, Last(world).Status!.Fence!.Evidence));
        Assert.Equal(standby.Uid(), Last(world).Spec.From!.Uid);
        world.UntilSteady("db-0");
        world.Pass(TimeSpan.FromMinutes(5));
        Assert.Equal((0, 3), (world.Cold.Replicas, world.Failovers.Count));
        Assert.Empty(world.Cold.Pods);
    }

    [Theory]
    [InlineData(FailoverType.Failback)]
    [InlineData(FailoverType.Switchover)]
    public void Where_failback_is_never_a_person_asks_for_it(FailoverType type)
    {
        using var world = OnStandby(FailbackPolicy.Never);
        Heal(world);
        world.Pass(TimeSpan.FromMinutes(5));
        Assert.Equal((1, 2), (world.Cold!.Replicas, world.Failovers.Count));
        Ask(world, type);
        world.UntilSteady("db-0");
        Until(world, () => Request(world).Phase == FailoverPhase.Completed && world.Cold.Replicas == 0, "it rests");

        world.Api.Remove<Failover>("shop", "mine");
        Ask(world, type);
        Until(world, () => Request(world).Reason == Reasons.NotRequestable, "there is nothing to give back");
    }

    [Fact]
    public void A_person_can_ask_for_a_failover_to_it_and_back_again()
    {
        using var world = Steady(data: ColdData.Reported);
        world.Cold!.Position = 100;
        world.NewPodsAreBroken = true;
        Ask(world, FailoverType.Failover);
        // It tells its position only once it runs.
        Until(world, () => Request(world).Phase == FailoverPhase.Completed, "it is promoted");
        Assert.Equal(1, world.Cold.Replicas);
        Heal(world);
        world.Api.Remove<Failover>("shop", "mine");
        Ask(world, FailoverType.Switchover);
        Until(world, () => Request(world).Reason == Reasons.NotRequestable, "that would have to be lossless");
        world.Api.Remove<Failover>("shop", "mine");
        world.Pass(TimeSpan.FromSeconds(20));
        Ask(world, FailoverType.Failover, target: "db-0");
        world.UntilSteady("db-0");
        Until(world, () => world.Cold.Replicas == 0, "it rests");
    }

    [Theory]
    [InlineData(FailoverPhase.Pending)]
    [InlineData(FailoverPhase.Fencing)]
    [InlineData(FailoverPhase.Electing)]
    [InlineData(FailoverPhase.Starting)]
    [InlineData(FailoverPhase.Promoting)]
    [InlineData(FailoverPhase.Repointing)]
    [InlineData(FailoverPhase.Verifying)]
    public void An_operator_killed_after_a_phase_was_written_is_followed_by_one_that_finishes_the_same_failover(FailoverPhase phase)
    {
        using var world = Steady();
        world.KillOperatorAfter(phase, term: 2);
        LosePrimary(world);
        GoOn(world);
        Assert.Equal(["db-0-1", "db-0-2"], world.Failovers.Select(f => f.Name()));
        Assert.Equal((Assert.Single(world.Cold!.Pods).Name(), 1), (Last(world).Status!.Candidate!.Name, world.Cold.Replicas));
    }

    [Theory]
    [InlineData(FailoverPhase.Pending)]
    [InlineData(FailoverPhase.Fencing)]
    [InlineData(FailoverPhase.Electing)]
    [InlineData(FailoverPhase.Promoting)]
    [InlineData(FailoverPhase.Repointing)]
    [InlineData(FailoverPhase.Verifying)]
    public void The_same_for_a_failback(FailoverPhase phase)
    {
        using var world = OnStandby(FailbackPolicy.Automatic);
        world.KillOperatorAfter(phase, term: 3);
        Heal(world);
        GoOn(world);
        world.UntilSteady("db-0");
        Assert.Equal(["db-0-1", "db-0-2", "db-0-3"], world.Failovers.Select(f => f.Name()));
        Assert.Equal(0, world.Cold!.Replicas);
    }

    [Fact]
    public void A_write_of_its_scale_whose_answer_is_lost_or_that_somebody_overtook_is_decided_anew()
    {
        using var world = Steady();
        world.Operator.Api.Faults.FailNext(ApiFailure.Conflict, call => call.Verb == "replaceScale", times: 2);
        world.Operator.Api.Faults.LoseNextAnswer(call => call.Verb == "replaceScale");
        LosePrimary(world);
        Until(world, () => Last(world).Status!.Phase == FailoverPhase.Completed, "it is promoted");
        Assert.Single(world.Cold!.Pods);
        Assert.Equal(2, world.Failovers.Count);
    }

    [Fact]
    public void Without_the_right_to_scale_it_says_so_and_goes_on_when_it_is_granted()
    {
        using var world = Steady();
        var isForbidden = true;
        world.Operator.Api.Faults.FailNext(ApiFailure.Forbidden, call => isForbidden && call.Verb == "replaceScale", times: int.MaxValue);
        LosePrimary(world);
        Until(world, () => Last(world).Status!.Reason == Reasons.StandbyUnavailable, "it says so");
        Assert.Contains("the operator lacks the right to get and update the subresource scale of Deployment", Last(world).Status!.Message, StringComparison.Ordinal);
        world.Pass(TimeSpan.FromMinutes(1));
        Assert.Equal("False StandbyUnavailable", world.Condition("Progressing"));
        isForbidden = false;
        Until(world, () => Last(world).Status!.Phase == FailoverPhase.Completed, "it goes on", TimeSpan.FromSeconds(60));
    }

    [Theory]
    [InlineData("forbidden", "cannot be read: the operator lacks the right")]
    [InlineData("not served", "serves no Deployment of apps/v1 with the subresource scale")]
    [InlineData("missing", "there is no Deployment db-cold in this namespace")]
    public void One_that_cannot_be_started_is_said_beforehand_and_the_primary_is_not_fenced_for_it(string what, string message)
    {
        using var world = World(Spec("Deployment", ColdData.Shared, FailbackPolicy.Never));
        if (what == "not served") world.Api.Unserve("apps", "v1", "deployments/scale");
        if (what == "missing") world.Api.Remove<V1Deployment>("shop", "db-cold");
        world.StartOperator();
        if (what == "forbidden") world.Operator.Api.Faults.FailNext(ApiFailure.Forbidden, call => call.Verb == "getScale", times: int.MaxValue);
        world.Until(() => world.Condition("FailoverReady") == "False StandbyUnavailable", "it says so");
        Assert.Contains(message, world.Group.Status!.Conditions.Single(c => c.Type == "FailoverReady").Message, StringComparison.Ordinal);
        Assert.Equal("False TooFewSpares", world.Condition("Redundant"));

        var uid = world.Pod("db-0").Uid();
        world.Api.Change<V1Pod>("shop", "db-0", p => p.Status.Conditions[0].Status = "False");
        world.Until(() => world.Condition("Progressing") == "False StandbyUnavailable", "nobody could take over");
        world.Pass(TimeSpan.FromMinutes(1));
        Assert.Equal((uid, 1), (world.Pod("db-0").Uid(), world.Failovers.Count));
    }

    [Fact]
    public void One_that_does_not_become_ready_blocks_after_its_deadline_and_is_promoted_when_it_is()
    {
        using var world = Steady();
        world.Cold!.IsBroken = true;
        LosePrimary(world);
        Until(world, () => Last(world).Status!.Reason == Reasons.StandbyNotStarted, "it gives up waiting");
        Assert.Contains("Deployment db-cold could not be promoted in cold.startTimeoutSeconds (30 s)", Last(world).Status!.Message, StringComparison.Ordinal);
        Assert.Contains("db-cold-5d9c-0 is not ready", Last(world).Status!.Message, StringComparison.Ordinal);
        world.Pass(TimeSpan.FromMinutes(2));
        Assert.Empty(world.Servers.Primaries);
        world.Cold.Heal(Assert.Single(world.Cold.Pods));
        Until(world, () => Last(world).Status!.Phase == FailoverPhase.Completed, "it is promoted after all");
    }

    [Fact]
    public void A_deadline_does_not_begin_anew_with_another_operator()
    {
        using var world = Steady();
        world.Cold!.IsBroken = true;
        LosePrimary(world);
        Until(world, () => Last(world).Status!.Phase == FailoverPhase.Starting, "it is started");
        world.Pass(TimeSpan.FromSeconds(20));
        world.KillOperator();
        world.StartOperator();
        Until(world, () => Last(world).Status!.Reason == Reasons.StandbyNotStarted, "it gives up waiting", TimeSpan.FromSeconds(15));
    }

    [Fact]
    public void The_old_primary_that_is_back_first_has_its_place_again_and_the_standby_rests()
    {
        using var world = Steady();
        world.Cold!.IsBroken = true;
        LosePrimary(world);
        Until(world, () => world.Cold.Replicas == 1 && world.Api.Peek<V1Pod>("shop", "db-0") is not null, "it is started");
        Heal(world);
        Until(world, () => Last(world) is { Spec.Term: 2, Status: { Phase: FailoverPhase.Completed, Candidate.Name: "db-0" } }, "it has its place again");
        Until(world, () => world.Cold is { Replicas: 0, Pods.Count: 0 }, "it rests");
        world.Pass(TimeSpan.FromMinutes(1));
        Assert.Equal((0, 2), (world.Cold.Replicas, world.Failovers.Count));
    }

    /// <summary>Invariant I4: nobody could ask for its lag before, and nobody is promoted whose lag is unknown.</summary>
    [Fact]
    public void Where_its_data_are_not_the_primarys_it_is_not_promoted_before_it_tells_that_it_has_enough()
    {
        using var world = Steady(data: ColdData.Reported);
        Assert.Equal("Unknown ColdStandby", world.Condition("FailoverReady"));
        world.Cold!.Position = 10;
        world.Server("db-0").Position = 1000;
        world.Pass(TimeSpan.FromSeconds(60));
        LosePrimary(world);
        Until(world, () => Last(world).Status!.Reason == Reasons.StandbyNotStarted, "it has too little");
        Assert.Contains("misses more than the last 30 s of writes", Last(world).Status!.Message, StringComparison.Ordinal);
        Assert.Empty(world.Servers.Primaries);
        world.Servers[Assert.Single(world.Cold.Pods).Status.PodIP].Position = 1000;
        Until(world, () => Last(world).Status!.Phase == FailoverPhase.Completed, "it has enough");
        Assert.Equal(0, Last(world).Status!.LostBytes);
    }

    /// <summary>Its next pod has another name, and the same data.</summary>
    [Fact]
    public void A_standby_that_fails_as_the_primary_is_replaced_by_its_next_pod()
    {
        using var world = OnStandby(FailbackPolicy.Never);
        var first = Assert.Single(world.Cold!.Pods).Name();
        world.Api.Change<V1Pod>("shop", first, p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch);
        Until(world, () => Last(world) is { Spec.Term: 3, Status.Phase: FailoverPhase.Completed }, "its next pod is promoted");
        Assert.NotEqual(first, Last(world).Status!.Candidate!.Name);
        Assert.Equal([Assert.Single(world.Cold.Pods).Name()], world.Traffic);
    }

    /// <summary>A person has started it by hand: the operator owns its replicas.</summary>
    [Fact]
    public void While_a_member_of_the_workload_is_the_primary_it_rests()
    {
        using var world = Steady();
        world.Api.Change<V1Deployment>("shop", "db-cold", d => d.Spec.Replicas = 2);
        Until(world, () => world.Cold!.Pods.Count == 2, "they are there");
        Until(world, () => world.Cold is { Replicas: 0, Pods.Count: 0 }, "they are gone");
        Assert.Single(world.Failovers);
        world.UntilSteady("db-0");
    }

    private static Func<RedundancyGroupSpec, RedundancyGroupSpec> Spec(string kind, ColdData data, FailbackPolicy failback) => spec => spec with
    {
        Spares = 1,
        Standby = StandbyTemperature.Cold,
        Cold = new ColdSpec { WorkloadRef = new ScalableReference { Kind = kind, Name = "db-cold" }, Data = data, StartTimeoutSeconds = 30 },
        Engine = new EngineSpec { Type = EngineType.Hooks, StartsAs = StartState.ReadOnly, Hooks = new HooksEngineSpec { Status = Hook, Promote = Hook, Follow = Hook } },
        Targets = spec.Targets with { RtoSeconds = 300, RpoSeconds = 30 },
        Failback = new FailbackSpec { Policy = failback, StabilizationSeconds = 10 },
        Protection = ProtectionSpec.Off,
    };

    private static HookSpec Hook => new() { Exec = new ExecHookSpec { Command = ["/hooks/it"] } };

    private static OperatorWorld World(Func<RedundancyGroupSpec, RedundancyGroupSpec> change) => new(change);

    private static OperatorWorld Steady(string kind = "Deployment", ColdData data = ColdData.Shared, FailbackPolicy failback = FailbackPolicy.Never)
    {
        var world = World(Spec(kind, data, failback));
        world.StartOperator();
        world.Until(() => world.Condition("Available") == "True PrimaryServing" && world.Condition("Redundant") == "True EnoughSpares", "db-0 is active");
        return world;
    }

    private static OperatorWorld OnStandby(FailbackPolicy failback)
    {
        var world = Steady(failback: failback);
        LosePrimary(world);
        Until(world, () => Last(world).Status?.Phase == FailoverPhase.Completed && world.Failovers.Count == 2, "the standby is the primary");
        return world;
    }

    /// <summary>Its successor does not become ready.</summary>
    private static void LosePrimary(OperatorWorld world)
    {
        world.NewPodsAreBroken = true;
        world.Api.Change<V1Pod>("shop", "db-0", p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch);
    }

    private static void Heal(OperatorWorld world)
    {
        world.NewPodsAreBroken = false;
        world.Server("db-0").Up = true;
        world.Api.Change<V1Pod>("shop", "db-0", p => p.Status.Conditions[0].Status = "True");
    }

    private static void GoOn(OperatorWorld world)
    {
        Until(world, () => !world.OperatorRuns, "the operator dies");
        world.Pass(TimeSpan.FromSeconds(1));
        world.StartOperator();
        Until(world, () => Last(world).Status?.Phase == FailoverPhase.Completed, "the same failover ends", TimeSpan.FromMinutes(4));
    }

    private static void Ask(OperatorWorld world, FailoverType type, string? target = null) => world.Api.Seed(new Failover
    {
        Metadata = new V1ObjectMeta { Name = "mine", NamespaceProperty = "shop" },
        Spec = new FailoverSpec { GroupRef = new GroupReference { Name = "db" }, Type = type, Target = target },
    });

    private static FailoverStatus Request(OperatorWorld world) => world.Api.Peek<Failover>("shop", "mine")?.Status ?? new FailoverStatus();

    private static Failover Last(OperatorWorld world) => world.Failovers[^1];

    private static void Until(OperatorWorld world, Func<bool> condition, string what, TimeSpan? limit = null) => world.Until(() =>
    {
        Assert.InRange(world.Servers.Primaries.Count, 0, 1);
        return condition();
    }, what, limit);
}
