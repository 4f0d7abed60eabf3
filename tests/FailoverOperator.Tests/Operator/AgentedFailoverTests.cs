using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Observing;
using k8s.Models;
using static FailoverOperator.Tests.Operator.AgentedWorld;

namespace FailoverOperator.Tests.Operator;

/// <summary>Members that fail, and leases that people change, in groups with agents, in virtual time.</summary>
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

    /// <summary>
    /// Recovery time is calls one after the other. With 5 ms for each, and 100 ms for the promotion, during which traffic moves, no wait is
    /// left but the agents' ticks of 20 ms and the questions to the candidate.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_failover_waits_for_nothing_but_its_own_calls_and_the_promotion(bool released)
    {
        using var world = Running();
        if (!released)
        {
            world.CutPower("node-1");
            world.Pass(TimeSpan.FromSeconds(4.9) - (world.Now - LastRenewal(world)));
        }
        world.LookClosely(TimeSpan.FromMilliseconds(5));
        var calls = world.Operator.Record(() => world.Now);
        if (released) world.Server("db-0").Up = false;
        var failed = released ? world.Now : LastRenewal(world) + TimeSpan.FromSeconds(5);
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "another one takes over");
        var own = calls.SkipWhile(c => c.At < failed).Where(c => c.Call is not { Kind: "Event" or "Secret" or "redundancygroups" }).TakeWhile(c => c.Call.Kind != "RedundancyGroup").ToList();
        string[] expiry = ["get Lease db-0"];
        Assert.Equal(
        [
            .. released ? [] : expiry,
            "create Failover db-0-2", "replaceStatus Failover db-0-2", "replaceStatus Failover db-0-2", "replaceStatus Failover db-0-2", "replace Lease db-0",
            "patch Pod db-1", "patch Service db-rw", "patch Pod db-0", "replaceStatus Failover db-0-2", "replaceStatus Failover db-0-2", "replaceStatus Failover db-0-2",
        ], own.Select(c => $"{c.Call.Verb} {c.Call.Kind} {c.Call.Name}"));
        var assigned = own.First(c => c.Call is { Verb: "replace", Kind: "Lease" }).At;
        Assert.InRange(assigned - failed, TimeSpan.Zero, TimeSpan.FromMilliseconds(50));
        Assert.InRange(world.Now - failed, TimeSpan.Zero, TimeSpan.FromMilliseconds(250));
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

    [Theory]
    [InlineData("{")]
    [InlineData(null)]
    public void Terms_that_cannot_be_read_or_are_gone_are_written_anew(string? terms)
    {
        using var world = Running();
        world.Api.Change<V1Lease>("shop", "db-0", l =>
        {
            l.Metadata.Annotations.Remove(LeaseContract.TermsAnnotation);
            if (terms is not null) l.Metadata.Annotations[LeaseContract.TermsAnnotation] = terms;
        });
        world.Until(() => LeaseCodec.Read(world.Lease!) is { Unreadable: [], Record: { Terms.Members.Count: 3, Accepted.Members.Count: 3 } }, "they are readable again", TimeSpan.FromSeconds(30));
        Assert.True(world.Agents.All.Count(a => a.IsWritable) <= 1);
        Assert.Single(world.Failovers);
    }

    /// <summary>Only what nobody writes again by himself stays to be seen.</summary>
    [Fact]
    public void What_of_the_lease_cannot_be_read_is_told_in_the_group_until_it_is_mended()
    {
        using var world = Running();
        world.Api.Change<V1Lease>("shop", "db-0", l => l.Metadata.Annotations[LeaseContract.ReleaseAnnotation] = "{");
        world.Until(() => world.Condition("FailoverReady") == "True LeaseUnreadable", "it is told");
        Assert.Contains("kubectl annotate lease db-0 failover-operator.io/release-", world.Group.Status!.Conditions.First(c => c.Type == "FailoverReady").Message);
        world.Api.Change<V1Lease>("shop", "db-0", l => l.Metadata.Annotations.Remove(LeaseContract.ReleaseAnnotation));
        world.Until(() => world.Condition("FailoverReady") == "True Ready", "it is mended");
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
}
