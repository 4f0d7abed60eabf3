using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Recovery;

/// <summary>
/// What the lease proves: nobody is writable but by holding it, so that its end is the end of everybody's writing, whoever it names.
/// Invariant I3. It proves nothing of an earlier holder who is kept by promises: see <see cref="ElectorProtocol.MayBeAssigned"/>.
/// </summary>
public static class LeaseFence
{
    /// <summary>Null: not proven.</summary>
    public static FenceProof? Proof(GroupObservation group, MemberReference from)
    {
        if (SaysOtherwise(group, from)) return null;
        var given = group.Failovers.LastOrDefault(f => f.IsOwn && f.Status.Candidate?.Uid == from.Uid);
        var lease = Trusted(group);
        // Its own word for its own term: nothing can make it untrue any more, whatever becomes of the lease.
        if (lease is { IsReleased: true } && lease.Term == given?.Spec.Term) return new(FenceEvidence.Released, $"agent of {from.Name}");
        // What an earlier lease says is an old story where a later one is known to have been claimed.
        var isOld = given is { HasServed: true } && lease?.Term < given.Spec.Term;
        if (!isOld && lease is { IsReleased: true })
            return new(FenceEvidence.LeaseExpired,
                $"the lease, which {lease.Release!.Holder.Split('/')[0]} released before {from.Name} was given it");
        if (!isOld && lease is { IsClaimed: false }) return new(FenceEvidence.LeaseExpired, "the lease, which nobody has claimed");
        return group.Lease is not null && group.LeaseExpiresIn == TimeSpan.Zero ? new(FenceEvidence.LeaseExpired, "the operator's clock") : null;
    }

    /// <summary>
    /// The lease, without a note that proves nothing: it was not written by whom the operator had given the lease to, or in one that was
    /// made anew by one who may never have claimed it, so that those before may go on. Who has served in its term had claimed it, though
    /// somebody has removed what was accepted.
    /// </summary>
    public static LeaseRecord? Trusted(GroupObservation group)
    {
        if (group.Lease?.Record is not { } lease) return null;
        if (!lease.IsReleased)
        {
            var isStripped = !lease.IsClaimed && group.Failovers.Any(f => f is { IsOwn: true, HasServed: true } && f.Spec.Term == lease.Term);
            return isStripped ? lease.Renewed(ElectorProtocol.Unknown(lease.Terms)) : lease;
        }
        var isForeign = AssigneeOf(group, lease.Term) is { } assignee && assignee != lease.Release!.Holder;
        return isForeign || PossibleHolders(group).Count > 1 ? lease with { Release = null } : lease;
    }

    public static bool IsOver(GroupObservation group) =>
        group.Lease is { } lease && ElectorProtocol.IsOver(Trusted(group), lease.UnchangedFor, group.LeaseDuration);

    /// <summary>
    /// Who may be writable by the lease as it is, so far as the records tell; those who are kept by promises aside. Of a lease that was made
    /// anew, or whose term somebody edited, nobody knows whether its last holder had claimed it: if that one was never seen to serve, those
    /// before it may be kept by promises, of which nobody knows either. Empty: nobody remembers.
    /// </summary>
    public static IReadOnlyList<MemberReference> PossibleHolders(GroupObservation group)
    {
        var given = group.Failovers.Where(f => f.IsOwn && f.Status.Candidate is not null).ToList();
        if (group.Lease?.Record is not { } lease || given.Count == 0) return [];
        var holder = lease.IsTermGenuine ? given.FindLast(f => f.Spec.Term == lease.Term) : given[^1].Spec.Term == lease.Term ? given[^1] : null;
        if (lease.IsTermGenuine && (holder is null || (lease.Holder is { } named && named != ProcessIdentity.InLease(holder.Status.Candidate!))))
            return [];
        if (holder is not null && lease is not { Accepted.Members.Count: 0 }) return [holder.Status.Candidate!];
        var known = lease.IsTermGenuine ? given.FindAll(f => f.Spec.Term <= lease.Term) : given;
        return Unended(group, known);
    }

    private static IReadOnlyList<MemberReference> Unended(GroupObservation group, List<FailoverRecord> given)
    {
        var since = given.Skip(given.FindLastIndex(f => f.HasServed)).Reverse().ToList();
        return [.. since.Where((f, place) => place == 0 || !HasEnded(group, f)).Select(f => f.Status.Candidate!).DistinctBy(c => c.Uid).Reverse()];
    }

    /// <summary>
    /// The failover away from this holder has its own word that its term is over, or its kubelet's that its pod has ended. Neither can become untrue,
    /// whatever somebody has made of the lease since.
    /// </summary>
    private static bool HasEnded(GroupObservation group, FailoverRecord given) => group.Failovers.Any(f => f.IsOwn
        && f.Spec.From?.Uid == given.Status.Candidate!.Uid && f.Status.Fence?.Evidence is FenceEvidence.Released or FenceEvidence.PodTerminated
        && group.Failovers.LastOrDefault(g => g.IsOwn && g.Spec.Term < f.Spec.Term && g.Status.Candidate is not null) == given);

    /// <summary>
    /// A holder that says that it takes writes has not gone, whatever a note or a clock says. What it said before the lease changed last is
    /// an old story.
    /// </summary>
    public static bool SaysOtherwise(GroupObservation group, MemberReference from) => group.Members.Any(m => m.Uid == from.Uid && m.IsWritablePrimary
        && m.StatusAge < group.Lease?.UnchangedFor && m.StatusAge <= FailoverProcedure.ReadinessBound(group.Spec));

    /// <summary>To whom the operator gave the lease in this term. Null: nobody remembers.</summary>
    private static string? AssigneeOf(GroupObservation group, long term) =>
        group.Failovers.FirstOrDefault(f => f.IsOwn && f.Spec.Term == term)?.Status.Candidate is { } candidate
            ? ProcessIdentity.InLease(candidate)
            : null;
}
