using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;
using static FailoverOperator.Core.Tests.Leases.GivenLease;

namespace FailoverOperator.Core.Tests.Leases;

/// <summary>What the holder's agent learns from the lease and from its own renewals.</summary>
public sealed class AgentMemoryTests
{
    // ---- what is read

    [Fact]
    public void An_older_term_than_the_highest_is_an_old_story()
    {
        var memory = Agent.Saw(Claimed(Other, 5), At(0));
        Assert.Same(memory, memory.Saw(Claimed(Me, 4), At(1)));
        Assert.Equal(5, memory.HighestTerm);
        Assert.Equal(5, memory.Saw(null, At(1)).HighestTerm);
        Assert.Equal(5, memory.Saw(Claimed(Third, 5), At(1)).HighestTerm);
    }

    [Fact]
    public void A_term_that_nobody_vouches_for_makes_no_other_look_old()
    {
        var memory = Agent.Saw(Claimed(Other, 5), At(0));
        Assert.Equal(5, memory.Saw(Claimed(Other, 5) with { Term = 9 }, At(1)).HighestTerm);
        Assert.Equal(5, memory.Saw(Revoked(9), At(1)).HighestTerm);
        Assert.Equal(9, memory.Saw(Revoked(9) with { Release = Note(Other, 9) }, At(1)).HighestTerm);
        Assert.Equal(6, memory.Saw(Revoked(9), At(1)).Saw(Assigned(Other, 6), At(2)).HighestTerm);
    }

    public static TheoryData<string, LeaseRecord?> Foreign => new()
    {
        { "deleted", null },
        { "revoked", Revoked(5) },
        { "assigned to another one", Claimed(Other, 6) },
        { "assigned anew", Claimed(Me, 6) },
        { "forged", Claimed(Me, 5) with { Holder = Other } },
        { "assignment removed", Claimed(Me, 5) with { Assignment = null } },
    };

    [Theory]
    [MemberData(nameof(Foreign))]
    public void Whatever_does_not_name_the_holder_in_its_term_ends_its_time_at_once(string what, LeaseRecord? lease)
    {
        var memory = Holder().Saw(lease, At(1));
        Assert.True(memory.Tenure is null, what);
        Assert.Equal(new LostTenure(5, At(2)), memory.Lost);
        Assert.Equal(lease, memory.Lease);
    }

    [Fact]
    public void The_demotion_of_who_lost_the_lease_ends_no_later_than_it_would_have_anyway() =>
        Assert.Equal(new LostTenure(5, At(4)), Holder().Saw(null, At(3.5)).Lost);

    [Fact]
    public void Its_own_lease_tells_the_holder_nothing_new_and_never_prolongs_its_time() =>
        Assert.Equal(Holder().Tenure, Holder().Saw(Claimed(Me, 5), At(2)).Tenure);

    // ---- how long ago it was the only one to write

    [Fact]
    public void A_holder_whose_server_was_a_primary_remembers_until_when_it_surely_was_the_only_one()
    {
        var serving = Holder().Served(5);
        Assert.Null(serving.ServedUntil);
        Assert.Equal(serving.Tenure!.ConfirmedAt, serving.Saw(null, At(1)).ServedUntil);
        Assert.Equal(serving.Tenure!.ConfirmedAt, serving.Demoted(ReleaseReason.SelfFenced, null, null).ServedUntil);
        // What is known already is not forgotten by the demotion.
        Assert.Equal(serving.Tenure!.ConfirmedAt, serving.Saw(null, At(1)).Demoted(ReleaseReason.SelfFenced, null, null).ServedUntil);
    }

    /// <summary>Its data may be older than those of the primary before it.</summary>
    [Fact]
    public void Who_held_the_lease_and_never_was_a_primary_says_nothing()
    {
        Assert.Null(Holder().Saw(null, At(1)).ServedUntil);
        Assert.Null(Holder().Served(4).Demoted(ReleaseReason.PromotionFailed, null, null).ServedUntil);
        Assert.Null((Holder() with { ServedTerm = 4 }).Saw(null, At(1)).ServedUntil);
    }

    // ---- renewals

    [Fact]
    public void The_time_counts_from_the_sending_whenever_the_answer_comes()
    {
        var memory = Holder().Renew(At(1), At(2.9));
        Assert.Equal((At(1), At(4), At(5)), (memory.Tenure!.ConfirmedAt, memory.Tenure.StopAt, memory.Tenure.KillAt));
    }

    [Fact]
    public void A_late_answer_saves_who_is_still_demoting_but_not_who_has_demoted()
    {
        var sending = Holder().Renewing(Terms, At(2.9));
        var renewed = sending.Lease!.Renewed(Terms);
        Assert.Equal(At(5.9), sending.Renewed(sending.Sent!, renewed, At(3.5)).Tenure!.StopAt);
        var demoted = sending.Demoted(ReleaseReason.SelfFenced, null, null);
        Assert.Null(demoted.Renewed(sending.Sent!, renewed, At(3.5)).Tenure);
        Assert.NotNull(demoted.Renewed(sending.Sent!, renewed, At(3.5)).Owed);
        Assert.Null(demoted.Released().Renewed(sending.Sent!, renewed, At(3.5)).Tenure);
    }

    [Fact]
    public void A_late_answer_does_not_bring_back_what_was_revoked_meanwhile()
    {
        var sending = Holder().Renewing(Terms, At(1));
        var memory = sending.Saw(Revoked(5), At(1.1)).Renewed(sending.Sent!, Claimed(Me, 5), At(1.2));
        Assert.Null(memory.Tenure);
        Assert.Equal(new LostTenure(5, At(2.1)), memory.Lost);
    }

    [Fact]
    public void A_claim_that_is_answered_when_its_time_is_over_is_sent_again()
    {
        var sending = Agent.Saw(Assigned(Me, 5), At(0)).Renewing(Terms, At(0));
        Assert.NotNull(sending.Renewed(sending.Sent!, Claimed(Me, 5), At(2.999)).Tenure);
        var late = sending.Renewed(sending.Sent!, Claimed(Me, 5), At(3));
        Assert.Null(late.Tenure);
        Assert.Null(late.Owed);
        Assert.Equal(new AgentOrder.Claim(5), AgentProtocol.Decide(late, At(3)));
    }

    [Fact]
    public void Only_the_answer_to_the_last_renewal_counts()
    {
        var first = Agent.Saw(Assigned(Me, 5), At(0)).Renewing(Terms, At(0));
        var second = first.Renewing(Terms, At(1));
        Assert.Null(second.Renewed(first.Sent!, Claimed(Me, 5), At(1.1)).Tenure);
        Assert.Equal(At(1), second.Renewed(second.Sent!, Claimed(Me, 5), At(1.1)).Tenure!.ConfirmedAt);
    }

    public static TheoryData<LeaseRecord> NotMine =>
        [Claimed(Other, 5), Claimed(Me, 6), Claimed(Me, 4), Revoked(5), Claimed(Me, 5) with { Assignment = null }];

    [Theory]
    [MemberData(nameof(NotMine))]
    public void An_answer_that_does_not_name_this_member_in_this_term_gives_nothing(LeaseRecord lease)
    {
        var sending = Agent.Saw(Assigned(Me, 5), At(0)).Renewing(Terms, At(0));
        Assert.Null(sending.Renewed(sending.Sent!, lease, At(0.1)).Tenure);
    }

    [Fact]
    public void An_answer_of_an_older_term_than_has_been_promised_to_gives_nothing()
    {
        var sending = Agent.Saw(Assigned(Me, 5), At(0)).Renewing(Terms, At(0)).Promise(Other, 6, At(0.1));
        Assert.Null(sending.Renewed(sending.Sent!, Claimed(Me, 5), At(0.2)).Tenure);
    }

    [Fact]
    public void A_renewal_never_moves_the_deadline_back()
    {
        var asked = Holder().BeginRound(At(2))!;
        var sending = Holder().Renewing(Terms, At(1));
        Assert.Equal(At(2), sending.AcknowledgedByAll(asked).Renewed(sending.Sent!, Claimed(Me, 5), At(2.2)).Tenure!.ConfirmedAt);
    }

    public static TheoryData<AgentMemory> NoHolder => [Agent, Agent.Saw(Claimed(Other, 5), At(0)), Agent.Saw(Revoked(5), At(0)), Holder().Dead()];

    [Theory]
    [MemberData(nameof(NoHolder))]
    public void Who_is_not_the_holder_sends_no_renewal(AgentMemory memory) => Assert.Equal(memory.Sent, memory.Renewing(Longer, At(1)).Sent);

    // ---- terms

    [Fact]
    public void A_claim_accepts_the_terms_of_the_lease() =>
        Assert.Equal(Terms, Agent.Saw(Assigned(Me, 5), At(0)).Renewing(Longer, At(0)).Sent!.Accepted);

    /// <summary>The renewal may be carried out although its answer is lost: then the operator goes by the new terms, else by the old.</summary>
    [Fact]
    public void From_the_sending_on_the_holder_keeps_both_the_old_terms_and_the_new()
    {
        var longer = Holder().Renewing(Longer, At(1));
        Assert.Equal((Longer, Terms), (longer.Sent!.Accepted, longer.Tenure!.Terms));
        Assert.Equal((At(3), At(4)), (longer.Tenure.StopAt, longer.Tenure.KillAt));

        var shorter = Holder().Renew(At(1), At(1), Longer).Renewing(Terms, At(2));
        Assert.Equal((At(4), At(5)), (shorter.Tenure!.StopAt, shorter.Tenure.KillAt));
    }

    [Fact]
    public void Once_acknowledged_the_new_terms_hold_alone()
    {
        var longer = Holder().Renew(At(1), At(1.1), Longer);
        Assert.Equal((Longer, null), (longer.Tenure!.Terms, longer.Tenure.Offered));
        Assert.Equal((At(8), At(10)), (longer.Tenure.StopAt, longer.Tenure.KillAt));
    }

    [Fact]
    public void What_was_offered_before_is_kept_until_an_answer_comes()
    {
        var memory = Holder().Renewing(Grown, At(0.5)).Renewing(Terms, At(1));
        Assert.Equal(Terms, memory.Sent!.Accepted);
        Assert.Contains(memory.BeginRound(At(1))!.Members, m => m.Uid == "uid-3");
        Assert.DoesNotContain(memory.Renewed(memory.Sent, Claimed(Me, 5), At(1.1)).BeginRound(At(1.2))!.Members, m => m.Uid == "uid-3");
        Assert.Null(Holder().Renewing(Terms, At(1)).Tenure!.Offered);
    }

    [Fact]
    public void Terms_that_would_leave_no_time_for_the_answer_wait_for_a_fresh_acknowledgement()
    {
        var memory = Holder().Renew(At(1), At(1), Longer);
        // Shorter again: 1 s + 3 s leave less than one interval of 1 s at 3.001 s.
        Assert.Equal(Terms, memory.Renewing(Terms, At(3)).Sent!.Accepted);
        var waiting = memory.Renewing(Terms, At(3.001));
        Assert.Equal((Longer, null), (waiting.Sent!.Accepted, waiting.Tenure!.Offered));
        var renewed = waiting.Renewed(waiting.Sent, Claimed(Me, 5), At(3.1));
        Assert.Equal(TimeSpan.MinValue, AgentProtocol.NextRenewal(renewed, Terms));
        Assert.Equal(Terms, renewed.Renewing(Terms, At(3.1)).Sent!.Accepted);
    }

    [Fact]
    public void Terms_by_which_two_could_write_are_not_accepted() =>
        Assert.Equal(Terms, Holder().Renewing(Terms with { StopAfterMilliseconds = 4000 }, At(1)).Sent!.Accepted);

    [Fact]
    public void Both_terms_together_are_the_stricter_of_each()
    {
        var other = new LeaseTerms
        {
            LeaseDurationSeconds = 4,
            RenewIntervalMilliseconds = 1200,
            StopAfterMilliseconds = 2500,
            DemoteTimeoutMilliseconds = 1200,
            Failsafe = false,
            RestartTimeoutSeconds = 3,
            SynchronousStandbys = 1,
            Members = [Member(2) with { Address = "10.9.9.9" }, Member(3)],
        };
        var offered = Holder().Renewing(other, At(0.5)).Tenure!.Offered!;
        Assert.Equal(
            new LeaseTerms
            {
                LeaseDurationSeconds = 5,
                RenewIntervalMilliseconds = 1000,
                StopAfterMilliseconds = 2500,
                DemoteTimeoutMilliseconds = 1000,
                Failsafe = false,
                RestartTimeoutSeconds = 0,
                SynchronousStandbys = 1,
                Members = [Member(0), Member(1), Member(2) with { Address = "10.9.9.9" }, Member(3)],
            },
            offered);
    }

    [Fact]
    public void A_pod_and_the_next_of_its_name_are_both_members_while_either_terms_may_hold()
    {
        var replaced = Terms with { Members = [Member(0), Member(1) with { Uid = "uid-11" }, Member(2)] };
        Assert.Equal(["uid-0", "uid-1", "uid-11", "uid-2"], Holder().Renewing(replaced, At(1)).Tenure!.Offered!.Members.Select(m => m.Uid));
    }

    // ---- giving back

    [Fact]
    public void Who_is_not_the_holder_owes_nothing() => Assert.Null(Agent.Saw(Claimed(Other, 5), At(0)).Dead().Owed);

    [Fact]
    public void A_dead_server_is_owed_a_note_and_never_serves_that_term_again()
    {
        var memory = Holder().Demoted(ReleaseReason.ProcessDown, 42, "exit code 1");
        Assert.Equal(new ReleaseNote(Me, 5, ReleaseReason.ProcessDown, 42, "exit code 1"), memory.Owed);
        Assert.Equal((null, null, 5L), (memory.Tenure, memory.Lost, memory.ReleasedTerm));
    }

    [Fact]
    public void A_note_that_the_lease_shows_is_owed_no_more_and_neither_is_one_of_an_older_term()
    {
        var owing = Holder().Dead();
        Assert.Null(owing.Saw(Revoked(5) with { Release = Note(Me, 5) }, At(1)).Owed);
        Assert.Null(owing.Saw(Assigned(Other, 6), At(1)).Owed);
        Assert.NotNull(owing.Saw(Claimed(Me, 5), At(1)).Owed);
        Assert.NotNull(owing.Saw(Revoked(5), At(1)).Owed);
        Assert.NotNull(owing.Saw(null, At(1)).Owed);
        // Nobody vouches for that term.
        Assert.NotNull(owing.Saw(Claimed(Other, 5) with { Term = 9 }, At(1)).Owed);
    }

    [Fact]
    public void A_note_of_a_term_that_is_over_already_is_not_owed_at_all() =>
        Assert.Null(Holder().Saw(Assigned(Other, 6), At(1)).Demoted(ReleaseReason.SelfFenced, null, null).Owed);

    [Fact]
    public void A_lease_that_was_deleted_and_made_anew_is_given_back()
    {
        var memory = Holder().Saw(null, At(1)).Demoted(ReleaseReason.SelfFenced, null, null).Saw(ElectorProtocol.Recreate(5, Terms), At(2));
        Assert.Equal(new AgentOrder.Release(Note(Me, 5)), AgentProtocol.Decide(memory, At(2)));
    }

    [Fact]
    public void An_agent_that_finds_its_own_claimed_lease_gives_it_back()
    {
        var memory = Agent.Saw(Claimed(Me, 5), At(0));
        Assert.Equal(ReleaseReason.AgentRestarted, memory.Owed!.Reason);
        Assert.Equal(new AgentOrder.Release(memory.Owed), AgentProtocol.Decide(memory, At(0)));
        // Whatever it read before: the claim was not its own.
        Assert.NotNull(Agent.Saw(null, At(0)).Saw(Claimed(Me, 5), At(1)).Owed);
    }

    [Fact]
    public void An_agent_that_finds_itself_assigned_claims() => Assert.Null(Agent.Saw(Assigned(Me, 5), At(0)).Owed);

    [Fact]
    public void A_claim_whose_answer_was_lost_is_this_agents_own()
    {
        var memory = Agent.Saw(Assigned(Me, 5), At(0)).Renewing(Terms, At(0)).Saw(Claimed(Me, 5), At(1));
        Assert.Null(memory.Owed);
        Assert.Equal(new AgentOrder.Claim(5), AgentProtocol.Decide(memory, At(1)));
    }

    [Fact]
    public void A_pod_that_is_being_stopped_gives_back_what_it_did_not_claim_and_for_good()
    {
        var claiming = Agent.Saw(Assigned(Me, 5), At(0)).Renewing(Terms, At(0));
        var stopping = claiming.Stopping();
        Assert.Equal(ReleaseReason.HandOver, stopping.Owed!.Reason);
        Assert.Null(stopping.Renewed(claiming.Sent!, Claimed(Me, 5), At(0.1)).Tenure);
        Assert.Equal(ReleaseReason.HandOver, Agent.Stopping().Saw(Assigned(Me, 5), At(0)).Owed!.Reason);
        Assert.Null(Agent.Stopping().Saw(Assigned(Other, 5), At(0)).Owed);
    }

    [Fact]
    public void What_was_given_back_is_not_given_back_twice() =>
        Assert.Null(Holder().Dead().Released().Saw(Claimed(Me, 5), At(1)).Stopping().Owed);

    [Fact]
    public void Nothing_is_given_back_before_the_server_is_surely_read_only()
    {
        Assert.Null(Holder().Stopping().Owed);
        var lost = Holder().Stopping().Saw(Assigned(Me, 6), At(1));
        Assert.Null(lost.Owed);
        Assert.Equal(6, lost.Demoted(ReleaseReason.HandOver, null, null).Owed!.Term);
    }
}
