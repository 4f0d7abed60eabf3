using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using static FailoverOperator.Core.Tests.Given;

namespace FailoverOperator.Core.Tests.Recovery;

/// <summary>A person moved the primary from db-0 to db-1 while the operator could not reach db-0.</summary>
public sealed class RivalsTests
{
    private static readonly MemberReference Rival = Reference("db-1") with { ContainerId = null };

    /// <summary>db-0 is silent, db-1 says that it takes writes.</summary>
    private static GroupObservation Moved(double silent = 0.5) => Group(Primary().Silent(silent), Primary("db-1"), Standby("db-2", follows: "db-1")).StartsReadOnly();

    /// <summary>db-0 is fenced, db-1 has gone silent.</summary>
    private static GroupObservation Vanished() => Group(Primary("db-1").Silent(9), Standby("db-2", follows: "db-1")).StartsReadOnly() with { Departures = [Departed(confirmed: true)] };

    private static FailoverRecord At(FailoverPhase phase, double phaseFor = 0.5, FailoverCause cause = FailoverCause.PrimaryMoved, bool recorded = true, bool inStatus = false) =>
        Running(phase, phaseFor: phaseFor) is var f
            ? f with { Spec = f.Spec with { Cause = cause, Rivals = recorded && !inStatus ? [Rival] : [] }, Status = f.Status with { Rivals = recorded && inStatus ? [Rival] : [] } }
            : f;

    private static Decision Next(GroupObservation group, FailoverRecord failover) => FailoverProcedure.Next(group.With(failover), failover);

    private static T Only<T>(Decision decision) where T : Step => Assert.IsType<T>(Assert.Single(Assert.IsType<Decision.Advance>(decision).Steps));

    [Fact]
    public void A_rival_of_a_silent_primary_is_written_down_at_once()
    {
        var plan = Assert.IsType<Decision.Begin>(Decider.Decide(Moved()).Decision).Plan;
        Assert.Equal((FailoverType.Failover, FailoverCause.PrimaryMoved, "uid-db-0"), (plan.Type, plan.Cause, plan.From!.Uid));
        Assert.Equal([Rival], plan.Rivals);
    }

    [Fact]
    public void Where_servers_start_writable_being_so_means_nothing()
    {
        var group = Group(Primary().Silent(0.5), Primary("db-1"), Standby("db-2"));
        Assert.IsType<Diagnosis.PrimarySuspected>(PrimaryDetector.Diagnose(group));
        Assert.Empty(Rivals.Known(group, Reference("db-0")));
    }

    [Theory]
    [InlineData(FailoverPhase.Fencing)]
    [InlineData(FailoverPhase.Electing)]
    public void A_rival_that_shows_later_is_written_down_before_anything_else(FailoverPhase phase)
    {
        var enter = Only<Step.Enter>(Next(Moved(), At(phase, recorded: false)));
        Assert.Equal((phase, null), (enter.Phase, enter.Fence));
        Assert.Equal([Rival], enter.Rivals);
        Assert.IsNotType<Step.Enter>(Next(Moved(9), At(FailoverPhase.Fencing, inStatus: true)) is Decision.Advance(var steps) ? steps[0] : null);
    }

    [Fact]
    public void A_primary_that_was_only_handed_over_is_not_deleted_for_one_lost_answer()
    {
        Assert.Equal(Seconds(4.5), Assert.IsType<Decision.Wait>(Next(Moved(0.5), At(FailoverPhase.Fencing))).For);
        Assert.Equal("uid-db-0", Only<Step.TerminatePod>(Next(Moved(5), At(FailoverPhase.Fencing))).Member.Uid);
        var heard = Group(Standby("db-0", follows: "db-1"), Primary("db-1"), Standby("db-2", follows: "db-1")).StartsReadOnly();
        Assert.Equal(Reasons.PrimaryMoved, Assert.IsType<Decision.Abort>(Next(heard, At(FailoverPhase.Fencing))).Reason);
        Only<Step.TerminatePod>(Next(heard.Change("db-0", m => m.AskedAgo(0.6)), At(FailoverPhase.Fencing)));
        Only<Step.TerminatePod>(Next(heard.Change("db-1", m => m.NotReady(1)), At(FailoverPhase.Fencing)));
        // Who was accused because its process has ended is not acquitted, or failovers would be begun and given up for ever.
        Only<Step.Enter>(Next(heard.Change("db-0", m => m.Says(s => s with { Instance = "server-2" })), At(FailoverPhase.Fencing)));
    }

    [Fact]
    public void A_rival_at_work_is_chosen_though_nobody_knows_what_it_misses()
    {
        var group = Group(Primary("db-1"), Standby("db-2", follows: "db-1")).StartsReadOnly() with { Departures = [Departed(confirmed: true)] };
        var forgotten = At(FailoverPhase.Electing) is var f ? f with { Spec = f.Spec with { PrimaryPositionBytes = null, RequiredPositionBytes = null, PrimaryHistory = null } } : f;
        var enter = Only<Step.Enter>(Next(group, forgotten));
        Assert.Equal((FailoverPhase.Promoting, "uid-db-1", null), (enter.Phase, enter.Candidate!.Uid, enter.LostBytes));
    }

    [Fact]
    public void Nobody_is_promoted_beside_a_rival_that_went_silent()
    {
        Assert.Equal(Seconds(4.5), Assert.IsType<Decision.Wait>(Next(Vanished(), At(FailoverPhase.Electing))).For);
        Assert.Equal("uid-db-1", Only<Step.TerminatePod>(Next(Vanished(), At(FailoverPhase.Electing, 5))).Member.Uid);
        var leaving = Vanished().Change("db-1", m => m.Terminating());
        Assert.Equal(Seconds(20), Assert.IsType<Decision.Wait>(Next(leaving, At(FailoverPhase.Electing, 5))).For);
        var blocked = Assert.IsType<Decision.Blocked>(Next(leaving, At(FailoverPhase.Electing, 25)));
        Assert.Equal(Reasons.FenceUnproven, blocked.Reason);
        Assert.Contains("kubectl annotate --overwrite fo db-0-2 failover-operator.io/fence-confirmed=db-1", blocked.Message);
        Assert.Equal(FenceEvidence.Unproven, Only<Step.Enter>(Next(leaving.Proceeds(), At(FailoverPhase.Electing, 25))).Fence);
    }

    /// <summary>Invariant I8.</summary>
    [Fact]
    public void A_silent_rival_is_left_alone_while_nobody_could_take_over() =>
        Assert.IsType<Decision.Wait>(Next(Vanished().Change("db-2", m => m.NotReady(1)), At(FailoverPhase.Electing, 6)));

    public static TheoryData<string, Func<GroupObservation, GroupObservation>, Func<FailoverRecord, FailoverRecord>> Settled => new()
    {
        { "heard as a standby", g => g.Change("db-1", m => Standby("db-1", 950)), f => f },
        { "gone, as its kubelet says", g => g.Without("db-1") with { Departures = [Departed(true), Departed(true) with { Uid = Uid("db-1"), Name = "db-1" }] }, f => f },
        { "off, as a person says", g => g, f => f with { FenceConfirmedFor = "db-1" } },
        { "risked", g => g, f => f with { Status = f.Status with { Fence = new FenceRecord { Evidence = FenceEvidence.Unproven } } } },
    };

    [Theory]
    [MemberData(nameof(Settled), DisableDiscoveryEnumeration = true)]
    public void Once_the_rival_surely_does_not_write_another_one_is_chosen(string how, Func<GroupObservation, GroupObservation> see, Func<FailoverRecord, FailoverRecord> record)
    {
        var enter = Only<Step.Enter>(Next(see(Vanished()), record(At(FailoverPhase.Electing))));
        Assert.True(enter is { Phase: FailoverPhase.Promoting, Candidate.Uid: "uid-db-2" }, how);
    }

    [Fact]
    public void What_nobody_made_sure_of_is_carried_into_the_next_failover()
    {
        var aborted = At(FailoverPhase.Aborted);
        var plan = Assert.IsType<Decision.Begin>(Decider.Decide(Vanished().With(aborted)).Decision).Plan;
        Assert.Equal([Rival], plan.Rivals);
        // Heard since, or a candidate was chosen, which is after all rivals are settled.
        Assert.Empty(Rivals.Carried(Vanished().Change("db-1", m => Standby("db-1")).With(aborted)));
        Assert.Single(Rivals.Carried(Vanished().Change("db-1", m => Standby("db-1").AskedAgo(3)).With(aborted)));
        Assert.Empty(Rivals.Carried(Vanished().With(aborted with { Status = aborted.Status with { Candidate = Reference("db-2") } })));
        Assert.Empty(Rivals.Carried(Vanished().With(At(FailoverPhase.Completed))));
    }

    [Fact]
    public void A_demoted_primary_is_not_promoted_again_while_a_rival_may_write()
    {
        var group = Group(Standby("db-0", follows: "db-9"), Standby("db-2")).StartsReadOnly();
        Assert.IsType<Step.Promote>(Assert.IsType<Decision.Advance>(Decider.Decide(group).Decision).Steps[0]);
        Assert.Equal(FailoverCause.PrimaryMoved, Assert.IsType<Decision.Begin>(Decider.Decide(group.With(At(FailoverPhase.Aborted))).Decision).Plan.Cause);
    }

    [Fact]
    public void The_last_primary_does_not_return_beside_another_one()
    {
        var election = Running(FailoverPhase.Electing, FailoverType.Election);
        var group = Group(Standby("db-0"), Primary("db-1")).StartsReadOnly();
        Assert.Equal(Reasons.NoCandidate, Assert.IsType<Decision.Abort>(Next(group, election)).Reason);
        Assert.Equal("uid-db-0", Only<Step.Enter>(Next(group.Change("db-1", m => Standby("db-1")), election)).Candidate!.Uid);
    }
}
