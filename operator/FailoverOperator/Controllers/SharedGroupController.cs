using FailoverOperator.Acting;
using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Ownership;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Reporting;
using FailoverOperator.Core.Sharing;
using FailoverOperator.Observing;
using FailoverOperator.Recording;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Controllers;

/// <summary>
/// The loop of a group in which the operator promotes nobody: observe, judge and decide (in the core), act, record. Here it leads the
/// traffic only.
/// </summary>
public sealed class SharedGroupController(
    GroupObserver observer, SharedMemory memory, StepExecutor executor, GroupRecorder recorder, SharedNews news, Duties duties)
{
    private const int MaxTurns = 20;

    private static readonly TimeSpan Resync = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AfterConflict = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LeastPause = TimeSpan.FromMilliseconds(5);

    /// <summary>What was just done is not visible yet.</summary>
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);

    /// <returns>When to look again at the latest.</returns>
    public async Task<TimeSpan> RunAsync(
        RedundancyGroup group, V1StatefulSet workload, GroupSession session, AcceptanceVerdict acceptance, CancellationToken cancellationToken)
    {
        string? previous = null;
        for (var turn = 0; turn < MaxTurns; turn++)
        {
            var observation = observer.Observe(group, workload, session);
            var verdict = SharedDecider.Decide(memory.Observe(group, observation));
            session.Engine.AlwaysAsk(Circuits.AlwaysAsked(observation, verdict));
            var work = WorkOf(verdict);
            if (duties.Of(new ObjectKey(group.Namespace(), group.Name()), ApiGroup.FirstSlot, work, isClaim: false, isUnderWay: false) is Duty.Leave leave)
            {
                recorder.HandOver(group);
                return Pause(leave.LookAgainIn, verdict.LookAgainIn);
            }
            var again = work is not null && work == previous;
            if (work is null || again)
            {
                var putOff = Publication.IsPremature(observation) ? null : await recorder.RecordAsync(group, SharedReport.Of(observation, acceptance, verdict), cancellationToken);
                return Pause(putOff, verdict.LookAgainIn, again ? RetryPause : null);
            }
            previous = work;
            try
            {
                await executor.ExecuteAsync(new ActingContext(group, session, verdict.Request), verdict.Steps, cancellationToken);
                Note(group, verdict);
            }
            catch (KubernetesApiException e) when (e.Failure is ApiFailure.Conflict or ApiFailure.AlreadyExists or ApiFailure.NotFound)
            {
                // The world has changed since it was observed: look again, decide again.
                return AfterConflict;
            }
        }
        return RetryPause;
    }

    public void Forget(RedundancyGroup group) => memory.Forget(group);

    private void Note(RedundancyGroup group, SharedVerdict verdict)
    {
        foreach (var lost in verdict.Steps.OfType<Step.TerminatePod>()) news.Replaced(group, lost.Member.Name, lost.Member.Node);
        if (group.Spec.Mode == RedundancyMode.Quorum)
        {
            if (verdict is { Leader: { } leader, Term: { } term } && verdict.Steps.Any(s => s is Step.PointService { Role: TrafficRole.Active } to && to.Term == term))
                news.Repointed(group, leader, term);
            return;
        }
        foreach (var label in verdict.Steps.OfType<Step.Label>())
        {
            var placed = verdict.Members.First(p => p.Member.Uid == label.Member.Uid);
            if (label.Role == RoleLabels.Active && label.Member.RoleLabel != RoleLabels.Active)
            {
                memory.Admitted(group);
                news.Admitted(group, label.Member);
            }
            if (label.Role != RoleLabels.Active && label.Member.RoleLabel == RoleLabels.Active) news.Ejected(group, label.Member, placed.Standing.Why);
        }
    }

    /// <summary>Names what is to be done, so that a repetition is noticed. Null: nothing.</summary>
    private static string? WorkOf(SharedVerdict verdict) =>
        verdict.Steps.Count == 0 ? null : $"{verdict.Request?.Name} {string.Join(';', verdict.Steps.Select(StepExecutor.Describe))}";

    private static TimeSpan Pause(params TimeSpan?[] moments)
    {
        var first = moments.Append(Resync).Min()!.Value;
        return first < LeastPause ? LeastPause : first;
    }
}
