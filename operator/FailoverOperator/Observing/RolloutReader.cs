using FailoverOperator.Api;
using FailoverOperator.Core.Observations;
using FailoverOperator.Recording;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>Whether this process is told of evictions that are tried.</summary>
public sealed record EvictionSight(bool IsOpen);

/// <summary>Translates what StatefulSets and pods tell of updates and evictions. No judgement.</summary>
public static class RolloutReader
{
    public const string RevisionLabel = "controller-revision-hash";

    /// <summary>Null: its controller has not seen the present template yet.</summary>
    public static RolloutObservation? Read(V1StatefulSet workload) =>
        workload.Status is { UpdateRevision: { Length: > 0 } revision, ObservedGeneration: var observed } && observed >= workload.Metadata.Generation
            ? new(revision, workload.Spec.UpdateStrategy?.Type == "OnDelete")
            : null;

    /// <summary>A time that is yet to come is no time of somebody whose clock is right.</summary>
    public static TimeSpan? EvictionRequestedAgo(V1Pod pod, DateTimeOffset now)
    {
        if (pod.Metadata.Annotations?.TryGetValue(ApiGroup.EvictionRequestedAnnotation, out var text) != true) return null;
        var ago = now - Timestamps.Parse(text);
        return ago > TimeSpan.FromMinutes(-1) ? (ago > TimeSpan.Zero ? ago : TimeSpan.Zero) : null;
    }
}
