using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;
using static FailoverOperator.Core.Tests.Leases.GivenLease;

namespace FailoverOperator.Core.Tests.Leases;

public sealed class ElectorProtocolTests
{
    private static readonly IReadOnlySet<string> NoneEnded = new HashSet<string>();

    private static LeaseRecord Released(long term, bool claimed = true) =>
        (claimed ? Claimed(Me, term) : Assigned(Me, term)).Released(Note(Me, term));

    // ---- what a lease is

    [Fact]
    public void A_lease_is_authentic_as_the_operator_wrote_it()
    {
        Assert.True(Claimed(Me, 5).IsAuthentic);
        Assert.True(Claimed(Me, 5).IsHeldBy(Me));
        Assert.False(Claimed(Me, 5).IsHeldBy(Other));
        Assert.False((Claimed(Me, 5) with { Holder = Other }).IsHeldBy(Other));
        Assert.False((Claimed(Me, 5) with { Term = 6 }).IsAuthentic);
        Assert.False((Claimed(Me, 5) with { Holder = null }).IsAuthentic);
        Assert.False((Claimed(Me, 5) with { Holder = null, Assignment = null }).IsAuthentic);
    }

    [Fact]
    public void A_term_is_genuine_by_its_assignment_or_by_its_release()
    {
        Assert.True(Claimed(Me, 5).IsTermGenuine);
        Assert.True(Released(5).IsTermGenuine);
        Assert.False(Revoked(5).IsTermGenuine);
        Assert.False((Released(5) with { Term = 6 }).IsTermGenuine);
        Assert.False((Claimed(Me, 5) with { Holder = Other }).IsTermGenuine);
    }

    [Fact]
    public void A_release_empties_the_holder_and_is_one_of_its_own_term_only()
    {
        Assert.Equal(Claimed(Me, 5) with { Holder = null, Assignment = null, Release = Note(Me, 5) }, Released(5));
        Assert.True(Released(5).IsReleased);
        Assert.False((Released(5) with { Term = 6 }).IsReleased);
        Assert.False((Released(5) with { Holder = Other }).IsReleased);
        Assert.False(Revoked(5).IsReleased);
    }

    // ---- whether it is over

    [Fact]
    public void A_claimed_lease_is_over_when_it_has_not_changed_for_its_duration()
    {
        Assert.False(ElectorProtocol.IsOver(Claimed(Me, 5), At(4.999), At(5)));
        Assert.True(ElectorProtocol.IsOver(Claimed(Me, 5), At(5), At(5)));
        Assert.False(ElectorProtocol.IsOver(Revoked(5), At(4.999), At(5)));
        Assert.True(ElectorProtocol.IsOver(Revoked(5), At(5), At(5)));
        Assert.False(ElectorProtocol.IsOver(ElectorProtocol.Recreate(5, Terms), At(4.999), At(5)));
        Assert.False(ElectorProtocol.IsOver(null, At(4.999), At(5)));
        Assert.True(ElectorProtocol.IsOver(null, At(5), At(5)));
    }

    [Fact]
    public void A_released_lease_is_over_at_once() => Assert.True(ElectorProtocol.IsOver(Released(5), TimeSpan.Zero, At(5)));

    /// <summary>A claim that is under way will fail: the lease will have been written by somebody else.</summary>
    [Fact]
    public void A_lease_that_nobody_claimed_is_over_at_once() => Assert.True(ElectorProtocol.IsOver(Assigned(Me, 5), TimeSpan.Zero, At(5)));

    [Fact]
    public void The_longest_of_the_durations_that_may_hold_counts()
    {
        Assert.Equal(At(10), new LeaseObservation(Assigned(Me, 5).Renewed(Longer), At(0)).Duration(At(5)));
        Assert.Equal(At(10), new LeaseObservation(Claimed(Me, 5) with { Terms = Longer }, At(0)).Duration(At(5)));
        Assert.Equal(At(7), new LeaseObservation(Claimed(Me, 5), At(0)).Duration(At(7)));
        Assert.Equal(At(5), new LeaseObservation(null, At(0)).Duration(At(5)));
    }

    // ---- to whom it may be given

    public static TheoryData<string, LeaseRecord?, bool, bool> NotAllMay => new()
    {
        { "what expired, to those who promised", Claimed(Other, 5), true, false },
        { "what expired after it was revoked, to those who promised", Revoked(5), true, false },
        { "what was released, to anybody", Released(5), true, true },
        { "what was released, to anybody, however it is put", Released(5), false, true },
        { "what is over by a better proof, to anybody", Claimed(Other, 5), false, true },
        { "what expired without failsafe, to anybody", Claimed(Other, 5).Renewed(Terms with { Failsafe = false }), true, true },
        { "what nobody claimed, to anybody", Assigned(Other, 5), true, true },
        { "what nobody claimed after an expiry, to those who promised to the one before", Assigned(Other, 5) with { Pledged = Terms }, true, false },
        { "the same by a better proof: it says nothing of the one before", Assigned(Other, 5) with { Pledged = Terms }, false, false },
        { "the same after its release: it says nothing of the one before", Released(5, claimed: false) with { Pledged = Terms }, false, false },
        { "a deleted one, to nobody", null, true, false },
    };

    [Theory]
    [MemberData(nameof(NotAllMay))]
    public void A_newcomer_may_be_given_a_lease_only_if_nobody_lives_by_promises(string what, LeaseRecord? lease, bool expired, bool may)
    {
        Assert.True(may == ElectorProtocol.MayBeAssigned(lease, "uid-3", expired, NoneEnded), what);
        Assert.True((lease is not null) == ElectorProtocol.MayBeAssigned(lease, "uid-2", expired, NoneEnded), $"{what}; a member");
        var ended = new HashSet<string> { "uid-1" };
        Assert.True(ElectorProtocol.MayBeAssigned(lease ?? Revoked(5), "uid-3", expired, ended), $"{what}; one who has to promise has ended");
    }

    /// <summary>As by a person who replaces it by what another tool knows of.</summary>
    [Fact]
    public void A_lease_whose_annotations_were_removed_is_not_taken_for_unclaimed()
    {
        var stripped = new LeaseRecord { Holder = Me, Term = 5 };
        Assert.False(ElectorProtocol.IsOver(stripped, At(4.999), At(5)));
        Assert.True(ElectorProtocol.IsOver(stripped, At(5), At(5)));
        Assert.False(ElectorProtocol.MayBeAssigned(stripped, "uid-1", expired: true, NoneEnded));
        Assert.True(ElectorProtocol.MayBeAssigned(stripped, "uid-1", expired: false, NoneEnded));
        Assert.True(ElectorProtocol.MayBeAssigned(stripped.Released(Note(Me, 5)), "uid-1", expired: true, NoneEnded));
    }

    [Fact]
    public void A_lease_that_was_deleted_may_be_given_to_nobody_because_time_has_passed()
    {
        Assert.False(ElectorProtocol.MayBeAssigned(null, "uid-1", expired: true, new HashSet<string> { "uid-2" }));
        // Whatever is wanted now, the last holder may live by other terms.
        var recreated = ElectorProtocol.Recreate(5, Terms with { Failsafe = false });
        Assert.False(ElectorProtocol.MayBeAssigned(recreated, "uid-1", expired: true, NoneEnded));
        Assert.True(ElectorProtocol.MayBeAssigned(recreated, "uid-1", expired: false, NoneEnded));
        Assert.True(ElectorProtocol.MayBeAssigned(recreated.Released(Note(Me, 5)), "uid-1", expired: true, NoneEnded));
    }

    // ---- what is written

    [Fact]
    public void An_assignment_names_holder_and_term_and_forgets_what_was_accepted()
    {
        var assigned = ElectorProtocol.Assign(Claimed(Me, 5) with { Version = "17" }, expired: false, Other, 6, Longer);
        Assert.Equal(Assigned(Other, 6) with { Terms = Longer, Version = "17" }, assigned);
    }

    /// <summary>It may have been deleted, and its holder live by promises, or by a longer D.</summary>
    [Fact]
    public void Where_no_lease_is_nobody_knows_what_was_promised_until_the_new_one_is_claimed()
    {
        var first = ElectorProtocol.Assign(null, expired: false, Other, 1, Terms);
        Assert.Equal(Assigned(Other, 1) with { Pledged = Terms with { Members = [] } }, first);
        Assert.False(ElectorProtocol.MayBeAssigned(first, "uid-2", expired: true, new HashSet<string>()));
        Assert.True(ElectorProtocol.MayBeAssigned(first.Renewed(Terms), "uid-2", expired: true, new HashSet<string>()));
        // Its holder's own word, or a proof of its end.
        Assert.True(ElectorProtocol.MayBeAssigned(first.Released(Note(Other, 1)), "uid-2", expired: true, new HashSet<string>()));
        Assert.True(ElectorProtocol.MayBeAssigned(first, "uid-2", expired: false, new HashSet<string>()));
    }

    [Fact]
    public void A_release_stays_if_its_holder_had_claimed()
    {
        Assert.Equal(Note(Me, 5), ElectorProtocol.Assign(Released(5), expired: false, Other, 6, Terms).Release);
        Assert.Null(ElectorProtocol.Assign(Released(5, claimed: false), expired: false, Other, 6, Terms).Release);
        Assert.Null(ElectorProtocol.Assign(Claimed(Me, 5) with { Release = Note(Other, 4) }, expired: true, Other, 6, Terms).Release);
        Assert.Null(ElectorProtocol.Assign(Revoked(5) with { Release = Note(Other, 4) }, expired: true, Other, 6, Terms).Release);
        Assert.False(ElectorProtocol.KeepsRelease(null));
    }

    [Fact]
    public void Who_promised_to_a_holder_that_expired_is_remembered_until_the_next_one_claims()
    {
        var second = ElectorProtocol.Assign(Claimed(Me, 5), expired: true, Other, 6, Longer);
        Assert.Equal(Terms, second.Pledged);
        Assert.Equal(Terms, ElectorProtocol.Assign(second, expired: true, Third, 7, Longer).Pledged);
        Assert.Equal(Terms, ElectorProtocol.Assign(second.Released(Note(Other, 6)), expired: false, Third, 7, Longer).Pledged);
        Assert.Equal(Longer, ElectorProtocol.Assign(second.Renewed(Longer), expired: true, Third, 7, Longer).Pledged);
        Assert.Null(ElectorProtocol.Assign(second.Renewed(Longer).Released(Note(Other, 6)), expired: true, Third, 7, Longer).Pledged);
        Assert.Null(ElectorProtocol.Assign(second.Renewed(Longer), expired: false, Third, 7, Longer).Pledged);
    }

    [Fact]
    public void A_revocation_takes_the_holder_and_leaves_the_rest() =>
        Assert.Equal(Claimed(Me, 5) with { Holder = null, Assignment = null }, ElectorProtocol.Revoke(Claimed(Me, 5)));

    [Fact]
    public void A_lease_that_is_made_anew_has_no_holder_and_counts_as_claimed_by_promises_of_nobody_knows_whom()
    {
        var wanted = Terms with { Failsafe = false };
        var lease = ElectorProtocol.Recreate(5, wanted);
        Assert.Equal((null, 5L, wanted, true), (lease.Holder, lease.Term, lease.Terms, lease.IsClaimed));
        Assert.Equal(Terms with { Members = [] }, lease.Accepted);
    }
}
