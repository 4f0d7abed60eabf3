using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using static FailoverOperator.Core.Tests.Given;

namespace FailoverOperator.Core.Tests.Decisions;

public sealed class DeciderTests
{
    private static FailoverSpec Plan(GroupObservation group) => Assert.IsType<Decision.Begin>(Decider.Decide(group).Decision).Plan;

    private static string? ReasonOf(GroupObservation group) => Decider.Decide(group).Decision switch
    {
        Decision.Blocked blocked => blocked.Reason,
        Decision.Wait wait => wait.Reason,
        _ => null,
    };

    private static Member Empty(Member member) => member.Says(s => s with { IsEmpty = true, PositionBytes = 0 });

    [Fact]
    public void A_healthy_group_is_left_alone() =>
        Assert.IsType<Decision.Steady>(Decider.Decide(Healthy()).Decision);

    [Fact]
    public void A_failed_primary_begins_a_failover_that_carries_all_the_next_operator_needs()
    {
        var plan = Plan(Healthy().Change("db-0", m => m.Terminating()));
        Assert.Equal((FailoverType.Failover, FailoverCause.PrimaryPodGone, 2L, "0", "db"), (plan.Type, plan.Cause, plan.Term, plan.Slot, plan.GroupRef.Name));
        Assert.Equal((1000L, 900L, Log, "uid-db-0"), (plan.PrimaryPositionBytes, plan.RequiredPositionBytes, plan.PrimaryHistory, plan.From!.Uid));
        Assert.NotEmpty(plan.Evidence);
    }

    /// <summary>The fence takes the end of this container for proof, so that the plan names it only where it is sure.</summary>
    [Theory]
    [InlineData("uid-db-0", "server-1-db-0", "run-1-db-0", "run-1-db-0")]
    [InlineData("uid-db-0", "server-1-db-0", null, null)]
    [InlineData("uid-db-9", "server-1-db-0", "run-1-db-0", null)]
    [InlineData("uid-db-0", "server-0-db-0", "run-1-db-0", null)]
    public void A_plan_names_the_container_only_where_it_surely_is_the_runs_own(string memoryOf, string instance, string? remembered, string? named)
    {
        var group = Healthy().Change("db-0", m => m.Terminating()) is var g ? g with { PrimaryMemory = g.PrimaryMemory! with { Uid = memoryOf, Instance = instance, ContainerId = remembered } } : g;
        Assert.Equal(("uid-db-0", named), Plan(group).From is { } from ? (from.Uid, from.ContainerId) : default);
    }

    [Fact]
    public void A_plan_without_memory_names_no_container() =>
        Assert.Null(Plan(Healthy().Change("db-0", m => m.Terminating()) with { PrimaryMemory = null }).From!.ContainerId);

    [Theory]
    [InlineData(Reasons.PromotionTimedOut, true)]
    [InlineData(Reasons.VerificationFailed, false)]
    public void A_candidate_whose_promotion_timed_out_is_fenced_in_turn(string ended, bool fenced)
    {
        var failed = Running(FailoverPhase.Failed, candidate: "db-1") is var f ? f with { Status = f.Status with { Reason = ended } } : f;
        var group = Group(Standby("db-1"), Standby("db-2")) is var g ? g with { PrimaryMemory = g.PrimaryMemory! with { Uid = Uid("db-1") } } : g;
        var decision = Decider.Decide(group.With(failed)).Decision;
        if (!fenced)
        {
            Assert.IsType<Step.Promote>(Assert.IsType<Decision.Advance>(decision).Steps[0]);
            return;
        }
        var plan = Assert.IsType<Decision.Begin>(decision).Plan;
        Assert.Equal((FailoverType.Failover, FailoverCause.PrimaryUnresponsive, 3L, "uid-db-1"), (plan.Type, plan.Cause, plan.Term, plan.From!.Uid));
        Assert.Contains("promotion.timeoutSeconds", plan.Evidence[0]);
    }

    [Fact]
    public void A_doubtful_operator_waits_even_in_a_failover()
    {
        var running = Running(FailoverPhase.Fencing);
        var verdict = Decider.Decide(Healthy().With(running) with { Operator = new OperatorObservation(false, TimeSpan.Zero) });
        Assert.Equal(Reasons.OperatorImpaired, Assert.IsType<Decision.Wait>(verdict.Decision).Reason);
        Assert.Equal(running.Name, verdict.Running!.Name);
    }

    [Fact]
    public void Somebody_elses_failover_is_refused_first()
    {
        var foreign = Running(FailoverPhase.Pending, term: 3) with { IsOwn = false };
        var verdict = Decider.Decide(Healthy().With(Running(FailoverPhase.Fencing)).With(foreign));
        Assert.Equal(foreign.Name, verdict.Running!.Name);
        var enter = Assert.IsType<Step.Enter>(Assert.IsType<Decision.Advance>(verdict.Decision).Steps[0]);
        Assert.Equal((FailoverPhase.Failed, Reasons.RequestInvalid), (enter.Phase, enter.Reason));
    }

    [Theory]
    [InlineData(FailoverPhase.Pending)]
    [InlineData(FailoverPhase.Completed)]
    public void A_later_failover_supersedes_an_earlier_one(FailoverPhase later)
    {
        var group = Healthy().With(Running(FailoverPhase.Promoting, candidate: "db-1")).With(Running(later, term: 3));
        var verdict = Decider.Decide(group);
        var enter = Assert.IsType<Step.Enter>(Assert.IsType<Decision.Advance>(verdict.Decision).Steps[0]);
        Assert.Equal(("db-0-2", FailoverPhase.Aborted, Reasons.Superseded, "uid-db-1"), (verdict.Running!.Name, enter.Phase, enter.Reason, enter.Candidate!.Uid));
    }

    [Fact]
    public void The_running_failover_goes_on()
    {
        var verdict = Decider.Decide(Healthy().Change("db-0", m => m.Terminating()).With(Running(FailoverPhase.Pending)));
        Assert.Equal(FailoverPhase.Fencing, Assert.IsType<Step.Enter>(Assert.IsType<Decision.Advance>(verdict.Decision).Steps[0]).Phase);
    }

    [Fact]
    public void A_candidate_whose_promotion_timed_out_is_fenced_in_turn_and_another_one_chosen()
    {
        var timedOut = Running(FailoverPhase.Failed, candidate: "db-1") is var failed ? failed with { Status = failed.Status with { Reason = Reasons.PromotionTimedOut } } : null!;
        var plan = Plan(Group(Standby("db-1"), Standby("db-2")).With(timedOut));
        Assert.Equal((FailoverType.Failover, FailoverCause.PrimaryUnresponsive, "uid-db-1", 3L), (plan.Type, plan.Cause, plan.From!.Uid, plan.Term));
    }

    /// <summary>The fence relies on it, so that a guess will not do.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData("run-5")]
    public void A_plan_names_the_old_primarys_container_only_where_it_is_sure(string? sure)
    {
        var group = Healthy().Change("db-0", m => m.Terminating());
        Assert.Equal(sure, Plan(group with { PrimaryMemory = group.PrimaryMemory! with { ContainerId = sure } }).From!.ContainerId);
    }

    [Fact]
    public void A_demoted_primary_is_promoted_again_with_its_own_term()
    {
        var decision = Decider.Decide(Group(Standby("db-0", follows: "db-1"), Standby("db-1"))).Decision;
        Assert.Equal(("db-0", 1L), Assert.IsType<Decision.Advance>(decision).Steps[0] is Step.Promote p ? (p.Member.Name, p.Term) : default);
    }

    [Fact]
    public void A_moved_primary_is_adopted() =>
        Assert.Equal((FailoverType.Adoption, FailoverCause.PrimaryMoved), Plan(Group(Standby("db-0", follows: "db-1"), Primary("db-1"))) is var plan ? (plan.Type, plan.Cause) : default);

    [Fact]
    public void In_a_split_brain_the_others_follow_the_holder()
    {
        var steps = Assert.IsType<Decision.Advance>(Decider.Decide(Group(Primary(), Primary("db-1"))).Decision).Steps;
        Assert.Collection(steps,
            s => Assert.True(s is Step.Label { Member.Name: "db-1", Role: RoleLabels.Standby }),
            s => Assert.True(s is Step.Follow { Member.Name: "db-1", Primary.Name: "db-0" }));
        var readOnly = Group(Primary().Says(s => s with { Writable = false }), Primary("db-1") with { RoleLabel = "standby", TermLabel = null });
        Assert.IsType<Decision.Steady>(Decider.Decide(readOnly).Decision);
    }

    [Fact]
    public void Suspicion_waits_until_it_is_decisive()
    {
        Assert.Equal(Seconds(4), Assert.IsType<Decision.Wait>(Decider.Decide(Healthy().Change("db-0", m => m.Silent(1))).Decision).For);
        Assert.Equal(Seconds(1), Assert.IsType<Decision.Wait>(Decider.Decide(Group(Primary().Silent(60), Standby("db-1").Silent(60))).Decision).For);
    }

    [Fact]
    public void Rejected_credentials_block()
    {
        Assert.Equal(Reasons.CredentialsRejected, ReasonOf(Healthy().Change("db-0", m => m.Unauthorized())));
        Assert.Equal(Reasons.CredentialsRejected, ReasonOf(NewGroup(Standby("db-0"), Standby("db-1").Unauthorized())));
    }

    [Fact]
    public void Nobody_to_take_over_blocks()
    {
        Assert.Equal(Reasons.NoCandidate, ReasonOf(Group(Primary().Terminating(), Standby("db-1").NotReady(0))));
        Assert.Equal(Reasons.BeyondRpo, ReasonOf(Group(Primary().Terminating(), Standby("db-1", 1))));
        Assert.Equal(Reasons.AllMembersDown, ReasonOf(Group(Primary().Terminating().Silent(1), Standby("db-1").Silent(9))));
    }

    [Fact]
    public void The_last_primary_that_is_back_is_elected_or_fenced_first_if_it_is_another_pod()
    {
        var restarted = Group(Primary().Says(s => s with { Instance = "server-2" }), Standby("db-1", 1));
        Assert.Equal((FailoverType.Election, FailoverCause.AllMembersDown), Plan(restarted) is var plan ? (plan.Type, plan.Cause) : default);
        var recreated = Group(Primary().Recreated(), Standby("db-1").Says(s => s with { Link = ReplicationLink.Down })) with { PrimaryMemory = null };
        Assert.Equal(FailoverType.Failover, Plan(recreated).Type);
        Assert.Equal(FailoverType.Election, Plan(recreated with { Departures = [Departed(confirmed: true)] }).Type);
    }

    [Fact]
    public void A_new_group_waits_for_everybody()
    {
        Assert.Equal(Reasons.WaitingForMembers, ReasonOf(NewGroup(Standby("db-0"), Standby("db-1").Silent(1))));
        var missing = Assert.IsType<Decision.Wait>(Decider.Decide(NewGroup(Standby("db-0")) with { WorkloadReplicas = 3 }).Decision);
        Assert.Contains("2 pod(s) not created yet", missing.Message);
    }

    [Fact]
    public void A_new_group_elects_or_adopts()
    {
        Assert.Equal(FailoverType.Election, Plan(NewGroup(Empty(Standby("db-0")), Empty(Standby("db-1")))).Type);
        Assert.Equal(FailoverType.Adoption, Plan(NewGroup(Primary(), Standby("db-1"), Standby("db-2").Silent(9))).Type);
        Assert.Equal(FailoverType.Adoption, Plan(NewGroup(Empty(Primary("db-0")), Empty(Primary("db-1")))).Type);
        Assert.Equal(FailoverType.Election, Plan(NewGroup(Empty(Primary("db-0")), Standby("db-1"))).Type);
        Assert.Equal(Reasons.SplitBrainSuspected, ReasonOf(NewGroup(Primary("db-0"), Primary("db-1"))));
    }

    [Fact]
    public void Members_with_different_data_are_not_chosen_between()
    {
        var different = NewGroup(Standby("db-0"), Standby("db-1").Says(s => s with { History = "log-9" }));
        Assert.Equal(Reasons.SplitBrainSuspected, Assert.IsType<Choice.Nobody>(Elections.First(different)).Reason);
        Assert.Equal(Reasons.MembersUnknown, Assert.IsType<Choice.Nobody>(Elections.First(NewGroup(Standby("db-0").NotReady(1)))).Reason);
        Assert.Equal(Reasons.MembersUnknown, Assert.IsType<Choice.Nobody>(Elections.First(NewGroup(Standby("db-0").Silent(1)))).Reason);
        Assert.Equal("db-1", Assert.IsType<Choice.Candidate>(Elections.First(NewGroup(Standby("db-0", 5), Standby("db-1", 7)))).Member.Name);
        Assert.Equal(Reasons.NoPrimary, Assert.IsType<Choice.Nobody>(Elections.Found(NewGroup(Standby("db-0")))).Reason);
    }

    [Fact]
    public void The_last_primary_returns_only_with_data_and_when_all_answer()
    {
        var (last, none) = (Reference("db-0"), Benchmark.Of(Group(Primary())));
        Assert.Equal("db-0", Elections.Returned(Group(Primary().Recreated(), Standby("db-1")), last, none)!.Name);
        Assert.Null(Elections.Returned(Group(Empty(Primary().Recreated()), Standby("db-1")), last, none));
        Assert.NotNull(Elections.Returned(Group(Empty(Primary().Recreated()), Empty(Standby("db-1"))), last, none));
        Assert.Null(Elections.Returned(Group(Primary().Recreated(), Standby("db-1").Silent(1)), last, none));
        Assert.Null(Elections.Returned(Group(Primary().Recreated().NotReady(1), Standby("db-1")), last, none));
    }

    [Fact]
    public void A_member_that_writes_already_is_preferred_to_a_second_writer()
    {
        var plan = Running(FailoverPhase.Electing);
        var one = Group(Standby("db-1"), Primary("db-2")).StartsReadOnly();
        Assert.Equal("db-2", Assert.IsType<Choice.Candidate>(Elections.Choose(one, plan, Seconds(1))).Member.Name);
        Assert.Equal("db-1", Assert.IsType<Choice.Candidate>(Elections.Choose(Group(Standby("db-1"), Primary("db-2")), plan, Seconds(1))).Member.Name);
        Assert.Equal(Reasons.SplitBrainSuspected, Assert.IsType<Choice.Nobody>(Elections.Choose(Group(Primary("db-1"), Primary("db-2")).StartsReadOnly(), plan, Seconds(1))).Reason);
        Assert.Equal(Reasons.BeyondRpo, Assert.IsType<Choice.Nobody>(Elections.Choose(one.Change("db-2", m => m.Says(s => s with { PositionBytes = 1 })), plan, Seconds(1))).Reason);
    }
}
