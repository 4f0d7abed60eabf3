using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using static FailoverOperator.Core.Tests.Given;

namespace FailoverOperator.Core.Tests.Recovery;

/// <summary>A switchover to db-1 without agents: the old primary is stopped, followed to its last byte, ended, and only then replaced.</summary>
public sealed class OrderlyStopTests
{
    private static readonly LogEnd AtEnd = new() { History = Log, PositionBytes = 1000 };

    private static FailoverRecord Running(FailoverPhase phase, double phaseFor = 0.5, LogEnd? end = null, string? candidate = null) =>
        Given.Running(phase, FailoverType.Switchover, candidate, phaseFor) is var f
            ? f with
            {
                Spec = f.Spec with { Cause = FailoverCause.Requested, Target = "db-1", DeadlineSeconds = 20 },
                Status = f.Status with { End = end, Fence = phase is FailoverPhase.Fencing ? null : new FenceRecord { Evidence = FenceEvidence.PodTerminated } },
            } : null!;

    private static Decision Next(GroupObservation group, FailoverRecord failover) => FailoverProcedure.Next(group.With(failover), failover);

    private static Step Only(Decision decision) => Assert.Single(Assert.IsType<Decision.Advance>(decision).Steps);

    private static Decision.Abort Abort(Decision decision) => Assert.IsType<Decision.Abort>(decision);

    /// <summary>db-0 takes no writes any more since <paramref name="seconds"/>.</summary>
    private static GroupObservation Stopped(long position = 1000, double seconds = 0.3) => Healthy().Change("db-0", m => Standstill(m, position)) is var group
        ? group with { PrimaryMemory = group.PrimaryMemory! with { LastServiceAge = Seconds(seconds) } } : null!;

    private static Member Standstill(Member member, long position) => member
        .Says(s => s with { Role = EngineRole.Standby, Writable = false, Link = ReplicationLink.Down, PositionBytes = position, FollowsAddress = null });

    [Fact]
    public void The_primary_is_stopped_in_its_own_term_so_that_it_can_be_promoted_in_it_again()
    {
        var stop = Assert.IsType<Step.Demote>(Only(Next(Healthy(), Running(FailoverPhase.Fencing))));
        Assert.Equal(("db-0", 1L), (stop.Member.Name, stop.Term));
    }

    [Fact]
    public void Where_its_log_ended_is_written_down_when_the_target_has_all_of_it()
    {
        var enter = Assert.IsType<Step.Enter>(Only(Next(Stopped(), Running(FailoverPhase.Fencing))));
        Assert.Equal((FailoverPhase.Fencing, AtEnd, null), (enter.Phase, enter.End, enter.Fence));
    }

    [Theory]
    [InlineData(1001, Log, "db-0, db-1")]
    [InlineData(1000, "log-2", "db-0, db-1")]
    public void A_target_that_misses_a_byte_is_waited_for_and_nothing_is_ended(long end, string history, string asked)
    {
        var group = Stopped(end).Change("db-1", m => m.Says(s => s with { History = history }));
        var ask = Assert.IsType<Step.AskMembers>(Only(Next(group, Running(FailoverPhase.Fencing))));
        Assert.Equal(asked, string.Join(", ", ask.Members.Select(m => m.Name)));
    }

    [Fact]
    public void What_it_said_before_is_no_answer_and_an_old_word_of_the_primary_neither()
    {
        var before = Stopped(1001).Change("db-1", m => m.AskedAgo(0.4));
        Assert.Equal("db-1", Assert.Single(Assert.IsType<Step.AskMembers>(Only(Next(before, Running(FailoverPhase.Fencing)))).Members).Name);
        var old = Stopped().Change("db-0", m => m.AskedAgo(1.5)).Change("db-1", m => m.AskedAgo(1.5));
        Assert.Equal("db-0", Assert.Single(Assert.IsType<Step.AskMembers>(Only(Next(old, Running(FailoverPhase.Fencing, phaseFor: 2)))).Members).Name);
        // It said so before this began: it is told to stop.
        Assert.IsType<Step.Demote>(Only(Next(old, Running(FailoverPhase.Fencing, phaseFor: 1))));
    }

    /// <summary>Whoever looks at the group next promotes it in its own term.</summary>
    [Fact]
    public void If_the_target_does_not_get_there_in_time_the_primary_takes_its_place_back()
    {
        var group = Stopped(1001, seconds: 3);
        var failover = Running(FailoverPhase.Fencing, phaseFor: 3.5);
        var abort = Abort(Next(group, failover));
        Assert.Equal((Reasons.SwitchedBack, "db-1 did not have everything in time, so db-0 is made to take writes again"), (abort.Reason, abort.Message));
        var promote = Assert.IsType<Step.Promote>(Only(Decider.Decide(group.With(failover with { Status = failover.Status with { Phase = FailoverPhase.Aborted } })).Decision));
        Assert.Equal(("db-0", 1L), (promote.Member.Name, promote.Term));
    }

    public static TheoryData<string, string, GroupObservation, double> GivenUp => new()
    {
        { "the deadline has passed before it stopped", Reasons.DeadlineExceeded, Healthy(), 20 },
        { "the deadline has passed since", Reasons.SwitchedBack, Stopped(1001), 20 },
        { "the target is not ready any more", Reasons.NotReadyYet, Healthy().Change("db-1", m => m.NotReady(1)), 0.5 },
        { "the target does not answer any more", Reasons.SwitchedBack, Stopped(seconds: 3).Change("db-1", m => m.Silent(4)), 4 },
        { "the primary fails", Reasons.PrimaryNotServing, Healthy().Change("db-0", m => m.Terminating()), 0.5 },
        { "the stopped primary fails", Reasons.PrimaryNotServing, Stopped().Change("db-0", m => m.Terminating()), 0.5 },
        { "its server is another one", Reasons.PrimaryNotServing, Stopped().Change("db-0", m => m.Says(s => s with { Instance = "server-2-db-0" })), 0.5 },
        { "somebody moves the primary", Reasons.HolderChanged, Stopped().StartsReadOnly().Change("db-2", _ => Primary("db-2")), 0.5 },
        { "it does not tell where its log ends", Reasons.LagUnknown, Stopped().Change("db-0", m => m.Says(s => s with { PositionBytes = null })), 0.5 },
    };

    [Theory]
    [MemberData(nameof(GivenUp))]
    public void Until_then_it_is_given_up_and_nothing_has_changed(string what, string reason, GroupObservation group, double phaseFor)
    {
        Assert.NotEmpty(what);
        Assert.Equal(reason, Abort(Next(group, Running(FailoverPhase.Fencing, phaseFor))).Reason);
    }

    [Fact]
    public void Then_its_pod_is_ended_and_its_end_waited_for()
    {
        var failover = Running(FailoverPhase.Fencing, end: AtEnd);
        Assert.Equal("db-0", Assert.IsType<Step.TerminatePod>(Only(Next(Stopped(), failover))).Member.Name);
        var going = Stopped().Change("db-0", m => m.Terminating());
        Assert.Contains("confirm the end of db-0", Assert.IsType<Decision.Wait>(Next(going, failover)).Message);
        // There is no way back any more.
        Assert.IsNotType<Decision.Abort>(Next(going.Change("db-1", m => m.Silent(10)), failover with { PhaseFor = Seconds(100) }));
        var gone = Stopped().Without("db-0") with { Departures = [Departed(confirmed: true)] };
        var enter = Assert.IsType<Step.Enter>(Only(Next(gone, failover)));
        Assert.Equal((FailoverPhase.Electing, FenceEvidence.PodTerminated), (enter.Phase, enter.Fence));
    }

    [Fact]
    public void One_that_takes_writes_again_before_its_pod_is_ended_is_left_alone() =>
        Assert.Equal(Reasons.PrimaryRecovered, Abort(Next(Healthy(), Running(FailoverPhase.Fencing, end: AtEnd))).Reason);

    [Fact]
    public void If_nobody_has_everything_any_more_before_its_pod_is_ended_it_takes_its_place_back()
    {
        var failover = Running(FailoverPhase.Fencing, end: AtEnd);
        var lost = Stopped().Change("db-1", m => m.NotReady(1)).Change("db-2", m => m.Says(s => s with { PositionBytes = 999 }));
        Assert.Equal(Reasons.SwitchedBack, Abort(Next(lost, failover)).Reason);
        // A new operator asks first.
        var ask = Assert.IsType<Step.AskMembers>(Only(Next(Stopped().Change("db-1", m => m.NotAsked()).Change("db-2", m => m.NotAsked()), failover)));
        Assert.Equal(["db-1", "db-2"], ask.Members.Select(m => m.Name));
    }

    private static GroupObservation Fenced() => Stopped().Without("db-0") with { Departures = [Departed(confirmed: true)] };

    [Theory]
    [InlineData(1000, 1500, "db-1")]
    [InlineData(999, 1000, "db-2")]
    public void The_target_is_promoted_or_whoever_else_has_everything(long target, long other, string promoted)
    {
        var group = Fenced().Change("db-1", m => m.Says(s => s with { PositionBytes = target })).Change("db-2", m => m.Says(s => s with { PositionBytes = other }));
        var enter = Assert.IsType<Step.Enter>(Only(Next(group, Running(FailoverPhase.Electing, end: AtEnd))));
        Assert.Equal((FailoverPhase.Promoting, promoted, 0L), (enter.Phase, enter.Candidate!.Name, enter.LostBytes));
    }

    /// <summary>It was there when the old primary's pod was ended: that it has gone since is a fault, and the rest a failover.</summary>
    [Fact]
    public void If_nobody_has_everything_any_more_that_is_waited_for_and_then_it_is_a_failover()
    {
        var group = Fenced().Change("db-1", m => m.Silent(1)).Change("db-2", m => m.Says(s => s with { PositionBytes = 950 }));
        Assert.IsType<Step.AskMembers>(Only(Next(group, Running(FailoverPhase.Electing, end: AtEnd))));
        var enter = Assert.IsType<Step.Enter>(Only(Next(group, Running(FailoverPhase.Electing, phaseFor: 3, end: AtEnd))));
        Assert.Equal(("db-2", 50L), (enter.Candidate!.Name, enter.LostBytes));
        var beyond = group.Change("db-2", m => m.Says(s => s with { PositionBytes = 899 }));
        Assert.IsType<Decision.Blocked>(Next(beyond, Running(FailoverPhase.Electing, phaseFor: 3, end: AtEnd)));
    }

    [Fact]
    public void Of_two_slots_that_want_one_spare_only_one_stops_its_primary()
    {
        var slots = Healthy().With(s => s with { Mode = RedundancyMode.NPlusM, Engine = s.Engine with { Type = EngineType.Hooks } }) with { Slot = "0" };
        Assert.Equal(("db-1", "0"), Only(Next(slots, Running(FailoverPhase.Fencing))) is Step.BindSpare bind ? (bind.Member.Name, bind.Slot) : default);
        Assert.IsType<Step.Demote>(Only(Next(slots.Change("db-1", m => m with { SlotLabel = "0" }), Running(FailoverPhase.Fencing))));
    }

    private static HookSpec Hook { get; } = new() { Http = new HttpHookSpec { Port = 80 } };

    public static TheoryData<string, RedundancyGroupSpec, bool> Specs => new()
    {
        { "Redis", Spec, true },
        { "hooks with demote", Spec with { Engine = new EngineSpec { Type = EngineType.Hooks, Hooks = new HooksEngineSpec { Status = Hook, Demote = Hook } } }, true },
        { "hooks without", Spec with { Engine = new EngineSpec { Type = EngineType.Hooks, Hooks = new HooksEngineSpec { Status = Hook } } }, false },
        { "no pod may be ended", Spec with { Fencing = new FencingSpec { Policy = [FencingMethod.NodeOutOfService] } }, false },
        { "a cold standby", Spec with { Standby = StandbyTemperature.Cold }, false },
        { "nobody is promoted", Spec with { Mode = RedundancyMode.ActiveActive }, false },
    };

    [Theory]
    [MemberData(nameof(Specs))]
    public void It_is_for_groups_whose_primary_can_be_stopped_and_ended(string what, RedundancyGroupSpec spec, bool isPossible)
    {
        Assert.NotEmpty(what);
        Assert.Equal(isPossible, Switchover.IsPossible(spec));
        var request = new FailoverRecord { Name = "ask", IsOwn = false, Spec = new FailoverSpec { GroupRef = new GroupReference { Name = "db" }, Type = FailoverType.Switchover } };
        if (spec.Mode == RedundancyMode.ActivePassive) Assert.Equal(isPossible, Decider.Decide((Healthy() with { Spec = spec }).With(request)).Decision is Decision.Begin { Plan.Target: "db-1" });
    }

    [Theory]
    [InlineData(true, Reasons.LagUnknown)]
    [InlineData(false, Reasons.PrimaryNotServing)]
    public void What_is_needed_afterwards_is_looked_at_before(bool isUp, string reason)
    {
        var group = isUp ? Healthy().Change("db-0", m => m.Says(s => s with { PositionBytes = null })) : Healthy().Change("db-0", m => m.OnNode(NodeState.NotReady));
        var request = new FailoverRecord { Name = "ask", IsOwn = false, Spec = new FailoverSpec { GroupRef = new GroupReference { Name = "db" }, Type = FailoverType.Switchover } };
        Assert.Equal(reason, Assert.IsType<Step.Enter>(Only(Decider.Decide(group.With(request)).Decision)).Reason);
    }

    // ---- from when it has been written down where the log ended until it is sure that nobody goes on

    public static TheoryData<string, Func<Member, Member>> NotWhereItStopped => new()
    {
        { "it does not answer", m => m.Silent(2) },
        { "it wrote on while it says that it takes no writes", m => Standstill(m, 1001) },
        { "it has less than it had", m => Standstill(m, 999) },
        { "its server is another one", m => Standstill(m, 1000).Says(s => s with { Instance = "server-2-db-0" }) },
        { "its log is another one", m => Standstill(m, 1000).Says(s => s with { History = "log-2" }) },
        { "it does not know what it is", m => Standstill(m, 1000).Says(s => s with { Role = EngineRole.Unknown }) },
    };

    /// <summary>Whoever wrote it down may have died long ago.</summary>
    [Theory]
    [MemberData(nameof(NotWhereItStopped))]
    public void Its_pod_is_ended_only_on_its_own_word_of_just_now_that_it_is_where_it_stopped(string what, Func<Member, Member> change)
    {
        Assert.NotEmpty(what);
        var failover = Running(FailoverPhase.Fencing, end: AtEnd);
        Assert.Equal(Reasons.SwitchedBack, Abort(Next(Stopped().Change("db-0", change), failover)).Reason);
    }

    [Theory]
    [InlineData(1.5)]
    [InlineData(null)]
    public void An_older_word_of_it_or_none_is_asked_for(double? ago)
    {
        var group = Stopped().Change("db-0", m => ago is { } age ? m.AskedAgo(age) : m.NotAsked());
        Assert.Equal("db-0", Assert.Single(Assert.IsType<Step.AskMembers>(Only(Next(group, Running(FailoverPhase.Fencing, end: AtEnd)))).Members).Name);
    }

    /// <summary>It came back writable before its pod was ended, and was heard.</summary>
    [Fact]
    public void What_it_was_heard_to_write_after_its_log_was_said_to_have_ended_is_counted()
    {
        var group = Fenced() is var g ? g with { PrimaryMemory = g.PrimaryMemory! with { PositionBytes = 1050, RequiredPositionBytes = 990 } } : null!;
        Assert.IsType<Step.AskMembers>(Only(Next(group, Running(FailoverPhase.Electing, end: AtEnd))));
        var enter = Assert.IsType<Step.Enter>(Only(Next(group, Running(FailoverPhase.Electing, phaseFor: 3, end: AtEnd))));
        Assert.Equal(("db-1", 50L), (enter.Candidate!.Name, enter.LostBytes));
        var another = group with { PrimaryMemory = group.PrimaryMemory! with { PositionBytes = 10, History = "log-2" } };
        Assert.IsType<Step.AskMembers>(Only(Next(another, Running(FailoverPhase.Electing, end: AtEnd))));
    }

    /// <summary>A server that takes its time to end is not heard meanwhile.</summary>
    [Theory]
    [InlineData(FenceEvidence.PodTerminated, false, true)]
    [InlineData(FenceEvidence.PodTerminated, true, true)]
    // It may have been restarted by a kubelet that nobody heard of, and have taken writes.
    [InlineData(FenceEvidence.KubeletCaughtUp, false, false)]
    [InlineData(FenceEvidence.NodeOutOfService, false, false)]
    [InlineData(FenceEvidence.NodeOutOfService, true, true)]
    public void Its_silence_costs_nothing_if_it_cannot_have_gone_on(FenceEvidence evidence, bool startsReadOnly, bool isPromoted)
    {
        foreach (var isKnown in new[] { true, false })
        {
            var group = Fenced() with { PrimaryMemory = isKnown ? Healthy().PrimaryMemory! with { LastServiceAge = Seconds(90) } : null };
            // Whom they received from has been gone for as long.
            foreach (var name in new[] { "db-1", "db-2" }) group = group.Change(name, m => m.Says(s => s with { Link = ReplicationLink.Down, LinkDownFor = Seconds(90) }));
            if (startsReadOnly) group = group.StartsReadOnly();
            var failover = Running(FailoverPhase.Electing, phaseFor: 3, end: AtEnd);
            var decision = Next(group, failover with { SilentFor = Seconds(90), Status = failover.Status with { Fence = new FenceRecord { Evidence = evidence } } });
            if (isPromoted) Assert.Equal(("db-1", 0L), Only(decision) is Step.Enter { Candidate: { } candidate, LostBytes: { } lost } ? (candidate.Name, lost) : default);
            else Assert.Equal(Reasons.LagUnknown, Assert.IsType<Decision.Blocked>(decision).Reason);
        }
    }

    /// <summary>Whatever comes first in fencing.policy.</summary>
    [Fact]
    public void Nobody_cuts_the_power_of_a_node_whose_primary_has_stopped_in_order()
    {
        static GroupObservation WithJob(GroupObservation group) => group.With(s => s with
        {
            Fencing = s.Fencing with { Policy = [FencingMethod.Job, FencingMethod.PodTermination], Job = new FencingJobSpec { TimeoutSeconds = 30 } },
        });
        var failover = Running(FailoverPhase.Fencing, end: AtEnd);
        Assert.IsType<Step.TerminatePod>(Only(Next(WithJob(Stopped()), failover)));
        var going = WithJob(Stopped().Change("db-0", m => m.Terminating()));
        Assert.IsType<Decision.Wait>(Next(going, failover));
        // Its kubelet does not come to confirm the end.
        Assert.IsType<Step.RunFencingJob>(Only(Next(going, failover with { PhaseFor = Seconds(30) })));
    }

    [Fact]
    public void One_whose_pod_was_removed_by_force_is_not_taken_for_ended()
    {
        var gone = Stopped().Without("db-0") with { Departures = [Departed(confirmed: false)] };
        Assert.Equal(Reasons.FenceUnproven, Assert.IsType<Decision.Blocked>(Next(gone, Running(FailoverPhase.Fencing, end: AtEnd))).Reason);
    }

    // ---- deadlines, and hooks that do otherwise than they should

    /// <summary>The writes rest meanwhile: nobody gives the next operator as much time again.</summary>
    [Fact]
    public void A_new_operator_has_what_is_left_of_the_deadline()
    {
        var failover = Running(FailoverPhase.Fencing) with { InPhaseFor = Seconds(20) };
        Assert.Equal(Reasons.SwitchedBack, Abort(Next(Stopped(1001), failover)).Reason);
        Assert.Equal(Reasons.DeadlineExceeded, Abort(Next(Healthy(), failover)).Reason);
        Assert.Equal(AtEnd, Assert.IsType<Step.Enter>(Only(Next(Stopped(), failover))).End);
    }

    [Fact]
    public void One_that_takes_no_writes_but_calls_itself_a_primary_gets_them_back()
    {
        var group = Healthy().Change("db-0", m => m.Says(s => s with { Writable = false }));
        Assert.IsType<Step.Demote>(Only(Next(group, Running(FailoverPhase.Fencing, phaseFor: 2))));
        var failover = Running(FailoverPhase.Fencing, phaseFor: 3.5);
        group = group with { PrimaryMemory = group.PrimaryMemory! with { LastServiceAge = Seconds(3) } };
        Assert.Equal(Reasons.SwitchedBack, Abort(Next(group, failover)).Reason);
        var over = group.With(failover with { Status = failover.Status with { Phase = FailoverPhase.Aborted } });
        Assert.Equal(1L, Assert.IsType<Step.Promote>(Only(Decider.Decide(over).Decision)).Term);
        // Of whom the operator wanted nothing it is not its business.
        Assert.IsType<Decision.Wait>(Decider.Decide(group).Decision);
    }

    [Fact]
    public void One_that_has_less_than_it_had_does_not_tell_where_its_log_ended() =>
        Assert.Equal(Reasons.LagUnknown, Abort(Next(Stopped(999), Running(FailoverPhase.Fencing))).Reason);
}
