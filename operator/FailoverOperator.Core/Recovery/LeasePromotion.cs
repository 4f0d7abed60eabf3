using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Recovery;

/// <summary>
/// Phase Promoting with agents: the lease is given to the candidate, and its agent does the rest. The lease is written once in each term;
/// what had been proven of the last holder is looked at once more before that, for it may have come back to life meanwhile.
/// </summary>
public static class LeasePromotion
{
    /// <summary>The candidate holds the lease of this term, and its agent knows it.</summary>
    public static bool IsDone(GroupObservation group, FailoverRecord failover, Member candidate) =>
        IsAssigned(group, failover, candidate) && candidate.Probe.Status?.Agent?.Term == failover.Spec.Term;

    public static Decision Next(GroupObservation group, FailoverRecord failover, Member candidate)
    {
        var (term, lease) = (failover.Spec.Term, LeaseFence.Trusted(group));
        if (IsAssigned(group, failover, candidate))
        {
            // The last holder's end is proven and nobody else can be named in this term any more: traffic moves while the server is promoted.
            if (Repairs.Needed(group, candidate, term) is { Count: > 0 } traffic) return new Decision.Advance(traffic);
            var left = TimeSpan.FromSeconds(group.Spec.Promotion.TimeoutSeconds) - failover.PhaseFor;
            return new Decision.Wait(Least(left, group.LeaseExpiresIn), Reasons.FailoverRunning,
                $"waiting for the agent of {candidate.Name} to take the lease of term {term} and make its server take writes");
        }
        // Invariant I2: no agent obeys a lower term.
        if (lease is { IsTermGenuine: true } && lease.Term >= term)
            return Failed(failover, Reasons.LeaseForged,
                $"the lease is of term {lease.Term} already, which this failover did not give; the operator judges the group anew");
        if (candidate.Address is null)
            return new Decision.Wait(FailoverProcedure.RetryPause, Reasons.FailoverRunning, $"waiting for {candidate.Name} to have an address");

        var limits = LeaseLimits.Of(group, failover.Status.Fence?.Evidence)!;
        if (failover.ReplacesPrimary && lease is null && !limits.Released)
            return new Decision.Advance(new Step.RecreateLease(TermBefore(group, failover), LeasePlan.TermsFor(group)));
        if (!MayOverwrite(group, failover, candidate)) return Fence(group, failover);
        if (lease is not null && lease.Holder != candidate.Identity && !limits.Frees(candidate))
            return Failed(failover, Reasons.NotInLease,
                $"{candidate.Name} may not be given the lease any more: the last holder has come to rely on others, who have promised to wait for its end");
        return new Decision.Advance([Assign(group, lease, limits.Expired, candidate, term), .. Repairs.LabelAhead(group, candidate, term)]);
    }

    /// <summary>What says that the candidate holds the lease no more, or has never come to. Null: nothing.</summary>
    public static string? LossOf(GroupObservation group, FailoverRecord failover, Member candidate) =>
        group.Lease?.Record is not { } lease || lease.Term != failover.Spec.Term ? null
        : LeaseFinding.Of(group, candidate.Identity, failover.Spec.Term) switch
        {
            LeaseFinding.Released(var note) => $"its agent released the lease: {note.Reason}" + (note.Message is { } message ? $", {message}" : ""),
            // A promise may keep its agent from taking the lease for up to D; it answers meanwhile.
            LeaseFinding.Expired when !candidate.Answers => "it does not answer, and its agent has not renewed the lease",
            _ => null,
        };

    private static Step.AssignLease Assign(GroupObservation group, LeaseRecord? lease, bool expired, Member candidate, long term)
    {
        var assigned = ElectorProtocol.Assign(lease, expired, candidate.Identity, term, LeasePlan.TermsFor(group, lease));
        return new(candidate, term, assigned.Terms, lease?.Version, KeepRelease: assigned.Release is not null) { Pledged = assigned.Pledged };
    }

    private static bool IsAssigned(GroupObservation group, FailoverRecord failover, Member candidate) =>
        group.Lease?.Record is { } lease && lease.Term == failover.Spec.Term && lease.IsHeldBy(candidate.Identity);

    /// <summary>Invariant I3, for the lease as it is now.</summary>
    private static bool MayOverwrite(GroupObservation group, FailoverRecord failover, Member candidate)
    {
        if (group.Lease?.Record is not { } lease || lease.IsHeldBy(candidate.Identity) || LeaseFence.IsOver(group)) return true;
        return failover.Status.Fence?.Evidence switch
        {
            FenceEvidence.Unproven => true,
            null or FenceEvidence.NotNeeded or FenceEvidence.Released or FenceEvidence.LeaseExpired => false,
            // It was the end of one who holds the lease, or held it last.
            _ => LeaseFence.PossibleHolders(group).Any(h => h.Uid == failover.Spec.From?.Uid),
        };
    }

    /// <summary>The term of the last holder.</summary>
    private static long TermBefore(GroupObservation group, FailoverRecord failover) =>
        group.Failovers.LastOrDefault(f => f.IsOwn && f.Spec.Term < failover.Spec.Term && f.Status.Candidate is not null)?.Spec.Term ?? failover.Spec.Term - 1;

    /// <summary>Whoever the lease names has renewed it since its end was proven.</summary>
    private static Decision Fence(GroupObservation group, FailoverRecord failover)
    {
        var lease = group.Lease!.Record!;
        return lease.Holder is { } holder && group.Lease.UnchangedFor < failover.PhaseFor
            ? new Decision.Advance(new Step.RevokeLease(holder, lease.Term, lease.Version))
            : new Decision.Wait(Least(group.LeaseExpiresIn, FailoverProcedure.FreshnessBound), Reasons.FailoverRunning, $"the lease was changed after its end had been proven: waiting until it has run out again");
    }

    private static Decision Failed(FailoverRecord failover, string reason, string message) => new Decision.Advance(
        new Step.Enter(FailoverPhase.Failed) { Reason = reason, Message = message, Candidate = failover.Status.Candidate, LostBytes = failover.Status.LostBytes });

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? (one > TimeSpan.Zero ? one : FailoverProcedure.RetryPause) : other > TimeSpan.Zero ? other : FailoverProcedure.RetryPause;
}
