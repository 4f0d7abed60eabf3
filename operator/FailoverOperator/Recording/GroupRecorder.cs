using System.Collections.Concurrent;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Reporting;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Recording;

/// <summary>Records how a group is: status, metrics, and an event when something begins to be the matter.</summary>
public sealed class GroupRecorder(GroupStatusWriter status, OperatorMetrics metrics, FailoverNews news)
{
    private readonly ConcurrentDictionary<(string Group, string Slot), Type> _lastDiagnosis = new();
    private readonly ConcurrentDictionary<(string Group, string Slot), string> _lastRestraint = new();
    private readonly ConcurrentDictionary<string, bool> _reporting = new();

    /// <param name="slots">What was found of each slot, in the order of their importance.</param>
    /// <returns>When there will be something to record that was put off. Null: there is nothing.</returns>
    public Task<TimeSpan?> RecordAsync(
        RedundancyGroup group, IReadOnlyList<(GroupObservation Observation, Verdict Verdict)> slots, AcceptanceVerdict acceptance, CancellationToken cancellationToken)
    {
        foreach (var (observation, verdict) in slots)
        {
            Announce(group, observation.Slot, verdict.Diagnosis);
            Count(group, observation.Slot, Restraint.Keeping(verdict.Decision));
        }
        var report = SlotsReport.Of([.. slots.Select(s => (s.Observation, GroupReport.Of(s.Observation, acceptance, s.Verdict)))]);
        metrics.Report(group, report, blocked: slots.Any(s => s.Verdict.Decision is Decision.Blocked));
        return WriteAsync(group, report, cancellationToken);
    }

    /// <summary>Of a group in which nobody is promoted.</summary>
    public Task<TimeSpan?> RecordAsync(RedundancyGroup group, GroupReport report, CancellationToken cancellationToken)
    {
        metrics.Report(group, report, blocked: false);
        return WriteAsync(group, report, cancellationToken);
    }

    /// <inheritdoc cref="RecordAsync(RedundancyGroup, IReadOnlyList{ValueTuple{GroupObservation, Verdict}}, AcceptanceVerdict, CancellationToken)"/>
    public Task<TimeSpan?> RefusedAsync(RedundancyGroup group, AcceptanceVerdict acceptance, CancellationToken cancellationToken)
    {
        var report = GroupReport.OfRefused(acceptance);
        metrics.Report(group, report, blocked: false);
        return WriteAsync(group, report, cancellationToken);
    }

    /// <summary>Another replica reports from now on: what this one has said of the group must not stand beside it.</summary>
    public void HandOver(RedundancyGroup group)
    {
        if (_reporting.ContainsKey(group.Uid())) Forget(group);
    }

    public void Forget(RedundancyGroup group)
    {
        _reporting.TryRemove(group.Uid(), out _);
        foreach (var key in _lastDiagnosis.Keys.Concat(_lastRestraint.Keys).Where(k => k.Group == group.Uid()).ToList())
        {
            _lastDiagnosis.TryRemove(key, out _);
            _lastRestraint.TryRemove(key, out _);
        }
        status.Forget(group);
        metrics.Forget(group);
    }

    /// <summary>Once when it begins, not with every look.</summary>
    private void Announce(RedundancyGroup group, string slot, Diagnosis diagnosis)
    {
        var before = _lastDiagnosis.GetValueOrDefault((group.Uid(), slot));
        _lastDiagnosis[(group.Uid(), slot)] = diagnosis.GetType();
        if (before == diagnosis.GetType()) return;
        if (diagnosis is Diagnosis.PrimarySuspected suspected && group.Status?.Conditions.Count > 0) news.Suspected(group, suspected.Evidence);
        if (diagnosis is Diagnosis.SplitBrainSuspected split) news.SplitBrainSuspected(group, $"{string.Join(", ", split.Others.Select(m => m.Name))} also says that it takes writes; it is made a standby");
    }

    /// <param name="restraint">Null: no needed failover is kept back.</param>
    private void Count(RedundancyGroup group, string slot, Restraint? restraint)
    {
        var before = _lastRestraint.GetValueOrDefault((group.Uid(), slot), "");
        _lastRestraint[(group.Uid(), slot)] = restraint?.Reason ?? "";
        if (restraint is not null && restraint.Reason != before) metrics.KeptBack(group, restraint.Reason);
    }

    private async Task<TimeSpan?> WriteAsync(RedundancyGroup group, GroupReport report, CancellationToken cancellationToken)
    {
        _reporting[group.Uid()] = true;
        try
        {
            return await status.WriteAsync(group, report, cancellationToken);
        }
        catch (KubernetesApiException e) when (e.Failure is ApiFailure.Conflict or ApiFailure.NotFound)
        {
            // Somebody changed the group, or deleted it: its watch brings it here again.
            return null;
        }
    }
}
