using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using static FailoverOperator.Core.Tests.GivenAgents;

namespace FailoverOperator.Core.Tests.Recovery;

/// <summary>The primary hands over to db-1; whatever goes wrong on the way, it takes it back, or a failover does the rest.</summary>
public sealed class SwitchoverTests
{
    private static FailoverRecord Running(FailoverPhase phase, double phaseFor = 0.5, string? candidate = null, FenceEvidence? fence = null) =>
        GivenAgents.Running(phase, phaseFor, candidate, fence, FailoverType.Switchover) is var f
            ? f with { Spec = f.Spec with { Cause = FailoverCause.Requested, Target = "db-1", DeadlineSeconds = 20 } }
            : null!;

    private static Step Only(Decision decision) => Assert.Single(Assert.IsType<Decision.Advance>(decision).Steps);

    private static GroupObservation Asked() => Healthy().Leased(ElectorProtocol.AskHandOver);

    /// <summary>db-0 has stopped in order at the end of its log, and is being started as a standby.</summary>
    private static GroupObservation HandedOver(long end = 1000) => Healthy().Change("db-0", m => m.Refused(1))
        .Leased(l => l.Released(new ReleaseNote(Identity("db-0"), l.Term, ReleaseReason.HandOver, end, null))).Unchanged(0.1);

    private static GroupObservation Back(GroupObservation group) =>
        group.Change("db-0", _ => Standby("db-0", follows: null)).Change("db-0", m => m.Says(s => s with { Link = ReplicationLink.Down, FollowsAddress = null }));

    private static Member Standby(string name, string? follows) => follows is null ? GivenAgents.Standby(name) : Given.Standby(name, follows: follows);

    [Fact]
    public void It_begins_with_the_hand_over() => Assert.Equal(FailoverPhase.Fencing, Assert.IsType<Step.Enter>(Only(Next(Healthy(), Running(FailoverPhase.Pending)))).Phase);

    [Fact]
    public void The_holder_is_asked_once_and_waited_for()
    {
        var ask = Assert.IsType<Step.AskHandOver>(Only(Next(Healthy(), Running(FailoverPhase.Fencing))));
        Assert.Equal((Identity("db-0"), "7", false), (ask.Holder, ask.ReadVersion, ask.Withdraw));
        Assert.Equal(Given.Seconds(19.5), Assert.IsType<Decision.Wait>(Next(Asked(), Running(FailoverPhase.Fencing))).For);
    }

    [Fact]
    public void A_target_that_is_lost_before_anything_was_done_ends_it()
    {
        var abort = Assert.IsType<Decision.Abort>(Next(Healthy().Change("db-1", m => m.NotReady(1)), Running(FailoverPhase.Fencing)));
        Assert.Equal(Reasons.NotReadyYet, abort.Reason);
        // Once the holder was asked, it may have begun.
        Assert.IsType<Decision.Wait>(Next(Asked().Change("db-1", m => m.NotReady(1)), Running(FailoverPhase.Fencing)));
    }

    [Fact]
    public void After_the_deadline_everything_is_taken_back()
    {
        Assert.True(Assert.IsType<Step.AskHandOver>(Only(Next(Asked(), Running(FailoverPhase.Fencing, phaseFor: 20)))).Withdraw);
        Assert.Equal(Reasons.DeadlineExceeded, Assert.IsType<Decision.Abort>(Next(Healthy(), Running(FailoverPhase.Fencing, phaseFor: 20))).Reason);
    }

    [Fact]
    public void A_primary_that_fails_on_the_way_is_failed_over_as_always()
    {
        var failed = Asked().Change("db-0", m => m.Silent(7));
        Assert.True(Assert.IsType<Step.AskHandOver>(Only(Next(failed, Running(FailoverPhase.Fencing)))).Withdraw);
        Assert.IsType<Decision.Abort>(Next(Healthy().Change("db-0", m => m.Silent(7)), Running(FailoverPhase.Fencing)));
    }

    [Fact]
    public void A_lease_that_is_somebody_elses_ends_it() =>
        Assert.Equal(Reasons.HolderChanged, Assert.IsType<Decision.Abort>(Next(Asked().Forged(), Running(FailoverPhase.Fencing))).Reason);

    [Theory]
    [InlineData(FenceEvidence.Released)]
    [InlineData(FenceEvidence.LeaseExpired)]
    public void Any_proof_that_nobody_writes_lets_it_go_on(FenceEvidence evidence)
    {
        var group = evidence == FenceEvidence.Released ? HandedOver() : Asked().Expired().Change("db-0", m => m.Silent(6));
        var enter = Assert.IsType<Step.Enter>(Only(Next(group, Running(FailoverPhase.Fencing))));
        Assert.Equal((FailoverPhase.Electing, evidence), (enter.Phase, enter.Fence!.Value));
    }

    [Fact]
    public void The_target_is_promoted_when_it_has_everything()
    {
        var enter = Assert.IsType<Step.Enter>(Only(Next(HandedOver(), Running(FailoverPhase.Electing, fence: FenceEvidence.Released))));
        Assert.Equal((FailoverPhase.Promoting, "uid-db-1", 0L), (enter.Phase, enter.Candidate!.Uid, enter.LostBytes!.Value));
    }

    /// <summary>The old primary is being started as a standby: whoever waits for its answer prolongs the outage.</summary>
    [Theory]
    [InlineData(0.05, 1000, 0.1, "ask db-1")] // told before the fence
    [InlineData(0.5, 1000, 0.1, "promote db-1")]
    [InlineData(0.5, 1000, 0.6, "ask db-1")]
    [InlineData(0.5, 1001, 0.1, "ask db-1")]
    [InlineData(1.9, 1001, 0.1, "ask db-1")]
    [InlineData(2, 1001, 0.1, "ask db-0, db-1")] // in good time for it to take its place again
    [InlineData(2.9, 1001, 0.1, "ask db-0, db-1")]
    [InlineData(3, 1001, 0.1, "promote db-0")]
    public void The_old_primary_is_not_waited_for_as_long_as_the_target_may_come(double phaseFor, long end, double age, string expected)
    {
        // One second old: what it told when it had just been started.
        var group = Back(HandedOver(end)).Change("db-0", m => m.AskedAgo(phaseFor < 2 ? 1.1 : 0.1)).Change("db-1", m => m.AskedAgo(age)).Change("db-2", m => m.AskedAgo(age));
        Assert.Equal(expected, Only(Next(group, Running(FailoverPhase.Electing, phaseFor, fence: FenceEvidence.Released))) switch
        {
            Step.AskMembers(var members) => $"ask {string.Join(", ", members.Select(m => m.Name))}",
            Step.Enter { Phase: FailoverPhase.Promoting, Candidate: { } candidate } => $"promote {candidate.Name}",
            var step => $"{step}",
        });
    }

    /// <summary>Nobody knows which log the end is of: all that were heard together have everything.</summary>
    [Fact]
    public void Where_the_log_is_not_known_all_standbys_are_asked()
    {
        var failover = Running(FailoverPhase.Electing, 0.05, fence: FenceEvidence.Released) is var f ? f with { Spec = f.Spec with { PrimaryHistory = null } } : f;
        Assert.Equal(["db-1", "db-2"], Assert.IsType<Step.AskMembers>(Only(Next(HandedOver(), failover))).Members.Select(m => m.Name));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(30)]
    public void A_target_that_misses_something_is_waited_for_and_then_the_old_primary_takes_it_back(int rpoSeconds)
    {
        var group = Back(HandedOver(end: 1001)).With(s => s with { Targets = s.Targets with { RpoSeconds = rpoSeconds } });
        Assert.IsType<Step.AskMembers>(Only(Next(group, Running(FailoverPhase.Electing, phaseFor: 1, fence: FenceEvidence.Released))));
        var enter = Assert.IsType<Step.Enter>(Only(Next(group, Running(FailoverPhase.Electing, phaseFor: 3, fence: FenceEvidence.Released))));
        Assert.Equal((FailoverPhase.Promoting, "uid-db-0"), (enter.Phase, enter.Candidate!.Uid));
    }

    [Fact]
    public void Without_the_end_of_the_log_an_asynchronous_standby_may_miss_something()
    {
        var group = Back(HandedOver()).With(s => s with { Targets = s.Targets with { RpoSeconds = 30 } })
            .Leased(l => l with { Release = l.Release! with { PositionBytes = null } });
        Assert.IsType<Step.AskMembers>(Only(Next(group, Running(FailoverPhase.Electing, phaseFor: 1, fence: FenceEvidence.Released))));
        Assert.Equal("uid-db-0", Assert.IsType<Step.Enter>(Only(Next(group, Running(FailoverPhase.Electing, phaseFor: 3, fence: FenceEvidence.Released)))).Candidate!.Uid);
    }

    [Fact]
    public void Is_neither_there_at_the_deadline_a_failover_chooses()
    {
        var group = HandedOver().Change("db-1", m => m.NotReady(9)).Change("db-2", m => m.AskedAgo(0.01));
        Assert.IsType<Decision.Advance>(Next(group, Running(FailoverPhase.Electing, phaseFor: 19, fence: FenceEvidence.Released)));
        var enter = Assert.IsType<Step.Enter>(Only(Next(group, Running(FailoverPhase.Electing, phaseFor: 20, fence: FenceEvidence.Released))));
        Assert.Equal("uid-db-2", enter.Candidate!.Uid);
    }

    [Fact]
    public void Going_back_is_no_success()
    {
        var verified = Running(FailoverPhase.Verifying, candidate: "db-0") with { Verification = new EngineOutcome.Done() };
        Assert.Equal((FailoverPhase.Aborted, Reasons.SwitchedBack), Assert.IsType<Step.Enter>(Only(Next(Healthy(), verified))) is var end ? (end.Phase, end.Reason) : default);
        Assert.Equal(FailoverPhase.Completed, Assert.IsType<Step.Enter>(Only(Next(Healthy(), verified with { Status = verified.Status with { Candidate = Given.Reference("db-1") } }))).Phase);
    }
}
