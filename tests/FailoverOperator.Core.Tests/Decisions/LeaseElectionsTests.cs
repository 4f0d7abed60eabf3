using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using static FailoverOperator.Core.Tests.GivenAgents;

namespace FailoverOperator.Core.Tests.Decisions;

public sealed class LeaseElectionsTests
{
    private static readonly Benchmark FromDb0 = Benchmark.Of(Running(FailoverPhase.Electing).Spec);

    private static GroupObservation Dead(params Member[] standbys) => Group([Primary().Unreachable(6), .. standbys]).Expired();

    private static string Chosen(GroupObservation group, FenceEvidence? evidence = FenceEvidence.LeaseExpired, Benchmark? benchmark = null) =>
        LeaseElections.Replacement(group, benchmark ?? FromDb0, Given.Seconds(1), evidence, atRest: true) switch
        {
            Choice.Candidate(var member, _) => member.Name,
            Choice.Nobody(var reason, _) => reason,
            var choice => throw new InvalidOperationException($"{choice}"),
        };

    private static GroupObservation Redis(GroupObservation group) =>
        group.With(s => s with { Engine = new EngineSpec { Type = EngineType.Redis }, Targets = new TargetsSpec { RpoSeconds = 30 } }).Leased(l => l with { Terms = l.Terms with { SynchronousStandbys = 0 }, Accepted = l.Accepted! with { SynchronousStandbys = 0 } });

    // ---- no acknowledged write is lost

    [Fact]
    public void Whoever_has_the_most_is_chosen_whatever_the_user_prefers_otherwise()
    {
        var group = Dead(Standby("db-1", 990), Standby("db-2", 995)).With(s => s with { Promotion = s.Promotion with { CandidateOrder = [CandidateOrder.Name] } });
        Assert.Equal("db-2", Chosen(group));
        Assert.Equal("db-1", Chosen(Dead(Standby("db-1", 995), Standby("db-2", 995))));
    }

    /// <summary>What the old primary had logged beyond was never acknowledged.</summary>
    [Fact]
    public void What_no_quorum_has_is_no_loss()
    {
        var choice = LeaseElections.Replacement(Dead(Standby("db-1", 500), Standby("db-2", 400)), FromDb0, Given.Seconds(1), FenceEvidence.LeaseExpired, atRest: true);
        Assert.Equal(("db-1", 500L), choice is Choice.Candidate(var member, var lag) ? (member.Name, lag) : default);
        Assert.Equal("db-1", Chosen(Dead(Standby("db-1"), Standby("db-2")), benchmark: new(FromDb0.From, null, null, null)));
    }

    public static TheoryData<string, Func<Member, Member>> Unheard => new()
    {
        { "silent", m => m.Silent(1) },
        { "stale", m => m.AskedAgo(1.1) },
        { "tells no position", m => m.Says(s => s with { PositionBytes = null }) },
        { "copies the data", m => m.Says(s => s with { Link = ReplicationLink.Syncing }) },
        { "empty", m => m.Says(s => s with { IsEmpty = true }) },
        { "another history", m => m.Says(s => s with { History = "log-9" }) },
    };

    [Theory]
    [MemberData(nameof(Unheard), DisableDiscoveryEnumeration = true)]
    public void Without_a_quorum_nobody_is_chosen(string what, Func<Member, Member> change) =>
        Assert.True(Chosen(Dead(Standby("db-1"), change(Standby("db-2")))) == Reasons.QuorumNotHeard, what);

    [Fact]
    public void It_says_who_must_come_back()
    {
        var nobody = Assert.IsType<Choice.Nobody>(LeaseElections.Replacement(Dead(Standby("db-1"), Standby("db-2").Silent(9)), FromDb0, Given.Seconds(1), FenceEvidence.LeaseExpired, atRest: true));
        Assert.Contains("it takes 1 more of db-0, db-2", nobody.Message);
    }

    /// <summary>It was heard, and has a write that the other one may lack.</summary>
    [Theory]
    [InlineData(991, Reasons.BeyondRpo)]
    [InlineData(990, "db-1")]
    public void Nobody_is_chosen_before_one_that_has_more_and_is_not_fit(long position, string expected) =>
        Assert.Equal(expected, Chosen(Dead(Standby("db-1", 990), Standby("db-2", position).NotReady(3))));

    [Fact]
    public void It_says_who_has_more()
    {
        var electing = Running(FailoverPhase.Electing, 0.5, fence: FenceEvidence.LeaseExpired);
        Assert.Equal(Reasons.BeyondRpo, Assert.IsType<Decision.Blocked>(Next(Dead(Standby("db-1", 990), Standby("db-2", 991).NotReady(3)).Change("db-0", m => m.Terminating()), electing)).Reason);

        var nobody = Assert.IsType<Choice.Nobody>(LeaseElections.Replacement(Dead(Standby("db-1", 990), Standby("db-2", 991).NotReady(3)), FromDb0, Given.Seconds(1), FenceEvidence.LeaseExpired, atRest: true));
        Assert.Contains("db-2 is not ready; db-1 may miss acknowledged writes that db-2 has", nobody.Message);
    }

    /// <summary>
    /// Somebody has emptied the lease, so that nobody knows by how many members the old primary lived. One of three has gone: what the
    /// one that is left does not have, that one may.
    /// </summary>
    [Fact]
    public void Where_nobody_knows_the_terms_all_that_the_workload_is_to_have_count()
    {
        GroupObservation Emptied(params Member[] standbys) => Dead(standbys).Leased(l => l with { Accepted = null, Terms = new LeaseTerms() }) with { WorkloadReplicas = 3 };
        Assert.Equal(Reasons.QuorumNotHeard, Chosen(Emptied(Standby("db-2")), FenceEvidence.PodTerminated));
        Assert.Equal("db-2", Chosen(Emptied(Standby("db-1"), Standby("db-2", 1001)), FenceEvidence.PodTerminated));
    }

    [Fact]
    public void Both_sets_of_terms_must_be_satisfied()
    {
        var group = Dead(Standby("db-1"), Standby("db-2"));
        Assert.Equal("db-1", Chosen(group));
        var grown = group.Leased(l => l with { Terms = l.Terms with { Members = [.. l.Terms.Members, new("db-3", "u3", "a", 1), new("db-4", "u4", "a", 1)], SynchronousStandbys = 2 } });
        Assert.Equal(Reasons.QuorumNotHeard, Chosen(grown));
        Assert.Equal(Reasons.QuorumNotHeard, Chosen(grown.Leased(l => l with { Terms = l.Accepted!, Accepted = l.Terms })));
        Assert.Equal(Reasons.QuorumNotHeard, Chosen(grown.Leased(l => l with { Terms = l.Accepted!, Pledged = l.Terms, Accepted = null })));
    }

    /// <summary>An operator that has not seen the old primary at work does not know its log.</summary>
    [Fact]
    public void A_log_that_another_one_continues_is_an_old_story()
    {
        var diverged = Standby("db-1", 2000).Says(s => s with { History = "log-0" });
        var current = Standby("db-2").Says(s => s with { PreviousHistory = "log-0" });
        Assert.Equal(Reasons.QuorumNotHeard, Chosen(Dead(diverged, current), benchmark: new(FromDb0.From, null, null, null)));
        Assert.Equal("db-2", Chosen(Group(Primary().Unreachable(6), diverged, current, Standby("db-3").Says(s => s with { PreviousHistory = "log-0" })).Expired().Leased(l => l with
        {
            Terms = l.Terms with { SynchronousStandbys = 2 },
            Accepted = l.Terms with { SynchronousStandbys = 2 },
        }), benchmark: new(FromDb0.From, null, null, null)));
    }

    // ---- the lease

    private static GroupObservation NewMember(bool failsafe = true) => Dead(Standby("db-1"), Standby("db-2")).Leased(l => l with
    {
        Accepted = l.Accepted! with { Failsafe = failsafe, Members = [.. l.Accepted.Members.Where(m => m.Name != "db-1")] },
    });

    [Fact]
    public void After_mere_expiry_only_who_promised_to_wait_may_follow()
    {
        Assert.Equal("db-2", Chosen(NewMember()));
        Assert.Equal("db-1", Chosen(NewMember(failsafe: false)));
        Assert.Equal("db-1", Chosen(NewMember(), FenceEvidence.PodTerminated));
        Assert.Equal("db-1", Chosen(NewMember().Released(), FenceEvidence.Released));
        Assert.Equal(Reasons.NotInLease, Chosen(NewMember().Leased(l => l with { Accepted = l.Accepted! with { Members = [] } })));
        Assert.Equal(Reasons.NotInLease, Chosen(NewMember().Leased(l => l with { Accepted = l.Accepted! with { Members = [] } }), evidence: null));
    }

    /// <summary>
    /// A node may be not ready because only the API server is out of its reach: then db-0 goes on by the word of db-2. A taint that the operator
    /// may have set for that proves no more than the lease's time; one that only a person can have set is a person's word.
    /// </summary>
    [Fact]
    public void A_node_that_the_operator_took_out_of_service_may_be_alive()
    {
        var byPolicy = NewMember().With(s => s with { Fencing = s.Fencing with { Policy = [FencingMethod.SelfFence, FencingMethod.NodeOutOfService] } });
        Assert.Equal("db-2", Chosen(byPolicy, FenceEvidence.NodeOutOfService));
        Assert.Equal("db-1", Chosen(byPolicy, FenceEvidence.PodTerminated));
        Assert.Equal("db-1", Chosen(byPolicy, FenceEvidence.ConfirmedByPerson));
        Assert.Equal("db-1", Chosen(NewMember(), FenceEvidence.NodeOutOfService));
    }

    [Theory]
    [InlineData(4.9, Reasons.NotInLease)]
    [InlineData(5.0, "db-1")]
    public void Without_one_whom_the_last_holder_asks_it_lasts_no_longer_than_D(double endedFor, string expected)
    {
        var group = Redis(Dead(Standby("db-1"), Standby("db-2"))).Leased(l => l with { Accepted = l.Accepted! with { Members = [l.Accepted.Members[0], new("db-9", "uid-db-9", "a", 1)] } });
        Assert.Equal(Reasons.NotInLease, Chosen(group));
        Assert.Equal(expected, Chosen(group with { Departures = [Given.Departed(confirmed: true, endedFor) with { Uid = "uid-db-9" }] }));
        Assert.Equal(Reasons.NotInLease, Chosen(group with { Departures = [Given.Departed(confirmed: false, endedFor) with { Uid = "uid-db-9" }] }));
    }

    [Fact]
    public void Who_takes_writes_without_the_lease_is_waited_out()
    {
        Assert.Equal(Reasons.SplitBrainSuspected, Chosen(Dead(Primary("db-1"), Standby("db-2"))));
        // The lease's own holder is none of these, whoever was meant to hold it.
        var never = Healthy().Unchanged(0.1);
        Assert.Equal("db-1", Chosen(never, benchmark: FromDb0 with { From = Given.Reference("db-2") }));
    }

    [Fact]
    public void Nobody_without_address_or_data_is_chosen()
    {
        var group = Redis(Dead(Standby("db-1") with { Address = null }, Standby("db-2").Says(s => s with { IsEmpty = true })));
        Assert.Equal(Reasons.NoCandidate, Chosen(group, FenceEvidence.PodTerminated));
    }

    // ---- the old primary again

    [Fact]
    public void Who_lost_its_lease_by_somebodys_hand_gets_it_back()
    {
        var group = Group(Primary().Says(s => s with { Role = EngineRole.Standby, Writable = false }), Standby("db-1"), Standby("db-2"));
        Assert.Equal("db-0", Chosen(group.Forged(5)));
        Assert.Equal("db-0", Chosen(group.Revoked(5)));
        Assert.Equal("db-0", Chosen(group.Revoked().Leased(l => l with { Accepted = l.Accepted! with { Members = [] } }).Released(ReleaseReason.SelfFenced), FenceEvidence.Released));
        Assert.Equal("db-1", Chosen(group.Forged(5).Change("db-0", m => m.Silent(1))));
        Assert.Equal("db-1", Chosen(group.Released(), FenceEvidence.Released));
    }

    /// <summary>It was the last to write: its data are complete, whoever else can be heard.</summary>
    [Fact]
    public void The_old_primary_itself_is_the_last_resort()
    {
        var back = Group(Standby("db-0"), Standby("db-1").Silent(9), Standby("db-2").Silent(9)).Released();
        Assert.Equal("db-0", Chosen(back, FenceEvidence.Released));
        Assert.Equal(Reasons.QuorumNotHeard, Chosen(back.Change("db-0", m => m.NotReady(1)), FenceEvidence.Released));
        Assert.Equal(Reasons.QuorumNotHeard, Chosen(back.Change("db-0", m => m.Says(s => s with { IsEmpty = true })), FenceEvidence.Released));
        var crashed = back.Change("db-0", m => m.Recreated()).Leased(l => l with { Release = l.Release! with { PositionBytes = null } });
        Assert.Equal(Reasons.QuorumNotHeard, Chosen(crashed, FenceEvidence.Released));
        Assert.Equal("db-0", Chosen(Group(Standby("db-0").Recreated(), Standby("db-1").Says(s => s with { History = "log-9" }), Standby("db-2").Says(s => s with { History = "log-9" })).Released(), FenceEvidence.Released));
    }

    private static GroupObservation HandedOver(GroupObservation group, long end, string holder = "db-0") =>
        group.Released(ReleaseReason.HandOver).Leased(l => l with { Release = l.Release! with { Holder = Identity(holder), PositionBytes = end } });

    /// <summary>
    /// By its own word the old primary's log ended there: whoever has all of it has every acknowledged write, whoever else can be heard. Its
    /// own volume in a new pod is such a one, though the others be empty, or parted from it before.
    /// </summary>
    [Theory]
    [InlineData(1000, "db-0")]
    [InlineData(1001, Reasons.QuorumNotHeard)] // it misses the end, or the word is not of this log
    public void Who_has_all_that_the_old_primary_logged_is_chosen_without_the_others(long end, string expected)
    {
        var others = new[] { Standby("db-1").Refused(1), Standby("db-2").Says(s => s with { History = "log-9" }) };
        Assert.Equal(expected, Chosen(HandedOver(Group([Standby("db-0").Recreated(), .. others]), end), FenceEvidence.Released));
        Assert.Equal(expected, Chosen(HandedOver(Group([Standby("db-0").Recreated().Says(s => s with { History = "log-2", PreviousHistory = "log-1" }), .. others]), end), FenceEvidence.Released, FromDb0 with { History = null, Origin = new() { History = "log-1", PositionBytes = 900 } }));
        Assert.Equal(expected == "db-0" ? "db-1" : expected, Chosen(HandedOver(Group(Primary().Unreachable(6), Standby("db-1"), Standby("db-2").Silent(9)), end), FenceEvidence.Released));
    }

    [Fact]
    public void What_somebody_else_said_or_the_same_one_of_another_term_is_not_the_end_of_the_log()
    {
        var group = HandedOver(Group(Primary().Unreachable(6), Standby("db-1"), Standby("db-2").Silent(9)), 1000);
        Assert.Equal("db-1", Chosen(group, FenceEvidence.Released));
        Assert.Equal(Reasons.QuorumNotHeard, Chosen(group, FenceEvidence.Released, FromDb0 with { History = null }));
        Assert.Equal(Reasons.QuorumNotHeard, Chosen(group.Leased(l => l with { Release = l.Release! with { PositionBytes = null } }), FenceEvidence.Released));
        Assert.Equal(Reasons.QuorumNotHeard, Chosen(HandedOver(group, 1000, holder: "db-2"), FenceEvidence.Released));
        Assert.Equal(Reasons.QuorumNotHeard, Chosen(group.Leased(l => l with { Release = l.Release! with { Term = l.Term - 1 } }), FenceEvidence.Released));
        Assert.Equal(Reasons.QuorumNotHeard, Chosen(group with { Failovers = [.. group.Failovers, Given.Ended(group.Lease!.Record!.Term + 1, "db-0")] }, FenceEvidence.Released));
        Assert.Equal(Reasons.QuorumNotHeard, Chosen(group.Change("db-1", m => m.AskedAgo(1.1)), FenceEvidence.Released));
    }

    private static GroupObservation MadeAnew(GroupObservation group) =>
        group.Revoked(6).Leased(l => l with { Accepted = l.Accepted! with { Members = [] } });

    /// <summary>Its agent may have been started anew, and so have nothing to say of the lease that was deleted.</summary>
    [Fact]
    public void A_lease_that_was_made_anew_is_given_to_its_only_possible_holder_again()
    {
        var back = Group(Standby("db-0"), Standby("db-1"), Standby("db-2"));
        Assert.Equal("db-0", Chosen(MadeAnew(back)));
        Assert.Equal("db-0", Chosen(MadeAnew(back).Leased(l => l with { Term = 7 })));
        // Not if it was never seen to serve: the one before it may be kept by promises.
        var promoted = Given.Ended(2, "db-0") is var f ? f with { Status = f.Status with { Phase = FailoverPhase.Failed } } : f;
        var unsure = MadeAnew(back.Leased(l => l with { Term = 2 }) with { Failovers = [Given.Ended(1, "db-2"), promoted] });
        Assert.Equal(Reasons.NotInLease, Chosen(unsure));
        var electing = Running(FailoverPhase.Electing, 0.5, fence: FenceEvidence.LeaseExpired) is var e ? e with { Spec = e.Spec with { Term = 3 }, Name = "db-0-3" } : e;
        Assert.Equal(["db-2", "db-0"], Assert.IsType<Decision.Advance>(Next(unsure, electing)).Steps.Select(s => ((Step.TerminatePod)s).Member.Name));
        var gone = unsure with { Departures = [Given.Departed(confirmed: true), Given.Departed(confirmed: true) with { Uid = Given.Uid("db-2"), Name = "db-2" }] };
        Assert.Equal(FenceEvidence.PodTerminated, Assert.IsType<Step.Enter>(Assert.IsType<Decision.Advance>(Next(gone.Without("db-0").Without("db-2"), electing)).Steps[0]).Fence);
        // One alone is not enough, and neither is a note of who may never have claimed it.
        Assert.IsType<Step.TerminatePod>(Assert.Single(Assert.IsType<Decision.Advance>(Next(gone.Without("db-0"), electing)).Steps));
        Assert.Equal(FenceEvidence.LeaseExpired, Fence.OfPrimary(unsure.Released(ReleaseReason.HandOver, seconds: 6), electing)!.Evidence);
        Assert.Null(Fence.OfPrimary(unsure.Released(ReleaseReason.HandOver), electing));
    }

    [Theory]
    [InlineData(9.9, Reasons.QuorumNotHeard)]
    [InlineData(10.0, "db-0")]
    public void Who_could_not_be_made_to_serve_is_tried_again_only_after_a_while(double since, string expected) =>
        Assert.Equal(expected, Chosen(Group(Standby("db-0"), Standby("db-1").Silent(9), Standby("db-2").Silent(9)).Released(ReleaseReason.PromotionFailed, seconds: since), FenceEvidence.Released));

    [Theory]
    [InlineData(1, "db-1")]
    [InlineData(20, "db-1")]
    public void Where_nobody_has_data_another_one_is_to_create_them(double since, string expected)
    {
        static Member Empty(string name) => Standby(name).Says(s => s with { IsEmpty = true, PositionBytes = null, History = null }).NotReady(60);
        var group = Group(Empty("db-0"), Empty("db-1"), Empty("db-2")).Released(ReleaseReason.PromotionFailed, seconds: since);
        Assert.Equal(expected, Chosen(group, FenceEvidence.Released));
        var alone = Group(Empty("db-0")).Released(ReleaseReason.PromotionFailed, seconds: since);
        Assert.Equal(since >= 10 ? "db-0" : Reasons.NoCandidate, Chosen(alone, FenceEvidence.Released));
        Assert.Equal(Reasons.QuorumNotHeard, Chosen(group.Change("db-1", m => m.Silent(1)), FenceEvidence.Released));
    }

    // ---- a new group

    private static string First(GroupObservation group) => LeaseElections.First(group) is var choice && choice is Choice.Candidate(var member, _) ? member.Name : ((Choice.Nobody)choice).Reason;

    private static Member Fresh(string name) => Standby(name, term: 0).Says(s => s with { IsEmpty = true, PositionBytes = null, History = null, Link = ReplicationLink.Unknown, FollowsAddress = null }).NotReady(60);

    [Fact]
    public void The_first_primary_of_empty_members_need_not_be_ready()
    {
        Assert.Equal("db-0", First(NewGroup(Fresh("db-0"), Fresh("db-1"))));
        Assert.Equal("db-1", First(NewGroup(Fresh("db-0").Terminating(), Fresh("db-1"))));
        Assert.Equal(Reasons.MembersUnknown, First(NewGroup(Fresh("db-0"), Fresh("db-1").Silent(1))));
        Assert.Equal(Reasons.MembersUnknown, First(NewGroup(Fresh("db-0").Terminating())));
    }

    [Fact]
    public void Whoever_holds_data_comes_first_and_the_most_of_them()
    {
        Assert.Equal("db-1", First(NewGroup(Fresh("db-0"), Standby("db-1"), Fresh("db-2"))));
        Assert.Equal("db-2", First(NewGroup(Standby("db-0", 5), Standby("db-1", 6), Standby("db-2", 7))));
        Assert.Equal(Reasons.SplitBrainSuspected, First(NewGroup(Standby("db-0"), Standby("db-1").Says(s => s with { History = "log-9" }))));
        Assert.Equal("db-1", First(NewGroup(Standby("db-0", 2000), Standby("db-1", 10).Says(s => s with { History = "log-2", PreviousHistory = Given.Log }))));
    }

    [Fact]
    public void Nobody_is_adopted_who_takes_writes_without_a_lease() => Assert.Equal(Reasons.SplitBrainSuspected, First(NewGroup(Primary("db-0"), Standby("db-1"))));

    [Fact]
    public void Whom_a_lease_names_already_stays_though_nobody_remembers_why()
    {
        var group = Healthy() with { Failovers = [] };
        Assert.Equal("db-0", First(group.Change("db-1", m => m.Silent(9))));
        Assert.Equal("db-0", First(group.Expired()));
        Assert.Equal("db-2", First(group.Expired().Change("db-0", _ => Standby("db-0", 900)).Change("db-1", m => m.Says(s => s with { PositionBytes = 999 }))));
        Assert.Equal(Reasons.NotInLease, First(group.Expired().Change("db-0", _ => Standby("db-0")).Leased(l => l with { Accepted = l.Accepted! with { Members = [] } })));
    }

    // ---- through the procedure

    [Fact]
    public void A_new_group_is_elected_and_never_adopted()
    {
        var begin = Assert.IsType<Decision.Begin>(Decider.Decide(NewGroup(Fresh("db-0"), Fresh("db-1"))).Decision);
        Assert.Equal((FailoverType.Election, FailoverCause.NewGroup), (begin.Plan.Type, begin.Plan.Cause));
        Assert.Equal(Reasons.WaitingForMembers, Assert.IsType<Decision.Wait>(Decider.Decide(NewGroup(Fresh("db-0"), Fresh("db-1").Silent(1))).Decision).Reason);
        Assert.Equal(Reasons.SplitBrainSuspected, Assert.IsType<Decision.Blocked>(Decider.Decide(NewGroup(Primary("db-0"), Standby("db-1"))).Decision).Reason);
        Assert.Contains("agent.tokenSecretRef", Assert.IsType<Decision.Blocked>(Decider.Decide(NewGroup(Fresh("db-0"), Fresh("db-1").Unauthorized())).Decision).Message);
        var running = Running(FailoverPhase.Electing, 0.5, type: FailoverType.Election) is var f ? f with { Spec = f.Spec with { From = null } } : f;
        Assert.Equal("db-0", Assert.IsType<Step.Enter>(Assert.IsType<Decision.Advance>(Next(NewGroup(Fresh("db-0"), Fresh("db-1")), running)).Steps[0]).Candidate!.Name);
    }

    [Fact]
    public void A_lease_that_others_records_gave_is_gone_on_with_or_waited_for()
    {
        var forgotten = Healthy() with { Failovers = [], Members = [.. Healthy().Members.Select(m => m with { TermLabel = null })], Services = [] };
        var plan = Assert.IsType<Decision.Begin>(Decider.Decide(forgotten.Leased(l => Lease(Healthy(), "db-0", 7))).Decision).Plan;
        Assert.Equal(8, plan.Term);
        var wait = Assert.IsType<Decision.Wait>(Decider.Decide(forgotten.Change("db-0", _ => Standby("db-0", 900))).Decision);
        Assert.Equal((Given.Seconds(4.6), Reasons.WaitingForMembers), (wait.For, wait.Reason));
    }

    /// <summary>The best that a failover can come to decides whether it is begun; what expiry alone allows decides in the end.</summary>
    [Fact]
    public void A_failover_that_better_proof_would_allow_is_begun_and_the_proof_brought_about()
    {
        var group = NewMember().Leased(l => l with { Accepted = l.Accepted! with { Members = [] } });
        Assert.Equal(FailoverType.Failover, Assert.IsType<Decision.Begin>(Decider.Decide(group).Decision).Plan.Type);
        var electing = Running(FailoverPhase.Electing, 0.5, fence: FenceEvidence.LeaseExpired);
        Assert.Equal("uid-db-0", Assert.IsType<Step.TerminatePod>(Assert.IsType<Decision.Advance>(Next(group, electing)).Steps[0]).Member.Uid);
        Assert.Equal(Reasons.NotInLease, Assert.IsType<Decision.Blocked>(Next(group.Change("db-0", m => m.Terminating()), electing)).Reason);
        Assert.Equal(Reasons.NotInLease, Assert.IsType<Decision.Blocked>(Next(group.With(s => s with { Fencing = s.Fencing with { Policy = [FencingMethod.SelfFence] } }), electing)).Reason);

        var better = Assert.IsType<Step.Enter>(Assert.IsType<Decision.Advance>(Next(group.Without("db-0") with { Departures = [Given.Departed(confirmed: true)] }, electing)).Steps[0]);
        Assert.Equal((FailoverPhase.Electing, FenceEvidence.PodTerminated), (better.Phase, better.Fence));
        Assert.Equal(FenceEvidence.ConfirmedByPerson, Assert.IsType<Step.Enter>(Assert.IsType<Decision.Advance>(Next(group, electing with { FenceConfirmedFor = "db-0" })).Steps[0]).Fence);
        // A release that comes meanwhile binds nobody to promises.
        Assert.Equal(FailoverPhase.Promoting, Assert.IsType<Step.Enter>(Assert.IsType<Decision.Advance>(Next(group.Released(), electing)).Steps[0]).Phase);
        Assert.IsType<Decision.Blocked>(Next(group.Leased(l => Lease(Healthy(), "db-2") with { Accepted = l.Accepted }) with { Departures = [Given.Departed(confirmed: true)] }, electing));
    }

    [Fact]
    public void Nobody_left_blocks_and_says_why()
    {
        var quorum = Assert.IsType<Decision.Blocked>(Decider.Decide(Dead(Standby("db-1"), Standby("db-2").Silent(9))).Decision);
        Assert.Equal(Reasons.QuorumNotHeard, quorum.Reason);
        var alone = Redis(Dead(Standby("db-1").Silent(9)));
        Assert.Equal(Reasons.AllMembersDown, Assert.IsType<Decision.Blocked>(Decider.Decide(alone).Decision).Reason);
        Assert.Equal(Reasons.NoCandidate, Assert.IsType<Decision.Blocked>(Decider.Decide(Redis(Dead(Standby("db-1").NotReady(9)))).Decision).Reason);
    }
}
