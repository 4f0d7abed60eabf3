using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Ownership;
using FailoverOperator.Testing;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>Replicas of the operator that share the work, over one API server, in virtual time.</summary>
public sealed class ReplicasTests
{
    /// <summary>What the death of the owner may cost beyond a failover with an owner that lives.</summary>
    private static readonly TimeSpan MostExtra = TimeSpan.FromSeconds(2);

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Only_the_owner_writes_and_the_others_only_look(int count)
    {
        using var world = Running(count, agents: true);
        var writes = world.Replicas.Select(r => (r.Name, Calls: r.Record(() => world.Now))).ToList();
        world.Server("db-0").Up = false;
        UntilFailedOver(world);
        world.Pass(TimeSpan.FromSeconds(20));
        Assert.All(writes, w => Assert.Equal(w.Name == Owner(world).Name, w.Calls.Any(c => IsWork(c.Call))));
        Assert.Contains("redundancy_failovers_total{", Owner(world).Metrics());
        Assert.All(world.Replicas.Where(r => r != Owner(world)), r => Assert.DoesNotContain("group=\"db\"", r.Metrics()));
    }

    /// <summary>Dead at once, without a word, after each phase of the failover that it has begun; and before it has begun.</summary>
    [Theory]
    [MemberData(nameof(Deaths))]
    public void An_owner_that_is_killed_in_the_middle_of_a_failover_costs_at_most_two_seconds_more(FailoverPhase? phase, int count, bool agents)
    {
        var undisturbed = Duration(count, agents, phase: null, kill: false);
        var disturbed = Duration(count, agents, phase, kill: true);
        Assert.InRange(disturbed - undisturbed, TimeSpan.FromMilliseconds(-100), MostExtra);
    }

    public static TheoryData<FailoverPhase?, int, bool> Deaths
    {
        get
        {
            var deaths = new TheoryData<FailoverPhase?, int, bool>();
            foreach (var agents in new[] { true, false })
                foreach (var count in new[] { 2, 3 })
                    foreach (var phase in new FailoverPhase?[] { null, FailoverPhase.Pending, FailoverPhase.Fencing, FailoverPhase.Electing, FailoverPhase.Promoting, FailoverPhase.Repointing, FailoverPhase.Verifying })
                        deaths.Add(phase, count, agents);
            return deaths;
        }
    }

    /// <summary>It tells that it lives, and does nothing: its calls never end.</summary>
    [Fact]
    public void An_owner_that_lives_and_is_stuck_is_helped_by_the_next_one()
    {
        using var world = Running(2, agents: true);
        var owner = Owner(world);
        owner.Api.Faults.Before = (call, token) => IsWork(call) ? new TaskCompletionSource().Task.WaitAsync(token) : Task.CompletedTask;
        world.Server("db-0").Up = false;
        var failed = world.Now;
        UntilFailedOver(world);
        Assert.InRange(world.Now - failed, DutyRoster.ClaimDelay, DutyRoster.ClaimDelay + MostExtra);
        Assert.True(owner.Runs);
    }

    [Fact]
    public void An_owner_that_is_told_to_end_hands_over_at_once()
    {
        using var world = Running(2, agents: true);
        world.StopOperator(Owner(world));
        world.Server("db-0").Up = false;
        var failed = world.Now;
        UntilFailedOver(world);
        Assert.InRange(world.Now - failed, TimeSpan.Zero, TimeSpan.FromMilliseconds(500));
    }

    [Fact]
    public void A_rolling_update_of_all_replicas_changes_nothing_for_the_group()
    {
        using var world = Running(2, agents: true);
        var before = world.Group.Status!.Conditions.Select(c => (c.Type, c.Status, c.LastTransitionTime)).ToList();
        foreach (var (old, i) in world.Replicas.ToList().Select((r, i) => (r, i)))
        {
            world.StartReplica($"new-operator-{i}");
            world.Pass(TimeSpan.FromSeconds(5));
            world.StopOperator(old);
            world.Pass(TimeSpan.FromSeconds(5));
        }
        world.UntilSteady("db-0");
        Assert.Single(world.Failovers);
        Assert.Equal(before, world.Group.Status!.Conditions.Select(c => (c.Type, c.Status, c.LastTransitionTime)));
        world.Server("db-0").Up = false;
        UntilFailedOver(world);
    }

    /// <summary>Each takes itself for the owner of everything: whoever is wrong about the others loses a race, and that is all.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Replicas_that_do_not_see_each_other_do_no_harm(bool agents)
    {
        using var world = Running(3, agents);
        foreach (var one in world.Replicas)
            one.Api.Faults.FailNext(FailoverOperator.Runtime.Kubernetes.ApiFailure.Forbidden, c => c is { Kind: "Lease", Namespace: "failover-system" }, times: int.MaxValue);
        world.Pass(TimeSpan.FromSeconds(5));
        Fail(world, agents);
        UntilFailedOver(world);
        world.Pass(TimeSpan.FromSeconds(20));
        Assert.Equal(["db-0-1", "db-0-2"], world.Failovers.Select(f => f.Name()));
        Assert.True(world.Replicas.All(r => r.Runs));
    }

    /// <summary>From the fault to the end of the failover.</summary>
    private static TimeSpan Duration(int count, bool agents, FailoverPhase? phase, bool kill)
    {
        using var world = Running(count, agents);
        var owner = Owner(world);
        owner.Api.Faults.Before = (_, _) =>
        {
            // The call after the one that wrote the phase is the first that the dead one does not make.
            if (kill && owner.Runs && world.Failovers[^1] is { Spec.Term: 2 } running && (running.Status?.Phase ?? FailoverPhase.Pending) == phase) owner.Kill();
            return Task.CompletedTask;
        };
        if (kill && phase is null) owner.Kill();
        Fail(world, agents);
        var failed = world.Now;
        UntilFailedOver(world);
        if (kill) Assert.False(owner.Runs);
        Assert.Equal(["db-0-1", "db-0-2"], world.Failovers.Select(f => f.Name()));
        return world.Now - failed;
    }

    private static void Fail(OperatorWorld world, bool agents)
    {
        if (agents) world.Server("db-0").Up = false;
        else world.Api.Change<V1Pod>("shop", "db-0", p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch);
    }

    private static OperatorWorld Running(int count, bool agents)
    {
        var world = new OperatorWorld(agents ? AgentedWorld.Agented : null);
        _ = world.StartReplicas(count);
        world.UntilSteady("db-0");
        // Until then each had yet to hear of the others.
        world.Pass(TimeSpan.FromSeconds(3));
        return world;
    }

    private static void UntilFailedOver(OperatorWorld world) =>
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "another one takes over", TimeSpan.FromSeconds(30));

    private static OperatorUnderTest Owner(OperatorWorld world) =>
        world.Replicas.Single(r => r.Name == Rendezvous.Order("shop/db", world.Replicas.Where(o => o.Runs).Select(o => o.Name))[0]);

    private static bool IsWork(ApiCall call) =>
        call.Verb is not ("get" or "list" or "watch" or "discover") && call is not { Kind: "Lease", Namespace: "failover-system" };
}
