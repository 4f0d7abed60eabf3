using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Recovery;

/// <summary>
/// The way of one failover: fence, choose, promote, repoint, verify. A pure function from what is observed and the
/// phase that was written down to the next decision, so that any operator at any time goes on at the right step.
/// </summary>
public static class FailoverProcedure
{
    /// <summary>A chosen candidate must have told its state within this time, and after the fence. Invariant I4.</summary>
    public static readonly TimeSpan FreshnessBound = TimeSpan.FromSeconds(1);

    /// <summary>Time for traffic to reach the new primary, and for its first write.</summary>
    public static readonly TimeSpan TrafficTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Pause between two tries of a step that is not done at the first.</summary>
    public static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);

    public static Decision Next(GroupObservation group, FailoverRecord failover) => failover.Status.Phase switch
    {
        _ when failover.SpecChanged => End(FailoverPhase.Failed, Reasons.SpecChanged,
            "somebody changed the spec of this Failover after its creation, so that it cannot be trusted; the operator judges the group anew", failover),
        FailoverPhase.Pending => Start(group, failover),
        FailoverPhase.Fencing when failover.IsPlanned => Switchover.HandOver(group, failover),
        FailoverPhase.Fencing => FencingLadder.Next(group, failover),
        FailoverPhase.Electing or FailoverPhase.CatchingUp or FailoverPhase.Starting => ElectCandidate(group, failover),
        FailoverPhase.Promoting => PromoteCandidate(group, failover),
        FailoverPhase.Repointing => RepointTraffic(group, failover),
        FailoverPhase.Verifying => VerifyWrites(group, failover),
        FailoverPhase.Completed or FailoverPhase.Failed or FailoverPhase.Aborted => new Decision.Steady(),
        _ => throw new ArgumentOutOfRangeException(nameof(failover), failover.Status.Phase, "unknown phase"),
    };

    /// <summary>A failover of which a later one knows nothing can only do harm.</summary>
    public static Decision Supersede(FailoverRecord failover, FailoverRecord by) =>
        End(FailoverPhase.Aborted, Reasons.Superseded, $"{by.Name} has taken over", failover);

    private static Decision Start(GroupObservation group, FailoverRecord failover) => failover.Spec.Type switch
    {
        _ when Restraint.OnStart(group, failover) is { } restraint => FencingLadder.HasRecovered(group, failover)
            ? new Decision.Abort(Reasons.PrimaryRecovered, $"{failover.Spec.From!.Name} takes writes again, and nothing had been done to it")
            : restraint.ToDecision(failover.Spec.Evidence),
        FailoverType.Failover or FailoverType.Switchover or FailoverType.Failback => Enter(FailoverPhase.Fencing, failover),
        FailoverType.Election or FailoverType.Adoption => new Decision.Advance(new Step.Enter(FailoverPhase.Electing)
        {
            Fence = FenceEvidence.NotNeeded,
            FencedBy = "nobody was active",
        }),
        _ => throw new ArgumentOutOfRangeException(nameof(failover), failover.Spec.Type, "unknown type"),
    };

    private static Decision ElectCandidate(GroupObservation group, FailoverRecord failover)
    {
        // After the fence, and fresh. Who has been silent all along is not waited for: unknown is not eligible anyway.
        var bound = failover.PhaseFor < FreshnessBound ? failover.PhaseFor : FreshnessBound;
        var asked = failover.IsPlanned ? Switchover.Asked(group, failover) : group.Members;
        var stale = asked.Where(m => m.Address is not null && !m.Pod.Terminating && (m.Answers || m.Probe.Reply is null) && m.StatusAge > bound).ToList();
        if (stale.Count > 0) return new Decision.Advance(new Step.AskMembers(stale));

        if (failover.ReplacesPrimary)
        {
            if (Rivals.Unrecorded(group, failover) is { Count: > 0 } rivals) return new Decision.Advance(new Step.Enter(failover.Status.Phase) { Rivals = rivals });
            if (Rivals.Settle(group, failover, bound) is { } first) return first;
        }

        if (failover.IsPlanned && Switchover.Await(group, failover, bound) is { } wait) return wait;

        var chosen = Elections.Choose(group, failover, bound);
        if (chosen is Choice.Nobody nobody)
        {
            if (group.HasAgents && BetterProof(group, failover) is { } better) return better;
            if ((CatchUp.Await(group, failover, bound) ?? ColdStandby.Await(group, failover, nobody)) is { } patience) return patience;
            // An election fenced nobody, so that giving it up is safe, and judging anew finds a way that still exists.
            return failover.ReplacesPrimary ? new Decision.Blocked(nobody.Reason, nobody.Why) : new Decision.Abort(nobody.Reason, nobody.Message);
        }

        var candidate = (Choice.Candidate)chosen;
        var (member, lagBytes) = candidate;
        if (Unbound(group, member) is { } bind) return bind;
        return new Decision.Advance(new Step.Enter(failover.Spec.Type == FailoverType.Adoption ? FailoverPhase.Repointing : FailoverPhase.Promoting)
        {
            Candidate = ProcessIdentity.ReferenceTo(member),
            Origin = OriginOf(member),
            LostBytes = failover.ReplacesPrimary ? lagBytes : 0,
            AcceptedLoss = candidate.AcceptedLoss,
        });
    }

    /// <summary>Before it is written down as the candidate, so that no other slot writes it down, too. Null: it is bound, or need not be.</summary>
    internal static Decision? Unbound(GroupObservation group, Member candidate) => Slots.AreBound(group.Spec) && candidate.SlotLabel != group.Slot
        ? new Decision.Advance(new Step.BindSpare(candidate, group.Slot))
        : null;

    /// <summary>Of one who is at work already its log of before is not known.</summary>
    private static LogPoint? OriginOf(Member candidate) =>
        candidate.Probe.Status is { Role: EngineRole.Standby, History: { } history, PositionBytes: { } position }
        ? new LogPoint { History = history, PositionBytes = position }
        : null;

    /// <summary>
    /// The last holder's time is over, but it may be kept writable by promises of members who may not be chosen. More than time proves its
    /// end, too, or is brought about. Null: there is nothing of the kind.
    /// </summary>
    private static Decision? BetterProof(GroupObservation group, FailoverRecord failover)
    {
        if (failover.Spec.From is not { } from || !failover.ReplacesPrimary) return null;
        if (group.Lease?.Record is null) return new Decision.Advance(new Step.RecreateLease(SlotHolder.Of(group).Term, LeasePlan.TermsFor(group)));
        if (failover.Status.Fence is not { Evidence: var evidence and not FenceEvidence.NotNeeded } || !LeaseLimits.MayBeKept(group, evidence)) return null;
        if (Fence.ByMore(group, failover) is { } proof && !LeaseLimits.MayBeKept(group, proof.Evidence))
            return new Decision.Advance(new Step.Enter(failover.Status.Phase) { Fence = proof.Evidence, FencedBy = proof.By });
        var alive = LeaseFence.PossibleHolders(group).Where(h => group.Members.Any(m => m.Uid == h.Uid && !m.Pod.Terminating)).ToList();
        return alive.Count > 0 && group.Spec.Fencing.Policy.Contains(FencingMethod.PodTermination) && FencingLadder.SomebodyCouldTakeOver(group, failover)
            ? new Decision.Advance([.. alive.Select(h => new Step.TerminatePod(h))])
            : null;
    }

    private static Decision PromoteCandidate(GroupObservation group, FailoverRecord failover)
    {
        if (Lost(group, failover) is { } lost) return lost;
        var candidate = CandidateIn(group, failover)!;
        // A person has taken the label off.
        if (candidate.SlotLabel is null && Unbound(group, candidate) is { } bind) return bind;
        if (candidate.IsWritablePrimary && candidate.StatusAge <= failover.PhaseFor && (!group.HasAgents || LeasePromotion.IsDone(group, failover, candidate)))
            return new Decision.Advance(Entering(FailoverPhase.Repointing, failover) with { History = candidate.Probe.Status!.History });

        // From here on the candidate may be writable: the next failover has to fence it.
        if (failover.PhaseFor >= TimeSpan.FromSeconds(group.Spec.Promotion.TimeoutSeconds))
            return End(FailoverPhase.Failed, Reasons.PromotionTimedOut, $"{candidate.Name} did not become primary within promotion.timeoutSeconds ({group.Spec.Promotion.TimeoutSeconds} s)", failover);
        return group.HasAgents ? LeasePromotion.Next(group, failover, candidate) : new Decision.Advance(new Step.Promote(candidate, failover.Spec.Term));
    }

    private static Decision RepointTraffic(GroupObservation group, FailoverRecord failover)
    {
        if (Lost(group, failover) is { } lost) return lost;
        var primary = CandidateIn(group, failover)!;
        var steps = Repairs.Needed(group, primary, failover.Spec.Term);
        if (Repairs.TrafficLeadsTo(group, primary) && !steps.Any(s => s is Step.Label or Step.PointService)) return Enter(FailoverPhase.Verifying, failover);
        if (failover.PhaseFor >= TrafficTimeout)
            return End(FailoverPhase.Failed, Reasons.VerificationFailed, $"{primary.Name} is primary, but the Services of spec.traffic do not lead to it; check that their selectors match its labels and that it is ready", failover);
        return steps.Count > 0 ? new Decision.Advance(steps) : new Decision.Wait(TrafficTimeout - failover.PhaseFor, Reasons.FailoverRunning, $"waiting for the Services' endpoints to lead to {primary.Name}");
    }

    private static Decision VerifyWrites(GroupObservation group, FailoverRecord failover)
    {
        if (failover.Verification is EngineOutcome.Done && Switchover.IsBack(failover))
            return End(FailoverPhase.Aborted, Reasons.SwitchedBack, $"{failover.Spec.Target} did not have everything in time, so {failover.Status.Candidate!.Name} is the primary again", failover);
        if (failover.Verification is EngineOutcome.Done)
            return End(FailoverPhase.Completed, Reasons.Verified, $"{failover.Status.Candidate!.Name} takes writes", failover);
        if (Lost(group, failover) is { } lost) return lost;
        if (failover.PhaseFor >= TrafficTimeout)
            return End(FailoverPhase.Failed, Reasons.VerificationFailed, $"no write through the Services succeeded: {(failover.Verification as EngineOutcome.NotDone)?.Message ?? "no answer"}", failover);
        return new Decision.Advance(new Step.Verify(CandidateIn(group, failover)!, failover.Spec.Term));
    }

    /// <summary>The candidate is no more; it may have been writable, so that the next failover starts from it. Null: it is there.</summary>
    private static Decision? Lost(GroupObservation group, FailoverRecord failover)
    {
        var reference = failover.Status.Candidate!;
        var member = CandidateIn(group, failover);
        var why = member is null ? "its pod is gone"
            : member.Pod.Terminating || member.Pod.Phase is PodPhase.Failed or PodPhase.Succeeded ? "its pod has ended or is being deleted"
            : group.HasAgents ? LeasePromotion.LossOf(group, failover, member)
            : Slots.AreBound(group.Spec) && member.SlotLabel is { } slot && slot != group.Slot ? $"it was bound to slot {slot}"
            : ProcessIdentity.EndOf(reference, member);
        return why is null ? null : End(FailoverPhase.Failed, Reasons.CandidateLost, $"{reference.Name} was lost on the way: {why}", failover);
    }

    private static Member? CandidateIn(GroupObservation group, FailoverRecord failover) =>
        group.Members.FirstOrDefault(m => m.Uid == failover.Status.Candidate!.Uid);

    /// <summary>How old a status may be that only says whether a failover would work.</summary>
    public static TimeSpan ReadinessBound(RedundancyGroupSpec spec) =>
        TimeSpan.FromMilliseconds((2 * spec.Detection.ProbeIntervalMilliseconds) + spec.Detection.ProbeTimeoutMilliseconds);

    /// <summary>Why each standby cannot be promoted.</summary>
    internal static string Explain(Candidates candidates, GroupObservation group) =>
        string.Join("; ", candidates.Refusals([.. group.Members.Where(m => !candidates.IsOldPrimary(m))]).Select(e => e.Message));

    internal static Explanation Explain(GroupObservation group, FailoverRecord failover)
    {
        var candidates = Candidates.Of(group, Benchmark.Of(failover.Spec), ReadinessBound(group.Spec));
        return Elections.Explain(Explain(candidates, group), candidates.Refusals(group.Members), group);
    }

    private static Decision Enter(FailoverPhase phase, FailoverRecord failover) => new Decision.Advance(Entering(phase, failover));

    private static Step.Enter Entering(FailoverPhase phase, FailoverRecord failover) =>
        new(phase) { Candidate = failover.Status.Candidate, LostBytes = failover.Status.LostBytes };

    private static Decision End(FailoverPhase phase, string reason, string message, FailoverRecord failover) =>
        new Decision.Advance(new Step.Enter(phase) { Reason = reason, Message = message, Candidate = failover.Status.Candidate, LostBytes = failover.Status.LostBytes });
}
