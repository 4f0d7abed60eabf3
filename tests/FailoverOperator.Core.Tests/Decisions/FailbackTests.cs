using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Reporting;

namespace FailoverOperator.Core.Tests.Decisions;

/// <summary>The place goes back to whom it is wanted at, once that one has been fit for 600 s.</summary>
public sealed class FailbackTests
{
    private static MemberPriority Priority(string member, int priority) => new() { Member = member, Priority = priority };

    /// <summary>db-0 is the primary; db-1 is wanted more, and has been fit for so long.</summary>
    private static GroupObservation Group(double fitSeconds = 600, FailbackPolicy policy = FailbackPolicy.Automatic) =>
        (GivenAgents.Healthy() with { WantedFitFor = Given.Seconds(fitSeconds) }).With(s => s with
        {
            Failback = new FailbackSpec { Policy = policy },
            Promotion = s.Promotion with { Priorities = [Priority("db-1", 200), Priority("db-2", 150)] },
        });

    private static Decision Decide(GroupObservation group) => Decider.Decide(group).Decision;

    private static FailoverRecord Past(long term, FailoverPhase phase, double endedSeconds, string target = "db-1") =>
        Given.Running(phase, FailoverType.Failback, "db-0", phaseFor: 0, term: term) is var f
            ? f with { Spec = f.Spec with { Target = target }, EndedFor = Given.Seconds(endedSeconds) } : null!;

    [Fact]
    public void It_begins_when_the_wanted_one_has_been_fit_for_long_enough()
    {
        var plan = Assert.IsType<Decision.Begin>(Decide(Group())).Plan;
        Assert.Equal((FailoverType.Failback, FailoverCause.Failback, "db-1", "db-0", 60), (plan.Type, plan.Cause, plan.Target, plan.From?.Name, plan.DeadlineSeconds));
        Assert.Equal(["db-1 has been fit for 600 s, and is wanted more than db-0"], plan.Evidence);
        Assert.Equal(Given.Seconds(1), Failback.WaitsFor(Group(599)));
        Assert.Equal(Given.Seconds(1), Assert.IsType<Decision.Steady>(Decide(Group(599))).For);
    }

    public static TheoryData<string, GroupObservation> NotDue => new()
    {
        { "policy Never", Group(policy: FailbackPolicy.Never) },
        { "not fit", Group() with { WantedFitFor = null } },
        { "not ready", Group().Change("db-1", m => m.NotReady(1)) },
        { "copying the data", Group().Change("db-1", m => m.Says(s => s with { Link = ReplicationLink.Syncing })) },
        { "its link is down", Group().Change("db-1", m => m.Says(s => s with { Link = ReplicationLink.Down })) },
        { "it is gone, and the next best is not asked", Group().Without("db-1") with { WantedFitFor = null } },
        { "suspended", Group() with { SuspendedUntil = new Schedule.AtOnce() } },
        { "promotion.policy Manual", Group().With(s => s with { Promotion = s.Promotion with { Policy = PromotionPolicy.Manual } }) },
        { "promotion.policy ApprovalRequired", Group().With(s => s with { Promotion = s.Promotion with { Policy = PromotionPolicy.ApprovalRequired } }) },
        { "nobody is wanted more", Group().With(s => s with { Promotion = s.Promotion with { Priorities = [Priority("db-0", 200), Priority("db-1", 200)] } }) },
        { "the primary is suspected", Group().Change("db-0", m => m.Silent(1)) },
        { "something is to be mended first", Group().Change("db-2", m => m with { RoleLabel = null }) },
    };

    [Theory]
    [MemberData(nameof(NotDue))]
    public void It_does_not_begin(string why, GroupObservation group)
    {
        Assert.NotEmpty(why);
        Assert.False(Decide(group) is Decision.Begin { Plan.Type: FailoverType.Failback }, why);
    }

    [Fact]
    public void After_each_one_of_the_last_day_it_is_waited_for_longer()
    {
        var group = Group();
        GroupObservation After(params FailoverRecord[] past) => group with { Failovers = [.. past, .. group.Failovers] };
        Assert.Equal(Given.Seconds(1200 - 100), Failback.WaitsFor(After(Past(-1, FailoverPhase.Aborted, 100))));
        Assert.Equal(Given.Seconds(1200 - 100), Failback.WaitsFor(After(Past(-1, FailoverPhase.Completed, 100))));
        Assert.Equal(TimeSpan.Zero, Failback.WaitsFor(After(Past(-1, FailoverPhase.Aborted, 1200))));
        Assert.Equal(Given.Seconds(2400 - 100), Failback.WaitsFor(After(Past(-2, FailoverPhase.Failed, 5000), Past(-1, FailoverPhase.Completed, 100))));
        Assert.Equal(Failback.LongestPause - Given.Seconds(100), Failback.WaitsFor(After([.. Enumerable.Range(-30, 30).Select(term => Past(term, FailoverPhase.Aborted, 100))])));
        // Not those of another member, nor of yesterday.
        Assert.Equal(TimeSpan.Zero, Failback.WaitsFor(After(Past(-1, FailoverPhase.Aborted, 100, target: "db-2"))));
        Assert.Equal(TimeSpan.Zero, Failback.WaitsFor(After(Past(-1, FailoverPhase.Aborted, 86400))));
    }

    [Fact]
    public void Who_failed_a_moment_ago_does_not_get_the_place_back_by_this_way_either()
    {
        var group = Group().With(s => s with { Protection = s.Protection with { ReturnAfterSeconds = 1000 } });
        var failover = Given.Running(FailoverPhase.Completed, candidate: "db-0", phaseFor: 0, term: 0);
        failover = failover with { Spec = failover.Spec with { From = Given.Reference("db-1") }, EndedFor = Given.Seconds(700) };
        Assert.Equal(Given.Seconds(300), Failback.WaitsFor(group with { Failovers = [failover, .. group.Failovers] }));
    }

    [Fact]
    public void It_goes_the_way_of_a_switchover()
    {
        var running = GivenAgents.Running(FailoverPhase.Fencing, 0.5, null, null, FailoverType.Failback) is var f
            ? f with { Spec = f.Spec with { Target = "db-1", DeadlineSeconds = 60 } } : null!;
        var group = Group().With(running);
        Assert.IsType<Step.AskHandOver>(Assert.IsType<Decision.Advance>(Decide(group)).Steps[0]);
        Assert.True(running.IsPlanned);
        Assert.True(running.ReplacesPrimary);
    }

    [Fact]
    public void People_see_who_is_waited_for()
    {
        var group = Group(10);
        var report = GroupReport.Of(group, new AcceptanceVerdict(true, true, Reasons.Valid, "fine"), Decider.Decide(group));
        Assert.Equal("db-0 is active; db-1, which is wanted more, takes over when it has been fit for 600 s",
            report.Conditions.Single(c => c.Type == ConditionTypes.Progressing).Message);
    }

    [Fact]
    public void People_can_ask_for_it()
    {
        var request = Given.Running(FailoverPhase.Pending, FailoverType.Failback) is var f
            ? f with { Name = "back", Uid = "uid-back", IsOwn = false, Spec = new FailoverSpec { Type = FailoverType.Failback, Target = "db-1" } } : null!;
        var plan = Assert.IsType<Decision.Begin>(Decide(Group(policy: FailbackPolicy.Never).With(request))).Plan;
        Assert.Equal((FailoverType.Failback, "db-1", "back"), (plan.Type, plan.Target, plan.RequestRef?.Name));
    }
}
