using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;
using static FailoverOperator.Core.Tests.Leases.GivenLease;

namespace FailoverOperator.Core.Tests.Leases;

public sealed class AgentProtocolTests
{
    [Fact]
    public void An_agent_that_has_read_nothing_stands_by() => Assert.IsType<AgentOrder.StandBy>(Decide(Agent));

    [Fact]
    public void Without_a_lease_an_agent_stands_by() => Assert.IsType<AgentOrder.StandBy>(Decide(Agent.Saw(null, At(0))));

    [Fact]
    public void Without_a_holder_an_agent_stands_by() => Assert.IsType<AgentOrder.StandBy>(Decide(Agent.Saw(Revoked(5), At(0))));

    [Fact]
    public void The_holder_is_followed() => Assert.Equal(new AgentOrder.Follow(Other, 5), Decide(Agent.Saw(Claimed(Other, 5), At(0))));

    [Theory]
    [InlineData(Other)]
    [InlineData(Me)]
    public void A_holder_whom_the_operator_did_not_name_is_nobodys(string forged)
    {
        var lease = Claimed(Third, 5) with { Holder = forged };
        var order = Assert.IsType<AgentOrder.StandBy>(Decide(Agent.Saw(lease, At(0))));
        Assert.Contains($"names {forged} in term 5", order.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void An_assigned_member_claims_before_it_serves()
    {
        var assigned = Agent.Saw(Assigned(Me, 5), At(0));
        Assert.Equal(new AgentOrder.Claim(5), Decide(assigned, At(0)));
        Assert.Equal(new AgentOrder.Claim(5), Decide(assigned.Renewing(Terms, At(0)), At(0)));
        Assert.Equal(new AgentOrder.Serve(5), Decide(assigned.Renew(At(0), At(0.1)), At(0.1)));
    }

    [Fact]
    public void A_holder_serves_until_its_deadline_and_is_killed_a_demotion_later()
    {
        Assert.Equal(new AgentOrder.Serve(5), Decide(Holder(), At(2.999)));
        Assert.Equal(At(4), Assert.IsType<AgentOrder.Demote>(Decide(Holder(), At(3))).KillAt);
    }

    [Fact]
    public void A_holder_whose_pod_is_stopped_hands_over_before_its_deadline()
    {
        Assert.Equal(new AgentOrder.HandOver(5, At(3)), Decide(Holder().Stopping(), At(1)));
        Assert.IsType<AgentOrder.Demote>(Decide(Holder().Stopping(), At(3)));
    }

    [Fact]
    public void Who_lost_the_lease_demotes_then_releases_then_follows()
    {
        var lost = Holder().Saw(Revoked(5), At(1));
        Assert.Equal(At(2), Assert.IsType<AgentOrder.Demote>(Decide(lost, At(1))).KillAt);
        var demoted = lost.Demoted(ReleaseReason.SelfFenced, 7, "revoked");
        Assert.Equal(new AgentOrder.Release(new ReleaseNote(Me, 5, ReleaseReason.SelfFenced, 7, "revoked")), Decide(demoted, At(1.5)));
        Assert.IsType<AgentOrder.StandBy>(Decide(demoted.Released(), At(1.5)));
        Assert.Equal(new AgentOrder.Follow(Other, 6), Decide(demoted.Released().Saw(Assigned(Other, 6), At(2)), At(2)));
    }

    [Fact]
    public void A_term_that_was_given_back_is_not_claimed_again_by_an_old_story() =>
        Assert.IsType<AgentOrder.StandBy>(Decide(Holder().Dead().Released().Saw(Claimed(Me, 5), At(1)), At(1)));

    [Fact]
    public void What_is_owed_waits_for_a_lease_to_write_it_into() =>
        Assert.IsType<AgentOrder.StandBy>(Decide(Holder().Dead().Saw(null, At(1)), At(1)));

    [Fact]
    public void A_promise_is_kept_until_it_ends()
    {
        var promised = Agent.Promise(Other, 4, At(0)).Saw(Assigned(Me, 5), At(1));
        Assert.Contains("for 0.5 s more", Assert.IsType<AgentOrder.StandBy>(Decide(promised, At(4.5))).Why, StringComparison.Ordinal);
        Assert.IsType<AgentOrder.StandBy>(Decide(promised, At(4.999)));
        Assert.Equal(new AgentOrder.Claim(5), Decide(promised, At(5)));
    }

    [Fact]
    public void A_release_of_the_last_holder_makes_promises_void()
    {
        var lease = Assigned(Me, 5) with { Release = Note(Other, 4) };
        Assert.Equal(new AgentOrder.Claim(5), Decide(Agent.Promise(Other, 4, At(0)).Saw(lease, At(1)), At(1)));
        Assert.IsType<AgentOrder.StandBy>(Decide(Agent.Promise(Other, 4, At(0)).Saw(lease with { Release = Note(Me, 5) }, At(1)), At(1)));
    }

    /// <summary>A lease that was deleted, or of a group that was made anew, begins with term 1 although somebody may write.</summary>
    [Fact]
    public void In_the_first_term_too_a_promise_is_kept() =>
        Assert.IsType<AgentOrder.StandBy>(Decide(AgentMemory.Start(Me, At(0)).Saw(Assigned(Me, 1), At(1)), At(1)));

    [Fact]
    public void Timings_by_which_two_could_write_are_not_claimed()
    {
        var lease = Assigned(Me, 5) with { Terms = Terms with { StopAfterMilliseconds = 4000 } };
        Assert.Contains("two members", Assert.IsType<AgentOrder.StandBy>(Decide(Agent.Saw(lease, At(0)))).Why, StringComparison.Ordinal);
    }

    [Fact]
    public void The_next_deadline_is_the_demotion_then_the_kill()
    {
        Assert.Equal(At(3), AgentProtocol.NextDeadline(Holder(), At(2.9)));
        Assert.Equal(At(4), AgentProtocol.NextDeadline(Holder(), At(3)));
        Assert.Equal(At(2), AgentProtocol.NextDeadline(Holder().Saw(null, At(1)), At(1)));
    }

    [Fact]
    public void The_next_deadline_of_an_assigned_member_is_the_end_of_its_promise()
    {
        var promised = Agent.Promise(Other, 4, At(0)).Saw(Assigned(Me, 5), At(1));
        Assert.Equal(At(5), AgentProtocol.NextDeadline(promised, At(4.9)));
        Assert.Null(AgentProtocol.NextDeadline(promised, At(5)));
        Assert.Null(AgentProtocol.NextDeadline(Agent.Promise(Other, 4, At(0)).Saw(Claimed(Other, 5), At(1)), At(1)));
        Assert.Null(AgentProtocol.NextDeadline(Agent, At(0)));
    }

    [Fact]
    public void A_renewal_follows_the_last_one_by_the_interval_and_a_claim_is_due_at_once()
    {
        var assigned = Agent.Saw(Assigned(Me, 5), At(0));
        Assert.Equal(TimeSpan.MinValue, AgentProtocol.NextRenewal(assigned, Terms));
        Assert.Equal(At(2), AgentProtocol.NextRenewal(assigned.Renewing(Terms, At(1)), Terms));
        Assert.Equal(At(1), AgentProtocol.NextRenewal(Holder(), Terms));
        Assert.Equal(At(1.5), AgentProtocol.NextRenewal(Holder().Renewing(Terms, At(0.5)), Terms));
        Assert.Equal(TimeSpan.MinValue, AgentProtocol.NextRenewal(Holder().Dead().Saw(Assigned(Me, 6), At(1)), Terms));
    }

    [Fact]
    public void Terms_that_were_applied_since_are_accepted_at_once()
    {
        Assert.Equal(TimeSpan.MinValue, AgentProtocol.NextRenewal(Holder(), Longer));
        // They are under way.
        Assert.Equal(At(2), AgentProtocol.NextRenewal(Holder().Renewing(Longer, At(1)), Longer));
        Assert.Equal(At(3), AgentProtocol.NextRenewal(Holder().Renew(At(1), At(1.1), Longer), Longer));
        // They are never accepted.
        Assert.Equal(At(1), AgentProtocol.NextRenewal(Holder(), Terms with { StopAfterMilliseconds = 4000 }));
        // The last renewal is not acknowledged: nothing is gained by another one at once.
        Assert.Equal(At(2.5), AgentProtocol.NextRenewal(Holder().Renewing(Terms, At(1.5)), Longer));
    }

    [Theory]
    [InlineData(4, null, false)]
    [InlineData(5, null, true)]
    [InlineData(5, 4L, true)]
    [InlineData(5, 5L, false)]
    [InlineData(6, null, false)]
    public void A_note_is_worth_writing_into_its_own_term_once(long term, long? released, bool worth)
    {
        var lease = Revoked(term) with { Release = released is { } of ? Note(Me, of) : null };
        Assert.Equal(worth, AgentProtocol.IsWorthWriting(Note(Me, 5), lease));
    }

    [Fact]
    public void A_note_replaces_its_own_holder_and_a_forged_one_but_nobody_whom_the_operator_named()
    {
        Assert.True(AgentProtocol.IsWorthWriting(Note(Me, 5), Claimed(Me, 5)));
        Assert.True(AgentProtocol.IsWorthWriting(Note(Me, 5), Claimed(Me, 5) with { Holder = Other }));
        Assert.False(AgentProtocol.IsWorthWriting(Note(Me, 5), Claimed(Other, 5)));
        Assert.False(AgentProtocol.IsWorthWriting(Note(Me, 5), null));
    }

    private static AgentOrder Decide(AgentMemory memory, TimeSpan? now = null) => AgentProtocol.Decide(memory, now ?? At(0));
}
