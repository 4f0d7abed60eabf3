using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using static FailoverOperator.Core.Tests.GivenAgents;

namespace FailoverOperator.Core.Tests.Recovery;

public sealed class FencingLadderTests
{
    private static readonly FencingJobSpec Job = new() { Image = "ipmi", TimeoutSeconds = 60 };

    /// <summary>The server hangs, the agent renews.</summary>
    private static GroupObservation Hung() => Healthy().Change("db-0", m => m.Silent(6));

    private static GroupObservation Agentless(params FencingMethod[] policy) => Given.Healthy().Change("db-0", m => m.Silent(6)).With(s => s with { Fencing = s.Fencing with { Policy = policy, Job = Job } });

    private static T Step<T>(Decision decision) where T : Step => Assert.IsType<T>(Assert.Single(Assert.IsType<Decision.Advance>(decision).Steps));

    private static TimeSpan Wait(Decision decision) => Assert.IsType<Decision.Wait>(decision).For;

    private static Decision Fencing(GroupObservation group, double phaseFor = 0.5, Func<FailoverRecord, FailoverRecord>? change = null) =>
        Next(group, Running(FailoverPhase.Fencing, phaseFor) is var f && change is not null ? change(f) : f);

    // ---- SelfFence

    /// <summary>A person's word for its end is one for what it wrote unheard.</summary>
    [Fact]
    public void Whoever_is_asked_for_his_word_is_told_since_when_writes_may_be_lost()
    {
        string Message(GroupObservation group)
        {
            var running = Given.Running(FailoverPhase.Fencing, phaseFor: 600);
            running = running with { Spec = running.Spec with { LastServiceAt = "2026-11-28T09:00:00.000000Z" } };
            return Assert.IsType<Decision.Blocked>(FailoverProcedure.Next(group.With(running), running)).Message;
        }
        const string Told = "What it wrote since 2026-11-28T09:00:00.000000Z, when it was heard last, may be lost.";
        Assert.Contains(Told, Message(Given.Group(Given.Primary().Silent(600).Terminating().OnNode(NodeState.Unknown), Given.Standby("db-1"))));
        // Nothing that was acknowledged.
        var synchronous = GivenAgents.Healthy().Without("db-0") with { Departures = [Given.Departed(confirmed: false)] };
        Assert.DoesNotContain("may be lost", Message(synchronous.Unchanged(1).With(s => s with { Fencing = s.Fencing with { Policy = [FencingMethod.PodTermination] } })));
    }

    [Fact]
    public void A_lease_that_is_not_renewed_is_waited_for_to_the_moment()
    {
        Assert.Equal(Given.Seconds(1.5), Wait(Fencing(Hung().Unchanged(3.5))));
        Assert.Equal(Given.Seconds(4), Wait(Fencing(Hung().Revoked(1))));
    }

    [Fact]
    public void A_holder_that_still_renews_is_deprived_of_the_lease() =>
        Assert.Equal(new Step.RevokeLease(Identity("db-0"), 1, "7"), Step<Step.RevokeLease>(Fencing(Hung().Unchanged(0.4))));

    /// <summary>What was renewed before the fence was sought says nothing: it may have been the last time.</summary>
    [Theory]
    [InlineData(0.5, 0.5, false)]
    [InlineData(0.5, 0.501, true)]
    public void Only_a_renewal_that_was_seen_since_is_one(double unchanged, double phaseFor, bool revokes) =>
        Assert.Equal(revokes, Fencing(Hung().Unchanged(unchanged), phaseFor) is Decision.Advance);

    [Fact]
    public void A_pod_that_is_being_deleted_has_time_to_hand_over()
    {
        var leaving = Healthy().Change("db-0", m => m.Terminating()).Unchanged(0.4);
        Assert.Equal(Given.Seconds(4.6), Wait(Fencing(leaving, 4.9)));
        Step<Step.RevokeLease>(Fencing(leaving, 5));
    }

    [Fact]
    public void A_holder_that_says_that_it_takes_writes_is_deprived_of_an_expired_lease() =>
        Step<Step.RevokeLease>(Fencing(Healthy().Expired().Change("db-0", m => m.NotReady(9)), 0.5));

    [Fact]
    public void A_deleted_lease_is_made_anew_for_the_last_holder_to_release()
    {
        var group = Hung().Deleted(1);
        Assert.Equal((1L, 3), Step<Step.RecreateLease>(Fencing(group)) is var step ? (step.Term, step.Terms.Members.Count) : default);
    }

    /// <summary>Invariant I8.</summary>
    [Fact]
    public void The_last_member_that_works_keeps_its_lease()
    {
        var alone = Group(Primary().Silent(6), Standby("db-1").NotReady(6), Standby("db-2").Silent(9)).Unchanged(0.4);
        Assert.Equal(Reasons.NoCandidate, Assert.IsType<Decision.Blocked>(Fencing(alone)).Reason);
        // What runs out by itself needs no intent.
        Wait(Fencing(alone.Unchanged(3)));
        Assert.Equal(FenceEvidence.LeaseExpired, Step<Step.Enter>(Fencing(alone.Expired())).Fence);
    }

    [Fact]
    public void A_primary_that_recovers_before_anything_was_done_is_left_alone()
    {
        Assert.Equal(Reasons.PrimaryRecovered, Assert.IsType<Decision.Abort>(Fencing(Healthy())).Reason);
        Assert.IsNotType<Decision.Abort>(Fencing(Healthy().Revoked(0.3)));
        Assert.IsNotType<Decision.Abort>(Fencing(Healthy().Change("db-0", m => m.ContainerRestarted())));
        Assert.IsNotType<Decision.Abort>(Fencing(Healthy(), change: f => f with { FencingJob = new JobObservation.Running() }));
        Assert.IsNotType<Decision.Abort>(Fencing(Healthy().Change("db-0", m => m.OnNode(NodeState.Ready, outOfService: true))));
    }

    [Fact]
    public void When_the_holder_cannot_be_moved_to_go_its_pod_is_deleted()
    {
        // It claims for ever to take writes, although its lease was revoked.
        var stubborn = Healthy().Revoked(30);
        Assert.Equal(Given.Seconds(0.1), Wait(Fencing(stubborn, 19.9)));
        Assert.Equal("uid-db-0", Step<Step.TerminatePod>(Fencing(stubborn, 20)).Member.Uid);
        var leaving = stubborn.Change("db-0", m => m.Terminating());
        Assert.Equal(Given.Seconds(20), Wait(Fencing(leaving, 20)));
        Assert.Equal(Reasons.FenceUnproven, Assert.IsType<Decision.Blocked>(Fencing(leaving, 40)).Reason);
    }

    [Fact]
    public void The_lease_has_the_time_that_it_needs()
    {
        var slow = Hung().With(s => s with { Detection = s.Detection with { LeaseDurationSeconds = 60 } }) is var g ? g.Leased(l => l with { Terms = LeasePlanOf(g), Accepted = LeasePlanOf(g) }) : null!;
        Assert.Equal(Given.Seconds(20), Wait(Fencing(slow.Revoked(40), 119)));
        Step<Step.TerminatePod>(Fencing(slow.Revoked(40), 120));

        static LeaseTerms LeasePlanOf(GroupObservation group) => Core.Leases.LeasePlan.TermsFor(group);
    }

    // ---- the other ways

    [Fact]
    public void A_node_that_is_down_is_taken_out_of_service_once_the_pod_on_it_is_being_deleted()
    {
        var down = Agentless(FencingMethod.PodTermination, FencingMethod.NodeOutOfService).Change("db-0", m => m.OnNode(NodeState.NotReady));
        Step<Step.TerminatePod>(Fencing(down));
        Assert.Equal("node-0", Step<Step.TaintNode>(Fencing(down.Change("db-0", m => m.Terminating()))).Node);
        Assert.Equal("node-0", Step<Step.TaintNode>(Fencing(down.Without("db-0") with { Departures = [Given.Departed(confirmed: false, node: NodeState.Unknown)] })).Node);
        Assert.Equal(FenceEvidence.NodeOutOfService, Step<Step.Enter>(Fencing(down.Change("db-0", m => m.Terminating().OnNode(NodeState.NotReady, outOfService: true)))).Fence);
    }

    [Theory]
    [InlineData(NodeState.Ready)]
    [InlineData(NodeState.Absent)]
    [InlineData(NodeState.Unobserved)]
    public void No_other_node_is_ever_taken_out_of_service(NodeState state)
    {
        var group = Agentless(FencingMethod.NodeOutOfService).Change("db-0", m => m.Terminating().OnNode(state));
        Assert.Equal(Reasons.FenceUnproven, Assert.IsType<Decision.Blocked>(Fencing(group)).Reason);
    }

    /// <summary>Its kubelet may be there, and is waited for; what would take a look at the node is passed over, and the message says why.</summary>
    [Fact]
    public void On_a_node_that_nobody_may_look_at_only_its_kubelets_word_can_come()
    {
        var unobserved = Agentless(FencingMethod.PodTermination).Change("db-0", m => m.OnNode(NodeState.Unobserved));
        Step<Step.TerminatePod>(Fencing(unobserved));
        var leaving = unobserved.Change("db-0", m => m.Terminating());
        Assert.Equal(Given.Seconds(19.5), Wait(Fencing(leaving)));
        Assert.Contains(
            "node node-0 has not confirmed the end of db-0, and the operator, which may not read nodes (the chart's rbac.nodes), cannot tell whether it is down, so db-0 may",
            Assert.IsType<Decision.Blocked>(Fencing(leaving, 20)).Message);

        var gone = Agentless(FencingMethod.PodTermination, FencingMethod.NodeOutOfService).Without("db-0") with
        {
            Departures = [Given.Departed(confirmed: false, 900, NodeState.Unobserved)],
        };
        Assert.Contains(
            "removed without its kubelet's confirmation, and the operator, which may not read nodes (the chart's rbac.nodes), "
            + "cannot tell whether that kubelet has caught up since, nor take it out of service",
            Assert.IsType<Decision.Blocked>(Fencing(gone)).Message);
        Assert.DoesNotContain("may not read", Assert.IsType<Decision.Blocked>(Fencing(leaving.Change("db-0", m => m.OnNode(NodeState.NotReady)))).Message);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(19.9, false)]
    [InlineData(20.0, true)]
    public void A_node_with_a_pod_that_nobody_deletes_must_have_been_down_for_the_timeout(double? notReadyFor, bool taints)
    {
        var group = Agentless(FencingMethod.NodeOutOfService).Change("db-0", m => m.OnNode(NodeState.Unknown) is var n ? n with { Node = n.Node with { NotReadyFor = notReadyFor is { } s ? Given.Seconds(s) : null } } : m);
        if (taints) Step<Step.TaintNode>(Fencing(group));
        else Assert.Equal(Given.Seconds(19.5), Wait(Fencing(group)));
    }

    [Fact]
    public void A_taint_that_does_not_come_is_not_waited_for_for_ever()
    {
        var group = Agentless(FencingMethod.NodeOutOfService).Change("db-0", m => m.Terminating().OnNode(NodeState.NotReady));
        Step<Step.TaintNode>(Fencing(group, 19.9));
        Assert.IsType<Decision.Blocked>(Fencing(group, 20));
    }

    [Fact]
    public void A_job_is_run_once_and_waited_for()
    {
        var group = Agentless(FencingMethod.Job);
        Assert.Equal(2, Step<Step.RunFencingJob>(Fencing(group)).Term);
        Assert.Equal(Given.Seconds(50), Wait(Fencing(group, 10, f => f with { FencingJob = new JobObservation.Running() })));
        Assert.Equal(FenceEvidence.JobSucceeded, Step<Step.Enter>(Fencing(group, 10, f => f with { FencingJob = new JobObservation.Succeeded() })).Fence);
        var failed = Assert.IsType<Decision.Blocked>(Fencing(group, 10, f => f with { FencingJob = new JobObservation.Failed("no such switch") }));
        Assert.Equal(Reasons.FenceUnproven, failed.Reason);
        Assert.Contains("no such switch", failed.Message);
        Assert.IsType<Decision.Blocked>(Fencing(group, 60, f => f with { FencingJob = new JobObservation.Running() }));
    }

    /// <summary>Each way has its time, and one that cannot lead anywhere is passed over.</summary>
    [Fact]
    public void The_ways_are_gone_in_their_order()
    {
        var group = Agentless(FencingMethod.PodTermination, FencingMethod.NodeOutOfService, FencingMethod.Job).Change("db-0", m => m.Terminating());
        Assert.Equal(Given.Seconds(19.5), Wait(Fencing(group)));
        Step<Step.RunFencingJob>(Fencing(group, 20));
        var unreachable = group.Change("db-0", m => m.OnNode(NodeState.NotReady));
        Step<Step.TaintNode>(Fencing(unreachable));
        Step<Step.RunFencingJob>(Fencing(unreachable, 40));
        Assert.IsType<Decision.Blocked>(Fencing(unreachable, 100, f => f with { FencingJob = new JobObservation.Running() }));
    }

    /// <summary>Invariant I8.</summary>
    [Theory]
    [InlineData(FencingMethod.PodTermination)]
    [InlineData(FencingMethod.NodeOutOfService)]
    [InlineData(FencingMethod.Job)]
    public void Nothing_is_done_to_the_last_member_that_works(FencingMethod method)
    {
        var alone = Agentless(method).Change("db-0", m => m.OnNode(NodeState.NotReady) is var n ? n with { Node = n.Node with { NotReadyFor = Given.Seconds(60) } } : m)
            .Change("db-1", m => m.NotReady(6)).Change("db-2", m => m.NotReady(6));
        var blocked = Assert.IsType<Decision.Blocked>(Fencing(alone));
        Assert.Equal(Reasons.NoCandidate, blocked.Reason);
        Assert.Contains("db-1 is not ready; db-2 is not ready", blocked.Message);
    }

    [Fact]
    public void Unproven_blocks_or_proceeds_as_the_user_chose()
    {
        var group = Agentless(FencingMethod.Job).Proceeds();
        Assert.Equal(Given.Seconds(50), Wait(Fencing(group, 10, f => f with { FencingJob = new JobObservation.Failed("no") })));
        Assert.Equal(FenceEvidence.Unproven, Step<Step.Enter>(Fencing(group, 60, f => f with { FencingJob = new JobObservation.Failed("no") })).Fence);
    }
}
