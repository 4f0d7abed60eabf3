using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Recovery;

/// <summary>
/// Phase Fencing: the ways of <c>fencing.policy</c> in their order, each for its time, until one has given a proof; any proof will do, whoever
/// gave it. A way that cannot lead to one as things are is passed over. Each of them is safe to be gone again by another operator.
/// </summary>
public static class FencingLadder
{
    /// <summary>Time for the kubelet to report the end of a process before its pod is deleted to make sure.</summary>
    public static readonly TimeSpan ProcessEndGrace = TimeSpan.FromSeconds(3);

    public static Decision Next(GroupObservation group, FailoverRecord failover)
    {
        var from = failover.Spec.From!;
        if (Rivals.Unrecorded(group, failover) is { Count: > 0 } rivals)
            return new Decision.Advance(new Step.Enter(FailoverPhase.Fencing) { Rivals = rivals });
        if (Fence.OfPrimary(group, failover) is { } proof)
            return new Decision.Advance(new Step.Enter(FailoverPhase.Electing) { Fence = proof.Evidence, FencedBy = proof.By });

        var old = group.Members.FirstOrDefault(m => m.Uid == from.Uid);
        return (old is null || failover.IsPlanned || IsTouched(failover, old) ? null : Spare(group, failover, old)) ?? Climb(group, failover, old);
    }

    /// <summary>Invariant I8: the last member that works is not fenced on purpose.</summary>
    public static bool SomebodyCouldTakeOver(GroupObservation group, FailoverRecord failover) => CatchUp.IsHoped(group, Benchmark.Of(failover.Spec))
        || ColdStandby.IsHoped(group) || IsSomebodyReady(group, failover)
        || OrderlyStop.Complete(group, failover, FailoverProcedure.ReadinessBound(group.Spec)) is not null;

    private static bool IsSomebodyReady(GroupObservation group, FailoverRecord failover)
    {
        if (group.HasAgents) return LeaseElections.Prospect(group, Benchmark.Of(failover.Spec)) is Choice.Candidate;
        var candidates = Candidates.Of(group, Benchmark.Of(failover.Spec), FailoverProcedure.ReadinessBound(group.Spec));
        return candidates.Ranked(group.Members).Count > 0 || Choice.Candidate.AtALoss(candidates, group) is not null;
    }

    /// <summary>Something was done to the old primary that is not taken back.</summary>
    internal static bool IsTouched(FailoverRecord failover, Member old) =>
        old.Pod.Terminating || old.Node.OutOfService || failover.FencingJob is not JobObservation.NotCreated;

    /// <summary>Reasons to leave the old primary alone, for now or altogether. Null: none.</summary>
    private static Decision? Spare(GroupObservation group, FailoverRecord failover, Member old)
    {
        var from = failover.Spec.From!;
        var limit = TimeSpan.FromSeconds(group.Spec.Detection.UnhealthyAfterSeconds);
        if (HasMoved(group, from, old, failover.PhaseFor) is { } leader)
            return new Decision.Abort(Reasons.PrimaryMoved,
                $"{from.Name} has become a standby, {leader.Name} takes writes, and nothing had been done to either");
        if (failover.Spec.Cause == FailoverCause.PrimaryMoved && old.Probe.UnansweredFor is { } silent && silent < limit)
            return new Decision.Wait(limit - silent, Reasons.FailoverRunning, $"waiting for a word of {from.Name}");
        if (failover.Spec.RequestRef is null && HasRecovered(group, from, old))
            return new Decision.Abort(Reasons.PrimaryRecovered, $"{from.Name} takes writes again, and nothing had been done to it");
        // A person asked for it, and whoever was to take over cannot any more: to wait for them would leave the others without repairs.
        if (failover.Spec.RequestRef is not null && failover.PhaseFor >= limit && HasRecovered(group, from, old) && !SomebodyCouldTakeOver(group, failover))
            return new Decision.Abort(Reasons.NoCandidate, $"nobody could take over, and {from.Name} takes writes as before: {FailoverProcedure.Explain(group, failover).Message}");
        return ProcessEndIsNear(group, failover)
            ? Wait(failover, ProcessEndGrace, $"waiting for the kubelet to report the end of the process of {from.Name}")
            : null;
    }

    private static Decision Climb(GroupObservation group, FailoverRecord failover, Member? old)
    {
        var until = TimeSpan.Zero;
        foreach (var method in WaysFor(group, failover))
        {
            until += TimeOf(group, method);
            if (Try(method, group, failover, old, until) is { } decision) return decision;
        }
        return AtTheTop(group, failover, old, until);
    }

    /// <summary>One that has stopped in order is ended in order: nobody cuts the power of its node for it.</summary>
    private static IEnumerable<FencingMethod> WaysFor(GroupObservation group, FailoverRecord failover) => failover.Status.End is null
        ? group.Spec.Fencing.Policy
        : group.Spec.Fencing.Policy.OrderBy(m => m == FencingMethod.PodTermination ? 0 : 1);

    private static TimeSpan TimeOf(GroupObservation group, FencingMethod method)
    {
        var usual = TimeSpan.FromSeconds(group.Spec.Fencing.TimeoutSeconds);
        return method switch
        {
            // It leads to a proof after D for certain, from the last change of the lease on: a renewal, or the revocation.
            FencingMethod.SelfFence => usual > 2 * group.LeaseDuration ? usual : 2 * group.LeaseDuration,
            FencingMethod.Job => TimeSpan.FromSeconds(group.Spec.Fencing.Job?.TimeoutSeconds ?? 0),
            FencingMethod.PodTermination or FencingMethod.NodeOutOfService => usual,
            _ => throw new ArgumentOutOfRangeException(nameof(method), method, "unknown method"),
        };
    }

    /// <param name="until">When, since the fence is sought, the time of this way is over.</param>
    /// <returns>Null: it cannot lead to a proof as things are, or its time is over.</returns>
    private static Decision? Try(FencingMethod method, GroupObservation group, FailoverRecord failover, Member? old, TimeSpan until) => method switch
    {
        FencingMethod.PodTermination when old is { Pod.Terminating: false } => Touch(group, failover, new Step.TerminatePod(failover.Spec.From!)),
        _ when failover.PhaseFor >= until => null,
        FencingMethod.SelfFence => SelfFence(group, failover, old, until),
        // Where nobody may look at the node, its kubelet may still be there, and is waited for.
        FencingMethod.PodTermination => old is { Node.IsSeenDown: false }
            ? Wait(failover, until, $"waiting for the kubelet of {failover.Spec.From!.Node} to confirm the end of {failover.Spec.From.Name}")
            : null,
        FencingMethod.NodeOutOfService => TaintNode(group, failover, old, until),
        FencingMethod.Job => RunJob(group, failover, until),
        _ => throw new ArgumentOutOfRangeException(nameof(method), method, "unknown method"),
    };

    private static Decision? SelfFence(GroupObservation group, FailoverRecord failover, Member? old, TimeSpan until)
    {
        var from = failover.Spec.From!;
        if (group.Lease?.Record is not { } lease)
            return new Decision.Advance(new Step.RecreateLease(SlotHolder.Of(group).Term, LeasePlan.TermsFor(group)));

        // A pod that is being deleted hands over in order, if it can.
        var isHandingOver = old?.Pod.Terminating == true && failover.PhaseFor < TimeSpan.FromSeconds(group.Spec.Detection.UnhealthyAfterSeconds);
        var isRenewing = group.Lease.UnchangedFor < failover.PhaseFor && !isHandingOver;
        var rest = group.LeaseExpiresIn;
        if (lease.Holder is { } holder && (isRenewing || (rest == TimeSpan.Zero && LeaseFence.SaysOtherwise(group, from))))
            return Touch(group, failover, new Step.RevokeLease(holder, lease.Term, lease.Version));
        return rest > TimeSpan.Zero
            ? new Decision.Wait(rest, Reasons.FailoverRunning, $"waiting for the agent of {from.Name} to release the lease, or for its expiry")
            : Wait(failover, until, $"the lease has run out, but {from.Name} still says that it takes writes");
    }

    /// <summary>Never on a node that is ready, or may be: everything on it would be ended.</summary>
    private static Decision? TaintNode(GroupObservation group, FailoverRecord failover, Member? old, TimeSpan until)
    {
        if (NodeOf(group, failover, old) is not { IsSeenDown: true, OutOfService: false } node || node.State == NodeState.Absent) return null;
        var isDown = old is null or { Pod.Terminating: true } || node.NotReadyFor >= TimeSpan.FromSeconds(group.Spec.Fencing.TimeoutSeconds);
        return isDown
            ? Touch(group, failover, new Step.TaintNode(node.Name))
            : Wait(failover, until, $"node {node.Name} is {node.State}, but not for long enough to be taken out of service");
    }

    private static NodeObservation? NodeOf(GroupObservation group, FailoverRecord failover, Member? old) =>
        old?.Node ?? group.Departures.FirstOrDefault(d => d.Uid == failover.Spec.From!.Uid)?.Node;

    private static Decision? RunJob(GroupObservation group, FailoverRecord failover, TimeSpan until) => failover.FencingJob switch
    {
        JobObservation.NotCreated => Touch(group, failover, new Step.RunFencingJob(failover.Spec.From!, failover.Spec.Term)),
        JobObservation.Running => Wait(failover, until, "waiting for the Job of fencing.job"),
        JobObservation.Succeeded or JobObservation.Failed => null,
        _ => throw new ArgumentOutOfRangeException(nameof(failover), failover.FencingJob, "unknown state of the Job"),
    };

    /// <summary>Something that is done to the old primary on purpose.</summary>
    private static Decision Touch(GroupObservation group, FailoverRecord failover, Step step) => SomebodyCouldTakeOver(group, failover)
        ? new Decision.Advance(step)
        : new Decision.Blocked(Reasons.NoCandidate,
            FailoverProcedure.Explain(group, failover).Within(why => $"{failover.Spec.From!.Name} has failed, but nobody could take over, so it is left alone: {why}"));

    /// <summary>Every way has been gone.</summary>
    private static Decision AtTheTop(GroupObservation group, FailoverRecord failover, Member? old, TimeSpan until)
    {
        var from = failover.Spec.From!;
        if (failover.FenceConfirmedFor is { } other && other != from.Name)
        {
            return new Decision.Blocked(Reasons.FenceConfirmationInvalid,
                $"the annotation {ApiGroup.FenceConfirmedAnnotation} names {other}, but the old primary is {from.Name}; "
                + $"if {from.Name} surely cannot write any more, set it to {from.Name}");
        }
        return group.Spec.Fencing.WhenUnproven switch
        {
            UnprovenFence.Proceed when failover.PhaseFor < until =>
                Wait(failover, until, $"waiting for a proof that {from.Name} does not write any more"),
            UnprovenFence.Proceed => new Decision.Advance(new Step.Enter(FailoverPhase.Electing)
            {
                Fence = FenceEvidence.Unproven,
                FencedBy = "fencing.whenUnproven: Proceed",
            }),
            UnprovenFence.Block => new Decision.Blocked(Reasons.FenceUnproven, Unproven(group, failover, old)),
            _ => throw new ArgumentOutOfRangeException(nameof(group), group.Spec.Fencing.WhenUnproven, "unknown choice"),
        };
    }

    private static string Unproven(GroupObservation group, FailoverRecord failover, Member? old)
    {
        var from = failover.Spec.From!;
        var state = NodeOf(group, failover, old) is { State: NodeState.Unobserved } ? Unobserved(group, failover, old)
            : old is null ? $"{from.Name} was removed without its kubelet's confirmation"
            : $"node {old.Node.Name} is {old.Node.State} and has not confirmed the end of {from.Name}";
        var job = failover.FencingJob is JobObservation.Failed(var message) ? $" ({message})" : "";
        // Whoever gives his word takes the loss on, see DataLoss.Silence.
        var unheard = LeasePlan.IsSynchronous(group.Spec) || failover.Spec.LastServiceAt is not { } heard ? "" : $" What it wrote since {heard}, when it was heard last, may be lost.";
        return $"{state}{job}, so {from.Name} may still take writes and nobody is promoted.{unheard} "
            + $"Bring node {from.Node} back, or make sure that it is off and then run: "
            // By the short name: "failover" is also the category of all our kinds, which kubectl annotate refuses.
            + $"kubectl annotate fo {failover.Name} {ApiGroup.FenceConfirmedAnnotation}={from.Name}";
    }

    /// <summary>What is missing for a proof, and which proofs cannot come because nobody may look at the node.</summary>
    private static string Unobserved(GroupObservation group, FailoverRecord failover, Member? old)
    {
        var from = failover.Spec.From!;
        var missing = old is null
            ? $"{from.Name} was removed without its kubelet's confirmation"
            : $"node {from.Node} has not confirmed the end of {from.Name}";
        var unknown = old is null ? "whether that kubelet has caught up since" : "whether it is down";
        var taint = group.Spec.Fencing.Policy.Contains(FencingMethod.NodeOutOfService) ? ", nor take it out of service" : "";
        return $"{missing}, and the operator, which may not read nodes (the chart's rbac.nodes), cannot tell {unknown}{taint}";
    }

    /// <summary>Who was made the primary, as both say since the fence is sought. Null: nobody, or they do not both say so.</summary>
    private static Member? HasMoved(GroupObservation group, MemberReference from, Member old, TimeSpan fencingFor) =>
        !group.HasAgents
        && old.Probe.Status is { Role: EngineRole.Standby, Writable: false } && old.StatusAge <= fencingFor && old.Pod.Ready
        && ProcessIdentity.EndOf(from, old) is null
        && Rivals.AtWork(group, from) is [{ Pod: { Ready: true, Terminating: false } } leader] && leader.StatusAge < FailoverProcedure.FreshnessBound
            ? leader
            : null;

    /// <summary>The old primary takes writes, as if nothing had been.</summary>
    internal static bool HasRecovered(GroupObservation group, FailoverRecord failover) =>
        failover.Spec.From is { } from && group.Members.FirstOrDefault(m => m.Uid == from.Uid) is { Pod.Terminating: false } old && HasRecovered(group, from, old);

    private static bool HasRecovered(GroupObservation group, MemberReference from, Member old)
    {
        if (!old.IsWritablePrimary || !old.Pod.Ready || old.StatusAge >= FailoverProcedure.FreshnessBound) return false;
        return group.HasAgents
            ? LeaseFinding.Of(group, SlotHolder.Of(group)) is LeaseFinding.Held && !ProcessIdentity.ContainerEnded(from, old)
            : ProcessIdentity.EndOf(from, old) is null;
    }

    /// <summary>Where a restarted server is read-only, the end of the process is all that is needed, and its pod can be spared.</summary>
    private static bool ProcessEndIsNear(GroupObservation group, FailoverRecord failover) => !group.HasAgents
        && group.Spec.Engine.StartsAs == StartState.ReadOnly
        && failover.Spec.Cause == FailoverCause.PrimaryProcessDown && failover.PhaseFor < ProcessEndGrace;

    private static Decision.Wait Wait(FailoverRecord failover, TimeSpan until, string message) =>
        new(until - failover.PhaseFor, Reasons.FailoverRunning, message);
}
