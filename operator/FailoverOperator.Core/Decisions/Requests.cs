using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Decisions;

/// <summary>
/// What people ask for. A request is checked, says why it waits, is carried out as a Failover of the operator's own, which claims the term as
/// every other one does, and ends as that one ended.
/// </summary>
public static class Requests
{
    /// <summary>What to do about the first request that something is to be done about. Null: there is none.</summary>
    /// <param name="isFree">No failover is running.</param>
    public static Verdict? Next(GroupObservation group, Diagnosis diagnosis, bool isFree)
    {
        foreach (var request in Open(group))
        {
            if (Decide(group, diagnosis, request, isFree) is { } decision) return new(diagnosis, request, decision);
        }
        return null;
    }

    /// <summary>When the next of them is due, or has waited for too long. Null: there is none.</summary>
    public static TimeSpan? LookAgainIn(GroupObservation group) => Open(group)
        .Select(request => request.Schedule is Schedule.At { DueIn: var due } && due > TimeSpan.Zero ? due : Deadline(request) - WaitedFor(request))
        .Select(rest => (TimeSpan?)(rest > TimeSpan.Zero ? rest : TimeSpan.Zero)).Min();

    /// <summary>Who has waited longest goes first.</summary>
    private static IEnumerable<FailoverRecord> Open(GroupObservation group) =>
        group.Failovers.Where(f => f is { IsOwn: false, IsEnded: false }).OrderByDescending(f => f.PhaseFor).ThenBy(f => f.Name, StringComparer.Ordinal);

    private static Decision? Decide(GroupObservation group, Diagnosis diagnosis, FailoverRecord request, bool isFree)
    {
        if (ExecutionOf(group, request) is { } execution) return Follow(request, execution);
        if (Objection(group, request) is { } objection) return End(FailoverPhase.Failed, objection.Reason, objection.Message);
        if (request.Spec.DryRun) return DryRun(group, diagnosis, request);
        if (request.Schedule is Schedule.At { DueIn: var due } && due > TimeSpan.Zero)
            return Note(request, Reasons.Scheduled, $"begins at {request.Spec.ScheduledAt}");
        if (!isFree) return Note(request, Reasons.FailoverRunning, "waits for the end of the failover that is running");
        if (IsMoved(group, request) is { } moved) return End(FailoverPhase.Failed, Reasons.HolderChanged, moved);
        if (IsActive(group, request)) return End(FailoverPhase.Completed, Reasons.AlreadyActive, $"{request.Spec.Target} is the primary already");

        var hindrance = RequestCheck.Hindrance(group, diagnosis, request.Spec);
        if (hindrance is null) return Begin(group, diagnosis, request);
        return WaitedFor(request) >= Deadline(request)
            ? End(FailoverPhase.Aborted, Reasons.DeadlineExceeded, $"could not begin within deadlineSeconds ({request.Spec.DeadlineSeconds} s): {hindrance.Message}")
            : Note(request, hindrance.Reason, $"waits: {hindrance.Message}");
    }

    /// <summary>What makes it one that can never be carried out. Null: nothing.</summary>
    private static Eligibility.Ineligible? Objection(GroupObservation group, FailoverRecord request)
    {
        var spec = request.Spec;
        if (request.SpecChanged) return new(Reasons.SpecChanged, "somebody changed the spec of this request; delete it and ask anew");
        if (spec.Type is not (FailoverType.Switchover or FailoverType.Failover or FailoverType.Failback))
            return new(Reasons.NotRequestable, "people can ask for type: Switchover, Failover, or Failback; the other types are begun by the operator alone, when they are needed");
        if (spec.Term != 0) return new(Reasons.RequestInvalid, "term is what the operator finds out; leave it out of a request");
        if (spec.Slot != group.Slot)
            return new(Reasons.RequestInvalid, $"there is no slot {spec.Slot}; {(Slots.Names(group.Spec) is [var only] ? $"the group's only one is {only}" : $"there are {Slots.InWords(group.Spec)}")}");
        if (request.Schedule is Schedule.Unreadable)
            return new(Reasons.RequestInvalid, $"scheduledAt is not a time: {spec.ScheduledAt}; write it as 2026-11-27T03:00:00Z");
        if (spec.Type != FailoverType.Failover && !Switchover.IsPossible(group.Spec) && !ColdStandby.SharesData(group.Spec))
            return new(Reasons.NotRequestable, $"no switchover can be had in this group: {OrderlyStop.WhyNot(group.Spec)}; type: Failover can");
        if (spec.Type != FailoverType.Failover && ColdStandby.SharesData(group.Spec) && !ColdStandby.IsActive(group))
            return new(Reasons.NotRequestable, "a member of the group's own workload is the primary: there is nothing to give back; type: Failover starts the cold standby");
        return spec.Target is { } target && group.Members.Count >= group.WorkloadReplicas && group.Members.All(m => m.Name != target)
            ? new(Reasons.RequestInvalid, $"there is no pod {target} in the group; there are {string.Join(", ", group.Members.Select(m => m.Name))}")
            : null;
    }

    private static FailoverRecord? ExecutionOf(GroupObservation group, FailoverRecord request) =>
        group.Failovers.LastOrDefault(f => f.IsOwn && f.Spec.RequestRef is { } asked && asked.Name == request.Name && asked.Uid == request.Uid);

    private static Decision? Follow(FailoverRecord request, FailoverRecord execution)
    {
        if (!execution.IsEnded)
        {
            return request.Status.ExecutedAs == execution.Name ? null : new Decision.Advance(new Step.Enter(FailoverPhase.Pending)
            {
                Reason = Reasons.Executing,
                Message = $"{execution.Name} carries it out",
                ExecutedAs = execution.Name,
            });
        }
        var status = execution.Status;
        var cost = status.DowntimeMilliseconds is { } downtime ? $", after {downtime} ms without writes" : "";
        return new Decision.Advance(new Step.Enter(status.Phase)
        {
            Reason = status.Reason,
            Message = $"{execution.Name}: {status.Message}{cost}",
            Candidate = status.Candidate,
            LostBytes = status.LostBytes,
            ExecutedAs = execution.Name,
        });
    }

    private static Decision.Begin Begin(GroupObservation group, Diagnosis diagnosis, FailoverRecord request)
    {
        var why = request.Spec.Reason is { Length: > 0 } reason ? $": {reason}" : "";
        var (cause, evidence) = diagnosis is Diagnosis.PrimaryFailed failed ? (failed.Cause, failed.Evidence) : (FailoverCause.Requested, []);
        return new(Plan.For(group, request.Spec.Type, cause, [$"asked for by {request.Name}{why}", .. evidence]) with
        {
            // A failover chooses after the fence; a switchover has to know who is to be waited for.
            Target = request.Spec.Type != FailoverType.Failover ? RequestCheck.Target(group, request.Spec)!.Name : request.Spec.Target,
            DeadlineSeconds = request.Spec.DeadlineSeconds,
            RequestRef = new RequestReference { Name = request.Name, Uid = request.Uid },
        });
    }

    private static Decision DryRun(GroupObservation group, Diagnosis diagnosis, FailoverRecord request)
    {
        var from = SlotHolder.Of(group).Holder?.Name ?? "nobody";
        var target = RequestCheck.Target(group, request.Spec)?.Name ?? request.Spec.Target ?? "nobody";
        var refusals = new[] { IsMoved(group, request), IsActive(group, request) ? $"{target} is the primary already" : null }.OfType<string>().ToList();
        var checks = RequestCheck.All(group, diagnosis, request.Spec).Select(check => $"{(check.Passed ? "ok" : "NO")}: {check.Message}");
        var would = refusals is [var refusal, ..] ? $"would be refused: {refusal}"
            : RequestCheck.Hindrance(group, diagnosis, request.Spec) is null ? $"would make {target} the primary in place of {from}, in term {SlotHolder.Of(group).NextTerm}"
            : "would wait";
        return End(FailoverPhase.Completed, Reasons.DryRun, $"nothing was changed; it {would}. Checks: {string.Join("; ", checks)}");
    }

    /// <summary>Null: the primary is whom the request expects.</summary>
    private static string? IsMoved(GroupObservation group, FailoverRecord request) =>
        request.Spec.ExpectedHolder is { } expected && SlotHolder.Of(group).Holder?.Name is var holder && holder != expected
            ? $"expectedHolder is {expected}, but the primary is {holder ?? "nobody"}"
            : null;

    private static bool IsActive(GroupObservation group, FailoverRecord request) =>
        request.Spec.Target is { } target && SlotHolder.Of(group).Holder?.Name == target;

    private static TimeSpan WaitedFor(FailoverRecord request) =>
        request.Schedule is Schedule.At { DueIn: var due } && -due < request.PhaseFor ? -due : request.PhaseFor;

    private static TimeSpan Deadline(FailoverRecord request) => TimeSpan.FromSeconds(request.Spec.DeadlineSeconds);

    /// <summary>Once for each reason: what a message tells beside it may change all the time.</summary>
    private static Decision.Advance? Note(FailoverRecord request, string reason, string message) => request.Status.Reason == reason ? null
        : new Decision.Advance(new Step.Enter(FailoverPhase.Pending) { Reason = reason, Message = message });

    private static Decision.Advance End(FailoverPhase phase, string reason, string message) =>
        new(new Step.Enter(phase) { Reason = reason, Message = message });
}
