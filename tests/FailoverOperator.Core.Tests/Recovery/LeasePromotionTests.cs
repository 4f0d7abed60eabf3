using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using static FailoverOperator.Core.Tests.GivenAgents;

namespace FailoverOperator.Core.Tests.Recovery;

public sealed class LeasePromotionTests
{
    private static GroupObservation Dead() => Healthy().Change("db-0", m => m.Unreachable(6));

    private static GroupObservation Assigned(bool accepted = true) =>
        Group(Primary("db-1", 2), Standby("db-2", term: 2)).Assigned("db-1", 2, accepted).Change("db-1", m => m with { TermLabel = 2 });

    private static Decision Promoting(GroupObservation group, FenceEvidence fence = FenceEvidence.LeaseExpired, double phaseFor = 0.5, FailoverType type = FailoverType.Failover) =>
        Next(group, Running(FailoverPhase.Promoting, phaseFor, "db-1", fence, type));

    /// <summary>The only step, but for the candidate's label, which goes ahead of the traffic.</summary>
    private static T Step<T>(Decision decision) where T : Step =>
        Assert.IsType<T>(Assert.Single(Assert.IsType<Decision.Advance>(decision).Steps, step => step is not Core.Recovery.Step.Label));

    private static Step.Enter Enters(Decision decision, FailoverPhase phase) => Step<Step.Enter>(decision) is var enter && enter.Phase == phase ? enter : throw new InvalidOperationException($"enters {enter.Phase} {enter.Reason}");

    [Fact]
    public void An_expired_lease_is_assigned_with_what_its_holder_had_accepted()
    {
        var group = Dead().Expired();
        var assign = Step<Step.AssignLease>(Promoting(group));
        Assert.Equal(("db-1", 2L, "7", false), (assign.Member.Name, assign.Term, assign.ReadVersion, assign.KeepRelease));
        Assert.Equal(group.Lease!.Record!.Accepted, assign.Pledged);
        Assert.Equal(LeasePlan.TermsFor(group), assign.Terms);
    }

    [Fact]
    public void A_released_lease_keeps_its_note_and_binds_nobody()
    {
        var assign = Step<Step.AssignLease>(Promoting(Healthy().Released(), FenceEvidence.Released));
        Assert.Equal((true, null), (assign.KeepRelease, assign.Pledged));
    }

    /// <summary>It says nothing of the holder before.</summary>
    [Fact]
    public void A_note_of_who_never_claimed_is_not_kept()
    {
        var group = Dead().Leased(l => l with { Pledged = l.Accepted, Accepted = null }).Released();
        var assign = Step<Step.AssignLease>(Promoting(group, FenceEvidence.Released));
        Assert.False(assign.KeepRelease);
        Assert.NotNull(assign.Pledged);
    }

    [Fact]
    public void A_note_that_somebody_else_wrote_is_not_kept()
    {
        var assign = Step<Step.AssignLease>(Promoting(Dead().Released(by: "db-1", seconds: 5)));
        Assert.Equal((false, 3), (assign.KeepRelease, assign.Pledged!.Members.Count));
    }

    [Fact]
    public void Better_proof_than_time_binds_nobody_to_promises() =>
        Assert.Null(Step<Step.AssignLease>(Promoting(Dead().Unchanged(1), FenceEvidence.PodTerminated)).Pledged);

    public static TheoryData<string, GroupObservation, FenceEvidence, Type> Comebacks => new()
    {
        { "renewed after its expiry", Dead().Unchanged(0.4), FenceEvidence.LeaseExpired, typeof(Step.RevokeLease) },
        { "renewed before the phase", Dead().Unchanged(0.6), FenceEvidence.LeaseExpired, typeof(Decision.Wait) },
        { "revoked", Dead().Revoked(0.4), FenceEvidence.LeaseExpired, typeof(Decision.Wait) },
        { "nobody was fenced", Dead().Unchanged(0.6), FenceEvidence.NotNeeded, typeof(Decision.Wait) },
        { "the end of somebody else", Dead().Unchanged(0.6).Leased(l => Lease(Healthy(), "db-2")), FenceEvidence.PodTerminated, typeof(Decision.Wait) },
        { "it is the end of the holder", Dead().Unchanged(0.6), FenceEvidence.ProcessEnded, typeof(Step.AssignLease) },
        { "confirmed by a person", Dead().Unchanged(0.6), FenceEvidence.ConfirmedByPerson, typeof(Step.AssignLease) },
        { "risked", Dead().Unchanged(0.6), FenceEvidence.Unproven, typeof(Step.AssignLease) },
        { "it is the candidate's own", Dead().Unchanged(0.6).Leased(l => Lease(Healthy(), "db-1")), FenceEvidence.NotNeeded, typeof(Step.AssignLease) },
        { "nobody claimed it", Dead().NeverServed().Unchanged(0.6).Leased(l => l with { Accepted = null }), FenceEvidence.NotNeeded, typeof(Step.AssignLease) },
        { "what its holder had accepted was removed", Dead().Unchanged(0.6).Leased(l => l with { Accepted = null }), FenceEvidence.NotNeeded, typeof(Decision.Wait) },
        { "deleted", Dead().Deleted(0.6), FenceEvidence.LeaseExpired, typeof(Step.RecreateLease) },
    };

    /// <summary>Invariant I3, looked at once more: the lease may have come back to life since.</summary>
    [Theory]
    [MemberData(nameof(Comebacks), DisableDiscoveryEnumeration = true)]
    public void The_proof_must_still_hold_when_the_lease_is_written(string what, GroupObservation group, FenceEvidence fence, Type expected)
    {
        var decision = Promoting(group, fence);
        var found = decision is Decision.Advance(var steps) ? steps[0].GetType() : decision.GetType();
        Assert.True(found == expected, $"{what}: {found.Name}");
    }

    [Fact]
    public void A_lease_that_was_deleted_meanwhile_is_made_anew_in_the_last_holders_term()
    {
        var second = Running(FailoverPhase.Promoting, 0.5, "db-1", FenceEvidence.LeaseExpired) is var f ? f with { Name = "db-0-7", Spec = f.Spec with { Term = 7 } } : f;
        var given = Given.Ended(3, "db-2") is var g ? g with { Status = g.Status with { Candidate = null } } : g;
        Assert.Equal(1, Step<Step.RecreateLease>(Next(Dead().Deleted(0.6) with { Failovers = [Given.Ended(1, "db-0"), given] }, second)).Term);
        Assert.Equal(6, Step<Step.RecreateLease>(Next(Dead().Deleted(0.6) with { Failovers = [] }, second)).Term);
    }

    /// <summary>What the holder itself said of its own term stays true.</summary>
    [Fact]
    public void After_a_release_a_deleted_lease_is_simply_made_for_the_candidate()
    {
        var assign = Step<Step.AssignLease>(Promoting(Dead().Deleted(0.6), FenceEvidence.Released));
        Assert.Equal((null, false, 0), (assign.ReadVersion, assign.KeepRelease, assign.Pledged?.Members.Count));
        var elected = Next(Dead().Deleted(0.6), Running(FailoverPhase.Electing, 0.5, fence: FenceEvidence.Released));
        Assert.Equal("uid-db-1", Step<Step.Enter>(elected).Candidate!.Uid);
    }

    /// <summary>Else only the version of the lease that was read proves that nothing else had become of it.</summary>
    [Theory]
    [InlineData(FenceEvidence.LeaseExpired)]
    [InlineData(FenceEvidence.PodTerminated)]
    public void After_any_other_proof_it_is_made_anew_for_nobody_first(FenceEvidence fence)
    {
        Assert.Equal(1, Step<Step.RecreateLease>(Next(Dead().Deleted(0.6), Running(FailoverPhase.Electing, 0.5, fence: fence))).Term);
        Step<Step.RecreateLease>(Promoting(Dead().Deleted(0.6), fence));
    }

    [Fact]
    public void Who_may_not_be_given_it_any_more_is_not()
    {
        var group = Dead().Expired().Leased(l => l with { Accepted = l.Accepted! with { Members = [.. l.Accepted.Members.Where(m => m.Name != "db-1")] } });
        Assert.Equal(Reasons.NotInLease, Enters(Promoting(group), FailoverPhase.Failed).Reason);
        Step<Step.AssignLease>(Promoting(group, FenceEvidence.PodTerminated));
    }

    [Fact]
    public void A_higher_term_ends_the_failover()
    {
        var enter = Enters(Promoting(Dead().Expired().Leased(_ => Lease(Healthy(), "db-2", 5))), FailoverPhase.Failed);
        Assert.Equal((Reasons.LeaseForged, "uid-db-1"), (enter.Reason, enter.Candidate!.Uid));
        Assert.Equal(Reasons.LeaseForged, Enters(Promoting(Dead().Expired().Leased(_ => Lease(Healthy(), "db-2", 2))), FailoverPhase.Failed).Reason);
        // But not one that no agent believes.
        Step<Step.AssignLease>(Promoting(Dead().Expired().Leased(l => l with { Term = 5 })));
    }

    [Fact]
    public void The_first_lease_is_created()
    {
        var group = NewGroup(Standby("db-0", term: 0), Standby("db-1", term: 0));
        var running = Running(FailoverPhase.Promoting, 0.5, "db-1", FenceEvidence.NotNeeded, FailoverType.Election) is var f ? f with { Spec = f.Spec with { From = null, Term = 1 } } : f;
        var assign = Step<Step.AssignLease>(Next(group, running));
        Assert.Equal((null, false, 0, 1L), (assign.ReadVersion, assign.KeepRelease, assign.Pledged?.Members.Count, assign.Term));
    }

    [Fact]
    public void Once_assigned_the_agent_does_the_rest()
    {
        var waiting = Assigned(accepted: false).Change("db-1", _ => Standby("db-1") with { RoleLabel = RoleLabels.Active, TermLabel = 2 }).Published(2, "db-1");
        Assert.Equal(Given.Seconds(4.9), Assert.IsType<Decision.Wait>(Promoting(waiting.Unchanged(0.1))).For);
        Assert.Equal(Given.Seconds(0.2), Assert.IsType<Decision.Wait>(Promoting(waiting.Unchanged(7))).For);
        Assert.Equal(Given.Seconds(0.3), Assert.IsType<Decision.Wait>(Promoting(waiting.Unchanged(0.1), phaseFor: 29.7)).For);
        Assert.Equal(Reasons.PromotionTimedOut, Enters(Promoting(waiting, phaseFor: 30), FailoverPhase.Failed).Reason);
    }

    /// <summary>It need not wait for the server: nobody else can be named in this term.</summary>
    [Fact]
    public void Traffic_moves_while_the_server_is_promoted()
    {
        var waiting = Assigned(accepted: false).Change("db-1", _ => Standby("db-1"));
        var steps = Assert.IsType<Decision.Advance>(Promoting(waiting)).Steps;
        Assert.Equal([new Step.Label(waiting.Members[0], RoleLabels.Active, 2), new Step.PointService("db-rw", TrafficRole.Active, "db-1", 2)], steps);
    }

    [Theory]
    [InlineData(2, 0.1, true)]
    [InlineData(2, 0.6, false)]
    [InlineData(1, 0.1, false)]
    public void It_is_done_when_the_candidate_serves_and_its_agent_knows_the_term(long term, double age, bool done)
    {
        var decision = Promoting(Assigned().Published(2, "db-1").Change("db-1", m => m.Knows(term).AskedAgo(age)));
        if (done) Enters(decision, FailoverPhase.Repointing);
        else Assert.IsType<Decision.Wait>(decision);
    }

    [Fact]
    public void It_is_not_done_by_another_lease() => Assert.IsNotType<Step.Enter>(((Decision.Advance)Promoting(Assigned().Leased(l => l with { Term = 1 }).Expired())).Steps[0]);

    public static TheoryData<string, Func<GroupObservation, GroupObservation>, bool> Losses => new()
    {
        { "released", g => g.Released(ReleaseReason.PromotionFailed, "db-1"), true },
        { "expired and silent", g => g.Expired().Change("db-1", m => m.Silent(5)), true },
        { "expired, but it answers", g => g.Expired(), false },
        { "silent", g => g.Change("db-1", m => m.Silent(5)), false },
        { "its container restarted: its new agent gives the lease back by itself", g => g.Change("db-1", m => m.ContainerRestarted()), false },
        { "its server was started again by its agent", g => g.Change("db-1", m => m.Says(s => s with { Instance = "server-2" })), false },
        { "deleted", g => g.Change("db-1", m => m.Terminating()), true },
        { "gone", g => g.Without("db-1"), true },
        { "its lease was forged", g => g.Forged(), false },
        { "its lease was deleted", g => g.Deleted(), false },
    };

    [Theory]
    [MemberData(nameof(Losses), DisableDiscoveryEnumeration = true)]
    public void Who_lost_the_lease_on_the_way_is_lost(string what, Func<GroupObservation, GroupObservation> change, bool lost)
    {
        foreach (var phase in new[] { FailoverPhase.Promoting, FailoverPhase.Repointing, FailoverPhase.Verifying })
        {
            var decision = Next(change(Assigned()), Running(phase, 0.05, "db-1", FenceEvidence.Released));
            Assert.True(decision is Decision.Advance([Step.Enter { Reason: Reasons.CandidateLost }]) == lost, $"{what} at {phase}: {decision}");
        }
    }

    /// <summary>One change less between the clients and their primary, where Services name the pod.</summary>
    [Theory]
    [InlineData("db-0", true)]
    [InlineData(null, false)]
    public void The_label_goes_ahead_of_the_traffic_where_it_moves_none(string? selected, bool ahead)
    {
        var group = Healthy().Released() is var g ? g with { Services = [.. g.Services.Select(s => s with { SelectedPod = selected })] } : null!;
        var steps = Assert.IsType<Decision.Advance>(Promoting(group, FenceEvidence.Released)).Steps;
        Assert.IsType<Step.AssignLease>(steps[0]);
        Assert.Equal(ahead, steps.Count == 2 && steps[1] is Step.Label { Member.Name: "db-1", Role: RoleLabels.Active, Term: 2 });
    }
}
