using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Decisions;

/// <summary>What the lease demands of a candidate, beyond its own state. For groups with agents.</summary>
/// <param name="Lease">The lease that is to be overwritten. Null: there is none.</param>
/// <param name="Wanted">The terms that the group is to have.</param>
/// <param name="Expired">The proof of the last holder's end is that its time has run out, or it is not known yet what it will be.</param>
/// <param name="Ended">Uids of pods that have been proven to have ended, for D.</param>
/// <param name="Sole">Uid of the only pod that can be writable by the lease as it is. Null: there may be others.</param>
/// <param name="Released">The last holder itself said that it had gone, which stays true though the lease be deleted since.</param>
public sealed record LeaseLimits(LeaseRecord? Lease, LeaseTerms Wanted, bool Expired, IReadOnlySet<string> Ended, string? Sole, bool Released)
{
    /// <param name="evidence">How the old primary was fenced. Null: it is not yet.</param>
    /// <param name="isHope">It may be fenced so, and everybody else, too.</param>
    /// <returns>Null: the group has no agents.</returns>
    public static LeaseLimits? Of(GroupObservation group, FenceEvidence? evidence, bool isHope = false)
    {
        if (!group.HasAgents) return null;
        var holders = LeaseFence.PossibleHolders(group);
        // The proven end of the last one is not that of those before.
        var others = !isHope && holders.SkipLast(1).Any(h => Fence.Proof(group, h, null, TimeSpan.Zero) is null);
        var limits = new LeaseLimits(
            LeaseFence.Trusted(group), LeasePlan.TermsFor(group), others || MayBeKept(group, evidence),
            group.Departures.Where(d => d.ConfirmedByKubelet && d.Age >= group.LeaseDuration).Select(d => d.Uid).ToHashSet(),
            holders is [var sole] ? sole.Uid : null, evidence == FenceEvidence.Released);
        return limits with { Replicas = group.WorkloadReplicas };
    }

    /// <summary>
    /// By this evidence a holder may still be kept writable by promises. Invariant I3: that a node is not ready is no proof, and a taint that
    /// the operator may have set for it says no more; one that only a person can have set is that person's word.
    /// </summary>
    public static bool MayBeKept(GroupObservation group, FenceEvidence? evidence) =>
        evidence is null or FenceEvidence.LeaseExpired or FenceEvidence.NotNeeded
        || (evidence == FenceEvidence.NodeOutOfService && group.Spec.Fencing.Policy.Contains(FencingMethod.NodeOutOfService));

    /// <summary>How many members have an acknowledged write, by all that the last holder may have lived by.</summary>
    public IReadOnlyList<LeaseTerms> Terms =>
    [
        .. new[] { Lease?.Accepted, Lease?.Pledged, Lease?.Terms }.OfType<LeaseTerms>().Where(t => t.Members.Count > 0).DefaultIfEmpty(Assumed),
    ];

    /// <summary>
    /// Nobody knows by what the last holder lived: by no fewer members than the workload is to have, whoever of them is there at the moment.
    /// Invariant I5: of those who are not it is not known what they hold.
    /// </summary>
    private LeaseTerms Assumed => Wanted with
    {
        Members = [.. Wanted.Members, .. Enumerable.Range(1, Math.Max(0, Replicas - Wanted.Members.Count)).Select(n => new LeaseMember($"member {n} of those that are not there", "", "", 0))],
    };

    /// <summary>Members that the workload is to have.</summary>
    private int Replicas { get; init; }

    /// <summary>No earlier holder can go on writing by promises that bind others and not this one.</summary>
    public bool Frees(Member member) =>
        member.Uid == Sole || (Lease is null && Released) || ElectorProtocol.MayBeAssigned(Lease, member.Uid, Expired, Ended);

    /// <summary>Null: the lease may name it.</summary>
    public Eligibility.Ineligible? Refuse(Member member)
    {
        if (member.Address is null) return new(Reasons.NoCandidate, $"{member.Name} has no address yet");
        if (member.IsWritablePrimary)
        {
            return new(Reasons.SplitBrainSuspected,
                $"{member.Name} says that it takes writes, although the lease does not name it; its agent stops it");
        }
        if (member.Probe.Status?.IsEmpty == true) return new(Reasons.NoCandidate, $"{member.Name} holds no data");
        return Frees(member)
            ? null
            : new(Reasons.NotInLease,
                $"{member.Name} has not promised to wait for the end of the last holder, which may go on without the API server: "
                + "the lease's terms did not name it yet");
    }
}
