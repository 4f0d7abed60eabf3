using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Reporting;

namespace FailoverOperator.Core.Tests.Decisions;

/// <summary>What keeps the operator from acting by itself, and how a person says that it may.</summary>
public sealed class RestraintTests
{
    private static GroupObservation Failed(PromotionPolicy policy = PromotionPolicy.Automatic) =>
        Given.Healthy().Change("db-0", m => m.Terminating()).With(s => s with { Promotion = s.Promotion with { Policy = policy } });

    private static ConditionFact Suppressed(GroupObservation group) =>
        GroupReport.Of(group, new AcceptanceVerdict(true, true, Reasons.Valid, "fine"), Decider.Decide(group)).Conditions.Single(c => c.Type == ConditionTypes.Suppressed);

    public static TheoryData<Schedule?, bool> Suspensions => new()
    {
        { null, false },
        { new Schedule.AtOnce(), true },
        { new Schedule.At(Given.Seconds(1)), true },
        { new Schedule.At(TimeSpan.Zero), false },
        { new Schedule.At(Given.Seconds(-1)), false },
        { new Schedule.Unreadable(), true },
    };

    [Theory]
    [MemberData(nameof(Suspensions))]
    public void A_suspended_group_is_left_alone_for_its_time(Schedule? until, bool held)
    {
        var group = Failed() with { SuspendedUntil = until };
        group = group.With(s => s with { Suspended = new SuspensionSpec { Until = "2026-11-27T03:00:00Z", Reason = "new disks" } });
        var decision = Decider.Decide(group).Decision;
        Assert.Equal(held, Suppressed(group).Status == ConditionStatus.True);
        if (held) Assert.Contains(": new disks", Assert.IsType<Decision.Blocked>(decision).Message);
        else Assert.IsType<Decision.Begin>(decision);
    }

    [Fact]
    public void People_see_that_a_healthy_group_is_suspended() =>
        Assert.Equal((ConditionStatus.True, Reasons.Suspended), Suppressed(Given.Healthy() with { SuspendedUntil = new Schedule.AtOnce() }) is var c ? (c.Status, c.Reason) : default);

    [Fact]
    public void With_Manual_a_person_is_told_what_to_apply()
    {
        var blocked = Assert.IsType<Decision.Blocked>(Decider.Decide(Failed(PromotionPolicy.Manual)).Decision);
        Assert.Equal(Reasons.ManualOnly, blocked.Reason);
        Assert.Contains("spec: { groupRef: { name: db }, type: Failover }", blocked.Message);
        Assert.Equal(Reasons.ManualOnly, Suppressed(Failed(PromotionPolicy.Manual)).Reason);
    }

    [Fact]
    public void With_ApprovalRequired_the_failover_is_prepared_and_waits()
    {
        var group = Failed(PromotionPolicy.ApprovalRequired);
        Assert.IsType<Decision.Begin>(Decider.Decide(group).Decision);
        var pending = Given.Running(FailoverPhase.Pending);
        var blocked = Assert.IsType<Decision.Blocked>(FailoverProcedure.Next(group.With(pending), pending));
        Assert.Equal(Reasons.ApprovalRequired, blocked.Reason);
        Assert.Contains("db-1 would take over, 0 bytes would be lost; to approve, run: kubectl annotate fo db-0-2 failover-operator.io/approved=true", blocked.Message);
        Assert.Equal(Reasons.ApprovalRequired, Suppressed(group.With(pending)).Reason);

        // Nobody could take over without a loss: that is offered, too.
        var cut = group.Change("db-1", m => m.Says(s => s with { PositionBytes = 1 })).Change("db-2", m => m.Says(s => s with { PositionBytes = 1 })).With(pending);
        var lossy = Assert.IsType<Decision.Blocked>(FailoverProcedure.Next(cut, pending));
        Assert.Equal(lossy.Message, lossy.Loss!.Message.Replace("; to approve", $"{DataLoss.Advice(cut)}; to approve", StringComparison.Ordinal));

        var approved = pending with { IsApproved = true };
        Assert.IsType<Step.Enter>(Assert.IsType<Decision.Advance>(FailoverProcedure.Next(group.With(approved), approved)).Steps[0]);
        // Who asked for it has decided.
        var requested = pending with { Spec = pending.Spec with { RequestRef = new RequestReference { Name = "mine", Uid = "uid-mine" } } };
        Assert.IsType<Decision.Advance>(FailoverProcedure.Next(group.With(requested), requested));
    }

    [Fact]
    public void A_primary_that_comes_back_before_the_word_makes_it_needless()
    {
        var pending = Given.Running(FailoverPhase.Pending);
        var group = Given.Healthy().With(s => s with { Promotion = s.Promotion with { Policy = PromotionPolicy.ApprovalRequired } }).With(pending);
        Assert.Equal(Reasons.PrimaryRecovered, Assert.IsType<Decision.Abort>(FailoverProcedure.Next(group, pending)).Reason);
    }
}
