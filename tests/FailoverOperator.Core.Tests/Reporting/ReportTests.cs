using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Reporting;
using static FailoverOperator.Core.Tests.Given;

namespace FailoverOperator.Core.Tests.Reporting;

public sealed class ReportTests
{
    private static readonly AcceptanceVerdict Fine = new(true, true, Reasons.Valid, "fine");

    private static GroupReport Of(GroupObservation group) => GroupReport.Of(group, Fine, Decider.Decide(group));

    private static string Conditions(GroupReport report) => string.Join(' ', report.Conditions.Skip(1).Where(c => c.Type != ConditionTypes.Suppressed).Select(c => $"{c.Type}={c.Status}/{c.Reason}"));

    private static FailoverRecord Past(TargetVerdict targets) => Running(FailoverPhase.Completed, candidate: "db-0") is var f
        ? f with { Status = f.Status with { Targets = targets, DowntimeMilliseconds = 900, LostBytes = 3 } } : f;

    public static TheoryData<GroupObservation, string> Groups => new()
    {
        { Healthy(), "Available=True/PrimaryServing Redundant=True/EnoughSpares FailoverReady=True/Ready TargetsMet=Unknown/NoFailoverYet Progressing=False/Steady" },
        { Healthy().Change("db-1", m => m.Silent(1)), "Available=True/PrimaryServing Redundant=False/TooFewSpares FailoverReady=True/Ready TargetsMet=Unknown/NoFailoverYet Progressing=False/Steady" },
        { Group(Primary()), "Available=True/PrimaryServing Redundant=False/TooFewSpares FailoverReady=False/NoCandidate TargetsMet=Unknown/NoFailoverYet Progressing=False/Steady" },
        { Group(Primary(), Standby("db-1", 1)), "Available=True/PrimaryServing Redundant=False/TooFewSpares FailoverReady=False/BeyondRpo TargetsMet=Unknown/NoFailoverYet Progressing=False/Steady" },
        { NewGroup(Standby("db-0").Silent(1)), "Available=False/NoPrimary Redundant=False/TooFewSpares FailoverReady=False/NoPrimary TargetsMet=Unknown/NoFailoverYet Progressing=True/WaitingForMembers" },
        { NewGroup(Primary("db-0"), Primary("db-1")), "Available=False/NoPrimary Redundant=False/TooFewSpares FailoverReady=False/SplitBrainSuspected TargetsMet=Unknown/NoFailoverYet Progressing=False/SplitBrainSuspected" },
        { Healthy().Change("db-0", m => m.Terminating()), "Available=False/PrimaryNotServing Redundant=True/EnoughSpares FailoverReady=True/Ready TargetsMet=Unknown/NoFailoverYet Progressing=True/FailoverRunning" },
        { Healthy().Change("db-0", m => m.Terminating()).With(Running(FailoverPhase.Fencing)), "Available=False/PrimaryNotServing Redundant=True/EnoughSpares FailoverReady=True/Ready TargetsMet=Unknown/NoFailoverYet Progressing=True/FailoverRunning" },
        { Healthy().Change("db-0", m => m.OnNode(NodeState.NotReady).Terminating()).With(Running(FailoverPhase.Fencing)), "Available=False/PrimaryNotServing Redundant=True/EnoughSpares FailoverReady=True/Ready TargetsMet=Unknown/NoFailoverYet Progressing=False/FenceUnproven" },
        { Healthy().Change("db-0", m => m.Silent(1)), "Available=Unknown/FailureSuspected Redundant=True/EnoughSpares FailoverReady=True/Ready TargetsMet=Unknown/NoFailoverYet Progressing=True/FailureSuspected" },
        { Healthy().Change("db-0", m => m.Unauthorized()), "Available=Unknown/CredentialsRejected Redundant=True/EnoughSpares FailoverReady=True/Ready TargetsMet=Unknown/NoFailoverYet Progressing=False/CredentialsRejected" },
        { Group(Standby("db-0", follows: "db-2"), Standby("db-1"), Standby("db-2")), "Available=False/PrimaryNotServing Redundant=True/EnoughSpares FailoverReady=True/Ready TargetsMet=Unknown/NoFailoverYet Progressing=True/Repairing" },
        { Group(Standby("db-0", follows: "db-1"), Primary("db-1")), "Available=Unknown/PrimaryNotServing Redundant=False/TooFewSpares FailoverReady=True/Ready TargetsMet=Unknown/NoFailoverYet Progressing=True/FailoverRunning" },
        { Group(Primary(), Primary("db-1")), "Available=True/SplitBrainSuspected Redundant=False/TooFewSpares FailoverReady=False/NoCandidate TargetsMet=Unknown/NoFailoverYet Progressing=True/Repairing" },
        { Healthy() with { Operator = new OperatorObservation(false, TimeSpan.Zero) }, "Available=Unknown/OperatorImpaired Redundant=Unknown/OperatorImpaired FailoverReady=Unknown/OperatorImpaired TargetsMet=Unknown/NoFailoverYet Progressing=True/OperatorImpaired" },
        { Healthy().With(Past(TargetVerdict.Met)), "Available=True/PrimaryServing Redundant=True/EnoughSpares FailoverReady=True/Ready TargetsMet=True/WithinTargets Progressing=False/Steady" },
        { Healthy().With(Past(TargetVerdict.RtoMissed)), "Available=True/PrimaryServing Redundant=True/EnoughSpares FailoverReady=True/Ready TargetsMet=False/RtoExceeded Progressing=False/Steady" },
        { Healthy().With(Past(TargetVerdict.NotJudged)), "Available=True/PrimaryServing Redundant=True/EnoughSpares FailoverReady=True/Ready TargetsMet=Unknown/NoFailoverYet Progressing=False/Steady" },
    };

    [Theory]
    [MemberData(nameof(Groups), DisableDiscoveryEnumeration = true)]
    public void The_conditions_tell_what_is(GroupObservation group, string expected)
    {
        // Labels are not the subject here; a group whose last term is higher is labelled so.
        var term = SlotHolder.Of(group).Term;
        var labelled = group.Change("db-0", m => m with { TermLabel = term }) with { Services = [.. group.Services.Select(s => s with { PublishedTerm = term })] };
        Assert.Equal(expected, Conditions(Of(labelled)));
    }

    public static TheoryData<string, string> Unreadable => new()
    {
        { LeaseContract.TermsAnnotation, "the operator writes again" },
        { LeaseContract.AcceptedAnnotation, "nobody can be promoted when the lease runs out; do not remove it" },
        { LeaseContract.PledgedAnnotation, "before its holder has renewed it; do not remove it" },
        { LeaseContract.ReleaseAnnotation, "remove it: kubectl annotate lease db-0 failover-operator.io/release-" },
    };

    /// <summary>Whether a failover would work is another question.</summary>
    [Theory]
    [MemberData(nameof(Unreadable))]
    public void What_of_the_lease_cannot_be_read_is_told_with_what_to_do(string annotation, string message)
    {
        var group = GivenAgents.Healthy();
        var spoilt = group with { Lease = group.Lease! with { Unreadable = [annotation] } };
        var condition = Of(spoilt).Conditions.Single(c => c.Type == ConditionTypes.FailoverReady);
        Assert.Equal((ConditionStatus.True, Reasons.LeaseUnreadable), (condition.Status, condition.Reason));
        Assert.Equal((true, Reasons.LeaseUnreadable, "db-1"), Of(spoilt).Readiness is { } r ? (r.Ready, r.Reason, r.Candidate) : default);
        Assert.StartsWith("db-1 would take over, 0 bytes behind; somebody wrote into Lease db-0 what cannot be read: " + annotation, condition.Message);
        Assert.Contains(message, condition.Message);
        Assert.EndsWith("kubectl get lease db-0 -o yaml --show-managed-fields", condition.Message);

        var nobody = Of(spoilt.Change("db-1", m => m.NotReady(9)).Change("db-2", m => m.NotReady(9))).Conditions.Single(c => c.Type == ConditionTypes.FailoverReady);
        Assert.Equal((ConditionStatus.False, Reasons.LeaseUnreadable), (nobody.Status, nobody.Reason));
        Assert.Contains("db-1 is not ready", nobody.Message);
        // Who doubts himself does not judge what he sees.
        var blind = Of(spoilt with { Operator = new OperatorObservation(false, TimeSpan.Zero) }).Conditions.Single(c => c.Type == ConditionTypes.FailoverReady);
        Assert.Equal(Reasons.OperatorImpaired, blind.Reason);
    }

    [Fact]
    public void The_summary_names_holder_candidate_and_the_last_failover()
    {
        var report = Of(Healthy().With(Past(TargetVerdict.Met)));
        Assert.Equal(("db-0", 2L, 2, "db-1"), (report.Slots[0].Holder, report.Slots[0].Term, report.SparesReady, report.Readiness!.Candidate));
        Assert.Equal(("db-0-2", 900L, 3L), (report.LastFailover!.Name, report.LastFailover.DowntimeMilliseconds, report.LastFailover.LostBytes));
    }

    [Fact]
    public void A_refused_group_says_so_in_every_condition()
    {
        var report = GroupReport.OfRefused(new(false, false, Reasons.WorkloadNotFound, "create it"));
        Assert.Equal(ConditionTypes.All, report.Conditions.Select(c => c.Type));
        Assert.All(report.Conditions.Skip(1), c => Assert.Equal(Reasons.NotAccepted, c.Reason));
        Assert.Equal("create it", report.Readiness!.Message);
    }

    public static TheoryData<Member, MemberRole, MemberHealth> Members => new()
    {
        { Primary(), MemberRole.Active, MemberHealth.Healthy },
        { Standby("db-1"), MemberRole.Standby, MemberHealth.Healthy },
        { Standby("db-1").NotReady(1), MemberRole.Standby, MemberHealth.Suspect },
        { Standby("db-1").Terminating(), MemberRole.Standby, MemberHealth.Failed },
        { Standby("db-1").Phase(PodPhase.Failed), MemberRole.Standby, MemberHealth.Failed },
        { Standby("db-1").OnNode(NodeState.NotReady), MemberRole.Standby, MemberHealth.Unknown },
        { Standby("db-1").OnNode(NodeState.Unobserved), MemberRole.Standby, MemberHealth.Healthy },
        { Standby("db-1").Unauthorized(), MemberRole.Unknown, MemberHealth.Unknown },
        { Standby("db-1").NotAsked(), MemberRole.Unknown, MemberHealth.Unknown },
        { Standby("db-1").Silent(4.9), MemberRole.Unknown, MemberHealth.Suspect },
        { Standby("db-1").Silent(5), MemberRole.Unknown, MemberHealth.Failed },
        { Standby("db-1").Refused(10), MemberRole.Unknown, MemberHealth.Failed },
        { Standby("db-1").Says(s => s with { Link = ReplicationLink.Syncing }), MemberRole.Standby, MemberHealth.Suspect },
        { Standby("db-1").Says(s => s with { Link = ReplicationLink.Down }), MemberRole.Standby, MemberHealth.Suspect },
    };

    [Theory]
    [MemberData(nameof(Members), DisableDiscoveryEnumeration = true)]
    public void Each_member_has_a_role_and_a_health(Member member, MemberRole role, MemberHealth health)
    {
        var status = MemberReport.Of(Group(member), Uid("db-0"), null)[0];
        Assert.Equal((role, health), (status.Role, status.Health));
        Assert.Equal(health == MemberHealth.Healthy, status.Message is null);
    }

    [Fact]
    public void Lag_is_told_only_where_it_can_be_known()
    {
        long? Lag(Func<Member, Member> change) => MemberReport.Of(Group(Primary(), change(Standby("db-1", 990))), Uid("db-0"), null)[1].LagBytes;
        Assert.Equal(10, Lag(m => m));
        Assert.Equal(4, Lag(m => m.Says(s => s with { ReportedLagBytes = 4 })));
        Assert.Null(Lag(m => m.Says(s => s with { History = "log-9" })));
        Assert.Null(Lag(m => m.Says(s => s with { PositionBytes = null })));
        Assert.Null(Lag(m => m.Silent(1)));
        Assert.Null(MemberReport.Of(Healthy(), Uid("db-0"), null)[0].LagBytes);
        Assert.Null(MemberReport.Of(Healthy() with { PrimaryMemory = null }, Uid("db-0"), null)[1].LagBytes);
        Assert.Equal(MemberRole.Fenced, MemberReport.Of(Healthy(), Uid("db-0"), Uid("db-0"))[0].Role);
    }

    [Theory]
    [InlineData(FailoverType.Failover, 30_000L, TargetVerdict.Met)]
    [InlineData(FailoverType.Failover, 30_001L, TargetVerdict.RtoMissed)]
    [InlineData(FailoverType.Failover, null, TargetVerdict.NotJudged)]
    [InlineData(FailoverType.Election, 1L, TargetVerdict.NotJudged)]
    public void Only_the_downtime_of_a_failover_is_judged(FailoverType type, long? downtime, TargetVerdict verdict) =>
        Assert.Equal(verdict, TargetJudge.Judge(type, new TargetsSpec(), downtime, isLossAccepted: false));

    [Fact]
    public void A_timeline_adds_up_and_never_runs_backwards()
    {
        var start = DateTimeOffset.UnixEpoch;
        PhaseEntry At(FailoverPhase phase, double seconds) => new(phase, start.AddSeconds(seconds));
        PhaseEntry[] entries = [At(FailoverPhase.Pending, 1), At(FailoverPhase.Fencing, 1.5), At(FailoverPhase.Electing, 1.2), At(FailoverPhase.Promoting, 2), At(FailoverPhase.Repointing, 3), At(FailoverPhase.Verifying, 3.25), At(FailoverPhase.Completed, 4)];
        Assert.Equal("Detect=1000 Decide=500 Fence=0 Promote=1800 Repoint=250 Verify=750", string.Join(' ', Timeline.Durations(start, entries).Select(d => $"{d.Name}={d.Milliseconds}")));
        Assert.Equal(4000, Timeline.DowntimeMilliseconds(start, entries));
        Assert.Null(Timeline.DowntimeMilliseconds(null, entries));
        Assert.Null(Timeline.DowntimeMilliseconds(start, entries[..^1]));
        Assert.Equal(TimedPhase.Decide, Timeline.Durations(null, entries)[0].Name);
    }

    [Fact]
    public void Every_reply_has_words() =>
        Assert.Equal(["not asked yet", "answers", "r", "s", "u", "f"], new EngineReply?[] { null, new EngineReply.Answered(Primary().Probe.Status!), new EngineReply.Refused("r"), new EngineReply.Silent("s"), new EngineReply.Unauthorized("u"), new EngineReply.Failed("f") }.Select(EngineReply.Describe));
}
