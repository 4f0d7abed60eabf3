using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using static FailoverOperator.Core.Tests.GivenAgents;

namespace FailoverOperator.Core.Tests.Decisions;

/// <summary>What people ask for, and what they are answered.</summary>
public sealed class RequestsTests
{
    private static FailoverRecord Request(Func<FailoverSpec, FailoverSpec>? change = null, double openFor = 1) => new()
    {
        Name = "maintenance",
        Uid = "uid-maintenance",
        Spec = (change ?? (s => s))(new FailoverSpec { GroupRef = new GroupReference { Name = "db" }, Type = FailoverType.Switchover, Target = "db-1" }),
        IsOwn = false,
        PhaseFor = Given.Seconds(openFor),
    };

    private static Decision Asked(GroupObservation group, FailoverRecord request) => Decider.Decide(group.With(request)).Decision;

    private static Step.Enter Answer(GroupObservation group, FailoverRecord request)
    {
        var verdict = Decider.Decide(group.With(request));
        Assert.Equal(request.Name, verdict.Running?.Name);
        return Assert.IsType<Step.Enter>(Assert.Single(Assert.IsType<Decision.Advance>(verdict.Decision).Steps));
    }

    [Fact]
    public void A_request_becomes_a_switchover_of_the_operators_own()
    {
        var plan = Assert.IsType<Decision.Begin>(Asked(Healthy(), Request(s => s with { Reason = "kernel update", DeadlineSeconds = 20 }))).Plan;
        Assert.Equal((FailoverType.Switchover, FailoverCause.Requested, 2L, "db-1", 20), (plan.Type, plan.Cause, plan.Term, plan.Target, plan.DeadlineSeconds));
        Assert.Equal(("uid-db-0", "uid-maintenance"), (plan.From!.Uid, plan.RequestRef!.Uid));
        Assert.Equal("asked for by maintenance: kernel update", Assert.Single(plan.Evidence));
    }

    [Fact]
    public void Without_a_target_the_best_standby_is_taken() =>
        Assert.Equal("db-1", Assert.IsType<Decision.Begin>(Asked(Healthy(), Request(s => s with { Target = null }))).Plan.Target);

    public static TheoryData<string, string, Func<FailoverSpec, FailoverSpec>> Invalid => new()
    {
        { Reasons.NotRequestable, "type: Switchover", s => s with { Type = FailoverType.Election } },
        { Reasons.NotRequestable, "type: Switchover", s => s with { Type = FailoverType.Adoption } },
        { Reasons.RequestInvalid, "leave it out", s => s with { Term = 7 } },
        { Reasons.RequestInvalid, "no slot 3", s => s with { Slot = "3" } },
        { Reasons.RequestInvalid, "no pod db-9 in the group; there are db-0, db-1, db-2", s => s with { Target = "db-9" } },
        { Reasons.HolderChanged, "expectedHolder is db-2, but the primary is db-0", s => s with { ExpectedHolder = "db-2" } },
    };

    [Theory]
    [MemberData(nameof(Invalid))]
    public void What_cannot_be_is_refused_at_once_and_for_good(string reason, string message, Func<FailoverSpec, FailoverSpec> change)
    {
        var end = Answer(Healthy(), Request(change));
        Assert.Equal((FailoverPhase.Failed, reason), (end.Phase, end.Reason));
        Assert.Contains(message, end.Message);
    }

    [Fact]
    public void A_schedule_that_is_no_time_is_refused() =>
        Assert.Equal(Reasons.RequestInvalid, Answer(Healthy(), Request(s => s with { ScheduledAt = "soon" }) with { Schedule = new Schedule.Unreadable() }).Reason);

    [Fact]
    public void An_edited_request_is_refused() => Assert.Equal(Reasons.SpecChanged, Answer(Healthy(), Request() with { SpecChanged = true }).Reason);

    [Fact]
    public void Nobody_else_can_stop_the_writes_in_order() => Assert.Equal(Reasons.NotRequestable, Answer(Given.Healthy().CannotStop(), Request()).Reason);

    [Fact]
    public void Who_is_the_primary_already_need_not_become_it()
    {
        var end = Answer(Healthy(), Request(s => s with { Target = "db-0", ExpectedHolder = "db-0" }));
        Assert.Equal((FailoverPhase.Completed, Reasons.AlreadyActive), (end.Phase, end.Reason));
    }

    [Fact]
    public void It_begins_at_its_time()
    {
        var early = Request(s => s with { ScheduledAt = "2026-11-27T03:00:00Z" }) with { Schedule = new Schedule.At(Given.Seconds(3)) };
        Assert.Equal((FailoverPhase.Pending, Reasons.Scheduled), Answer(Healthy(), early) is var note ? (note.Phase, note.Reason) : default);
        var told = early with { Status = new FailoverStatus { Reason = Reasons.Scheduled } };
        Assert.Equal(Given.Seconds(3), Assert.IsType<Decision.Steady>(Asked(Healthy(), told)).For);
        Assert.IsType<Decision.Begin>(Asked(Healthy(), told with { Schedule = new Schedule.At(Given.Seconds(-1)) }));
    }

    public static TheoryData<string, string, Func<GroupObservation, GroupObservation>> NotYet => new()
    {
        { Reasons.PrimaryNotServing, "not seen to take writes", g => g.Change("db-0", m => m.Silent(2)) },
        { Reasons.PrimaryNotServing, "does not hold the lease", g => g.Leased(l => l with { Accepted = null }) },
        { Reasons.NoCandidate, "db-1 is not ready", g => g.Change("db-1", m => m.NotReady(4)) },
        { Reasons.NoCandidate, "db-1 does not receive", g => g.Change("db-1", m => m.Says(s => s with { Link = ReplicationLink.Down })) },
        { Reasons.NoCandidate, "db-1 is still copying", g => g.Change("db-1", m => m.Says(s => s with { Link = ReplicationLink.Syncing })) },
    };

    [Theory]
    [MemberData(nameof(NotYet))]
    public void What_is_not_ready_is_waited_for_and_given_up_in_the_end(string reason, string message, Func<GroupObservation, GroupObservation> change)
    {
        var note = Answer(change(Healthy()), Request());
        Assert.Equal((FailoverPhase.Pending, reason), (note.Phase, note.Reason));
        Assert.Contains(message, note.Message);
        var told = Request() with { Status = new FailoverStatus { Reason = reason } };
        Assert.NotEqual(told.Name, Decider.Decide(change(Healthy()).With(told)).Running?.Name);
        var end = Answer(change(Healthy()), told with { PhaseFor = Given.Seconds(60) });
        Assert.Equal((FailoverPhase.Aborted, Reasons.DeadlineExceeded), (end.Phase, end.Reason));
        Assert.Contains(message, end.Message);
    }

    [Fact]
    public void A_failover_goes_first()
    {
        var note = Answer(Healthy().With(Running(FailoverPhase.Fencing)), Request());
        Assert.Equal((FailoverPhase.Pending, Reasons.FailoverRunning), (note.Phase, note.Reason));
        var told = Request() with { Status = new FailoverStatus { Reason = Reasons.FailoverRunning } };
        Assert.Equal("db-0-2", Decider.Decide(Healthy().Released().With(Running(FailoverPhase.Fencing)).With(told)).Running?.Name);
    }

    [Fact]
    public void It_ends_as_its_switchover_ended()
    {
        var execution = Running(FailoverPhase.Fencing, type: FailoverType.Switchover);
        execution = execution with { Spec = execution.Spec with { RequestRef = new RequestReference { Name = "maintenance", Uid = "uid-maintenance" } } };
        var note = Answer(Healthy().With(execution), Request());
        Assert.Equal((FailoverPhase.Pending, Reasons.Executing, "db-0-2"), (note.Phase, note.Reason, note.ExecutedAs));

        var status = new FailoverStatus
        {
            Phase = FailoverPhase.Completed,
            Reason = Reasons.Verified,
            Message = "db-1 takes writes",
            Candidate = Given.Reference("db-1"),
            DowntimeMilliseconds = 412,
            LostBytes = 0,
        };
        var ended = Healthy().With(execution with { Status = status });
        var end = Answer(ended, Request() with { Status = new FailoverStatus { ExecutedAs = "db-0-2", Reason = Reasons.Executing } });
        Assert.Equal((FailoverPhase.Completed, Reasons.Verified, "uid-db-1", 0L), (end.Phase, end.Reason, end.Candidate!.Uid, end.LostBytes!.Value));
        Assert.Equal("db-0-2: db-1 takes writes, after 412 ms without writes", end.Message);
        // Another request of the same name asks anew.
        Assert.Equal(Reasons.AlreadyActive, Answer(ended with { Members = ended.Members }, Request() with { Uid = "another" }).Reason);
    }

    [Fact]
    public void A_dry_run_tells_the_plan_and_every_check_and_changes_nothing()
    {
        var end = Answer(Healthy(), Request(s => s with { DryRun = true }));
        Assert.Equal((FailoverPhase.Completed, Reasons.DryRun), (end.Phase, end.Reason));
        Assert.Equal("nothing was changed; it would make db-1 the primary in place of db-0, in term 2. Checks: ok: the group is not suspended; ok: db-0 takes writes; ok: db-0 holds the lease; "
            + "ok: db-1 would take over, 0 bytes behind", end.Message);
        Assert.Contains("it would wait. Checks: ok: the group is not suspended; ok: db-0 takes writes; ok: db-0 holds the lease; NO: db-1 is not ready",
            Answer(Healthy().Change("db-1", m => m.NotReady(4)), Request(s => s with { DryRun = true })).Message);
        Assert.Contains("it would be refused: expectedHolder is db-2",
            Answer(Healthy(), Request(s => s with { DryRun = true, ExpectedHolder = "db-2" })).Message);
    }

    [Fact]
    public void Who_has_waited_longest_goes_first()
    {
        var later = Request(s => s with { Target = "db-2" }, openFor: 0.5) with { Name = "a-later-one", Uid = "uid-later" };
        Assert.Equal("db-1", Assert.IsType<Decision.Begin>(Decider.Decide(Healthy().With(later).With(Request())).Decision).Plan.Target);
    }

    /// <summary>A person may see what no probe does.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_failover_can_be_asked_for_whether_the_primary_works_or_not(bool works)
    {
        var group = works ? Given.Healthy() : Given.Healthy().Change("db-0", m => m.Terminating());
        var plan = Assert.IsType<Decision.Begin>(Asked(group, Request(s => s with { Type = FailoverType.Failover, Target = "db-2" }))).Plan;
        Assert.Equal((FailoverType.Failover, works ? FailoverCause.Requested : FailoverCause.PrimaryPodGone, "db-2"), (plan.Type, plan.Cause, plan.Target));
        // The old primary is fenced although it works.
        var running = Given.Running(FailoverPhase.Fencing, candidate: null) with { Spec = plan };
        Assert.IsType<Step.TerminatePod>(Assert.IsType<Decision.Advance>(FailoverProcedure.Next(Given.Healthy().With(running), running)).Steps[0]);
    }

    [Fact]
    public void The_wanted_one_is_promoted_if_it_may_be()
    {
        var electing = Given.Running(FailoverPhase.Electing, phaseFor: 0.5);
        electing = electing with { Spec = electing.Spec with { Target = "db-2" } };
        Member? Chosen(GroupObservation group) =>
            Assert.IsType<Step.Enter>(Assert.IsType<Decision.Advance>(FailoverProcedure.Next(group.With(electing), electing)).Steps[0]).Candidate is { } to
                ? group.Members.First(m => m.Uid == to.Uid) : null;
        Assert.Equal("db-2", Chosen(Given.Healthy().Without("db-0"))?.Name);
        Assert.Equal("db-1", Chosen(Given.Healthy().Without("db-0").Change("db-2", m => m.NotReady(1)))?.Name);
    }

    [Fact]
    public void Nothing_begins_in_a_suspended_group()
    {
        var note = Answer(Healthy() with { SuspendedUntil = new Schedule.AtOnce() }, Request());
        Assert.Equal((FailoverPhase.Pending, Reasons.Suspended), (note.Phase, note.Reason));
    }
}
