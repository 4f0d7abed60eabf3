using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Recovery;

/// <summary>
/// Members beside the holder that said that they take writes: somebody moved the primary without the operator. What they said is
/// written down before anything else, for they may go silent at any time, and an unknown that wrote may still write (invariant I1).
/// Where servers start writable, being so means nothing, and there are no rivals; with agents none is writable by itself.
/// </summary>
public static class Rivals
{
    /// <summary>What the claim of a new failover has to carry.</summary>
    public static IReadOnlyList<MemberReference> Known(GroupObservation group, MemberReference? from) =>
    [
        .. Carried(group).Concat(AtWork(group, from).Select(ReferenceTo))
            .Where(r => r.Uid != from?.Uid).DistinctBy(r => r.Uid).Take(FailoverSpec.MaxRivals),
    ];

    /// <summary>Members that take writes, and are neither written down nor the old primary.</summary>
    public static IReadOnlyList<MemberReference> Unrecorded(GroupObservation group, FailoverRecord failover) =>
    [
        .. AtWork(group, failover.Spec.From).Select(ReferenceTo)
            .Where(r => failover.Rivals.All(known => known.Uid != r.Uid)).Take(FailoverSpec.MaxRivals - failover.Status.Rivals.Count),
    ];

    public static IReadOnlyList<Member> AtWork(GroupObservation group, MemberReference? from) =>
        group.HasAgents || group.Spec.Engine.StartsAs == StartState.ReadOnly
            // Who holds the lease is no rival, whoever was meant to hold it.
            ? [.. group.Members.Where(m => m.IsWritablePrimary && m.Uid != from?.Uid && group.Lease?.Record?.IsHeldBy(m.Identity) != true)]
            : [];

    /// <summary>
    /// Those of a failover that came to no end, unless they have been heard as standbys since: nobody has made sure of them.
    /// </summary>
    public static IReadOnlyList<MemberReference> Carried(GroupObservation group) =>
        group.Failovers.LastOrDefault(f => f.IsOwn) is { Status: { Phase: FailoverPhase.Failed or FailoverPhase.Aborted, Candidate: null } } last
            ? [.. last.Rivals.Where(r => !IsHeardAsStandby(group, r, FailoverProcedure.ReadinessBound(group.Spec)))]
            : [];

    /// <summary>What is to be done about rivals before anybody is chosen. Null: each is at work for all to see, or surely does not write.</summary>
    public static Decision? Settle(GroupObservation group, FailoverRecord failover, TimeSpan bound)
    {
        if (failover.Status.Fence?.Evidence == FenceEvidence.Unproven) return null;
        return failover.Rivals.FirstOrDefault(r => !IsSettled(group, failover, r, bound)) is { } rival ? Fence(group, failover, rival) : null;
    }

    private static bool IsSettled(GroupObservation group, FailoverRecord failover, MemberReference rival, TimeSpan bound) =>
        group.Members.Any(m => m.Uid == rival.Uid && m.Answers && m.StatusAge <= bound)
        || Recovery.Fence.Proof(group, rival, failover.FenceConfirmedFor, failover.PhaseFor) is not null;

    private static Decision Fence(GroupObservation group, FailoverRecord failover, MemberReference rival)
    {
        var said = $"{rival.Name} said that it takes writes, and does not answer any more";
        var limit = TimeSpan.FromSeconds(group.Spec.Detection.UnhealthyAfterSeconds);
        var timeout = limit + TimeSpan.FromSeconds(group.Spec.Fencing.TimeoutSeconds);
        if (failover.PhaseFor < limit) return new Decision.Wait(limit - failover.PhaseFor, Reasons.FailoverRunning, said);

        var member = group.Members.FirstOrDefault(m => m.Uid == rival.Uid);
        // Invariant I8: not if nobody could take over.
        if (member is { Pod.Terminating: false } && FencingLadder.SomebodyCouldTakeOver(group, failover))
            return new Decision.Advance(new Step.TerminatePod(rival));
        if (failover.PhaseFor < timeout)
            return new Decision.Wait(timeout - failover.PhaseFor, Reasons.FailoverRunning, $"{said}; waiting for its kubelet to confirm its end");
        return group.Spec.Fencing.WhenUnproven == UnprovenFence.Proceed
            ? new Decision.Advance(new Step.Enter(failover.Status.Phase)
            {
                Fence = FenceEvidence.Unproven,
                FencedBy = $"fencing.whenUnproven: Proceed, for {rival.Name}",
            })
            : new Decision.Blocked(Reasons.FenceUnproven,
                $"{said}, so it may still take them and nobody is promoted. Bring it back, or make sure that it is off and then run: "
                + $"kubectl annotate --overwrite fo {failover.Name} {ApiGroup.FenceConfirmedAnnotation}={rival.Name}");
    }

    private static bool IsHeardAsStandby(GroupObservation group, MemberReference rival, TimeSpan bound) =>
        group.Members.Any(m => m.Uid == rival.Uid && m.Probe.Status is { Writable: false } && m.StatusAge <= bound);

    /// <summary>Without the container: it is not sure that the server runs in the one that its kubelet reported last.</summary>
    private static MemberReference ReferenceTo(Member member) => ProcessIdentity.ReferenceTo(member) with { ContainerId = null };
}
