using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using static FailoverOperator.Core.Tests.Given;

namespace FailoverOperator.Core.Tests.Recovery;

public sealed class FailoverProcedureTests
{
    private static Decision Next(GroupObservation group, FailoverRecord failover) => FailoverProcedure.Next(group.With(failover), failover);

    private static Step.Enter Enters(Decision decision, FailoverPhase phase)
    {
        var enter = Assert.IsType<Step.Enter>(Assert.Single(Assert.IsType<Decision.Advance>(decision).Steps));
        Assert.Equal(phase, enter.Phase);
        return enter;
    }

    private static T OnlyStep<T>(Decision decision) where T : Step =>
        Assert.IsType<T>(Assert.Single(Assert.IsType<Decision.Advance>(decision).Steps));

    private static GroupObservation Leaving(NodeState node = NodeState.Ready) => Healthy().Change("db-0", m => m.Terminating().Silent(6).OnNode(node));

    private static GroupObservation Fenced() => Healthy().Without("db-0") with { Departures = [Departed(confirmed: true)] };

    /// <summary>db-1 was chosen and is primary now.</summary>
    private static GroupObservation Promoted() => Group(Primary("db-1"), Standby("db-2", follows: "db-1")) with { Services = [Service("db-rw") with { PublishedTerm = 2, SelectedPod = "db-1", Addresses = [Address("db-1")] }] };

    [Fact]
    public void A_failover_fences_first() => Enters(Next(Healthy(), Running(FailoverPhase.Pending)), FailoverPhase.Fencing);

    [Theory]
    [InlineData(FailoverType.Election)]
    [InlineData(FailoverType.Adoption)]
    public void Without_an_active_primary_there_is_nothing_to_fence(FailoverType type) =>
        Assert.Equal(FenceEvidence.NotNeeded, Enters(Next(Healthy(), Running(FailoverPhase.Pending, type)), FailoverPhase.Electing).Fence);

    [Fact]
    public void A_proven_fence_leads_to_the_election()
    {
        var enter = Enters(Next(Fenced(), Running(FailoverPhase.Fencing)), FailoverPhase.Electing);
        Assert.Equal((FenceEvidence.PodTerminated, "kubelet of node-0"), (enter.Fence!.Value, enter.FencedBy));
    }

    [Fact]
    public void An_unproven_fence_terminates_exactly_the_old_pod() =>
        Assert.Equal("uid-db-0", OnlyStep<Step.TerminatePod>(Next(Healthy().Change("db-0", m => m.Silent(6)), Running(FailoverPhase.Fencing))).Member.Uid);

    [Fact]
    public void The_last_member_that_works_is_not_fenced()
    {
        var alone = Group(Primary().Silent(6), Standby("db-1").NotReady(6));
        var blocked = Assert.IsType<Decision.Blocked>(Next(alone, Running(FailoverPhase.Fencing)));
        Assert.Equal(Reasons.NoCandidate, blocked.Reason);
        Assert.Contains("db-1 is not ready", blocked.Message);
    }

    [Theory]
    [InlineData(0.999, true)]
    [InlineData(1.0, false)]
    public void A_primary_that_takes_writes_again_is_left_alone(double age, bool aborts) =>
        Assert.Equal(aborts, Next(Healthy().Change("db-0", m => m.AskedAgo(age)), Running(FailoverPhase.Fencing)) is Decision.Abort { Reason: Reasons.PrimaryRecovered });

    /// <summary>Whoever was to take over may be another slot's by now.</summary>
    [Theory]
    [InlineData(4.9, true, false)]
    [InlineData(5.0, true, true)]
    [InlineData(5.0, false, false)]   // it does not take writes
    public void What_a_person_asked_for_is_given_up_when_nobody_can_take_over(double phaseFor, bool isAtWork, bool aborts)
    {
        var running = Running(FailoverPhase.Fencing, phaseFor: phaseFor);
        running = running with { Spec = running.Spec with { RequestRef = new RequestReference { Name = "mine", Uid = "uid-mine" } } };
        var alone = Group(isAtWork ? Primary() : Primary().Silent(1), Standby("db-1").NotReady(6));
        Assert.Equal(aborts, Next(alone, running) is Decision.Abort { Reason: Reasons.NoCandidate });
    }

    [Fact]
    public void A_primary_that_answers_but_is_not_ready_has_not_recovered() =>
        OnlyStep<Step.TerminatePod>(Next(Healthy().Change("db-0", m => m.NotReady(6)), Running(FailoverPhase.Fencing)));

    [Fact]
    public void A_primary_of_another_run_has_not_recovered() =>
        OnlyStep<Step.TerminatePod>(Next(Healthy().Change("db-0", m => m.Says(s => s with { Instance = "server-2" })), Running(FailoverPhase.Fencing)));

    /// <summary>What is accused by its container's id must not be acquitted for want of it, or failovers would be begun and given up for ever.</summary>
    [Fact]
    public void A_primary_in_another_container_has_not_recovered_though_its_engine_tells_no_instance()
    {
        var holder = Ended(1, "db-0") is var e ? e with { Status = e.Status with { Candidate = Reference("db-0") with { Instance = null } } } : e;
        var group = Healthy().Change("db-0", m => m.ContainerRestarted().Says(s => s with { Instance = null })) is var g ? g with { Failovers = [holder], PrimaryMemory = g.PrimaryMemory! with { Instance = null, ContainerId = "run-1-db-0" } } : g;
        var plan = Assert.IsType<Decision.Begin>(Decider.Decide(group).Decision).Plan;
        OnlyStep<Step.TerminatePod>(Next(group, Running(FailoverPhase.Fencing) with { Spec = plan }));
    }

    [Theory]
    [InlineData(2.5, true)]
    [InlineData(3.0, false)]
    public void Where_a_restarted_server_is_read_only_the_end_of_the_process_is_waited_for(double phaseFor, bool waits)
    {
        var failover = Running(FailoverPhase.Fencing, phaseFor: phaseFor);
        failover = failover with { Spec = failover.Spec with { Cause = FailoverCause.PrimaryProcessDown } };
        var group = Healthy().StartsReadOnly().Change("db-0", m => m.Refused(2));
        var decision = Next(group, failover);
        if (waits) Assert.Equal(Seconds(0.5), Assert.IsType<Decision.Wait>(decision).For);
        else OnlyStep<Step.TerminatePod>(decision);
        OnlyStep<Step.TerminatePod>(Next(Healthy().Change("db-0", m => m.Refused(2)), failover));
        OnlyStep<Step.TerminatePod>(Next(group, Running(FailoverPhase.Fencing, phaseFor: phaseFor)));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(19.5, false)]
    [InlineData(20, true)]
    public void While_the_node_is_up_its_kubelet_is_waited_for(double phaseFor, bool blocks)
    {
        var decision = Next(Leaving(), Running(FailoverPhase.Fencing, phaseFor: phaseFor));
        if (blocks) Assert.Equal(Reasons.FenceUnproven, Assert.IsType<Decision.Blocked>(decision).Reason);
        else Assert.Equal(Seconds(20 - phaseFor), Assert.IsType<Decision.Wait>(decision).For);
    }

    [Fact]
    public void A_node_that_is_down_blocks_at_once_and_says_what_to_do()
    {
        var blocked = Assert.IsType<Decision.Blocked>(Next(Leaving(NodeState.NotReady), Running(FailoverPhase.Fencing)));
        Assert.Equal(Reasons.FenceUnproven, blocked.Reason);
        Assert.Contains("kubectl annotate fo db-0-2 failover-operator.io/fence-confirmed=db-0", blocked.Message);
        Assert.Contains("node node-0 is NotReady", blocked.Message);
    }

    [Fact]
    public void A_pod_removed_by_force_blocks_too() =>
        Assert.Contains("removed without its kubelet", Assert.IsType<Decision.Blocked>(Next(Healthy().Without("db-0"), Running(FailoverPhase.Fencing))).Message);

    [Theory]
    [InlineData(19.9, false)]
    [InlineData(20, true)]
    public void Proceed_takes_the_risk_after_the_timeout_only(double phaseFor, bool proceeds)
    {
        var decision = Next(Leaving(NodeState.NotReady).Proceeds(), Running(FailoverPhase.Fencing, phaseFor: phaseFor));
        if (proceeds) Assert.Equal(FenceEvidence.Unproven, Enters(decision, FailoverPhase.Electing).Fence);
        else Assert.IsType<Decision.Wait>(decision);
    }

    [Theory]
    [InlineData("db-0", true)]
    [InlineData("db-1", false)]
    public void A_person_confirms_by_the_old_primarys_name(string annotation, bool right)
    {
        var decision = Next(Leaving(NodeState.NotReady), Running(FailoverPhase.Fencing) with { FenceConfirmedFor = annotation });
        if (right) Assert.Equal(FenceEvidence.ConfirmedByPerson, Enters(decision, FailoverPhase.Electing).Fence);
        else Assert.Equal(Reasons.FenceConfirmationInvalid, Assert.IsType<Decision.Blocked>(decision).Reason);
    }

    [Fact]
    public void Only_what_was_told_after_the_fence_counts()
    {
        var before = Fenced().Change("db-1", m => m.AskedAgo(0.6)).Change("db-2", m => m.AskedAgo(0.5));
        Assert.Equal(["db-1"], OnlyStep<Step.AskMembers>(Next(before, Running(FailoverPhase.Electing, phaseFor: 0.5))).Members.Select(m => m.Name));
    }

    [Fact]
    public void An_old_answer_is_asked_for_again_and_the_silent_are_not_waited_for()
    {
        var group = Fenced().Change("db-1", m => m.AskedAgo(1.1)).Change("db-2", m => m.Silent(9).AskedAgo(5));
        Assert.Equal(["db-1"], OnlyStep<Step.AskMembers>(Next(group, Running(FailoverPhase.Electing, phaseFor: 60))).Members.Select(m => m.Name));
    }

    [Fact]
    public void Who_was_never_asked_is_asked_but_not_without_an_address_nor_on_its_way_out()
    {
        var group = Fenced().Change("db-1", m => m.NotAsked());
        Assert.Equal(["db-1"], OnlyStep<Step.AskMembers>(Next(group, Running(FailoverPhase.Electing))).Members.Select(m => m.Name));
        Enters(Next(group.Change("db-1", m => m with { Address = null }), Running(FailoverPhase.Electing)), FailoverPhase.Promoting);
        Enters(Next(group.Change("db-1", m => m.Terminating()), Running(FailoverPhase.Electing)), FailoverPhase.Promoting);
    }

    [Fact]
    public void The_candidate_is_written_down_before_it_is_promoted()
    {
        var enter = Enters(Next(Fenced().Change("db-2", m => m.Says(s => s with { PositionBytes = 990 })).Change("db-1", m => m.Says(s => s with { PositionBytes = 980 })), Running(FailoverPhase.Electing)), FailoverPhase.Promoting);
        Assert.Equal(("uid-db-2", 10L), (enter.Candidate!.Uid, enter.LostBytes));
    }

    [Fact]
    public void A_failover_without_candidate_is_blocked_an_election_is_given_up()
    {
        var nobody = Fenced().Change("db-1", m => m.NotReady(1)).Change("db-2", m => m.NotReady(1));
        Assert.IsType<Decision.Blocked>(Next(nobody, Running(FailoverPhase.Electing)));
        Assert.IsType<Decision.Abort>(Next(nobody, Running(FailoverPhase.Electing, FailoverType.Election)));
        Assert.IsType<Decision.Abort>(Next(nobody, Running(FailoverPhase.Electing, FailoverType.Adoption)));
    }

    [Fact]
    public void A_found_primary_needs_no_promotion()
    {
        var enter = Enters(Next(Promoted(), Running(FailoverPhase.Electing, FailoverType.Adoption)), FailoverPhase.Repointing);
        Assert.Equal(("uid-db-1", 0L), (enter.Candidate!.Uid, enter.LostBytes));
    }

    [Theory]
    [InlineData(0.1, 0.2, true)]
    [InlineData(0.2, 0.2, true)]
    [InlineData(0.3, 0.2, false)]
    public void A_promotion_is_done_when_the_candidate_says_so_afterwards(double age, double phaseFor, bool done)
    {
        var decision = Next(Promoted().Change("db-1", m => m.AskedAgo(age)), Running(FailoverPhase.Promoting, candidate: "db-1", phaseFor: phaseFor));
        if (done) Assert.Equal("uid-db-1", Enters(decision, FailoverPhase.Repointing).Candidate!.Uid);
        else Assert.Equal(2, OnlyStep<Step.Promote>(decision).Term);
    }

    [Theory]
    [InlineData(29.9, false)]
    [InlineData(30, true)]
    public void A_promotion_has_a_deadline_and_the_candidate_stays_written_down(double phaseFor, bool fails)
    {
        var decision = Next(Fenced(), Running(FailoverPhase.Promoting, candidate: "db-1", phaseFor: phaseFor));
        if (!fails) Assert.Equal("db-1", OnlyStep<Step.Promote>(decision).Member.Name);
        else
        {
            var enter = Enters(decision, FailoverPhase.Failed);
            Assert.Equal((Reasons.PromotionTimedOut, "uid-db-1"), (enter.Reason, enter.Candidate!.Uid));
        }
    }

    public static TheoryData<string, Func<GroupObservation, GroupObservation>> Losses => new()
    {
        { "gone", g => g.Without("db-1") },
        { "deleted", g => g.Change("db-1", m => m.Terminating()) },
        { "failed", g => g.Change("db-1", m => m.Phase(PodPhase.Failed)) },
        { "succeeded", g => g.Change("db-1", m => m.Phase(PodPhase.Succeeded)) },
        { "process ended", g => g.Change("db-1", m => m.ContainerEnded().Refused(1)) },
        { "server restarted", g => g.Change("db-1", m => m.Says(s => s with { Instance = "server-2" })) },
    };

    [Theory]
    [MemberData(nameof(Losses), DisableDiscoveryEnumeration = true)]
    public void A_candidate_lost_on_the_way_ends_the_failover(string what, Func<GroupObservation, GroupObservation> loss)
    {
        foreach (var phase in new[] { FailoverPhase.Promoting, FailoverPhase.Repointing, FailoverPhase.Verifying })
        {
            var enter = Enters(Next(loss(Promoted()), Running(phase, candidate: "db-1")), FailoverPhase.Failed);
            Assert.True(enter is { Reason: Reasons.CandidateLost, Candidate.Uid: "uid-db-1" }, $"{what} at {phase}");
        }
    }

    [Fact]
    public void Traffic_is_repointed_until_it_leads_to_the_new_primary_alone()
    {
        var running = Running(FailoverPhase.Repointing, candidate: "db-1");
        var old = Promoted() with { Services = [Service("db-rw")] };
        Assert.Contains(Assert.IsType<Decision.Advance>(Next(old, running)).Steps, s => s is Step.PointService { Name: "db-rw", Term: 2 });
        var labelled = Promoted().Change("db-1", m => m with { TermLabel = 2 });
        Enters(Next(labelled, running), FailoverPhase.Verifying);
        var late = labelled with { Services = [labelled.Services[0] with { Addresses = [Address("db-0"), Address("db-1")] }] };
        Assert.Equal(Seconds(59.5), Assert.IsType<Decision.Wait>(Next(late, running)).For);
        Assert.Equal(Reasons.VerificationFailed, Enters(Next(late, running with { PhaseFor = Seconds(60) }), FailoverPhase.Failed).Reason);
    }

    [Fact]
    public void A_standby_that_does_not_follow_yet_does_not_hold_traffic_up()
    {
        var group = Promoted().Change("db-1", m => m with { TermLabel = 2 }).Change("db-2", m => m.Says(s => s with { FollowsAddress = Address("db-0") }));
        Enters(Next(group, Running(FailoverPhase.Repointing, candidate: "db-1")), FailoverPhase.Verifying);
    }

    [Fact]
    public void It_ends_with_a_verified_write()
    {
        var running = Running(FailoverPhase.Verifying, candidate: "db-1");
        Assert.Equal(("db-1", 2L), (OnlyStep<Step.Verify>(Next(Promoted(), running)).Member.Name, OnlyStep<Step.Verify>(Next(Promoted(), running)).Term));
        Assert.Equal(Reasons.Verified, Enters(Next(Promoted(), running with { Verification = new EngineOutcome.Done() }), FailoverPhase.Completed).Reason);
        OnlyStep<Step.Verify>(Next(Promoted(), running with { Verification = new EngineOutcome.NotDone("refused"), PhaseFor = Seconds(59) }));
        var failed = Enters(Next(Promoted(), running with { Verification = new EngineOutcome.NotDone("READONLY"), PhaseFor = Seconds(60) }), FailoverPhase.Failed);
        Assert.Equal(Reasons.VerificationFailed, failed.Reason);
        Assert.Contains("READONLY", failed.Message);
        Assert.Contains("no answer", Enters(Next(Promoted(), running with { PhaseFor = Seconds(60) }), FailoverPhase.Failed).Message);
    }

    [Fact]
    public void A_changed_spec_is_not_trusted()
    {
        foreach (var phase in Enum.GetValues<FailoverPhase>())
            Assert.Equal(Reasons.SpecChanged, Enters(Next(Healthy(), Running(phase, candidate: "db-1") with { SpecChanged = true }), FailoverPhase.Failed).Reason);
    }

    [Theory]
    [InlineData(FailoverPhase.Completed)]
    [InlineData(FailoverPhase.Failed)]
    [InlineData(FailoverPhase.Aborted)]
    public void What_has_ended_stays_as_it_is(FailoverPhase phase) => Assert.IsType<Decision.Steady>(Next(Healthy(), Running(phase)));

    [Fact]
    public void Readiness_may_rest_on_answers_of_two_intervals() =>
        Assert.Equal(Seconds(2), FailoverProcedure.ReadinessBound(Spec));
}
