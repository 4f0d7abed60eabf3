using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using static FailoverOperator.Core.Tests.Given;

namespace FailoverOperator.Core.Tests.Detection;

public sealed class PrimaryDetectorTests
{
    private static Diagnosis Of(Func<Member, Member> whatHappensToThePrimary) =>
        PrimaryDetector.Diagnose(Healthy().Change("db-0", whatHappensToThePrimary));

    [Fact]
    public void A_primary_that_takes_writes_is_healthy() =>
        Assert.IsType<Diagnosis.Healthy>(PrimaryDetector.Diagnose(Healthy()));

    [Fact]
    public void Without_a_holder_the_group_is_new() =>
        Assert.IsType<Diagnosis.NewGroup>(PrimaryDetector.Diagnose(NewGroup(Primary(), Standby("db-1"))));

    [Theory]
    [InlineData(true, 5.0, false)]
    [InlineData(true, 5.001, true)]
    [InlineData(false, 0.0, true)]
    public void The_operator_doubts_itself_before_it_accuses_anybody(bool synced, double apiSilent, bool doubts)
    {
        var group = Healthy().Change("db-0", m => m.Terminating()) with { Operator = new OperatorObservation(synced, Seconds(apiSilent)) };
        var diagnosis = PrimaryDetector.Diagnose(group);
        Assert.Equal(doubts, diagnosis is Diagnosis.OperatorImpaired);
        Assert.Equal(!doubts, diagnosis is Diagnosis.PrimaryFailed);
    }

    [Fact]
    public void Self_doubt_says_what_it_doubts()
    {
        var unsynced = PrimaryDetector.Diagnose(Healthy() with { Operator = new OperatorObservation(false, Seconds(9)) });
        Assert.Contains("first list", Assert.IsType<Diagnosis.OperatorImpaired>(unsynced).Why);
        var silent = PrimaryDetector.Diagnose(Healthy() with { Operator = new OperatorObservation(true, Seconds(9)) });
        Assert.Contains("9.0 s", Assert.IsType<Diagnosis.OperatorImpaired>(silent).Why);
    }

    public static TheoryData<string, Func<Member, Member>, FailoverCause> HardEvidence => new()
    {
        { "deleted", m => m.Terminating(), FailoverCause.PrimaryPodGone },
        { "failed", m => m.Phase(PodPhase.Failed), FailoverCause.PrimaryPodGone },
        { "succeeded", m => m.Phase(PodPhase.Succeeded), FailoverCause.PrimaryPodGone },
        { "another pod of that name", m => m.Recreated(), FailoverCause.PrimaryPodGone },
        { "container ended", m => m.ContainerEnded().Silent(0.1), FailoverCause.PrimaryProcessDown },
        { "container restarted", m => m.ContainerRestarted().Silent(0.1), FailoverCause.PrimaryProcessDown },
        { "server restarted", m => m.Says(s => s with { Instance = "server-2" }), FailoverCause.PrimaryProcessDown },
        { "two refusals", m => m.Refused(2), FailoverCause.PrimaryProcessDown },
        { "deletion before restart", m => m.ContainerEnded().Terminating().Silent(0.1), FailoverCause.PrimaryPodGone },
        { "deletion before credentials", m => m.Unauthorized().Terminating(), FailoverCause.PrimaryPodGone },
    };

    [Theory]
    [MemberData(nameof(HardEvidence), DisableDiscoveryEnumeration = true)]
    public void Hard_evidence_counts_at_once(string what, Func<Member, Member> change, FailoverCause cause)
    {
        var failed = Assert.IsType<Diagnosis.PrimaryFailed>(Of(change));
        Assert.True(cause == failed.Cause, what);
        Assert.All(failed.Evidence, e => Assert.Contains("db-0", e));
    }

    [Fact]
    public void A_pod_that_does_not_exist_has_failed()
    {
        var failed = Assert.IsType<Diagnosis.PrimaryFailed>(PrimaryDetector.Diagnose(Healthy().Without("db-0")));
        Assert.Equal(FailoverCause.PrimaryPodGone, failed.Cause);
        Assert.Contains("uid-db-0", failed.Evidence[0]);
    }

    public static TheoryData<string, Func<Member, Member>, double?> Suspicions => new()
    {
        { "one refusal may be chance", m => m.Refused(1), 4.5 },
        { "silent below the threshold", m => m.Silent(4.999), 0.001 },
        { "not ready below the threshold", m => m.NotReady(1), 4 },
        { "the longer sign counts: silence", m => m.NotReady(1).Silent(3), 2 },
        { "the longer sign counts: not ready", m => m.Silent(1).NotReady(3), 2 },
        { "node not ready, silent below the threshold", m => m.OnNode(NodeState.NotReady).Silent(2), 3 },
    };

    [Theory]
    [MemberData(nameof(Suspicions), DisableDiscoveryEnumeration = true)]
    public void Soft_evidence_takes_time(string what, Func<Member, Member> change, double? decisiveIn)
    {
        var suspected = Assert.IsType<Diagnosis.PrimarySuspected>(Of(change));
        Assert.True(decisiveIn is { } s ? suspected.DecisiveIn == Seconds(s) : suspected.DecisiveIn is null, $"{what}: {suspected}");
        Assert.Contains("db-0", suspected.Evidence);
    }

    public static TheoryData<string, Func<Member, Member>, FailoverCause, string> Decisive => new()
    {
        { "silent for the threshold", m => m.Silent(5), FailoverCause.PrimaryUnresponsive, "another member answers" },
        { "not ready for the threshold, though it answers", m => m.NotReady(5), FailoverCause.PrimaryUnresponsive, "not ready" },
        { "node not ready and silent", m => m.OnNode(NodeState.NotReady).Silent(5), FailoverCause.PrimaryNodeDown, "node-0 is NotReady" },
        { "node unknown and silent", m => m.OnNode(NodeState.Unknown).Silent(5), FailoverCause.PrimaryNodeDown, "node-0 is Unknown" },
        { "node gone and silent", m => m.OnNode(NodeState.Absent).Silent(5), FailoverCause.PrimaryNodeDown, "node-0 is Absent" },
        { "node unobserved and silent", m => m.OnNode(NodeState.Unobserved).Silent(5), FailoverCause.PrimaryUnresponsive, "another member answers" },
        { "node not ready, yet it answers", m => m.OnNode(NodeState.NotReady).NotReady(5), FailoverCause.PrimaryUnresponsive, "not ready" },
    };

    [Theory]
    [MemberData(nameof(Decisive), DisableDiscoveryEnumeration = true)]
    public void Soft_evidence_that_lasted_is_decisive(string what, Func<Member, Member> change, FailoverCause cause, string evidence)
    {
        var failed = Assert.IsType<Diagnosis.PrimaryFailed>(Of(change));
        Assert.True(cause == failed.Cause, what);
        Assert.Contains(evidence, failed.Evidence[1]);
        Assert.Contains("5.0 s", failed.Evidence[0]);
    }

    [Fact]
    public void The_operators_probes_alone_accuse_nobody_while_no_member_answers()
    {
        var alone = Group(Primary().Silent(60), Standby("db-1").Silent(60));
        Assert.Null(Assert.IsType<Diagnosis.PrimarySuspected>(PrimaryDetector.Diagnose(alone)).DecisiveIn);
        var refused = Group(Primary().Refused(9), Standby("db-1").Silent(60));
        Assert.IsType<Diagnosis.PrimarySuspected>(PrimaryDetector.Diagnose(refused));
    }

    [Fact]
    public void The_kubelets_word_counts_even_if_no_member_answers()
    {
        var notReady = Group(Primary().Silent(6).NotReady(6), Standby("db-1").Silent(60));
        Assert.Equal(FailoverCause.PrimaryUnresponsive, Assert.IsType<Diagnosis.PrimaryFailed>(PrimaryDetector.Diagnose(notReady)).Cause);
        var node = Group(Primary().Silent(6).OnNode(NodeState.NotReady), Standby("db-1").Silent(60));
        Assert.Equal(FailoverCause.PrimaryNodeDown, Assert.IsType<Diagnosis.PrimaryFailed>(PrimaryDetector.Diagnose(node)).Cause);
    }

    /// <summary>Nobody's word is left but the operator's own.</summary>
    [Fact]
    public void A_node_that_nobody_may_look_at_says_nothing()
    {
        var alone = Group(Primary().Silent(60).OnNode(NodeState.Unobserved), Standby("db-1").Silent(60));
        Assert.Null(Assert.IsType<Diagnosis.PrimarySuspected>(PrimaryDetector.Diagnose(alone)).DecisiveIn);
        Assert.IsType<Diagnosis.Healthy>(Of(m => m.OnNode(NodeState.Unobserved)));
    }

    [Fact]
    public void The_threshold_is_the_users()
    {
        var group = Healthy().Change("db-0", m => m.Silent(6)).With(s => s with { Detection = s.Detection with { UnhealthyAfterSeconds = 7 } });
        Assert.Equal(Seconds(1), Assert.IsType<Diagnosis.PrimarySuspected>(PrimaryDetector.Diagnose(group)).DecisiveIn);
    }

    [Fact]
    public void Rejected_credentials_say_nothing_of_health() =>
        Assert.Contains("WRONGPASS", Assert.IsType<Diagnosis.CredentialsRejected>(Of(m => m.Unauthorized())).Message);

    [Fact]
    public void A_second_writable_member_is_a_suspected_split_brain()
    {
        var split = Assert.IsType<Diagnosis.SplitBrainSuspected>(PrimaryDetector.Diagnose(Group(Primary(), Primary("db-1"), Standby("db-2"))));
        Assert.Equal(["db-1"], split.Others.Select(m => m.Name));
    }

    [Fact]
    public void Two_others_that_write_while_the_holder_does_not_are_a_suspected_split_brain()
    {
        var split = Assert.IsType<Diagnosis.SplitBrainSuspected>(PrimaryDetector.Diagnose(Group(Standby("db-0"), Primary("db-1"), Primary("db-2"))));
        Assert.Equal(["db-1", "db-2"], split.Others.Select(m => m.Name));
    }

    [Fact]
    public void A_primary_made_by_somebody_else_was_moved()
    {
        var moved = Group(Standby("db-0", follows: "db-1"), Primary("db-1"));
        Assert.Equal("db-1", Assert.IsType<Diagnosis.PrimaryMoved>(PrimaryDetector.Diagnose(moved)).Primary.Name);
        Assert.IsType<Diagnosis.SplitBrainSuspected>(PrimaryDetector.Diagnose(moved.Change("db-1", m => m.Terminating())));
    }

    [Fact]
    public void A_primary_that_became_a_standby_was_demoted() =>
        Assert.Equal("db-0", Assert.IsType<Diagnosis.PrimaryDemoted>(PrimaryDetector.Diagnose(Group(Standby("db-0"), Standby("db-1")))).Primary.Name);

    [Fact]
    public void A_demoted_primary_whose_new_primary_is_silent_is_not_promoted_again()
    {
        var group = Group(Standby("db-0", follows: "db-1"), Standby("db-1").Silent(9), Standby("db-2"));
        Assert.Contains("db-1", Assert.IsType<Diagnosis.PrimarySuspected>(PrimaryDetector.Diagnose(group)).Evidence);
        Assert.IsType<Diagnosis.PrimaryDemoted>(PrimaryDetector.Diagnose(group.Change("db-0", m => m.Says(s => s with { FollowsAddress = Address("db-2") }))));
    }

    [Theory]
    [InlineData(EngineRole.Unknown, true, true)]
    [InlineData(EngineRole.Primary, false, true)]
    [InlineData(EngineRole.Primary, true, false)]
    public void A_primary_is_healthy_only_if_it_is_writable_and_ready(EngineRole role, bool writable, bool ready) =>
        Assert.IsType<Diagnosis.PrimarySuspected>(Of(m => (ready ? m : m.NotReady(1)).Says(s => s with { Role = role, Writable = writable })));

    [Fact]
    public void A_primary_not_asked_yet_is_unknown_not_failed() =>
        Assert.Contains("not been asked", Assert.IsType<Diagnosis.PrimarySuspected>(Of(m => m.NotAsked())).Evidence);

    /// <summary>A kubelet's late report may be of the run before; then the engine's own word and its silence decide.</summary>
    [Fact]
    public void The_end_of_a_container_that_may_be_an_older_one_accuses_nobody()
    {
        var group = Healthy().Change("db-0", m => m.ContainerEnded().Silent(1));
        Assert.IsType<Diagnosis.PrimaryFailed>(PrimaryDetector.Diagnose(group));
        Assert.IsType<Diagnosis.PrimarySuspected>(PrimaryDetector.Diagnose(group with { PrimaryMemory = group.PrimaryMemory! with { ContainerId = null } }));
    }
}
