using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using static FailoverOperator.Core.Tests.Given;

namespace FailoverOperator.Core.Tests.Decisions;

/// <summary>Mode NPlusM: the holder of slot 0 comes back with an empty volume, and the slot sees nobody else with data.</summary>
public sealed class EmptyHolderTests
{
    [Theory]
    [InlineData(900L)]
    [InlineData(1L)]
    [InlineData(null)]   // an operator that was started anew does not know
    public void What_the_slot_served_is_not_given_up_without_a_person(long? required)
    {
        var blocked = Assert.IsType<Decision.Blocked>(Decider.Decide(Emptied(required)).Decision);
        Assert.Equal(Reasons.BeyondRpo, blocked.Reason);
        Assert.Contains("db-0 is back without the data of slot 0", blocked.Message);
        Assert.Contains("kubectl delete failovers -l failover-operator.io/group=db,failover-operator.io/slot=0", blocked.Message);
    }

    [Fact]
    public void Nor_when_a_failover_is_running_already()
    {
        var group = Emptied(900).With(Running(FailoverPhase.Electing) with { Status = new FailoverStatus { Phase = FailoverPhase.Electing } });
        var nobody = Assert.IsType<Choice.Nobody>(Elections.Choose(group, group.Failovers[^1], Seconds(1)));
        Assert.Equal(Reasons.BeyondRpo, nobody.Reason);
        Assert.Contains("give them up", nobody.Message);
    }

    [Fact]
    public void What_was_written_within_the_recovery_point_objective_may_be_lost() =>
        Assert.IsType<Decision.Begin>(Decider.Decide(Emptied(required: 0)).Decision);

    [Fact]
    public void A_slot_that_never_served_has_nothing_to_lose()
    {
        var lost = Ended(1, "db-0") with { Status = Ended(1, "db-0").Status with { Phase = FailoverPhase.Failed, Reason = Reasons.CandidateLost } };
        Assert.IsType<Decision.Begin>(Decider.Decide(Emptied(null) with { Failovers = [lost] }).Decision);
    }

    /// <summary>That is what the message tells people to do.</summary>
    [Fact]
    public void Without_its_Failovers_the_slot_begins_anew() =>
        Assert.Equal(FailoverType.Election, Assert.IsType<Decision.Begin>(Decider.Decide(Emptied(900) with { Failovers = [] }).Decision).Plan.Type);

    /// <summary>Who sees everybody knows that nobody has anything: waiting would bring nothing back.</summary>
    [Fact]
    public void The_only_slot_of_a_group_goes_on() =>
        Assert.IsType<Decision.Begin>(Decider.Decide(Emptied(900).With(s => s with { Mode = RedundancyMode.ActivePassive })).Decision);

    /// <summary>The same pod, and an engine that does not tell one run from another.</summary>
    [Theory]
    [InlineData(true, true, false)]    // a standby has the data: it is promoted
    [InlineData(true, null, false)]    // nobody knows whether it has
    [InlineData(true, false, true)]    // nobody has any
    [InlineData(false, true, true)]    // a standby by somebody's hand
    [InlineData(null, true, true)]
    public void A_primary_that_has_become_an_empty_standby_is_not_promoted_over_the_data_of_others(bool? isEmpty, bool? othersAre, bool again)
    {
        var demoted = Primary().Says(s => s with { Role = EngineRole.Standby, Writable = false, IsEmpty = isEmpty, PositionBytes = isEmpty == true ? 0 : 1000 });
        var group = Group(demoted, Standby("db-1").Says(s => s with { IsEmpty = othersAre is { } has ? !has : null, Link = ReplicationLink.Down, FollowsAddress = null }));
        var decision = Decider.Decide(group).Decision;
        Assert.Equal(again, decision is Decision.Advance([Step.Promote { Member.Name: "db-0" }]));
        if (othersAre == true && !again) Assert.Equal(FailoverType.Failover, Assert.IsType<Decision.Begin>(decision).Plan.Type);
    }

    private static GroupObservation Emptied(long? required)
    {
        var back = Standby("db-0").Says(s => s with { IsEmpty = true, PositionBytes = 0, Link = ReplicationLink.Down, FollowsAddress = null }).Recreated() with { SlotLabel = "0" };
        var group = Group(back).With(s => s with { Mode = RedundancyMode.NPlusM, Active = 2, Spares = 1 });
        return group with { PrimaryMemory = group.PrimaryMemory! with { PositionBytes = required is null ? null : 1000, RequiredPositionBytes = required } };
    }
}
