using CsCheck;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Reporting;
using static FailoverOperator.Core.Tests.Given;

namespace FailoverOperator.Core.Tests.Recovery;

/// <summary>Warm standbys: who is known to be late is waited for, and who is unknown is not.</summary>
public class CatchUpTests
{
    public static TheoryData<string, Func<Member, Member>, string?> Late => new()
    {
        { "within the objective", m => m, null },
        { "behind by its position", m => m.Says(s => s with { PositionBytes = 899 }), Reasons.BeyondRpo },
        { "behind by its own account", m => m.Says(s => s with { PositionBytes = null, ReportedLagBytes = 7 }), Reasons.BeyondRpo },
        { "not behind by its own account", m => m.Says(s => s with { PositionBytes = null, ReportedLagBytes = 0 }), null },
    };

    [Theory]
    [MemberData(nameof(Late))]
    public void Who_is_known_to_be_late_may_catch_up(string what, Func<Member, Member> change, string? refusal)
    {
        Assert.NotEmpty(what);
        var judged = Judge(Warm(), change(Standby("db-1")));
        Assert.Equal(refusal, (judged as Eligibility.Ineligible)?.Reason);
        Assert.Equal(refusal is not null, judged is Eligibility.Ineligible { MayCatchUp: true });
    }

    public static TheoryData<string, Func<Member, Member>> Unknown => new()
    {
        { "no position and no lag", m => m.Says(s => s with { PositionBytes = null }) },
        { "another log", m => m.Says(s => s with { PositionBytes = 500, History = "log-9" }) },
        { "another one's standby", m => m.Says(s => s with { PositionBytes = null, ReportedLagBytes = 5, FollowsAddress = "10.0.0.7" }) },
        { "silent", m => m with { Probe = m.Probe with { Reply = new EngineReply.Silent("no answer") } } },
        { "not heard for long", m => m.Says(s => s with { PositionBytes = 500 }) is var late ? late with { Probe = late.Probe with { Age = Seconds(60) } } : m },
        { "not ready", m => m.Says(s => s with { PositionBytes = 500 }) is var late ? late with { Pod = late.Pod with { Ready = false } } : m },
    };

    [Theory]
    [MemberData(nameof(Unknown))]
    public void Who_may_be_late_for_all_that_is_known_is_neither_promoted_nor_hoped_for(string what, Func<Member, Member> change)
    {
        Assert.NotEmpty(what);
        var group = Warm(change(Standby("db-1")), change(Standby("db-2")));
        Assert.Empty(Candidates.Of(group, Benchmark.Of(group), Seconds(5)).Ranked(group.Members));
        Assert.False(CatchUp.IsHoped(group, Benchmark.Of(group)));
        Assert.IsNotType<Decision.Begin>(Decider.Decide(group with { Departures = [Departed(true)] }).Decision);
    }

    [Fact]
    public void A_hot_standby_that_is_late_is_not_waited_for()
    {
        var group = Warm(Standby("db-1", 500)).With(s => s with { Standby = StandbyTemperature.Hot });
        Assert.False(CatchUp.IsHoped(group, Benchmark.Of(group)));
        Assert.IsType<Decision.Blocked>(Decider.Decide(group.With(Running(FailoverPhase.Electing))).Decision);
    }

    /// <summary>Nobody but the failed primary and a late standby: it is fenced, for somebody may take over.</summary>
    [Fact]
    public void A_silent_primary_is_fenced_when_a_standby_may_catch_up()
    {
        var silent = Primary() with { Probe = new ProbeObservation { Reply = new EngineReply.Silent("no answer"), Age = Seconds(0.1), UnansweredFor = Seconds(9) } };
        var group = Group(silent, Standby("db-1", 500)).With(s => s with { Standby = StandbyTemperature.Warm });
        Assert.IsType<Decision.Begin>(Decider.Decide(group).Decision);
        var steps = Assert.IsType<Decision.Advance>(Decider.Decide(group.With(Running(FailoverPhase.Fencing))).Decision).Steps;
        Assert.Equal("db-0", Assert.IsType<Step.TerminatePod>(Assert.Single(steps)).Member.Name);
    }

    [Fact]
    public void Who_is_waited_for_is_asked_again_all_the_time()
    {
        var old = Standby("db-1", 500) is var m ? m with { Probe = m.Probe with { Age = Seconds(1.1) } } : m;
        var group = Warm(old).With(Running(FailoverPhase.CatchingUp, phaseFor: 5));
        Assert.Equal("db-1", Assert.Single(Assert.IsType<Step.AskMembers>(Assert.Single(Assert.IsType<Decision.Advance>(Decider.Decide(group).Decision).Steps)).Members).Name);
    }

    [Fact]
    public void The_old_primary_that_is_back_with_its_data_is_not_kept_waiting_for_a_late_standby()
    {
        var back = Standby("db-0") with { Uid = "uid-again" };
        var group = Warm(Standby("db-1", 500)) is var g ? g with { Members = [back, .. g.Members], WorkloadReplicas = 2 } : g;
        var enter = Assert.IsType<Step.Enter>(Assert.Single(Assert.IsType<Decision.Advance>(Decider.Decide(group.With(Running(FailoverPhase.CatchingUp))).Decision).Steps));
        Assert.Equal((FailoverPhase.Promoting, "uid-again"), (enter.Phase, enter.Candidate!.Uid));
    }

    [Fact]
    public void The_wait_counts_for_what_a_failover_may_take_at_worst()
    {
        var group = Warm().With(s => s with { Warm = new WarmSpec { SyncTimeoutSeconds = 77 } });
        Assert.Contains(Feasibility.Of(group).Shares, s => s is { Milliseconds: 77_000, Field: "warm.syncTimeoutSeconds" });
        Assert.DoesNotContain(Feasibility.Of(group.With(s => s with { Standby = StandbyTemperature.Hot })).Shares, s => s.Field == "warm.syncTimeoutSeconds");
    }

    /// <summary>Invariant I4, and an end to every wait: whatever the positions are and whenever it is looked.</summary>
    [Fact]
    public void Whoever_is_promoted_is_within_the_objective_and_nobody_is_waited_for_beyond_the_limit()
    {
        var position = Gen.OneOf(Gen.Const((long?)null), Gen.Long[0, 1200].Select(p => (long?)p));
        Gen.Select(position, position, Gen.Int[0, 40], Gen.Int[0, 40], Gen.Bool).Sample((one, two, here, before, warm) =>
        {
            var group = Warm(At("db-1", one), At("db-2", two)).With(s => s with { Standby = warm ? StandbyTemperature.Warm : StandbyTemperature.Hot, Warm = new WarmSpec { SyncTimeoutSeconds = 20 } });
            var running = Running(FailoverPhase.CatchingUp, phaseFor: here) with { InPhaseFor = Seconds(before) };
            switch (Decider.Decide(group.With(running)).Decision)
            {
                case Decision.Advance([Step.Enter { Phase: FailoverPhase.Promoting, Candidate: { } chosen }]):
                    Assert.True(group.Members.Single(m => m.Uid == chosen.Uid).Probe.Status!.PositionBytes is >= 900 || !warm);
                    break;
                case Decision.Wait wait:
                    Assert.True(warm && running.InPhaseFor + wait.For <= Seconds(20.001) && group.Members.Any(m => m.Probe.Status!.PositionBytes < 900));
                    break;
                case Decision.Blocked:
                    Assert.All(group.Members, m => Assert.False(m.Probe.Status!.PositionBytes >= 900));
                    break;
                case Decision.Advance([Step.AskMembers]):
                    break;
                case var other:
                    Assert.Fail($"neither promoted nor waited: {other}");
                    break;
            }
        });
    }

    private static Member At(string name, long? position) => Standby(name).Says(s => s with { PositionBytes = position });

    private static Eligibility Judge(GroupObservation group, Member member) => Candidates.Of(group, Benchmark.Of(group), Seconds(5)).Judge(member);

    /// <summary>The primary, db-0, is gone; its kubelet has confirmed that.</summary>
    private static GroupObservation Warm(params Member[] members) =>
        Group(members).With(s => s with { Standby = StandbyTemperature.Warm }) with { Departures = [Departed(true)], WorkloadReplicas = 3 };
}
