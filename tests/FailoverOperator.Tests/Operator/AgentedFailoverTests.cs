using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Leases;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>
/// The operator as a whole and the core's agents, in virtual time. At every instant of every test at most one server takes writes:
/// the world looks.
/// </summary>
public class AgentedFailoverTests
{
    [Fact]
    public void A_new_group_gets_a_lease_and_a_first_primary()
    {
        using var world = Running();
        Assert.Equal(("db-0-1", FailoverType.Election, FailoverPhase.Completed), (world.Failovers[0].Name(), world.Failovers[0].Spec.Type, world.Failovers[0].Status!.Phase));
        var lease = Lease(world);
        Assert.True(lease.IsHeldBy(world.Agent("db-0").Identity));
        Assert.Equal((1, 3), (lease.Term, lease.Accepted!.Members.Count));
        Assert.Equal("db", world.Lease!.Metadata.Labels[ApiGroup.GroupLabel]);
        Assert.Null(world.Lease.Metadata.OwnerReferences);
        Assert.Equal("active", world.Pod("db-0").Metadata.Labels[ApiGroup.RoleLabel]);
        Assert.Equal(world.Server("db-0").Address, world.Server("db-2").Follows);
    }

    [Fact]
    public void A_server_that_crashes_is_replaced_as_soon_as_its_agent_has_released_the_lease()
    {
        using var world = Running();
        world.Server("db-0").Up = false;
        var crashed = world.Now;
        world.Until(() => world.Failovers[^1].Status?.Phase == FailoverPhase.Completed && world.Failovers[^1].Spec.Term == 2, "another one takes over");
        // The promotion takes 100 ms of it, the steps of the world's clock the rest.
        Assert.InRange(world.Now - crashed, TimeSpan.Zero, TimeSpan.FromMilliseconds(500));
        var failover = world.Failovers[^1];
        Assert.Equal(FenceEvidence.Released, failover.Status!.Fence!.Evidence);
        Assert.Equal(TargetVerdict.Met, failover.Status.Targets);
        world.UntilSteady(failover.Status.Candidate!.Name);
        Assert.Equal(2, Lease(world).Term);
    }

    [Fact]
    public void On_a_node_without_power_another_one_takes_over_when_the_lease_has_expired()
    {
        using var world = Running();
        world.CutPower("node-1");
        var cut = world.Now;
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "another one takes over");
        // D from the last renewal, which was up to a second ago.
        Assert.InRange(world.Now - cut, TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(5.5));
        Assert.Equal(FenceEvidence.LeaseExpired, world.Failovers[^1].Status!.Fence!.Evidence);
        Assert.Contains(world.Failovers[^1].Spec.Cause, new[] { FailoverCause.PrimaryLeaseExpired, FailoverCause.PrimaryNodeDown, FailoverCause.PrimaryUnresponsive });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Measure(bool released)
    {
        using var world = Running();
        world.LookClosely(TimeSpan.FromMilliseconds(5));
        var slow = world.Operator.Api.Faults.Before!;
        var journal = new List<string>();
        world.Operator.Api.Faults.Before = (call, token) =>
        {
            journal.Add($"{world.Now.TotalMilliseconds} {call.Verb} {call.Kind} {call.Name}");
            return slow(call, token);
        };
        world.Pass(TimeSpan.FromMilliseconds(733));
        if (released) world.Server("db-0").Up = false; else world.CutPower("node-1");
        journal.Add($"{world.Now.TotalMilliseconds} fault");
        var b = world.Agents;
        world.Until(() => b.All.Any(a => a.IsWritable && a.Server.Address != "10.0.0.1"), "writable");
        journal.Add($"{world.Now.TotalMilliseconds} writable");
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "another one takes over");
        journal.Add($"{world.Now.TotalMilliseconds} done");
        Assert.Fail(string.Join("\n", journal.Where(j => !j.Contains("discover")).Concat(world.Failovers[^1].Status!.Phases.Select(p => $"{p.Name} {p.Milliseconds}"))));
    }

    [Fact]
    public void A_pod_that_is_deleted_hands_over()
    {
        using var world = Running();
        world.Api.Change<V1Pod>("shop", "db-0", p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch);
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "another one takes over", TimeSpan.FromSeconds(2));
        Assert.Equal(FenceEvidence.Released, world.Failovers[^1].Status!.Fence!.Evidence);
        world.UntilSteady(world.Failovers[^1].Status!.Candidate!.Name);
        Assert.Equal(3, Lease(world).Terms.Members.Count);
    }

    [Fact]
    public void A_container_that_is_killed_is_fenced_by_its_agents_next_run()
    {
        using var world = Running();
        world.KillContainer("db-0");
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "another one takes over", TimeSpan.FromSeconds(3));
        world.UntilSteady(world.Failovers[^1].Status!.Candidate!.Name);
    }

    [Fact]
    public void A_server_that_hangs_is_taken_its_lease()
    {
        using var world = Running();
        world.Server("db-0").Hangs = true;
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "another one takes over", TimeSpan.FromSeconds(15));
        world.UntilSteady(world.Failovers[^1].Status!.Candidate!.Name);
    }

    [Fact]
    public void A_node_without_network_fences_itself_and_comes_back_as_a_standby()
    {
        using var world = Running();
        var old = world.Agent("db-0");
        old.IsIsolated = true;
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "another one takes over", TimeSpan.FromSeconds(8));
        Assert.False(old.IsWritable);
        world.Pass(TimeSpan.FromSeconds(10));
        old.IsIsolated = false;
        world.UntilSteady(world.Failovers[^1].Status!.Candidate!.Name);
        Assert.Equal(world.Server(world.Failovers[^1].Status!.Candidate!.Name).Address, old.Server.Follows);
    }

    [Fact]
    public void An_agent_that_stood_still_for_long_does_not_write_when_it_goes_on()
    {
        using var world = Running();
        var old = world.Agent("db-0");
        old.IsFrozen = true;
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "another one takes over", TimeSpan.FromSeconds(8));
        world.Pass(TimeSpan.FromSeconds(14));
        old.IsFrozen = false;
        world.UntilSteady(world.Failovers[^1].Status!.Candidate!.Name);
        Assert.False(old.IsWritable);
    }

    /// <summary>The holder goes on by the word of the others; nobody accuses it when the API server is back.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(60)]
    public void An_outage_of_the_API_server_changes_nothing(double seconds)
    {
        using var world = Running();
        world.CutOffAll(true);
        for (var passed = 0.0; passed < seconds; passed += 0.5)
        {
            world.Pass(TimeSpan.FromSeconds(0.5));
            Assert.True(world.Agent("db-0").IsWritable);
        }
        world.CutOffAll(false);
        for (var passed = 0.0; passed < 30; passed += 0.5)
        {
            world.Pass(TimeSpan.FromSeconds(0.5));
            Assert.True(world.Agent("db-0").IsWritable);
        }
        world.UntilSteady("db-0");
        Assert.Single(world.Failovers);
        Assert.Equal(1, Lease(world).Term);
    }

    [Fact]
    public void An_operator_that_alone_does_not_reach_the_API_server_accuses_nobody_when_it_does_again()
    {
        using var world = Running();
        world.Operator.Api.IsCutOff = true;
        world.Pass(TimeSpan.FromSeconds(60));
        world.Operator.Api.IsCutOff = false;
        world.Pass(TimeSpan.FromSeconds(30));
        world.UntilSteady("db-0");
        Assert.Single(world.Failovers);
    }

    [Fact]
    public void While_no_operator_runs_nothing_happens_and_the_next_one_recovers_what_failed_meanwhile()
    {
        using var world = Running();
        world.KillOperator();
        world.Pass(TimeSpan.FromSeconds(60));
        Assert.True(world.Agent("db-0").IsWritable);
        world.CutPower("node-1");
        world.Pass(TimeSpan.FromSeconds(20));
        world.StartOperator();
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "another one takes over", TimeSpan.FromSeconds(8));
        Assert.Equal(FenceEvidence.LeaseExpired, world.Failovers[^1].Status!.Fence!.Evidence);
    }

    [Theory]
    [InlineData("db-1", 1)]
    [InlineData("db-1", 7)]
    [InlineData("nobody", 1)]
    [InlineData(null, 1)]
    public void A_holder_that_somebody_forged_is_not_obeyed_and_the_group_gets_a_primary_again(string? pod, int term)
    {
        using var world = Running();
        var holder = pod is null ? null : pod == "nobody" ? "db-9/uid-9" : world.Agent(pod).Identity;
        world.Api.Change<V1Lease>("shop", "db-0", l => (l.Spec.HolderIdentity, l.Spec.LeaseTransitions) = (holder, term));
        world.Pass(TimeSpan.FromSeconds(1));
        world.Until(() => world.Agents.All.Any(a => a.IsWritable), "somebody takes writes again", TimeSpan.FromSeconds(30));
        world.UntilSteady(world.Group.Status!.Slots[0].Holder!);
        Assert.True(Lease(world).IsAuthentic);
        Assert.Equal(world.Failovers[^1].Spec.Term, Lease(world).Term);
    }

    [Fact]
    public void A_lease_that_somebody_deleted_is_made_anew()
    {
        using var world = Running();
        world.Api.Remove<V1Lease>("shop", "db-0");
        world.Pass(TimeSpan.FromSeconds(1));
        world.Until(() => world.Agents.All.Any(a => a.IsWritable), "somebody takes writes again", TimeSpan.FromSeconds(30));
        world.UntilSteady(world.Group.Status!.Slots[0].Holder!);
        Assert.True(Lease(world).IsAuthentic);
        Assert.Equal(world.Failovers[^1].Spec.Term, Lease(world).Term);
    }

    [Fact]
    public void Terms_that_cannot_be_read_are_written_anew()
    {
        using var world = Running();
        world.Api.Change<V1Lease>("shop", "db-0", l => l.Metadata.Annotations[LeaseContract.TermsAnnotation] = "{");
        world.Until(() => LeaseCodec.Read(world.Lease!) is { Problem: null, Record: { Terms.Members.Count: 3, Accepted.Members.Count: 3 } }, "they are readable again", TimeSpan.FromSeconds(30));
        Assert.True(world.Agents.All.Count(a => a.IsWritable) <= 1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_two_operators_one_assigns(bool released)
    {
        using var world = Running();
        var first = world.Operator;
        world.StartOperator();
        world.Pass(TimeSpan.FromSeconds(3));
        if (released) world.Server("db-0").Up = false;
        else world.CutPower("node-1");
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "another one takes over", TimeSpan.FromSeconds(15));
        world.Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(["db-0-1", "db-0-2"], world.Failovers.Select(f => f.Name()));
        Assert.Equal(2, Lease(world).Term);
        Assert.True(first.Runs && world.OperatorRuns);
    }

    /// <summary>Invariant I10: killed after any step, its successor finishes the same failover.</summary>
    [Theory]
    [MemberData(nameof(Phases))]
    public void An_operator_killed_after_a_phase_was_written_is_followed_by_one_that_finishes_the_same_failover(FailoverPhase phase, bool released)
    {
        using var world = Running();
        world.Operator.Api.Faults.Before = (call, _) =>
        {
            // The call after the one that wrote the phase is the first that the dead operator does not make.
            if (world.OperatorRuns && world.Failovers[^1] is { Spec.Term: 2 } running && (running.Status?.Phase ?? FailoverPhase.Pending) == phase) world.KillOperator();
            return Task.CompletedTask;
        };
        if (released) world.Server("db-0").Up = false;
        else world.CutPower("node-1");
        world.Until(() => !world.OperatorRuns, $"the operator dies after {phase}");
        world.Pass(TimeSpan.FromSeconds(1));
        world.StartOperator();
        world.Until(() => world.Failovers[^1].Status?.Phase == FailoverPhase.Completed, "the same failover ends", TimeSpan.FromMinutes(1));
        Assert.Equal(["db-0-1", "db-0-2"], world.Failovers.Select(f => f.Name()));
        world.Until(() => world.Agents.All.Count(a => a.IsWritable) == 1 && world.Condition("Available") == "True PrimaryServing", "one takes writes");
    }

    public static TheoryData<FailoverPhase, bool> Phases
    {
        get
        {
            var phases = new TheoryData<FailoverPhase, bool>();
            foreach (var released in new[] { true, false })
            {
                foreach (var phase in new[] { FailoverPhase.Pending, FailoverPhase.Fencing, FailoverPhase.Electing, FailoverPhase.Promoting, FailoverPhase.Repointing, FailoverPhase.Verifying, FailoverPhase.Completed })
                    phases.Add(phase, released);
            }
            return phases;
        }
    }

    /// <summary>An answer that is lost leaves the outcome unknown; what was written is found.</summary>
    [Theory]
    [InlineData("replace", "Lease")]
    [InlineData("replaceStatus", "Failover")]
    [InlineData("create", "Failover")]
    [InlineData("patch", "Pod")]
    [InlineData("patch", "Service")]
    public void An_answer_that_is_lost_does_no_harm(string verb, string kind)
    {
        using var world = Running();
        world.Operator.Api.Faults.LoseNextAnswer(c => c.Verb == verb && c.Kind == kind);
        world.Server("db-0").Up = false;
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "another one takes over", TimeSpan.FromSeconds(15));
        world.UntilSteady(world.Failovers[^1].Status!.Candidate!.Name);
        Assert.Equal(2, world.Failovers.Count);
    }

    [Fact]
    public void A_slow_API_server_makes_a_failover_slow_and_nothing_else()
    {
        using var world = Running();
        world.SlowDown(TimeSpan.FromSeconds(2));
        world.Pass(TimeSpan.FromSeconds(30));
        Assert.Single(world.Failovers);
        Assert.True(world.Agent("db-0").IsWritable);
        world.Server("db-0").Up = false;
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "another one takes over", TimeSpan.FromMinutes(1));
        Assert.Single(world.Agents.All, a => a.IsWritable);
    }

    /// <summary>
    /// A renewal that takes two seconds leaves a holder no time for the next one within its three, and a lost member cannot acknowledge it.
    /// </summary>
    [Fact]
    public void A_slow_API_server_and_a_lost_node_together_cost_availability_until_it_is_fast_again_and_nothing_else()
    {
        using var world = Running();
        world.SlowDown(TimeSpan.FromSeconds(2));
        world.Pass(TimeSpan.FromSeconds(10));
        world.CutPower("node-1");
        world.Pass(TimeSpan.FromMinutes(2));
        world.SlowDown(TimeSpan.Zero);
        world.Until(() => world.Condition("Available") == "True PrimaryServing" && world.Agents.All.Count(a => a.IsWritable) == 1, "somebody takes writes", TimeSpan.FromSeconds(15));
        Assert.All(world.Failovers.Where(f => f.Status?.Phase == FailoverPhase.Failed), f => Assert.Contains("no renewal", f.Status!.Message));
    }

    [Fact]
    public void A_deleted_group_leaves_the_lease_with_its_holder()
    {
        using var world = Running();
        world.Api.Remove<RedundancyGroup>("shop", "db");
        world.Pass(TimeSpan.FromSeconds(60));
        Assert.True(world.Agent("db-0").IsWritable);
        Assert.True(Lease(world).IsHeldBy(world.Agent("db-0").Identity));
    }

    [Fact]
    public void Without_the_agents_token_the_group_is_refused_and_says_which_field()
    {
        using var world = new OperatorWorld(Agented);
        world.Api.Remove<V1Secret>("shop", "agent");
        world.StartOperator();
        world.Until(() => world.Condition("Accepted") == "False SecretNotFound", "it is refused");
        Assert.Contains("agent.tokenSecretRef", world.Group.Status!.Conditions.First(c => c.Type == "Accepted").Message);
    }

    internal static RedundancyGroupSpec Agented(RedundancyGroupSpec spec) => spec with
    {
        Agent = new AgentSpec { TokenSecretRef = new SecretKeyReference { Name = "agent", Key = "token" } },
        Fencing = spec.Fencing with { Policy = [FencingMethod.SelfFence, FencingMethod.PodTermination] },
    };

    private static LeaseRecord Lease(OperatorWorld world) => LeaseCodec.Read(world.Lease!).Record;

    private static OperatorWorld Running(Func<RedundancyGroupSpec, RedundancyGroupSpec>? change = null)
    {
        var world = new OperatorWorld(spec => change?.Invoke(Agented(spec)) ?? Agented(spec));
        world.StartOperator();
        world.UntilSteady("db-0");
        return world;
    }
}
