using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;
using static FailoverOperator.Core.Tests.Leases.GivenLease;

namespace FailoverOperator.Core.Tests.Leases;

/// <summary>How a holder stays without the API server, and what that binds the others to.</summary>
public sealed class PromiseTests
{
    // ---- who asks

    [Fact]
    public void A_round_asks_every_other_member_by_its_identity_and_for_the_holders_duration()
    {
        var round = Holder().Renew(At(1), At(1.1), Longer).BeginRound(At(2))!;
        Assert.Equal(["uid-1", "uid-2"], round.Members.Select(m => m.Uid));
        Assert.Equal(new AcknowledgeRequest(Me, 5, Other, 10), round.To(round.Members[0]));
    }

    [Fact]
    public void A_pod_of_the_same_name_is_another_member()
    {
        var terms = Terms with { Members = [Member(0) with { Uid = "uid-9" }, Member(1)] };
        Assert.Equal(["uid-9", "uid-1"], Holder().Renew(At(1), At(1.1), terms).BeginRound(At(2))!.Members.Select(m => m.Uid));
    }

    [Fact]
    public void Without_tenure_or_failsafe_nobody_is_asked()
    {
        var without = Terms with { Failsafe = false };
        Assert.Null(Agent.BeginRound(At(0)));
        Assert.Null(Holder().Saw(null, At(1)).BeginRound(At(1)));
        Assert.Null(Holder().Renew(At(1), At(1.1), without).BeginRound(At(2)));
        // As long as either may hold.
        Assert.Null(Holder().Renewing(without, At(1)).BeginRound(At(2)));
        Assert.Null(Holder().Renew(At(1), At(1.1), without).Renewing(Terms, At(2)).BeginRound(At(2)));
    }

    [Fact]
    public void When_all_have_acknowledged_the_time_counts_from_the_beginning_of_the_round()
    {
        var round = Holder().BeginRound(At(2))!;
        Assert.Equal(At(2), Holder().AcknowledgedByAll(round).Tenure!.ConfirmedAt);
        Assert.Equal(Holder().Tenure, Holder().AcknowledgedByAll(round with { BegunAt = At(-1) }).Tenure);
        Assert.Equal(Holder().Tenure, Holder().AcknowledgedByAll(round with { BegunAt = At(0) }).Tenure);
        Assert.Equal(Holder(6).Tenure, Holder(6).AcknowledgedByAll(round).Tenure);
    }

    [Fact]
    public void Acknowledgements_after_the_lease_was_lost_give_nothing_back()
    {
        var round = Holder().BeginRound(At(2))!;
        Assert.Null(Holder().Saw(null, At(2.1)).AcknowledgedByAll(round).Tenure);
        Assert.Null(Holder().Demoted(ReleaseReason.SelfFenced, null, null).AcknowledgedByAll(round).Tenure);
    }

    [Fact]
    public void A_round_that_did_not_ask_all_who_may_be_promoted_does_not_count()
    {
        var round = Holder().BeginRound(At(2))!;
        Assert.Equal(At(0), Holder().Renewing(Grown, At(1)).AcknowledgedByAll(round).Tenure!.ConfirmedAt);
        Assert.Equal(At(0), Holder().Renewing(Longer, At(1)).AcknowledgedByAll(round).Tenure!.ConfirmedAt);
        Assert.Equal(At(0), Holder().Renewing(Terms with { Failsafe = false }, At(1)).AcknowledgedByAll(round).Tenure!.ConfirmedAt);
    }

    // ---- who is asked

    [Fact]
    public void A_promise_names_the_holder_and_lasts_as_long_as_was_asked_for()
    {
        Assert.Equal(new Pledge(Other, 5, At(1), At(11)), Agent.Promise(Other, 5, At(1), seconds: 10).Pledge);
        Assert.Equal(5, Agent.Promise(Other, 5, At(1)).HighestTerm);
    }

    [Fact]
    public void A_promise_lasts_no_shorter_than_what_this_member_knows_of() =>
        Assert.Equal(At(11), Agent.Saw(Claimed(Other, 5) with { Terms = Longer }, At(0)).Promise(Other, 5, At(1), seconds: 0).Pledge.Until);

    [Fact]
    public void A_later_promise_does_not_shorten_an_earlier_one() =>
        Assert.Equal(new Pledge(Third, 6, At(2), At(11)), Agent.Promise(Other, 5, At(1), seconds: 10).Promise(Third, 6, At(2)).Pledge);

    [Fact]
    public void A_promise_keeps_its_length_when_the_lease_becomes_shorter()
    {
        var lease = Claimed(Other, 5) with { Terms = Longer, Accepted = Longer };
        Assert.Equal(At(11), Agent.Saw(lease, At(0)).Promise(Other, 5, At(1), seconds: 10).Saw(Assigned(Me, 6), At(2)).PledgedUntil);
    }

    [Fact]
    public void Who_has_just_started_behaves_as_if_it_had_promised_just_before()
    {
        Assert.Equal(At(5), AgentMemory.Start(Me, At(0)).PledgedUntil);
        Assert.Equal(At(10), AgentMemory.Start(Me, At(0)).Saw(Assigned(Me, 5) with { Terms = Longer }, At(1)).PledgedUntil);
        Assert.Equal(At(10), AgentMemory.Start(Me, At(0)).Saw(Assigned(Other, 5).Renewed(Longer), At(1)).PledgedUntil);
        Assert.Equal(At(10), AgentMemory.Start(Me, At(0)).Saw(Assigned(Me, 5) with { Pledged = Longer }, At(1)).PledgedUntil);
        Assert.Equal(At(8), AgentMemory.Start(Me, At(0)).Promise(Other, 5, At(3)).PledgedUntil);
        Assert.Equal(new Pledge(null, 0, At(0), At(0)), AgentMemory.Start(Me, At(0)).Pledge);
    }

    public static TheoryData<AgentMemory, AcknowledgeRequest, string> Refusals => new()
    {
        { Agent, Request(Other, 5) with { Member = "db-0/uid-9" }, $"this is {Me}" },
        { Agent, Request(Me, 5), "this member itself" },
        { Agent.Saw(Claimed(Third, 6), At(0)), Request(Other, 5), "term 6 has been seen, 5 is over" },
        { Agent.Promise(Third, 6, At(0)), Request(Other, 5), "term 6 has been seen" },
        { Agent.Saw(Claimed(Third, 5), At(0)), Request(Other, 5), "the lease of term 5 does not name it" },
        { Agent.Saw(Revoked(5), At(0)), Request(Other, 5), "the lease of term 5 does not name it" },
        { Holder(), Request(Other, 6), "holds the lease" },
        { Holder().Saw(null, At(1)), Request(Other, 6), "held it until now" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void Some_are_refused(AgentMemory memory, AcknowledgeRequest request, string reason) =>
        Assert.Contains(reason, Assert.IsType<AcknowledgeOutcome.Refused>(memory.Acknowledge(request, At(1))).Reason, StringComparison.Ordinal);

    public static TheoryData<AgentMemory> Unaware =>
    [
        Agent,
        Agent.Saw(null, At(0)),
        Agent.Saw(Claimed(Other, 5), At(0)),
        // It has not heard of the holder's term.
        Agent.Saw(Claimed(Third, 4), At(0)),
        Agent.Saw(Assigned(Me, 4), At(0)),
        // Nobody vouches for that one.
        Agent.Saw(Claimed(Third, 4) with { Term = 9 }, At(0)),
        Holder(4).Dead(),
    ];

    [Theory]
    [MemberData(nameof(Unaware))]
    public void A_holder_that_nothing_speaks_against_is_acknowledged(AgentMemory memory) =>
        Assert.Equal(Other, memory.Promise(Other, 5, At(1)).Pledge.Holder);

    private static AcknowledgeRequest Request(string holder, long term) => new(holder, term, Me, 5);
}
