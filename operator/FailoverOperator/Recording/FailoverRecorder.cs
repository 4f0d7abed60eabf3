using FailoverOperator.Acting;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Reporting;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Recording;

/// <summary>
/// Writes Failover objects: the claim, each phase before it is begun, why it waits, and what it cost in the end.
/// Every write carries the version it was decided on, so that of two operators one loses.
/// </summary>
public sealed class FailoverRecorder(IKubernetesApi api, OperatorClock clock, FailoverNews news)
{
    /// <summary>Claims the term. <see cref="ApiFailure.AlreadyExists"/>: somebody else was faster.</summary>
    public async Task BeginAsync(RedundancyGroup group, GroupSession session, FailoverSpec plan, CancellationToken cancellationToken)
    {
        var name = $"{group.Name()}-{plan.Slot}-{plan.Term}";
        var created = await api.CreateAsync(new Failover
        {
            Metadata = new V1ObjectMeta
            {
                Name = name,
                NamespaceProperty = group.Namespace(),
                Labels = new Dictionary<string, string> { [ApiGroup.GroupLabel] = group.Name(), [ApiGroup.SlotLabel] = plan.Slot },
                OwnerReferences = [GroupOwnership.By(group)],
            },
            Spec = plan with { Evidence = Cut(plan.Evidence), DetectedAt = Timestamps.Text(clock.WallNow), LastServiceAt = LastService(session, plan) },
        }, cancellationToken);
        session.Wrote(created);
        news.Started(group, plan, name);
    }

    /// <summary>The server refuses more, and evidence may quote what others said: too long a quotation must not stop a failover.</summary>
    private static IReadOnlyList<string> Cut(IReadOnlyList<string> evidence) =>
        [.. evidence.Take(FailoverSpec.MaxEvidence).Select(e => e.Length <= FailoverSpec.MaxEvidenceLength ? e : e[..(FailoverSpec.MaxEvidenceLength - 1)] + "…")];

    /// <summary>Writes the next phase down.</summary>
    public async Task EnterAsync(ActingContext context, Step.Enter enter, CancellationToken cancellationToken)
    {
        if (context.Running is not { } record) return;
        var status = Next(context, record, enter);
        var sentAt = clock.Now;
        var written = await WriteAsync(context, record, status, cancellationToken);
        if (written is null) return;
        // Its end had been proven when this phase began, and nobody is given the lease before this has been written.
        if (enter is { Phase: FailoverPhase.Promoting, Candidate: { } candidate, Origin: { } origin } && record.ReplacesPrimary && context.Group.Spec.Agent is not null)
            context.Session.Primaries.Begin(candidate.Uid, record.Spec.Term, sentAt - record.PhaseFor, origin.PositionBytes);
        news.Entered(context.Group, written, record.Status);
    }

    /// <summary>Writes down why it does not go on, unless that is written already.</summary>
    public async Task BlockAsync(ActingContext context, string reason, string message, CancellationToken cancellationToken)
    {
        if (context.Running is not { } record || record.Status.Reason == reason) return;
        var written = await WriteAsync(context, record, record.Status with { Reason = reason, Message = message }, cancellationToken);
        if (written is not null) news.Blocked(context.Group, written);
    }

    /// <summary>Deletes records beyond the limit.</summary>
    public async Task PruneAsync(RedundancyGroup group, GroupObservation slot, CancellationToken cancellationToken)
    {
        foreach (var surplus in FailoverHistory.Surplus(slot.Failovers, group.Spec.FailoverHistoryLimit, slot.Statistics.CountedTerm))
        {
            try
            {
                await api.DeleteAsync<Failover>(group.Namespace(), surplus.Name, new DeleteOptions(), cancellationToken);
            }
            catch (KubernetesApiException e) when (e.Failure == ApiFailure.NotFound)
            {
                // Somebody else has.
            }
        }
    }

    private FailoverStatus Next(ActingContext context, FailoverRecord record, Step.Enter enter)
    {
        var now = clock.WallNow;
        var before = WithPending(record, now);
        var steps = enter.Phase == record.Status.Phase ? before : [.. before, new StepRecord { Phase = enter.Phase, BeganAt = Timestamps.Text(now) }];
        var entries = steps.Select(s => new PhaseEntry(s.Phase, Timestamps.Parse(s.BeganAt) ?? now)).ToList();
        // Who hands over goes on serving for a while.
        var servedUntil = record.IsPlanned && enter.Phase == FailoverPhase.Electing
            ? LastService(context.Session, record.Spec) : record.Status.LastServiceAt;
        var lastServiceAt = Timestamps.Parse(servedUntil ?? record.Spec.LastServiceAt);
        var acceptedLoss = enter.AcceptedLoss ?? record.Status.AcceptedLoss;
        var downtime = record.ReplacesPrimary ? Timeline.DowntimeMilliseconds(lastServiceAt, entries) : null;
        return record.Status with
        {
            Phase = enter.Phase,
            Reason = enter.Reason,
            Message = enter.Message,
            LastServiceAt = servedUntil,
            ExecutedAs = enter.ExecutedAs ?? record.Status.ExecutedAs,
            Candidate = enter.Candidate ?? record.Status.Candidate,
            Origin = enter.Origin ?? record.Status.Origin,
            History = enter.History ?? record.Status.History,
            End = enter.End ?? record.Status.End,
            Rivals = [.. record.Status.Rivals, .. enter.Rivals],
            LostBytes = enter.LostBytes ?? record.Status.LostBytes,
            AcceptedLoss = acceptedLoss is { Length: > FailoverSpec.MaxEvidenceLength } ? acceptedLoss[..FailoverSpec.MaxEvidenceLength] : acceptedLoss,
            Fence = enter.Fence is { } evidence ? new FenceRecord { Evidence = evidence, By = enter.FencedBy ?? "", At = Timestamps.Text(now) } : record.Status.Fence,
            Steps = steps,
            Phases = Timeline.Durations(lastServiceAt, entries),
            DowntimeMilliseconds = downtime,
            Targets = TargetJudge.Judge(record.Spec.Type, context.Group.Spec.Targets, downtime, isLossAccepted: acceptedLoss is not null),
            EndedAt = enter.Phase.IsEnd() ? Timestamps.Text(now) : null,
        };
    }

    private static IReadOnlyList<StepRecord> WithPending(FailoverRecord record, DateTimeOffset now) => record.Status.Steps.Count > 0
        ? record.Status.Steps
        : [new StepRecord { Phase = FailoverPhase.Pending, BeganAt = record.Spec.DetectedAt ?? Timestamps.Text(now) }];

    /// <summary>Null: this process has not seen the old primary at work.</summary>
    private string? LastService(GroupSession session, FailoverSpec plan) =>
        session.Primaries.Recall(plan.From?.Uid, clock.Now) is { } memory ? Timestamps.Text(clock.WallAt(clock.Now - memory.LastServiceAge)) : null;

    /// <summary>Null: the object is gone, there is nothing to go on with.</summary>
    private async Task<Failover?> WriteAsync(ActingContext context, FailoverRecord record, FailoverStatus status, CancellationToken cancellationToken)
    {
        var metadata = new V1ObjectMeta { Name = record.Name, NamespaceProperty = context.Group.Namespace(), ResourceVersion = record.Version };
        try
        {
            var written = await api.ReplaceStatusAsync(new Failover { Metadata = metadata, Spec = record.Spec, Status = status }, cancellationToken);
            context.Session.Wrote(written);
            return written;
        }
        catch (KubernetesApiException e) when (e.Failure == ApiFailure.NotFound)
        {
            context.Session.Forget(record.Name);
            return null;
        }
    }
}
