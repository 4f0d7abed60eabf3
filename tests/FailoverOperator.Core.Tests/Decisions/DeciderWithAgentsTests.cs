using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Reporting;
using static FailoverOperator.Core.Tests.GivenAgents;

namespace FailoverOperator.Core.Tests.Decisions;

public sealed class DeciderWithAgentsTests
{
    private static T Is<T>(GroupObservation group) where T : Decision => Assert.IsType<T>(Decider.Decide(group).Decision);

    private static T Only<T>(GroupObservation group) where T : Step => Assert.IsType<T>(Assert.Single(Is<Decision.Advance>(group).Steps));

    private static GroupObservation Isolated() => Healthy().Unchanged(60).Change("db-0", m => m.Unreachable(58)).Change("db-1", m => m.Acknowledges("db-0", 0.6));

    [Fact]
    public void Even_a_steady_group_is_looked_at_in_the_moment_its_lease_expires()
    {
        Assert.Equal(Given.Seconds(4.6), Is<Decision.Steady>(Healthy()).For);
        Assert.Null(Is<Decision.Steady>(Given.Healthy()).For);
    }

    [Fact]
    public void An_isolated_primary_is_left_alone_as_long_as_the_others_keep_it() =>
        Assert.Equal(Given.Seconds(4.3), Is<Decision.Steady>(Isolated()).For);

    [Fact]
    public void A_release_begins_a_failover_at_once()
    {
        var plan = Is<Decision.Begin>(Healthy().Released()).Plan;
        Assert.Equal((FailoverType.Failover, FailoverCause.PrimaryProcessDown, 2L, "uid-db-0"), (plan.Type, plan.Cause, plan.Term, plan.From!.Uid));
    }

    [Fact]
    public void A_new_term_is_above_the_leases()
    {
        Assert.Equal(10, Is<Decision.Begin>(Healthy().Expired().Change("db-0", m => m.Silent(6)).Leased(l => l with { Term = 9 })).Plan.Term);
        // A number that somebody wrote by hand must not use up all that there are.
        Assert.Equal(2, Is<Decision.Begin>(Healthy().Expired().Change("db-0", m => m.Silent(6)).Leased(l => l with { Term = 1_000_000_000 })).Plan.Term);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public void A_deleted_lease_is_made_anew_at_once(double seconds)
    {
        var step = Only<Step.RecreateLease>(Healthy().Deleted(seconds));
        Assert.Equal((1L, 3), (step.Term, step.Terms.Members.Count));
    }

    [Fact]
    public void Tampering_is_waited_out()
    {
        var wait = Is<Decision.Wait>(Healthy().Forged(2));
        Assert.Equal((Given.Seconds(3), Reasons.LeaseForged), (wait.For, wait.Reason));
        Assert.Equal(FailoverCause.PrimaryLeaseExpired, Is<Decision.Begin>(Healthy().Forged(5)).Plan.Cause);
    }

    [Fact]
    public void A_primary_is_never_promoted_without_a_new_term()
    {
        var demoted = Healthy().Change("db-0", m => m.Says(s => s with { Role = EngineRole.Standby, Writable = false })) is var g ? g with { PrimaryMemory = g.PrimaryMemory! with { LastServiceAge = Given.Seconds(9) } } : null!;
        Assert.Equal((FailoverType.Failover, 2L), Is<Decision.Begin>(demoted).Plan is var plan ? (plan.Type, plan.Term) : default);
        // A person's own promotion is not adopted, and nobody is made a second writer.
        Assert.Equal(Reasons.SplitBrainSuspected, Is<Decision.Blocked>(demoted.Change("db-1", _ => Primary("db-1"))).Reason);
    }

    [Fact]
    public void A_wrong_token_blocks() => Assert.Contains("agent.tokenSecretRef", Is<Decision.Blocked>(Healthy().Change("db-0", m => m.Unauthorized())).Message);

    /// <summary>While the primary writes, standbys that are asked at different moments tell different positions.</summary>
    [Fact]
    public void Before_the_fence_a_difference_of_positions_says_nothing()
    {
        var writing = Group(Primary(), Standby("db-1", 990), Standby("db-2"));
        var report = GroupReport.Of(writing, new AcceptanceVerdict(true, true, Reasons.Valid, "fine"), Decider.Decide(writing));
        Assert.Equal((2, "db-2", true), (report.SparesReady, report.Readiness!.Candidate, report.Readiness.Ready));
        Assert.Equal("True, EnoughSpares", report.Conditions.Where(c => c.Type == ConditionTypes.Redundant).Select(c => $"{c.Status}, {c.Reason}").Single());
        // Nor does it keep a failover from being begun that the one behind could end.
        Is<Decision.Begin>(writing.Change("db-0", m => m.Refused(3)).Change("db-2", m => m.NotReady(1)).Released());
    }

    // ---- quiet times

    [Fact]
    public void Agents_follow_by_themselves() =>
        Is<Decision.Steady>(Healthy().Change("db-1", m => m.Says(s => s with { FollowsAddress = "10.9.9.9", Link = ReplicationLink.Down })));

    [Fact]
    public void Labels_are_put_right_as_ever() => Assert.Equal("db-1", Only<Step.Label>(Healthy().Change("db-1", m => m with { RoleLabel = null })).Member.Name);

    [Fact]
    public void New_terms_are_written_in_quiet_times()
    {
        var changed = Healthy().With(s => s with { Detection = s.Detection with { LeaseDurationSeconds = 8 } });
        var update = Only<Step.UpdateLeaseTerms>(changed);
        Assert.Equal((8, "7"), (update.Terms.LeaseDurationSeconds, update.ReadVersion));
    }

    public static TheoryData<string, Func<GroupObservation, GroupObservation>> Unquiet => new()
    {
        { "the last ones are not accepted yet", g => g.Leased(l => l with { Accepted = l.Accepted! with { LeaseDurationSeconds = 6 } }) },
        { "none are accepted yet", g => g.Leased(l => l with { Accepted = null }) },
        { "expired, but kept", g => g.Unchanged(60).Change("db-0", m => m.Unreachable(58)).Change("db-1", m => m.Acknowledges("db-0", 0.6)) },
        { "a second writer, the first one read-only", g => g.Change("db-0", m => m.Silent(1)) },
    };

    [Theory]
    [MemberData(nameof(Unquiet), DisableDiscoveryEnumeration = true)]
    public void And_in_no_others(string what, Func<GroupObservation, GroupObservation> change)
    {
        var group = change(Healthy().With(s => s with { Detection = s.Detection with { RenewIntervalMilliseconds = 900 } }));
        Assert.True(Decider.Decide(group).Decision is not Decision.Advance(var steps) || !steps.Any(s => s is Step.UpdateLeaseTerms), what);
    }

    /// <summary>Invariant I5: first all others have what it has.</summary>
    [Theory]
    [InlineData(ReplicationLink.Up, 1000, Given.Log, 0.1, true)]
    [InlineData(ReplicationLink.Down, 1000, Given.Log, 0.1, false)]
    [InlineData(ReplicationLink.Up, 899, Given.Log, 0.1, false)]
    [InlineData(ReplicationLink.Up, 1000, "log-9", 0.1, false)]
    [InlineData(ReplicationLink.Up, 1000, Given.Log, 2.1, false)]
    public void Nobody_is_left_out_of_the_quorum_before(ReplicationLink link, long position, string history, double age, bool leaves)
    {
        var group = Healthy().Without("db-2").Change("db-1", m => m.Says(s => s with { Link = link, PositionBytes = position, History = history }).AskedAgo(age));
        Assert.Equal(leaves, Decider.Decide(group).Decision is Decision.Advance([Step.UpdateLeaseTerms]));
        // One more is no danger.
        var more = Group(Primary(), Standby("db-1").Says(s => s with { Link = link })).Change("db-1", m => m.AskedAgo(age)) is var two ? two with { Members = [.. two.Members, Standby("db-2")] } : null!;
        Assert.IsType<Step.UpdateLeaseTerms>(Assert.Single(Is<Decision.Advance>(more).Steps));
    }

    [Fact]
    public void All_others_must_have_it_not_only_some()
    {
        var four = Group(Primary(), Standby("db-1"), Standby("db-2"), Standby("db-3"));
        Only<Step.UpdateLeaseTerms>(four.Without("db-3"));
        Is<Decision.Steady>(four.Without("db-3").Change("db-2", m => m.Says(s => s with { Link = ReplicationLink.Down })));
    }

    [Fact]
    public void Without_a_quorum_anybody_may_be_left_out() =>
        Only<Step.UpdateLeaseTerms>(Healthy().With(s => s with { Engine = new EngineSpec { Type = EngineType.Redis }, Targets = new TargetsSpec() }).Leased(l => l with
        {
            Terms = l.Terms with { SynchronousStandbys = 0 },
            Accepted = l.Terms with { SynchronousStandbys = 0 },
        }).Without("db-2").Change("db-1", m => m.Silent(9)));

    /// <summary>No holder accepts them, so that waiting for that would be for ever. They are written as they were before anything else is changed.</summary>
    [Fact]
    public void Terms_that_cannot_be_read_are_written_again_as_the_holder_accepted_them()
    {
        var four = Group(Primary(), Standby("db-1"), Standby("db-2"), Standby("db-3"));
        var spoilt = four.Leased(l => l with { Terms = new LeaseTerms(), Accepted = l.Accepted! with { Members = [.. l.Accepted.Members.Take(3)] } });
        Assert.Equal(spoilt.Lease!.Record!.Accepted, Only<Step.UpdateLeaseTerms>(spoilt).Terms);

        // Nobody knows by what it lives.
        Assert.IsType<Decision.Steady>(Decider.Decide(spoilt.Leased(l => l with { Accepted = new LeaseTerms() })).Decision);
    }
}
