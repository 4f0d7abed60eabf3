using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using static FailoverOperator.Core.Tests.GivenAgents;

namespace FailoverOperator.Core.Tests.Detection;

/// <summary>The lease is the first witness of the primary's health.</summary>
public sealed class LeaseDetectorTests
{


    private static Diagnosis.PrimaryFailed Failed(GroupObservation group) => Assert.IsType<Diagnosis.PrimaryFailed>(PrimaryDetector.Diagnose(group));

    private static Diagnosis.PrimarySuspected Suspected(GroupObservation group) => Assert.IsType<Diagnosis.PrimarySuspected>(PrimaryDetector.Diagnose(group));

    [Fact]
    public void Who_renews_and_serves_is_healthy() => Assert.IsType<Diagnosis.Healthy>(PrimaryDetector.Diagnose(Healthy()));

    [Theory]
    [InlineData(ReleaseReason.ProcessDown, FailoverCause.PrimaryProcessDown)]
    [InlineData(ReleaseReason.PromotionFailed, FailoverCause.PrimaryProcessDown)]
    [InlineData(ReleaseReason.AgentRestarted, FailoverCause.PrimaryProcessDown)]
    [InlineData(ReleaseReason.HandOver, FailoverCause.PrimaryPodGone)]
    [InlineData(ReleaseReason.SelfFenced, FailoverCause.PrimaryIsolated)]
    public void A_release_counts_at_once_though_everything_else_looks_well(ReleaseReason reason, FailoverCause cause)
    {
        var failed = Failed(Healthy().Released(reason));
        Assert.Equal(cause, failed.Cause);
        Assert.Contains($"the agent of db-0/uid-db-0 released the lease of term 1: {reason}, exit code 137", failed.Evidence);
    }

    public static TheoryData<string, Func<Member, Member>, FailoverCause> HardEvidence => new()
    {
        { "deleted", m => m.Terminating(), FailoverCause.PrimaryPodGone },
        { "evicted", m => m.Phase(PodPhase.Failed), FailoverCause.PrimaryPodGone },
        { "container ended", m => m.ContainerEnded(), FailoverCause.PrimaryProcessDown },
        { "container restarted", m => m.ContainerRestarted(), FailoverCause.PrimaryProcessDown },
    };

    [Theory]
    [MemberData(nameof(HardEvidence), DisableDiscoveryEnumeration = true)]
    public void What_its_kubelet_says_counts_at_once(string what, Func<Member, Member> change, FailoverCause cause) =>
        Assert.True(Failed(Healthy().Change("db-0", change)).Cause == cause, what);

    [Fact]
    public void A_pod_that_is_gone_counts_at_once() => Assert.Equal(FailoverCause.PrimaryPodGone, Failed(Healthy().Without("db-0")).Cause);

    /// <summary>Its agent started it again, and keeps the lease.</summary>
    [Fact]
    public void Another_run_of_the_server_is_its_agents_affair() =>
        Assert.IsType<Diagnosis.Healthy>(PrimaryDetector.Diagnose(Healthy().Change("db-0", m => m.Says(s => s with { Instance = "server-2" }))));

    [Theory]
    [InlineData(2, 3)]
    [InlineData(99, 4.5)]
    public void Refused_connections_are_soft_while_the_lease_is_renewed(int times, double seconds) =>
        Assert.Equal(Given.Seconds(5 - seconds), Suspected(Healthy().Unchanged(0.1).Change("db-0", m => m.Refused(times) with { Probe = m.Refused(times).Probe with { UnansweredFor = Given.Seconds(seconds) } })).DecisiveIn);

    [Fact]
    public void What_runs_out_first_is_waited_for()
    {
        Assert.Equal(Given.Seconds(1), Suspected(Healthy().Unchanged(4).Change("db-0", m => m.Silent(2))).DecisiveIn);
        Assert.Equal(Given.Seconds(2), Suspected(Healthy().Unchanged(1).Change("db-0", m => m.Silent(3))).DecisiveIn);
        Assert.Equal(Given.Seconds(4.6), Suspected(Healthy().Change("db-0", m => m.NotAsked())).DecisiveIn);
    }

    [Fact]
    public void Silence_for_long_is_decisive_though_the_lease_is_renewed()
    {
        var failed = Failed(Healthy().Change("db-0", m => m.Silent(5)));
        Assert.Equal(FailoverCause.PrimaryUnresponsive, failed.Cause);
        Assert.Contains("its agent still renews the lease", failed.Evidence);
        Assert.Equal(FailoverCause.PrimaryUnresponsive, Failed(Healthy().Change("db-0", m => m.NotReady(5))).Cause);
    }

    [Fact]
    public void A_primary_that_answers_and_is_not_ready_for_long_has_failed_though_nobody_else_answers() =>
        Assert.Equal(FailoverCause.PrimaryUnresponsive, Failed(Group(Primary().NotReady(5), Standby("db-1").Silent(60), Standby("db-2").Silent(60))).Cause);

    [Fact]
    public void A_primary_that_answers_and_takes_no_writes_for_long_has_failed_though_it_is_ready_and_nobody_else_answers()
    {
        var group = Group(Standby("db-0"), Standby("db-1").Silent(60), Standby("db-2").Silent(60));
        Assert.Equal(FailoverCause.PrimaryUnresponsive, Failed(group with { PrimaryMemory = group.PrimaryMemory! with { LastServiceAge = Given.Seconds(5) } }).Cause);
    }

    /// <summary>It may be the operator that is cut off.</summary>
    [Fact]
    public void Silence_of_everybody_accuses_nobody_while_the_lease_is_renewed() =>
        Assert.Equal(Given.Seconds(4.6), Suspected(Group(Primary().Silent(60), Standby("db-1").Silent(60), Standby("db-2").Silent(60))).DecisiveIn);

    [Theory]
    [InlineData(9.9, false)]
    [InlineData(10, true)]
    public void With_RestartFirst_the_agent_has_its_time(double silent, bool fails)
    {
        var group = Healthy().With(s => s with { Detection = s.Detection with { OnProcessCrash = OnProcessCrash.RestartFirst } }).Change("db-0", m => m.Silent(silent));
        Assert.Equal(fails, PrimaryDetector.Diagnose(group) is Diagnosis.PrimaryFailed);
    }

    [Theory]
    [InlineData(4.9, null, false)]
    [InlineData(5.0, null, true)]
    [InlineData(null, 4.9, false)]
    [InlineData(null, 5.0, true)]
    public void A_holder_that_takes_no_writes_is_its_agents_affair_for_a_while(double? sinceService, double? watchedFor, bool fails)
    {
        var group = Healthy().Change("db-0", m => m.Says(s => s with { Role = EngineRole.Standby, Writable = false }));
        group = group with
        {
            PrimaryMemory = sinceService is { } seconds ? group.PrimaryMemory! with { LastServiceAge = Given.Seconds(seconds) } : null,
            Failovers = [Given.Ended(1, "db-0") with { PhaseFor = Given.Seconds(watchedFor ?? 600) }],
        };
        if (fails) Assert.Equal(FailoverCause.PrimaryUnresponsive, Failed(group).Cause);
        else Assert.Contains("has taken no writes for 4.9 s", Suspected(group).Evidence);
    }

    [Fact]
    public void A_second_writer_is_suspicious()
    {
        var split = Assert.IsType<Diagnosis.SplitBrainSuspected>(PrimaryDetector.Diagnose(Group(Primary(), Primary("db-1"), Standby("db-2"))));
        Assert.Equal("db-1", Assert.Single(split.Others).Name);
    }

    [Fact]
    public void A_wrong_token_is_named() =>
        Assert.Contains("WRONGPASS", Assert.IsType<Diagnosis.CredentialsRejected>(PrimaryDetector.Diagnose(Healthy().Change("db-0", m => m.Unauthorized()))).Message);

    // ---- expiry

    [Theory]
    [InlineData(4.999, false)]
    [InlineData(5, true)]
    public void A_lease_expires_after_D_to_the_moment(double unchanged, bool fails)
    {
        var group = Healthy().Unchanged(unchanged).Change("db-0", m => m.Unreachable(4));
        if (fails) Assert.Equal(FailoverCause.PrimaryNodeDown, Failed(group).Cause);
        else Assert.Equal(Given.Seconds(0.001), Suspected(group).DecisiveIn);
    }

    [Fact]
    public void D_is_the_longest_that_the_holder_may_live_by()
    {
        var group = Healthy().Expired().Change("db-0", m => m.Unreachable(4)).Leased(l => l with { Accepted = l.Accepted! with { LeaseDurationSeconds = 7 } });
        Assert.Equal(Given.Seconds(1), Suspected(group).DecisiveIn);
        Assert.IsType<Diagnosis.PrimaryFailed>(PrimaryDetector.Diagnose(group.Unchanged(7)));
    }

    public static TheoryData<string, Func<Member, Member>, FailoverCause> Expiries => new()
    {
        { "cannot be connected to", m => m.Unreachable(5), FailoverCause.PrimaryNodeDown },
        { "node not ready", m => m.Silent(5).OnNode(NodeState.Unknown), FailoverCause.PrimaryNodeDown },
        { "cannot be connected to, and nobody may look at its node", m => m.Unreachable(5).OnNode(NodeState.Unobserved), FailoverCause.PrimaryLeaseExpired },
        { "frozen", m => m with { Probe = m.Silent(5).Probe with { Reply = new EngineReply.Silent("no answer", Connected: true) } }, FailoverCause.PrimaryLeaseExpired },
        { "silent", m => m.Silent(5), FailoverCause.PrimaryLeaseExpired },
        { "refuses", m => m.Refused(9), FailoverCause.PrimaryLeaseExpired },
        { "answers", m => m, FailoverCause.PrimaryIsolated },
        { "answers that its server does not", m => m with { Probe = m.Probe with { Reply = new EngineReply.Failed("server hangs") } }, FailoverCause.PrimaryIsolated },
    };

    [Theory]
    [MemberData(nameof(Expiries), DisableDiscoveryEnumeration = true)]
    public void Why_it_was_not_renewed_is_told_apart(string what, Func<Member, Member> change, FailoverCause cause) =>
        Assert.True(Failed(Healthy().Expired().Change("db-0", change)).Cause == cause, what);

    [Fact]
    public void An_isolated_primary_that_the_others_keep_is_not_failed()
    {
        var group = Healthy().Unchanged(60).Change("db-0", m => m.Unreachable(58)).Change("db-1", m => m.Acknowledges("db-0", 0.6)).Change("db-2", m => m.Acknowledges("db-0", 1.1));
        var isolated = Assert.IsType<Diagnosis.PrimaryIsolated>(PrimaryDetector.Diagnose(group));
        Assert.Equal(("db-0", Given.Seconds(3.8)), (isolated.Primary.Name, isolated.LookAgainIn));
        Assert.Contains("db-1, db-2 acknowledged it within the last 5.0 s", isolated.Evidence);
        Assert.IsType<Diagnosis.PrimaryIsolated>(PrimaryDetector.Diagnose(group.Change("db-0", m => m.NotReady(4.9))));
        Assert.Equal(FailoverCause.PrimaryIsolated, Failed(group.Change("db-0", m => m.NotReady(5))).Cause);
    }

    [Theory]
    [InlineData("db-0", 4.8, 1L, true)]
    [InlineData("db-0", 4.9, 1L, false)]
    [InlineData("db-2", 0.1, 1L, false)]
    [InlineData("db-0", 0.1, 0L, false)]
    public void A_promise_counts_for_D_for_this_holder_and_this_term(string holder, double ago, long term, bool keeps)
    {
        var diagnosis = PrimaryDetector.Diagnose(Healthy().Expired().Change("db-0", m => m.Unreachable(5)).Change("db-1", m => m.Acknowledges(holder, ago, term)));
        Assert.Equal(keeps, diagnosis is Diagnosis.PrimaryIsolated);
    }

    // ---- tampering

    [Fact]
    public void A_deleted_lease_is_named_and_fatal_after_D()
    {
        var suspected = Suspected(Healthy().Deleted(2));
        Assert.Equal((Reasons.LeaseDeleted, Given.Seconds(3)), (suspected.Reason, suspected.DecisiveIn));
        var failed = Failed(Healthy().Deleted(5));
        Assert.Equal((Reasons.LeaseDeleted, FailoverCause.PrimaryLeaseExpired), (failed.Reason, failed.Cause));
        // Made anew by the operator: the holder has not said anything yet.
        Assert.Equal(Reasons.LeaseDeleted, Suspected(Healthy().Revoked(1).Leased(l => l with { Accepted = l.Accepted! with { Members = [] } })).Reason);
    }

    public static TheoryData<string, Func<GroupObservation, GroupObservation>> Forgeries => new()
    {
        { "names db-2", g => g.Forged(2) },
        { "names nobody", g => g.Revoked(2) },
        { "in term 9", g => g.Leased(l => l with { Term = 9 }).Unchanged(2) },
        { "names stranger in term 0", g => g.Leased(l => l with { Holder = "stranger", Term = 0 }).Unchanged(2) },
    };

    [Theory]
    [MemberData(nameof(Forgeries), DisableDiscoveryEnumeration = true)]
    public void A_forged_lease_is_named_and_fatal_after_D(string says, Func<GroupObservation, GroupObservation> forge)
    {
        var suspected = Suspected(forge(Healthy()));
        Assert.Equal((Reasons.LeaseForged, Given.Seconds(3)), (suspected.Reason, suspected.DecisiveIn));
        Assert.Contains(says, suspected.Evidence);
        Assert.Equal(Reasons.LeaseForged, Failed(forge(Healthy()).Unchanged(5)).Reason);
    }

    [Fact]
    public void A_note_that_somebody_else_wrote_is_no_release() =>
        Assert.Equal(Reasons.LeaseForged, Suspected(Healthy().Released(by: "db-1")).Reason);

    [Fact]
    public void Who_was_chosen_and_never_came_to_hold_the_lease_has_failed()
    {
        var never = Given.Ended(2, "db-1") is var f ? f with { Status = f.Status with { Phase = FailoverPhase.Failed } } : f;
        var group = Healthy() with { Failovers = [Given.Ended(1, "db-0"), never] };
        Assert.Contains("the lease is still that of db-0/uid-db-0", Failed(group).Evidence[0]);
        Assert.Contains("the lease is still that of db-0/uid-db-0", Failed(group.Released()).Evidence[0]);
    }

    [Fact]
    public void A_first_lease_that_was_never_made_leaves_a_new_group()
    {
        var failed = Given.Ended(1, "db-0") is var f ? f with { Status = f.Status with { Phase = FailoverPhase.Failed } } : f;
        Assert.IsType<Diagnosis.NewGroup>(PrimaryDetector.Diagnose(Healthy().Deleted(60) with { Failovers = [failed] }));
        Assert.IsType<Diagnosis.PrimaryFailed>(PrimaryDetector.Diagnose(Healthy().Expired().Change("db-0", m => m.Silent(9)) with { Failovers = [failed] }));
    }

    // ---- doubt

    [Fact]
    public void The_operator_doubts_itself_first()
    {
        Assert.IsType<Diagnosis.OperatorImpaired>(PrimaryDetector.Diagnose(Healthy().Released() with { Operator = new OperatorObservation(true, Given.Seconds(5.1)) }));
        Assert.Contains("lease", Assert.IsType<Diagnosis.OperatorImpaired>(PrimaryDetector.Diagnose(Healthy() with { Lease = null })).Why);
    }

    [Fact]
    public void A_group_without_agents_needs_no_lease() =>
        Assert.IsType<Diagnosis.Healthy>(PrimaryDetector.Diagnose(Given.Healthy() with { Lease = null }));
}
