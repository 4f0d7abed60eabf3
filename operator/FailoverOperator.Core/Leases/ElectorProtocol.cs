using FailoverOperator.Api.Agents;

namespace FailoverOperator.Core.Leases;

/// <summary>
/// The operator's side of the lease protocol, pure: what it may write into a slot's lease. Every write carries the version of
/// the lease that it was decided on, so that of two operators, or of an operator and a holder, one wins.
/// </summary>
public static class ElectorProtocol
{
    /// <summary>
    /// The lease alone proves that nobody is writable by it. Invariant I3. Not counted: an earlier holder who is kept by promises,
    /// see <see cref="MayBeAssigned"/>.
    /// </summary>
    /// <param name="unchangedFor">Since this process observed the last change, on its own clock.</param>
    /// <param name="duration">The longest D that the holder may live by.</param>
    public static bool IsOver(LeaseRecord? lease, TimeSpan unchangedFor, TimeSpan duration) =>
        lease is { IsReleased: true } or { IsClaimed: false, IsAuthentic: true } || unchangedFor >= duration;

    /// <summary>
    /// Who is promoted without the last holder's word must have promised to wait for that holder's end. A holder that cannot reach
    /// the API server asks the members of the terms that it accepted, and nobody else.
    /// </summary>
    /// <param name="lease">
    /// Null: there is none, although there was a holder; whom that one asks is not known, so nobody may. See <see cref="Recreate"/>.
    /// </param>
    /// <param name="expired">The proof of the last holder's end is that its time has run out, and nothing better.</param>
    /// <param name="ended">
    /// Uids of pods that are proven to have ended, for D at least. Without one of those whom it asks no holder lasts longer than that.
    /// </param>
    public static bool MayBeAssigned(LeaseRecord? lease, string uid, bool expired, IReadOnlySet<string> ended) => lease is not null
        && (Promised(lease, expired) is not { Failsafe: true } promised || promised.Members.Any(m => m.Uid == uid || ended.Contains(m.Uid)));

    /// <summary>
    /// A release by a holder that had claimed proves that nobody else is writable, whatever was promised to whom: the note stays and
    /// makes the promises of the next holder void. Who gave its lease back unclaimed says nothing of the holders before it.
    /// </summary>
    public static bool KeepsRelease(LeaseRecord? lease) => lease is { IsReleased: true, IsClaimed: true };

    /// <summary>The lease, assigned.</summary>
    /// <param name="lease">What is overwritten. Null: there is none.</param>
    /// <param name="expired">As for <see cref="MayBeAssigned"/>.</param>
    public static LeaseRecord Assign(LeaseRecord? lease, bool expired, string holder, long term, LeaseTerms terms) => new()
    {
        Holder = holder,
        Term = term,
        Assignment = LeaseContract.Assignment(holder, term),
        Terms = terms,
        // Where no lease is, there may have been one: somebody may have deleted it after its holder had claimed it, in this very term.
        Pledged = lease is null ? Unknown(terms) : Promised(lease, expired),
        Release = KeepsRelease(lease) ? lease!.Release : null,
        Version = lease?.Version ?? "",
    };

    /// <summary>Takes the lease from its holder, who demotes and releases.</summary>
    public static LeaseRecord Revoke(LeaseRecord lease) => lease with { Holder = null, Assignment = null };

    /// <summary>
    /// Asks the holder to hand over in order: it goes on renewing until the standbys have everything, then releases. Nothing is proven by it.
    /// </summary>
    public static LeaseRecord AskHandOver(LeaseRecord lease) => lease with { HandOver = lease.Assignment };

    /// <summary>Takes that back. A holder that has begun already goes on.</summary>
    public static LeaseRecord WithdrawHandOver(LeaseRecord lease) => lease with { HandOver = null };

    /// <summary>
    /// A lease in place of one that was deleted, held by nobody: its last holder can release it, as if it had been revoked. Which terms
    /// that one accepted is not known: neither for how long it may go on, nor by whose promises. So time alone is no proof of its end;
    /// its release is, or that of its pod.
    /// </summary>
    public static LeaseRecord Recreate(long term, LeaseTerms terms) => new() { Term = term, Terms = terms, Accepted = Unknown(terms) };

    /// <summary>By whose promises an earlier holder, or one whose time has run out, may be writable still. Null: by nobody's.</summary>
    private static LeaseTerms? Promised(LeaseRecord lease, bool expired)
    {
        // Where nobody knows what was promised it was to the last holder itself, of whom more is known than the time.
        if (!expired || lease.IsReleased) return lease.IsClaimed || lease.Pledged is { Members.Count: 0 } ? null : lease.Pledged;
        // Who names a holder by hand may have removed what was accepted, too.
        var isStripped = lease is { Holder: not null, IsAuthentic: false };
        return lease.Accepted ?? lease.Pledged ?? (isStripped ? Unknown(lease.Terms) : null);
    }

    /// <summary>In place of what was accepted or promised, where nobody knows what it was: by nobody's promises it can be proven to be over.</summary>
    public static LeaseTerms Unknown(LeaseTerms terms) => terms with { Failsafe = true, Members = [] };
}
