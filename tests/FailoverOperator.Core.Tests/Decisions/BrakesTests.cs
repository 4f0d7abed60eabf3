using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Reporting;

namespace FailoverOperator.Core.Tests.Decisions;

/// <summary>Invariant I7: failovers do not follow each other too fast.</summary>
public sealed class BrakesTests
{
    private const string At = "2026-11-27T03:00:00.000000Z";

    /// <summary>A failover that ended so many seconds ago.</summary>
    private static FailoverRecord Past(
        long term, string from, string to, double secondsAgo, FailoverPhase phase = FailoverPhase.Completed, FailoverType type = FailoverType.Failover, bool isAsked = false)
    {
        var running = Given.Running(phase, type, to, phaseFor: 0, term: term);
        return running with
        {
            Spec = running.Spec with { From = Given.Reference(from), RequestRef = isAsked ? new RequestReference { Name = "mine", Uid = "uid-mine" } : null },
            Status = running.Status with { EndedAt = At },
            EndedFor = Given.Seconds(secondsAgo),
        };
    }

    /// <summary>db-0 is the primary since the last of them, and its pod is being deleted.</summary>
    private static GroupObservation FailedAfter(params FailoverRecord[] past)
    {
        var group = Given.Healthy().Change("db-0", m => m.Terminating());
        return group with { Failovers = [.. group.Failovers, .. past] };
    }

    private static GroupObservation Protect(GroupObservation group, Func<ProtectionSpec, ProtectionSpec> change) =>
        group.With(s => s with { Protection = change(s.Protection) });

    private static Decision Decide(GroupObservation group) => Decider.Decide(group).Decision;

    private static void Begins(GroupObservation group) => Assert.IsType<Decision.Begin>(Decide(group));

    private static Decision.Wait Waits(string reason, double seconds, GroupObservation group)
    {
        var wait = Assert.IsType<Decision.Wait>(Decide(group));
        Assert.Equal(reason, wait.Reason);
        Assert.Equal(Given.Seconds(seconds), wait.For);
        return wait;
    }

    [Fact]
    public void A_first_failover_is_not_kept_back() => Begins(FailedAfter());

    [Fact]
    public void The_next_one_waits_for_the_cooldown()
    {
        var wait = Waits(Reasons.CoolingDown, 50, FailedAfter(Past(2, "db-1", "db-0", secondsAgo: 10)));
        Assert.Contains("after db-0-2", wait.Message);
        Assert.Contains("until 2026-11-27T03:01:00Z", wait.Message);
        Assert.Contains("spec: { groupRef: { name: db }, type: Failover }", wait.Message);
        Begins(Protect(FailedAfter(Past(2, "db-3", "db-0", secondsAgo: 60)), p => p));
        Begins(Protect(FailedAfter(Past(2, "db-1", "db-0", secondsAgo: 10)), p => p with { CooldownSeconds = 0, ReturnAfterSeconds = 0 }));
    }

    [Theory]
    [InlineData(1, 60)]
    [InlineData(2, 120)]
    [InlineData(3, 240)]
    [InlineData(4, 480)]
    [InlineData(5, 900)]
    [InlineData(60, 900)]
    public void It_doubles_with_each_failover_of_the_hour(int count, int pauseSeconds)
    {
        var past = Enumerable.Range(0, count).Select(i => Past(2 + i, "db-3", "db-0", secondsAgo: 3 + count - i)).ToArray();
        Waits(Reasons.CoolingDown, pauseSeconds - 4, Protect(FailedAfter(past), p => p with { MaxFailoversPerHour = 1000 }));
        var old = past.Select(f => f with { EndedFor = f.EndedFor + TimeSpan.FromHours(1) }).ToArray();
        Begins(Protect(FailedAfter(old), p => p with { MaxFailoversPerHour = 1000 }));
    }

    public static TheoryData<string, FailoverRecord> NotCounted => new()
    {
        { "a switchover", Past(2, "db-3", "db-0", 1, type: FailoverType.Switchover) },
        { "an election", Past(2, "db-3", "db-0", 1, type: FailoverType.Election) },
        { "a failover that was given up", Past(2, "db-3", "db-0", 1, FailoverPhase.Aborted) },
        { "a person's failover", Past(2, "db-3", "db-0", 1, isAsked: true) },
        { "somebody else's object", Past(2, "db-3", "db-0", 1) with { IsOwn = false } },
        { "the return of the failed one to its place", Past(2, "db-0", "db-0", 1) },
    };

    [Theory]
    [MemberData(nameof(NotCounted))]
    public void Other_changes_are_not_counted(string what, FailoverRecord past)
    {
        Assert.NotEmpty(what);
        Begins(Protect(FailedAfter(past), p => p with { MaxFailoversPerHour = 1 }));
    }

    [Fact]
    public void A_failover_that_failed_is_followed_by_the_next_at_once_but_uses_the_budget()
    {
        var failed = FailedAfter(Past(2, "db-1", "db-0", 1, FailoverPhase.Failed));
        Begins(failed);
        Assert.Equal(Reasons.BudgetExhausted, Assert.IsType<Decision.Blocked>(Decide(Protect(failed, p => p with { MaxFailoversPerHour = 1 }))).Reason);
    }

    [Fact]
    public void An_exhausted_budget_waits_for_a_persons_word()
    {
        var group = FailedAfter([.. Enumerable.Range(2, 4).Select(term => Past(term, "db-3", "db-0", secondsAgo: 3500 - (term * 100)))]);
        group = Protect(group, p => p with { CooldownSeconds = 0 });
        var blocked = Assert.IsType<Decision.Blocked>(Decide(group));
        Assert.Equal(Reasons.BudgetExhausted, blocked.Reason);
        Assert.Contains("there were 4 failovers within an hour", blocked.Message);
        Assert.EndsWith("kubectl annotate --overwrite rg db failover-operator.io/acknowledged=db-0-5", blocked.Message);

        Begins(group with { Acknowledged = "db-0-5" });
        Begins(group with { Acknowledged = "db-0-2" });
        Assert.IsType<Decision.Blocked>(Decide(group with { Acknowledged = "db-0-1" }));
        var wrong = Assert.IsType<Decision.Blocked>(Decide(group with { Acknowledged = "yes" }));
        Assert.Contains("its value now is yes, which is not the name of a failover of this group", wrong.Message);
        // One that is yet to come is a slip of the pen: it must not switch the budget off.
        var beyond = Assert.IsType<Decision.Blocked>(Decide(group with { Acknowledged = "db-0-6" }));
        Assert.Contains("its value now is db-0-6, which is not the name of a failover of this group", beyond.Message);
        Begins(Protect(group, p => p with { MaxFailoversPerHour = 5 }));
    }

    [Fact]
    public void Nobody_gets_the_place_back_that_failed_a_moment_ago()
    {
        // db-1 failed 100 s ago, then db-0: db-2 is there.
        var past = Past(2, "db-1", "db-0", secondsAgo: 100);
        var group = FailedAfter(past);
        Begins(group);
        Assert.Equal("db-2", Candidates.Of(group, Benchmark.Of(group), Given.Seconds(2)).Ranked(group.Members)[0].Name);

        var pair = Given.Group(Given.Primary().Terminating(), Given.Standby("db-1"));
        pair = pair with { Failovers = [.. pair.Failovers, past] };
        var wait = Waits(Reasons.RecentlyFailed, 20, pair);
        Assert.Contains("only db-1 could take over, which failed itself before db-0-2: not until 2026-11-27T03:02:00Z", wait.Message);
        Begins(pair with { Failovers = [.. pair.Failovers.SkipLast(1), past with { EndedFor = Given.Seconds(120) }] });
    }

    [Fact]
    public void What_has_begun_goes_on()
    {
        var running = Given.Running(FailoverPhase.Pending, term: 3);
        var group = FailedAfter(Past(2, "db-1", "db-0", secondsAgo: 1)).With(running);
        Assert.IsType<Step.Enter>(Assert.IsType<Decision.Advance>(Decide(group)).Steps[0]);
    }

    [Fact]
    public void The_failed_primary_comes_back_to_its_own_place_at_any_time()
    {
        var standingBy = Given.Standby("db-0") with { RoleLabel = RoleLabels.Active };
        var group = Given.Group(standingBy, Given.Standby("db-1"), Given.Standby("db-2"));
        group = group with { Failovers = [.. group.Failovers, Past(2, "db-1", "db-0", secondsAgo: 1)] };
        var failed = SlotHolder.Of(group).Holder! with { Uid = "uid-of-the-pod-before" };
        group = group with { Failovers = [.. group.Failovers.SkipLast(1), Past(2, "db-1", "db-0", 1) is var last ? last with { Status = last.Status with { Candidate = failed } } : last] };
        // Another pod of its name: only when the end of the one before is proven.
        Assert.Equal(Reasons.CoolingDown, Assert.IsType<Decision.Wait>(Decide(group)).Reason);
        var begin = Assert.IsType<Decision.Begin>(Decide(group with { Departures = [Given.Departed(true) with { Uid = failed.Uid, Name = "db-0" }] }));
        Assert.Equal(FailoverType.Election, begin.Plan.Type);
    }

    [Fact]
    public void With_agents_the_failed_primary_gets_the_lease_back_at_any_time()
    {
        var group = GivenAgents.Group(GivenAgents.Standby("db-0"), GivenAgents.Standby("db-1"), GivenAgents.Standby("db-2")).Released();
        Assert.Null(Assert.IsType<Decision.Begin>(Decide(group)).Plan.Target);
        group = group with { Failovers = [Past(1, "db-1", "db-0", secondsAgo: 1)] };
        var begin = Assert.IsType<Decision.Begin>(Decide(group));
        Assert.Equal((FailoverType.Failover, "db-0"), (begin.Plan.Type, begin.Plan.Target));
        Assert.Contains("db-0 is back", begin.Plan.Evidence);
        Assert.Equal(Reasons.CoolingDown, Assert.IsType<Decision.Wait>(Decide(group.Change("db-0", m => m.Terminating()))).Reason);
    }

    [Fact]
    public void Records_that_a_brake_goes_by_are_kept()
    {
        FailoverRecord[] past = [Past(2, "db-3", "db-0", 4000), Past(3, "db-3", "db-0", 3500), Past(4, "db-3", "db-0", 3400), Given.Ended(5, "db-0"), Given.Ended(6, "db-0")];
        Assert.Equal(["db-0-2", "db-0-5"], FailoverHistory.Surplus(past, limit: 1).Select(f => f.Name));
    }

    [Fact]
    public void A_clock_that_was_set_back_holds_nobody_for_ever()
    {
        var past = Past(2, "db-3", "db-0", secondsAgo: -86400);
        Waits(Reasons.CoolingDown, 50, FailedAfter(past with { PhaseFor = Given.Seconds(10) }));
        Begins(FailedAfter(past with { PhaseFor = Given.Seconds(61) }));
    }

    [Fact]
    public void People_see_it_in_the_condition()
    {
        var group = FailedAfter(Past(2, "db-3", "db-0", secondsAgo: 10));
        var verdict = Decider.Decide(group);
        var condition = GroupReport.Of(group, new AcceptanceVerdict(true, true, Reasons.Valid, "fine"), verdict).Conditions.Single(c => c.Type == ConditionTypes.Suppressed);
        Assert.Equal((ConditionStatus.True, Reasons.CoolingDown), (condition.Status, condition.Reason));
        Assert.Equal((Reasons.CoolingDown, Given.Seconds(50)), Restraint.Keeping(verdict.Decision) is { } kept ? (kept.Reason, kept.LiftedIn) : default);
        Assert.Null(Restraint.Keeping(Decide(Given.Healthy())));
    }
}
