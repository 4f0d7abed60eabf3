using FailoverOperator.Api.Agents;
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
        if (Release(group) is { } note) return new(FenceEvidence.Released, $"agent of {note.Holder.Split('/')[0]}");
        return IsOver(group) ? new(FenceEvidence.LeaseExpired, group.Lease?.Record is { IsClaimed: false } ? "the lease, which nobody has claimed" : "the operator's clock") : null;
    }

    /// <summary>The lease, without a note that was not written by whom the operator had given it to.</summary>
    public static LeaseRecord? Trusted(GroupObservation group) => group.Lease?.Record is { } lease
        ? lease.IsReleased && AssigneeOf(group, lease.Term) is { } assignee && assignee != lease.Release!.Holder ? lease with { Release = null } : lease
        : null;

    public static bool IsOver(GroupObservation group) =>
        group.Lease is { } lease && ElectorProtocol.IsOver(Trusted(group), lease.UnchangedFor, group.LeaseDuration);

    /// <summary>
    /// Whether the end of <paramref name="from"/>, however it is proven, is the end of everybody's writing: the lease is, or was last, its
    /// own. An edited lease has no authority; the one before it had.
    /// </summary>
    public static bool IsOf(GroupObservation group, MemberReference from) => group.Lease?.Record is { } lease
        && (lease.IsAuthentic ? lease.Holder : AssigneeOf(group, lease.Term)) == ProcessIdentity.InLease(from);

    /// <summary>
    /// A holder that says that it takes writes has not gone, whatever a note or a clock says. What it said before the lease changed last is
    /// an old story.
    /// </summary>
    public static bool SaysOtherwise(GroupObservation group, MemberReference from) => group.Members.Any(m => m.Uid == from.Uid && m.IsWritablePrimary
        && m.StatusAge < group.Lease?.UnchangedFor && m.StatusAge <= FailoverProcedure.ReadinessBound(group.Spec));

    private static ReleaseNote? Release(GroupObservation group) => Trusted(group) is { IsReleased: true } lease ? lease.Release : null;

    /// <summary>To whom the operator gave the lease in this term. Null: nobody remembers.</summary>
    private static string? AssigneeOf(GroupObservation group, long term) =>
        group.Failovers.FirstOrDefault(f => f.IsOwn && f.Spec.Term == term)?.Status.Candidate is { } candidate ? ProcessIdentity.InLease(candidate) : null;
}
