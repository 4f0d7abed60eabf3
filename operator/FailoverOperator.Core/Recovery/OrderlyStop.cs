using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Sharing;

namespace FailoverOperator.Core.Recovery;

/// <summary>
/// A switchover in a group without agents: the operator itself makes the old primary read-only. That is no fence, for a restart may undo it. When the
/// target has all that the old primary had logged by then, this is written down, and the old primary's pod is ended as <c>fencing.policy</c> has it. Until that is
/// written nothing more than read-only has happened, and giving up takes it back: whoever looks at the group next finds a holder that is a standby, and promotes it in
/// its own term.
/// Invariant: no pod is ended on account of it before somebody else has every write.
/// </summary>
public static class OrderlyStop
{
    /// <summary>Why nobody can stop the writes of such a group in order, and what to do about it. Null: the operator can.</summary>
    public static string? WhyNot(RedundancyGroupSpec spec) =>
        SharedDecider.Concerns(spec) ? $"in mode {spec.Mode} the operator promotes nobody"
        : spec.Engine.Type == EngineType.Hooks && spec.Engine.Hooks?.Demote is null ? "without agents in the members (spec.agent) it needs the hook engine.hooks.demote: nobody else can stop the writes in order"
        : spec.Engine.Type is EngineType.None or EngineType.PostgreSQL ? "it needs agents in the members (spec.agent): nobody else can stop the writes in order"
        : spec.Standby == StandbyTemperature.Cold ? "with standby: Cold it needs agents in the members (spec.agent), or cold.data: Shared"
        : !spec.Fencing.Policy.Contains(FencingMethod.PodTermination) ? "without agents in the members (spec.agent) it needs PodTermination in fencing.policy: a primary that was told to stop is not fenced by that"
        : null;

    /// <summary>The operator itself may have told the present primary to take no writes, and has thought better of it.</summary>
    public static bool WasGivenUp(GroupObservation group) => !group.HasAgents && WhyNot(group.Spec) is null
        && group.Failovers.LastOrDefault(f => f.IsOwn) is { IsPlanned: true, Status: { Phase: FailoverPhase.Aborted, Candidate: null } };

    /// <summary>Phase Fencing.</summary>
    public static Decision HandOver(GroupObservation group, FailoverRecord failover)
    {
        var old = group.Members.FirstOrDefault(m => m.Uid == failover.Spec.From!.Uid);
        return failover.Status.End is { } end ? EndPod(group, failover, old, end) : StopWrites(group, failover, old);
    }

    /// <summary>It takes no writes, or is being told to take none; nothing more has happened.</summary>
    /// <param name="old">Null: its pod is gone.</param>
    private static Decision StopWrites(GroupObservation group, FailoverRecord failover, Member? old)
    {
        var from = failover.Spec.From!;
        // A primary that fails on the way is failed over as always.
        if (PrimaryDetector.Diagnose(group) is Diagnosis.PrimaryFailed failed)
            return new Decision.Abort(failed.Reason, $"{from.Name} has failed: {string.Join(", ", failed.Evidence)}");
        if (old is null || Rivals.AtWork(group, from).Count > 0)
            return new Decision.Abort(Reasons.HolderChanged, $"{from.Name} is not the only primary any more");
        return HasStopped(old, failover) ? OnceStopped(group, failover, old) : Stop(group, failover, old);
    }

    /// <summary>Somebody else has every write, and that is written down.</summary>
    /// <param name="old">Null: its pod is gone.</param>
    private static Decision EndPod(GroupObservation group, FailoverRecord failover, Member? old, LogEnd end)
    {
        if (old is not null && !FencingLadder.IsTouched(failover, old) && Spare(group, failover, old, end) is { } otherwise) return otherwise;
        return FencingLadder.Next(group, failover);
    }

    /// <summary>
    /// Whether the old primary surely has written nothing that is not known, though nobody listens to it any more. Until where its log ended is written down only its own
    /// present word counts anyway. After that a restart is all that could undo it: where servers start read-only it does not, and in a pod that is being
    /// deleted there is none, which its kubelet's word for its end closes. Any other proof says nothing of the time before.
    /// </summary>
    internal static bool IsHeld(GroupObservation group, FailoverRecord failover) => failover.IsPlanned && !group.HasAgents && WhyNot(group.Spec) is null
        && (failover.Status.Phase == FailoverPhase.Fencing || (failover.Status.End is not null
            && (group.Spec.Engine.StartsAs == StartState.ReadOnly || failover.Status.Fence?.Evidence == FenceEvidence.PodTerminated)))
        && !(failover.Status.End is { } end && HasWrittenSince(group, end));

    /// <summary>Where the old primary's log is known to have ended. Null: it was not stopped in order.</summary>
    internal static long? EndOfLog(GroupObservation group, FailoverRecord failover) => failover.Status.End is not { } end ? null
        : Benchmark.MemoryOf(group)?.PositionBytes is { } heard && heard > end.PositionBytes ? heard : end.PositionBytes;

    /// <summary>It was heard as a primary beyond where its log was said to end.</summary>
    private static bool HasWrittenSince(GroupObservation group, LogEnd end) => Benchmark.MemoryOf(group) is { } memory
        && (memory.PositionBytes > end.PositionBytes || (memory.History is { } history && end.History is { } ended && history != ended));

    /// <summary>Phase Electing: the old primary's pod has ended, so that each moment is one without writes. Null: choose now.</summary>
    public static Decision? Await(GroupObservation group, FailoverRecord failover, TimeSpan bound)
    {
        if (failover.Status.End is null || failover.PhaseFor >= Switchover.CatchUpTimeout || Complete(group, failover, bound) is not null) return null;
        var asked = group.Members.Where(m => m.Address is not null && m.Uid != failover.Spec.From!.Uid).ToList();
        return asked.Count > 0 ? new Decision.Advance(new Step.AskMembers(asked))
            : new Decision.Wait(FailoverProcedure.RetryPause, Reasons.FailoverRunning, $"waiting for {failover.Spec.Target}");
    }

    /// <summary>Who has all that the old primary logged, the target if that has. Null: nobody, or it was not stopped in order.</summary>
    public static Member? Complete(GroupObservation group, FailoverRecord failover, TimeSpan bound) => failover.Status.End is not { } end || HasWrittenSince(group, end) ? null
        : MeasuredBy(group, failover, end, bound).Ranked(group.Members).FirstOrDefault(m => HasAll(failover, m, end));

    /// <summary>The last moment to take it back: its pod is not being ended yet. Null: it is to be ended.</summary>
    private static Decision? Spare(GroupObservation group, FailoverRecord failover, Member old, LogEnd end)
    {
        if (old.IsWritablePrimary)
            return new Decision.Abort(Reasons.PrimaryRecovered, $"{old.Name} was stopped, and takes writes again without the operator; nothing more had been done to it");
        var bound = FailoverProcedure.ReadinessBound(group.Spec);
        // Whoever wrote it down may have ended since, and then nobody has listened to it.
        var stale = group.Members.Where(m => m.Address is not null && (m.Answers || m.Probe.Reply is null)
            && m.StatusAge > (m.Uid == old.Uid ? FailoverProcedure.FreshnessBound : Complete(group, failover, bound) is null ? bound : TimeSpan.MaxValue)).ToList();
        if (stale.Count > 0) return new Decision.Advance(new Step.AskMembers(stale));
        if (!IsStillAt(end, old, failover))
            return new Decision.Abort(Reasons.SwitchedBack, $"{old.Name} does not say any more that it is where it stopped, so its pod is not ended");
        return Complete(group, failover, bound) is not null ? null
            : new Decision.Abort(Reasons.SwitchedBack, $"nobody is there any more who has everything, so {old.Name} is made to take writes again");
    }

    private static bool IsStillAt(LogEnd end, Member old, FailoverRecord failover) =>
        old.Probe.Status is { Role: EngineRole.Standby, Writable: false } status && status.PositionBytes == end.PositionBytes && status.History == end.History
        && ProcessIdentity.EndOf(failover.Spec.From! with { ContainerId = null }, old) is null;

    private static Decision Stop(GroupObservation group, FailoverRecord failover, Member old)
    {
        if (IsOverdue(failover))
        {
            return new Decision.Abort(Reasons.DeadlineExceeded,
                $"{old.Name} did not stop its writes within deadlineSeconds ({failover.Spec.DeadlineSeconds} s); it keeps its place");
        }
        if (old.Address is null)
            return new Decision.Wait(FailoverProcedure.RetryPause, Reasons.FailoverRunning, $"waiting for {old.Name} to have an address");
        if (old.Probe.Status is { Role: EngineRole.Primary, Writable: false } && old.StatusAge <= failover.PhaseFor && StoppedFor(group, failover) >= Switchover.CatchUpTimeout)
            return new Decision.Abort(Reasons.SwitchedBack, $"{old.Name} takes no writes any more, but does not say that it is a standby; it is made to take writes again");
        if (old.IsWritablePrimary && RequestCheck.Target(group, failover.Spec) is null)
            return new Decision.Abort(Reasons.NotReadyYet, $"{failover.Spec.Target} is not ready any more, and nothing had been done");
        // Of two slots that want one spare one is to go on, before anything is stopped.
        if (group.Members.FirstOrDefault(m => m.Name == failover.Spec.Target) is { } target && FailoverProcedure.Unbound(group, target) is { } bind) return bind;
        // In the term that it serves in: it is to obey when it is promoted in that again.
        return new Decision.Advance(new Step.Demote(old, SlotHolder.Of(group).Term));
    }

    /// <summary>It takes no writes, so that where its log ends now is where it ends.</summary>
    private static Decision OnceStopped(GroupObservation group, FailoverRecord failover, Member old)
    {
        var status = old.Probe.Status!;
        if (status.PositionBytes is not { } position)
            return new Decision.Abort(Reasons.LagUnknown, $"{old.Name} does not tell where its log ends, so nobody is known to have all of it; it is made to take writes again");
        if (position < failover.Spec.PrimaryPositionBytes && Benchmark.Of(failover.Spec).KinshipOf(status) == Kinship.Same)
            return new Decision.Abort(Reasons.LagUnknown, $"{old.Name} has less than it had, so what it tells is not where its log ended; it is made to take writes again");
        var end = new LogEnd { History = status.History, PositionBytes = position };
        var target = group.Members.FirstOrDefault(m => m.Name == failover.Spec.Target);
        if (target is not null && HasAll(failover, target, end) && MeasuredBy(group, failover, end, FailoverProcedure.ReadinessBound(group.Spec)).Judge(target) is Eligibility.Eligible)
        {
            return old.StatusAge <= FailoverProcedure.FreshnessBound
                ? new Decision.Advance(new Step.Enter(FailoverPhase.Fencing) { End = end })
                : new Decision.Advance(new Step.AskMembers([old]));
        }
        // What it said before that is no answer.
        var isToBeAsked = target is { Address: not null } && target.StatusAge > old.StatusAge && (target.Answers || target.Probe.Reply is null);
        if (!isToBeAsked && (IsOverdue(failover) || StoppedFor(group, failover) >= Switchover.CatchUpTimeout))
        {
            return new Decision.Abort(Reasons.SwitchedBack, $"{failover.Spec.Target} did not have everything in time, so {old.Name} is made to take writes again");
        }
        return new Decision.Advance(new Step.AskMembers(isToBeAsked ? [target!] : [.. new[] { old, target }.OfType<Member>().Where(m => m.Address is not null)]));
    }

    /// <summary>As it said since this began: before that it took writes.</summary>
    private static bool HasStopped(Member old, FailoverRecord failover) =>
        old.Probe.Status is { Role: EngineRole.Standby, Writable: false } && old.StatusAge <= failover.PhaseFor;

    /// <summary>At most; a new operator counts anew.</summary>
    private static TimeSpan StoppedFor(GroupObservation group, FailoverRecord failover) =>
        group.PrimaryMemory is { } memory && memory.Uid == failover.Spec.From!.Uid && memory.LastServiceAge < failover.PhaseFor ? memory.LastServiceAge : failover.PhaseFor;

    private static bool IsOverdue(FailoverRecord failover) => failover.InPhaseFor >= TimeSpan.FromSeconds(failover.Spec.DeadlineSeconds);

    private static bool HasAll(FailoverRecord failover, Member member, LogEnd end) => member.Probe.Status is { } status
        && status.PositionBytes >= end.PositionBytes && (end.History is null || status.History == end.History)
        && (status.FollowsAddress is null || status.FollowsAddress == failover.Spec.From!.Address || end.History is not null);

    private static Candidates MeasuredBy(GroupObservation group, FailoverRecord failover, LogEnd end, TimeSpan bound) => Candidates.Of(group, Benchmark.Of(failover.Spec) with
    {
        PrimaryPositionBytes = end.PositionBytes,
        RequiredPositionBytes = end.PositionBytes,
        History = end.History,
    }, bound);
}
