using System.Text.Json.Serialization;
using FailoverOperator.Api.Failovers;

namespace FailoverOperator.Cli.Views;

/// <summary>One Failover as people read it. Null: unknown.</summary>
public sealed record FailoverView
{
    public required string Namespace { get; init; }

    public required string Name { get; init; }

    public required string Group { get; init; }

    public required string Slot { get; init; }

    /// <summary>Null: this is a person's request, which has none.</summary>
    public required long? Term { get; init; }

    /// <summary>What a person asked for. Null: this is what the operator does, or did.</summary>
    public required RequestView? Request { get; init; }

    public required FailoverType Type { get; init; }

    public required FailoverCause Cause { get; init; }

    public required IReadOnlyList<string> Evidence { get; init; }

    public required string? From { get; init; }

    public required string? To { get; init; }

    public required FailoverPhase Phase { get; init; }

    /// <summary>Why it waits or how it ended.</summary>
    public required string? Reason { get; init; }

    public required string? Message { get; init; }

    public required FenceView? Fence { get; init; }

    public required DateTimeOffset? BeganAt { get; init; }

    public required DateTimeOffset? EndedAt { get; init; }

    /// <summary>When the present step was begun.</summary>
    public required DateTimeOffset? PhaseBeganAt { get; init; }

    /// <summary>Milliseconds; a phase that was skipped or has not ended is null.</summary>
    public required PhaseTimes Phases { get; init; }

    public required long? DowntimeMilliseconds { get; init; }

    public required long? LostBytes { get; init; }

    public required TargetVerdict Targets { get; init; }

    public bool IsEnded => Phase.IsEnd();

    public static FailoverView Of(Failover failover)
    {
        var (spec, status) = (failover.Spec, failover.Status ?? new FailoverStatus());
        return new FailoverView
        {
            Namespace = failover.Metadata.NamespaceProperty ?? "",
            Name = failover.Metadata.Name,
            Group = spec.GroupRef.Name,
            Slot = spec.Slot,
            Term = spec.Term == 0 ? null : spec.Term,
            Request = spec.Term == 0
                ? new RequestView(spec.Target, spec.Reason, spec.ExpectedHolder, Moments.Parse(spec.ScheduledAt), spec.DryRun,
                    spec.DeadlineSeconds, status.ExecutedAs)
                : null,
            Type = spec.Type,
            Cause = spec.Cause,
            Evidence = spec.Evidence,
            From = spec.From?.Name ?? (spec.Term == 0 ? spec.ExpectedHolder : null),
            To = status.Candidate?.Name ?? (spec.Term == 0 ? spec.Target : null),
            Phase = status.Phase,
            Reason = status.Reason,
            Message = status.Message,
            Fence = status.Fence is { } fence ? new FenceView(fence.Evidence, fence.By, Moments.Parse(fence.At)) : null,
            BeganAt = Moments.Parse(spec.DetectedAt) ?? Moments.Of(failover.Metadata.CreationTimestamp),
            EndedAt = Moments.Parse(status.EndedAt),
            PhaseBeganAt = Moments.Parse(status.Steps.LastOrDefault(s => s.Phase == status.Phase)?.BeganAt),
            Phases = PhaseTimes.Of(status.Phases),
            DowntimeMilliseconds = status.DowntimeMilliseconds,
            LostBytes = status.LostBytes,
            Targets = status.Targets,
        };
    }

    /// <summary>Those of one group, the latest first.</summary>
    public static IReadOnlyList<FailoverView> LatestFirst(IEnumerable<Failover> failovers, string namespaceName, string group) =>
        [.. failovers.Where(f => f.Metadata.NamespaceProperty == namespaceName && f.Spec.GroupRef.Name == group)
            .Select(Of).OrderByDescending(f => f.BeganAt ?? DateTimeOffset.MaxValue).ThenByDescending(f => f.Term ?? 0)];
}

/// <summary>What a person asked for.</summary>
/// <param name="Target">Null: the best standby.</param>
/// <param name="ScheduledAt">Null: at once.</param>
/// <param name="ExecutedAs">Name of the Failover that carries it out. Null: none yet.</param>
public sealed record RequestView(
    string? Target, string? Reason, string? ExpectedHolder, DateTimeOffset? ScheduledAt, bool DryRun, int DeadlineSeconds, string? ExecutedAs);

/// <summary>The proof that the old primary cannot write.</summary>
public sealed record FenceView(FenceEvidence Evidence, string By, DateTimeOffset? At);

/// <summary>How long each phase took. Null: it was skipped, or has not ended.</summary>
public sealed record PhaseTimes(long? Detect, long? Decide, long? Fence, long? Promote, long? Repoint, long? Verify)
{
    /// <summary>Of a warm standby that had to. Null: nobody had to.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? CatchUp { get; init; }

    /// <summary>Of a cold standby that had to be started. Null: none had to.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Start { get; init; }

    public static PhaseTimes Of(IReadOnlyList<PhaseDuration> durations)
    {
        return new(Find(TimedPhase.Detect), Find(TimedPhase.Decide), Find(TimedPhase.Fence), Find(TimedPhase.Promote),
            Find(TimedPhase.Repoint), Find(TimedPhase.Verify))
        {
            CatchUp = Find(TimedPhase.CatchUp),
            Start = Find(TimedPhase.Start),
        };

        long? Find(TimedPhase phase) => durations.FirstOrDefault(d => d.Name == phase)?.Milliseconds;
    }
}
