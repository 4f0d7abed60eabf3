using FailoverOperator.Acting;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Ownership;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Reporting;
using FailoverOperator.Core.Sharing;
using FailoverOperator.Observing;
using FailoverOperator.Recording;
using FailoverOperator.Runtime.Controllers;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Controllers;

/// <summary>
/// The loop of one group: for each of its slots observe, judge and decide (in the core), act, again while there is something to do; and record.
/// </summary>
public sealed class RedundancyGroupController(
    ClusterView cluster,
    AcceptanceObserver acceptances,
    CredentialReader credentials,
    GroupSessions sessions,
    GroupObserver observer,
    LeaseLog leases,
    ScaleLog scales,
    RestingGroups resting,
    StepExecutor executor,
    FailoverRecorder recorder,
    GroupRecorder groupRecorder,
    SharedGroupController shared,
    Duties duties,
    StormLog storm,
    SlotRuns slotRuns,
    Action<ObjectKey> enqueue) : IEntityController<RedundancyGroup>
{
    /// <summary>A bound for one reconciliation; a failover needs about ten turns.</summary>
    private const int MaxTurns = 50;

    /// <summary>Even without news every group is looked at so often.</summary>
    private static readonly TimeSpan Resync = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan AfterConflict = TimeSpan.FromMilliseconds(50);

    /// <summary>A moment that is awaited is not looked for more often than this.</summary>
    private static readonly TimeSpan LeastPause = TimeSpan.FromMilliseconds(5);

    /// <summary>A step of a failover that is not done at the first is tried again so soon, as long as its phase is young.</summary>
    private static readonly TimeSpan YoungRetryPause = TimeSpan.FromMilliseconds(50);

    /// <summary>Most phases are over within this time; nobody looks at the group's status meanwhile.</summary>
    private static readonly TimeSpan YoungPhase = TimeSpan.FromSeconds(1);

    /// <summary>A failover that takes longer waits for something that the members do not tell.</summary>
    private static readonly TimeSpan HurryAtMost = TimeSpan.FromSeconds(30);

    public async Task<ReconciliationResult<RedundancyGroup>> ReconcileAsync(RedundancyGroup entity, CancellationToken cancellationToken)
    {
        var key = KeyOf(entity);
        resting.Wake(key);
        var workload = cluster.WorkloadOf(entity);
        var secrets = await credentials.ReadAsync(entity, cancellationToken);
        var acceptance = GroupAcceptance.Judge(acceptances.Observe(entity, workload, secrets));
        if (!acceptance.CanAct || workload is null)
        {
            await sessions.CloseAsync(key);
            storm.Forget(key);
            if (duties.Of(key, ApiGroup.FirstSlot, null, isClaim: false, isUnderWay: false) is Duty.Leave)
            {
                groupRecorder.HandOver(entity);
                return ReconciliationResult<RedundancyGroup>.Success(entity, Resync);
            }
            var putOff = await groupRecorder.RefusedAsync(entity, acceptance, cancellationToken);
            return ReconciliationResult<RedundancyGroup>.Success(entity, Least(putOff ?? Resync, Resync));
        }
        if (SharedDecider.Concerns(entity.Spec))
        {
            await sessions.CloseAsync(key, but: [ApiGroup.FirstSlot]);
            var session = await sessions.OpenAsync(entity, ApiGroup.FirstSlot, secrets.Credentials, () => enqueue(key));
            return ReconciliationResult<RedundancyGroup>.Success(entity, await shared.RunAsync(entity, workload, session, acceptance, cancellationToken));
        }
        var slots = Slots.Names(entity.Spec);
        await sessions.CloseAsync(key, but: slots);
        var looks = await slotRuns.RunAsync(slots, slot => LookAsync(entity, workload, slot, secrets.Credentials, cancellationToken), cancellationToken);
        return ReconciliationResult<RedundancyGroup>.Success(entity, await RecordAsync(entity, looks, acceptance, cancellationToken));
    }

    public async Task<ReconciliationResult<RedundancyGroup>> DeletedAsync(RedundancyGroup entity, CancellationToken cancellationToken)
    {
        // The workload, its labels and its Services stay as they are: traffic goes on to the primary of the day.
        var key = KeyOf(entity);
        resting.Wake(key);
        await sessions.CloseAsync(key);
        groupRecorder.Forget(entity);
        leases.Forget(entity);
        scales.Forget(entity);
        shared.Forget(entity);
        duties.Forget(key);
        storm.Forget(key);
        observer.Forget();
        return ReconciliationResult<RedundancyGroup>.Success(entity);
    }

    /// <summary>Looks at one slot, acts until there is nothing to do now, and says what was found last.</summary>
    private async Task<SlotLook> LookAsync(RedundancyGroup group, V1StatefulSet workload, string slot, GroupCredentials secrets, CancellationToken cancellationToken)
    {
        var session = await sessions.OpenAsync(group, slot, secrets, () => enqueue(KeyOf(group)));
        string? previous = null;
        for (var turn = 0; turn < MaxTurns; turn++)
        {
            if (group.Spec.Agent is not null) await leases.ConfirmAsync(group, cancellationToken);
            if (ScaleLog.Concerns(group)) await scales.LookAsync(group, isUrgent: cluster.FailoversOf(group).Any(f => f.Status?.Phase.IsEnd() != true), cancellationToken);
            var observation = observer.Observe(group, workload, session);
            var verdict = Decider.Decide(observation);
            session.Engine.AlwaysAsk(Circuits.AlwaysAsked(observation, verdict));
            session.Prober.IsHurried = group.Spec.Agent is not null && IsOnItsWay(verdict, HurryAtMost);
            var work = WorkOf(verdict);
            if (DutyFor(group, slot, verdict, work) is Duty.Leave leave)
            {
                storm.Forget(KeyOf(group), slot);
                return new(observation, verdict, Least(leave.LookAgainIn ?? Resync, PauseAfter(group, verdict, again: false))) { IsLeft = true };
            }
            verdict = storm.Admit(KeyOf(group), slot, group.Spec.Priority, verdict);
            work = WorkOf(verdict);
            // What was just done is not visible yet, or did not help: let the watch catch up before it is done again.
            var again = work is not null && work == previous;
            // The failover's own record is written before each phase; the group's would only be in its way.
            if (work is null || again) return new(observation, verdict, PauseAfter(group, verdict, again))
            {
                IsToBeRecorded = !IsOnItsWay(verdict, YoungPhase) && !Publication.IsPremature(observation),
            };
            previous = work;
            try
            {
                await ActAsync(new ActingContext(group, session, verdict.Running), verdict.Decision, cancellationToken);
            }
            catch (KubernetesApiException e) when (e.Failure is ApiFailure.Conflict or ApiFailure.AlreadyExists or ApiFailure.NotFound)
            {
                // The world has changed since it was observed: look again, decide again.
                return new(observation, verdict, AfterConflict);
            }
            if (turn == MaxTurns - 1) return new(observation, verdict, FailoverProcedure.RetryPause);
        }
        throw new InvalidOperationException("a look ends in one of its turns");
    }

    /// <returns>When to look again at the latest.</returns>
    private async Task<TimeSpan> RecordAsync(RedundancyGroup group, IReadOnlyList<SlotLook> looks, AcceptanceVerdict acceptance, CancellationToken cancellationToken)
    {
        var pause = looks.Min(look => look.Pause);
        if (looks.Any(look => look.IsLeft))
        {
            // Another replica acts and reports: this one only keeps what it would need to know.
            groupRecorder.HandOver(group);
            resting.Note(KeyOf(group), [.. looks.Select(look => look.Verdict)]);
            return pause;
        }
        if (!looks.All(look => look.IsToBeRecorded)) return pause;
        var putOff = await groupRecorder.RecordAsync(group, [.. looks.Select(look => (look.Observation, look.Verdict))], acceptance, cancellationToken);
        foreach (var look in looks) await recorder.PruneAsync(group, look.Observation, cancellationToken);
        resting.Note(KeyOf(group), [.. looks.Select(look => look.Verdict)]);
        return Least(putOff ?? Resync, pause);
    }

    /// <summary>What was found of a slot.</summary>
    /// <param name="Pause">When to look again at the latest.</param>
    private sealed record SlotLook(GroupObservation Observation, Verdict Verdict, TimeSpan Pause)
    {
        /// <summary>Another replica acts.</summary>
        public bool IsLeft { get; init; }

        public bool IsToBeRecorded { get; init; }
    }

    private static ObjectKey KeyOf(RedundancyGroup group) => new(group.Namespace(), group.Name());

    private Duty DutyFor(RedundancyGroup group, string slot, Verdict verdict, string? work) =>
        duties.Of(KeyOf(group), slot, work, isClaim: verdict.Decision is Decision.Begin, isUnderWay: verdict.Running is not null);

    /// <summary>A failover runs, nothing blocks it, and its phase is not older than this.</summary>
    private static bool IsOnItsWay(Verdict verdict, TimeSpan atMost) =>
        verdict is { Running: { IsEnded: false } running, Decision: Decision.Advance or Decision.Wait } && running.PhaseFor < atMost;

    private TimeSpan PauseAfter(RedundancyGroup group, Verdict verdict, bool again)
    {
        var isYoung = IsOnItsWay(verdict, YoungPhase);
        var pause = again ? (isYoung ? YoungRetryPause : FailoverProcedure.RetryPause) : PauseOf(verdict.Decision);
        if (isYoung) pause = Least(pause, YoungPhase);
        // A lease that is not renewed is looked at in the very moment of its expiry.
        return group.Spec.Agent is not null && leases.ExpiresIn(group) is var expiry && expiry > TimeSpan.Zero ? Least(pause, expiry) : pause;
    }

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private Task ActAsync(ActingContext context, Decision decision, CancellationToken cancellationToken) => decision switch
    {
        Decision.Begin begin => recorder.BeginAsync(context.Group, context.Session, begin.Plan, cancellationToken),
        Decision.Advance advance => executor.ExecuteAsync(context, advance.Steps, cancellationToken),
        Decision.Abort abort => executor.ExecuteAsync(context, [new Step.Enter(FailoverPhase.Aborted) { Reason = abort.Reason, Message = abort.Message }], cancellationToken),
        Decision.Blocked blocked => recorder.BlockAsync(context, blocked.Reason, blocked.Message, cancellationToken),
        Decision.Steady or Decision.Wait => Task.CompletedTask,
        _ => throw new ArgumentOutOfRangeException(nameof(decision), decision, "unknown decision"),
    };

    /// <summary>Names what a decision asks to be done, so that a repetition is noticed. Null: nothing.</summary>
    private static string? WorkOf(Verdict verdict) => verdict.Decision switch
    {
        Decision.Begin begin => $"begin {begin.Plan.Term}",
        Decision.Advance advance => string.Join(';', advance.Steps.Select(s => $"{verdict.Running?.Name} {verdict.Running?.Status.Phase} {StepExecutor.Describe(s)}")),
        Decision.Abort => $"abort {verdict.Running?.Name}",
        Decision.Blocked blocked when verdict.Running is { } running && running.Status.Reason != blocked.Reason => $"block {running.Name} {blocked.Reason}",
        Decision.Blocked or Decision.Steady or Decision.Wait => null,
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict.Decision, "unknown decision"),
    };

    private static TimeSpan PauseOf(Decision decision) => decision switch
    {
        Decision.Wait wait => wait.For < LeastPause ? LeastPause : Least(wait.For, Resync),
        Decision.Blocked => TimeSpan.FromSeconds(2),
        Decision.Steady { For: { } rest } => Least(rest, Resync),
        Decision.Steady or Decision.Begin or Decision.Advance or Decision.Abort => Resync,
        _ => throw new ArgumentOutOfRangeException(nameof(decision), decision, "unknown decision"),
    };
}
