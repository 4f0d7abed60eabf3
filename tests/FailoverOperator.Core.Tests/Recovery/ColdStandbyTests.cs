using CsCheck;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Reporting;
using static FailoverOperator.Core.Tests.Given;

namespace FailoverOperator.Core.Tests.Recovery;

/// <summary>Cold standbys: when one is started, when it rests, and what is said of it. The scenarios tell the usual way.</summary>
public class ColdStandbyTests
{
    private static readonly ColdObservation Down = new ColdObservation.Seen(0, "1");
    private static readonly ColdObservation Up = new ColdObservation.Seen(1, "2");
    private static readonly ColdObservation Unread = new ColdObservation.Unread("no answer");
    private static readonly ColdObservation Unusable = new ColdObservation.Unusable("there is none");

    public static TheoryData<string, GroupObservation> Resting => new()
    {
        { "it is down", Cold(Down, Primary()) },
        { "it cannot be read", Cold(Unread, Primary()) },
        { "it cannot be scaled", Cold(Unusable, Primary()) },
        { "one of its pods is the primary", Cold(Up, Primary() with { IsCold = true }) },
        { "one of its pods takes writes", Cold(Up, Primary(), Primary("db-1") with { IsCold = true }) },
        { "the primary takes no writes", Cold(Up, Standby("db-0")) },
        { "the primary is silent", Cold(Up, Primary() with { Probe = new ProbeObservation { Reply = new EngineReply.Silent("no answer"), Age = Seconds(0.1) } }) },
        { "there is no primary yet", Cold(Up, Standby("db-0")) with { Failovers = [] } },
        { "it is hot", Cold(Up, Primary()).With(s => s with { Standby = StandbyTemperature.Hot }) },
    };

    [Theory]
    [MemberData(nameof(Resting))]
    public void It_is_not_scaled_down_where(string what, GroupObservation group)
    {
        Assert.NotEmpty(what);
        Assert.Null(ColdStandby.Rest(group));
    }

    [Fact]
    public void It_is_scaled_down_by_the_version_that_was_read() =>
        Assert.Equal(new Step.ScaleStandby(0, "2"), ColdStandby.Rest(Cold(Up, Primary(), Standby("db-1") with { IsCold = true })));

    [Fact]
    public void Whoever_runs_and_is_fit_is_promoted_before_it_is_started()
    {
        var group = Cold(Down, Standby("db-1")) with { WorkloadReplicas = 2 };
        Assert.IsType<Decision.Begin>(Decider.Decide(group).Decision);
        var enter = Assert.IsType<Step.Enter>(Only(group.With(Running(FailoverPhase.Electing))));
        Assert.Equal((FailoverPhase.Promoting, "db-1"), (enter.Phase, enter.Candidate!.Name));
    }

    [Fact]
    public void The_old_primary_that_is_back_does_not_wait_for_a_standby_that_starts()
    {
        var back = Standby("db-0") with { Uid = "uid-again" };
        var starting = Standby("db-9") with { IsCold = true, Pod = Standby("db-9").Pod with { Ready = false }, Probe = ProbeObservation.NotAsked, Address = null };
        var group = Cold(Up, back, starting).With(s => s with { Cold = s.Cold! with { Data = ColdData.Reported } }) with { WorkloadReplicas = 1 };
        var enter = Assert.IsType<Step.Enter>(Only(group.With(Running(FailoverPhase.Starting))));
        Assert.Equal((FailoverPhase.Promoting, "uid-again"), (enter.Phase, enter.Candidate!.Uid));
    }

    [Fact]
    public void A_deadline_of_the_start_counts_from_when_it_was_written_down()
    {
        var running = Running(FailoverPhase.Starting, phaseFor: 1) with { InPhaseFor = Seconds(20) };
        Assert.Equal(Reasons.StandbyNotStarted, Assert.IsType<Decision.Blocked>(Decider.Decide(Cold(Up).With(running)).Decision).Reason);
        Assert.Equal(Reasons.StartingStandby, Assert.IsType<Decision.Wait>(Decider.Decide(Cold(Up).With(running with { InPhaseFor = Seconds(19) })).Decision).Reason);
    }

    public static TheoryData<ColdData, ColdObservation, string, bool?> Prospects => new()
    {
        { ColdData.Shared, Down, Reasons.ColdStandby, true },
        { ColdData.Reported, Down, Reasons.ColdStandby, null },
        { ColdData.Shared, Unusable, Reasons.StandbyUnavailable, false },
        { ColdData.Shared, Unread, Reasons.StandbyUnavailable, null },
    };

    [Theory]
    [MemberData(nameof(Prospects))]
    public void What_is_known_of_it_is_said_and_no_more(ColdData data, ColdObservation cold, string reason, bool? ready)
    {
        var group = Cold(cold, Primary()).With(s => s with { Cold = s.Cold! with { Data = data } });
        var report = GroupReport.Of(group, new AcceptanceVerdict(true, true, Reasons.Valid, "fine"), Decider.Decide(group));
        var fact = report.Conditions.Single(c => c.Type == ConditionTypes.FailoverReady);
        Assert.Equal((ready switch { true => ConditionStatus.True, false => ConditionStatus.False, null => ConditionStatus.Unknown }, reason), (fact.Status, fact.Reason));
        Assert.Equal(ready == true, report.Readiness!.Ready);
    }

    [Fact]
    public void Its_start_counts_for_what_a_failover_may_take_at_worst() =>
        Assert.Contains(Feasibility.Of(Cold(Down, Primary())).Shares, s => s is { Milliseconds: 20_000, Field: "cold.startTimeoutSeconds" });

    [Fact]
    public void Only_a_member_of_the_workload_gets_the_place_back()
    {
        var group = Cold(Up, Standby("db-1"), Standby("db-8") with { IsCold = true }, Primary("db-9") with { IsCold = true }) with { Failovers = [Ended(1, "db-9")] };
        Assert.Equal("db-1", Failback.Wanted(group)?.Name);
        Assert.Equal("db-1", RequestCheck.Target(group, new FailoverSpec { Type = FailoverType.Failback })?.Name);
        Assert.Null(RequestCheck.Target(group, new FailoverSpec { Type = FailoverType.Failback, Target = "db-8" }));
        Assert.Null(Failback.Wanted(Cold(Up, Primary(), Standby("db-1"))));
    }

    /// <summary>
    /// Whatever is observed: it is scaled up in phase Starting alone, after a fence; it is scaled down while a member of the workload takes writes, or to
    /// fence itself; and nobody is promoted without a proof of the old primary's end.
    /// </summary>
    [Fact]
    public void Replicas_follow_the_fence()
    {
        var phase = Among<FailoverPhase?>(null, FailoverPhase.Pending, FailoverPhase.Fencing, FailoverPhase.Electing, FailoverPhase.Starting, FailoverPhase.Promoting);
        var cold = Among(Down, Up, Unread, Unusable);
        var state = Among("absent", "primary", "standby", "silent", "not ready", "deleted");
        Gen.Select(phase, cold, state, state, Gen.Bool, Gen.Bool, Gen.Bool).Sample((at, scale, own, other, planned, gone, shared) =>
        {
            var holder = planned ? "db-9" : "db-0";
            var members = new[] { In(own, "db-0", isCold: false), In(other, "db-9", isCold: true) }.OfType<Member>().ToArray();
            var group = Cold(scale, members).With(s => s with { Cold = s.Cold! with { Data = shared ? ColdData.Shared : ColdData.Reported } }) with
            {
                Failovers = [Ended(1, holder)],
                Departures = gone ? [Departed(true) with { Uid = Uid(holder), Name = holder }] : [],
            };
            if (at is { } present)
            {
                var running = Running(present, planned ? FailoverType.Failback : FailoverType.Failover, present == FailoverPhase.Promoting ? "db-0" : null);
                group = group.With(running with { Spec = running.Spec with { From = Reference(holder), Target = planned ? "db-0" : null, DeadlineSeconds = 60 } });
            }
            foreach (var step in Decider.Decide(group).Decision is Decision.Advance(var steps) ? steps : [])
            {
                if (step is Step.ScaleStandby { Replicas: > 0 }) Assert.Equal(FailoverPhase.Starting, at);
                if (step is Step.ScaleStandby { Replicas: 0 })
                    Assert.True((planned && at == FailoverPhase.Fencing && shared) || (at is null && own == "primary" && holder == "db-0"), $"{at} {own} {holder}");
                if (step is Step.Enter { Phase: FailoverPhase.Starting }) Assert.True(at is FailoverPhase.Electing or FailoverPhase.Starting);
                if (step is Step.Enter { Phase: FailoverPhase.Electing, Fence: not null }) Assert.True(gone || members.All(m => m.Name != holder || !m.IsWritablePrimary));
                if (step is Step.Promote) Assert.True(at == FailoverPhase.Promoting || (at is null && other != "primary") || (at is null && own != "primary"));
            }
        }, iter: 5000);
    }

    private static Gen<T> Among<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static Member? In(string state, string name, bool isCold) => (state switch
    {
        "primary" => Primary(name),
        "standby" => Standby(name),
        "silent" => Standby(name) with { Probe = new ProbeObservation { Reply = new EngineReply.Silent("no answer"), Age = Seconds(0.1), UnansweredFor = Seconds(9) } },
        "not ready" => Standby(name) is var m ? m with { Pod = m.Pod with { Ready = false, NotReadyFor = Seconds(9) } } : m,
        "deleted" => Standby(name).Terminating(),
        _ => null,
    }) is { } member ? member with { IsCold = isCold } : null;

    private static Step Only(GroupObservation group) => Assert.Single(Assert.IsType<Decision.Advance>(Decider.Decide(group).Decision).Steps);

    /// <summary>The primary, db-0, is gone where it is not among them; its kubelet has confirmed that.</summary>
    private static GroupObservation Cold(ColdObservation cold, params Member[] members)
    {
        var group = Group(members).StartsReadOnly().With(s => s with
        {
            Spares = 1,
            Standby = StandbyTemperature.Cold,
            Cold = new ColdSpec { WorkloadRef = new ScalableReference { Name = "db-cold" }, Data = ColdData.Shared, StartTimeoutSeconds = 20 },
        });
        return group with { Cold = cold, Departures = members.Any(m => m.Uid == Uid("db-0")) ? [] : [Departed(true)], WorkloadReplicas = 1 };
    }
}
