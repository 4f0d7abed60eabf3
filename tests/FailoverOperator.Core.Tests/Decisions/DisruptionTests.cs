using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Reporting;

namespace FailoverOperator.Core.Tests.Decisions;

/// <summary>The primary hands over before its pod goes.</summary>
public sealed class DisruptionTests
{
    private static Decision Decide(GroupObservation group) => Decider.Decide(group).Decision;

    private static FailoverSpec Plan(GroupObservation group) => Assert.IsType<Decision.Begin>(Decide(group)).Plan;

    private static Decision.Wait Waits(GroupObservation group) => Assert.IsType<Decision.Wait>(Decide(group));

    private static GroupObservation Answers(GroupObservation group, Func<DisruptionSpec, DisruptionSpec> change) =>
        group.With(s => s with { Disruption = change(s.Disruption) });

    public static TheoryData<string, GroupObservation, FailoverCause, string> Due => new()
    {
        { "an eviction", GivenAgents.Healthy().Change("db-0", m => m.ToBeEvicted(1)), FailoverCause.PodEviction, "somebody wants to evict db-0" },
        { "an eviction, without agents", Given.Healthy().Change("db-0", m => m.ToBeEvicted(1)), FailoverCause.PodEviction, "somebody wants to evict db-0" },
        { "a drain", GivenAgents.Healthy().Change("db-0", m => m.ToBeEvicted(1).Cordoned()), FailoverCause.NodeDrain, "node node-0 of db-0 is drained" },
        {
            "a taint that says so", GivenAgents.Healthy().Change("db-0", m => m with { Node = m.Node with { DrainedBy = "karpenter.sh/disrupted" } }),
            FailoverCause.NodeDrain, "node node-0 of db-0 has the taint karpenter.sh/disrupted: its pods are to go"
        },
        {
            "a cordon, where that is wanted", Answers(GivenAgents.Healthy(), d => d with { OnCordon = DisruptionAnswer.Switchover }).Change("db-0", m => m.Cordoned()),
            FailoverCause.NodeCordon, "node node-0 of db-0 is cordoned"
        },
    };

    [Theory]
    [MemberData(nameof(Due))]
    public void It_begins_with_a_switchover(string what, GroupObservation group, FailoverCause cause, string evidence)
    {
        Assert.NotEmpty(what);
        var plan = Plan(group);
        Assert.Equal((FailoverType.Switchover, cause, "db-0", "db-1", 60), (plan.Type, plan.Cause, plan.From?.Name, plan.Target, plan.DeadlineSeconds));
        Assert.Equal([evidence], plan.Evidence);
    }

    public static TheoryData<string, GroupObservation> NotDue => new()
    {
        { "all is well", GivenAgents.Healthy() },
        { "a cordon alone", GivenAgents.Healthy().Change("db-0", m => m.Cordoned()) },
        { "the wish is an old one", GivenAgents.Healthy().Change("db-0", m => m.ToBeEvicted(60)) },
        { "a standby's", GivenAgents.Healthy().Change("db-1", m => m.ToBeEvicted(1).Cordoned()) },
        { "onEviction is Ignore", Answers(GivenAgents.Healthy(), d => d with { OnEviction = DisruptionAnswer.Ignore }).Change("db-0", m => m.ToBeEvicted(1).Cordoned()) },
        { "nobody can stop the writes", Given.Healthy().CannotStop().Change("db-0", m => m.ToBeEvicted(1).Cordoned()) },
    };

    [Theory]
    [MemberData(nameof(NotDue))]
    public void Nothing_is_done(string why, GroupObservation group)
    {
        Assert.NotEmpty(why);
        Assert.IsType<Decision.Steady>(Decide(group));
    }

    public static TheoryData<GroupObservation, string, string> Waiting => new()
    {
        { ToGo() with { SuspendedUntil = new Schedule.AtOnce() }, Reasons.Suspended, "the group is suspended" },
        { ToGo().With(s => s with { Promotion = s.Promotion with { Policy = PromotionPolicy.Manual } }), Reasons.ManualOnly, "promotion.policy is Manual" },
        { ToGo().With(s => s with { Promotion = s.Promotion with { Policy = PromotionPolicy.ApprovalRequired } }), Reasons.ManualOnly, "type: Switchover" },
        { ToGo().Change("db-1", m => m.NotReady(5)).Change("db-2", m => m.NotReady(5)), Reasons.DisruptionWaits, "db-1 is not ready; db-2 is not ready" },
        { ToGo().Change("db-1", m => m.OnNodeOf("db-0").Cordoned()).Change("db-2", m => m.OnNodeOf("db-0").Cordoned()), Reasons.DisruptionWaits, "none stays where it is" },
    };

    [Theory]
    [MemberData(nameof(Waiting))]
    public void What_is_in_the_way_is_waited_for_and_told(GroupObservation group, string reason, string message)
    {
        var wait = Waits(group);
        Assert.Equal(reason, wait.Reason);
        Assert.StartsWith("node node-0 of db-0 is drained; the primary is to hand over first, and waits: ", wait.Message);
        Assert.Contains(message, wait.Message);
        var progressing = GroupReport.Of(group, new AcceptanceVerdict(true, true, Reasons.Valid, "fine"), Decider.Decide(group)).Conditions;
        Assert.Equal((ConditionStatus.True, reason), progressing.Where(c => c.Type == ConditionTypes.Progressing).Select(c => (c.Status, c.Reason)).Single());
    }

    [Fact]
    public void It_goes_to_whoever_stays_and_rather_to_a_node_that_takes_pods()
    {
        Assert.Equal("db-2", Plan(ToGo().Change("db-1", m => m.OnNodeOf("db-0").Cordoned())).Target);
        Assert.Equal("db-2", Plan(ToGo().Change("db-1", m => m.Cordoned())).Target);
        // Rather than nobody.
        Assert.Equal("db-1", Plan(ToGo().Change("db-1", m => m.Cordoned()).Change("db-2", m => m.Cordoned())).Target);
    }

    [Fact]
    public void A_failover_and_a_persons_switchover_go_to_whoever_stays_too()
    {
        var group = GivenAgents.Healthy().Change("db-1", m => m.ToBeEvicted(1));
        Assert.Equal("db-2", RequestCheck.Target(group, new FailoverSpec { Type = FailoverType.Switchover })!.Name);
        Assert.Equal("db-2", RequestCheck.Target(group, new FailoverSpec { Type = FailoverType.Failover })!.Name);
        Assert.Equal("db-1", RequestCheck.Target(group.Change("db-2", m => m.NotReady(1)), new FailoverSpec { Type = FailoverType.Switchover })!.Name);
    }

    [Fact]
    public void After_an_attempt_that_led_nowhere_the_next_one_is_put_off_for_longer_each_time()
    {
        FailoverRecord Past(long term, FailoverPhase phase, double endedSeconds) => GivenAgents.Running(phase, type: FailoverType.Switchover) is var f
            ? f with { Spec = f.Spec with { Term = term, Cause = FailoverCause.NodeDrain }, EndedFor = Given.Seconds(endedSeconds) } : null!;
        GroupObservation After(params FailoverRecord[] past) => ToGo() is var group ? group with { Failovers = [.. past, .. group.Failovers] } : null!;
        Assert.Equal(Given.Seconds(9), Waits(After(Past(-1, FailoverPhase.Aborted, 1))).For);
        Assert.Equal(Given.Seconds(19), Waits(After(Past(-2, FailoverPhase.Failed, 30), Past(-1, FailoverPhase.Aborted, 1))).For);
        Assert.Equal(Given.Seconds(599), Waits(After([.. Enumerable.Range(-20, 20).Select(t => Past(t, FailoverPhase.Aborted, 1))])).For);
        Plan(After(Past(-1, FailoverPhase.Aborted, 10)));
        Plan(After(Past(-1, FailoverPhase.Completed, 1)));
    }

    [Fact]
    public void The_place_does_not_go_back_to_who_would_have_to_leave_at_once()
    {
        GroupObservation Wanted(Func<Member, Member> change) => (GivenAgents.Healthy() with { WantedFitFor = Given.Seconds(600) }).Change("db-1", change).With(s => s with
        {
            Failback = new FailbackSpec { Policy = FailbackPolicy.Automatic },
            Promotion = s.Promotion with { Priorities = [new MemberPriority { Member = "db-1", Priority = 200 }] },
        });
        Assert.Equal(FailoverType.Failback, Plan(Wanted(m => m)).Type);
        Assert.Null(Failback.WaitsFor(Wanted(m => m.Cordoned())));
        Assert.Null(Failback.WaitsFor(Wanted(m => m.ToBeEvicted(1))));
    }

    // ---- the budget

    private static GroupObservation With(BudgetObservation budgets) => GivenAgents.Healthy() with { Budgets = budgets };

    private static BudgetFacts Own(bool isOurs = true, bool holds = true) => new("db-primary", "5", isOurs, holds);

    private static readonly BudgetObservation.Seen Nothing = new(null, [], EvictionsAreSeen: true);

    public static TheoryData<string, GroupObservation, Step?, string?> BudgetCases => new()
    {
        { "there is none", With(Nothing), new Step.KeepBudget("db-primary", null), null },
        { "it is there", With(Nothing with { Own = Own() }), null, null },
        { "somebody changed it", With(Nothing with { Own = Own(holds: false) }), new Step.KeepBudget("db-primary", "5"), null },
        { "it is somebody else's", With(Nothing with { Own = Own(isOurs: false, holds: false) }), null, "somebody else's" },
        { "another one selects the primary", With(Nothing with { Others = ["db"] }), null, "let db select the standbys only" },
        { "another one came later", With(Nothing with { Own = Own(), Others = ["db"] }), new Step.RemoveBudget("db-primary"), "let db select the standbys only" },
        { "evictions are not seen", With(Nothing with { EvictionsAreSeen = false }), null, "evictionWebhook.enabled: true" },
        { "evictions are not seen any more", With(Nothing with { EvictionsAreSeen = false, Own = Own() }), new Step.RemoveBudget("db-primary"), "onCordon: Switchover" },
        {
            "evictions are not seen, but cordons", Answers(With(Nothing with { EvictionsAreSeen = false }), d => d with { OnCordon = DisruptionAnswer.Switchover }),
            new Step.KeepBudget("db-primary", null), null
        },
        { "not wanted", Answers(With(Nothing), d => d with { OnEviction = DisruptionAnswer.Ignore }), null, null },
        { "not wanted any more", Answers(With(Nothing with { Own = Own() }), d => d with { OnEviction = DisruptionAnswer.Ignore }), new Step.RemoveBudget("db-primary"), null },
        { "the right is missing", With(new BudgetObservation.Unobserved("the right is missing")), null, "the right is missing" },
        { "nobody can stop the writes", Given.Healthy().CannotStop() with { Budgets = Nothing }, null, null },
        { "there are no agents", Given.Healthy() with { Budgets = Nothing }, new Step.KeepBudget("db-primary", null), null },
        { "nobody has looked", GivenAgents.Healthy(), null, null },
    };

    [Theory]
    [MemberData(nameof(BudgetCases))]
    public void The_budget_is_kept_where_it_is_of_use(string what, GroupObservation group, Step? step, string? complaint)
    {
        Assert.NotEmpty(what);
        Assert.Equal(step is null ? [] : [step], Budgets.Needed(group));
        Assert.Equal(step is not null, Decide(group) is Decision.Advance);
        if (complaint is null) Assert.Null(Budgets.Complaint(group));
        else Assert.Contains(complaint, Budgets.Complaint(group));
        if (complaint is null || step is not null) return;
        var report = GroupReport.Of(group, new AcceptanceVerdict(true, true, Reasons.Valid, "fine"), Decider.Decide(group));
        Assert.Contains(complaint, report.Conditions.Single(c => c.Type == ConditionTypes.Progressing).Message);
    }

    /// <summary>db-0 is the primary, its node is drained.</summary>
    private static GroupObservation ToGo() => GivenAgents.Healthy().Change("db-0", m => m.ToBeEvicted(1).Cordoned());
}
