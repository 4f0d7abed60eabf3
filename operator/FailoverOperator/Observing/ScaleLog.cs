using System.Collections.Concurrent;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>
/// The scales of cold standbys' workloads, of any kind, as they were read last: nothing of them can be watched. Writing by what was read is safe at any
/// age, because a write that was decided on another version is refused.
/// </summary>
public sealed class ScaleLog(IKubernetesApi api, OperatorClock clock)
{
    /// <summary>In quiet times.</summary>
    private static readonly TimeSpan ReadsAgain = TimeSpan.FromSeconds(10);

    /// <summary>While something is to be done about it, or it could not be read.</summary>
    private static readonly TimeSpan ReadsSoon = TimeSpan.FromSeconds(1);

    /// <summary>A right that is granted later is used from then on.</summary>
    private static readonly TimeSpan RefusalHolds = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<ObjectKey, Entry> _entries = new();

    public static bool Concerns(RedundancyGroup group) => group.Spec.Standby == StandbyTemperature.Cold && group.Spec.Cold is not null;

    /// <summary>Null: the group has no cold standby.</summary>
    public ColdObservation? Observe(RedundancyGroup group) => !Concerns(group) ? null
        : Of(group)?.Observation ?? new ColdObservation.Unread("nobody has looked yet");

    /// <summary>Which pods are its.</summary>
    public PodSelector SelectorOf(RedundancyGroup group) => Of(group)?.Selector ?? PodSelector.Nothing;

    /// <summary>Reads it, unless that was done a moment ago.</summary>
    /// <param name="isUrgent">A failover runs.</param>
    public async Task LookAsync(RedundancyGroup group, bool isUrgent, CancellationToken cancellationToken)
    {
        if (!Concerns(group)) return;
        if (Of(group) is { } known && clock.Now - known.ReadAt < (isUrgent || known.Observation is not ColdObservation.Seen ? ReadsSoon : ReadsAgain)) return;
        await ReadAsync(group, cancellationToken);
    }

    /// <summary>How it is written: what was read last. Null: it could not be read.</summary>
    public (ResourceKind Kind, V1Scale Scale)? Last(RedundancyGroup group) => Of(group) is { Kind: { } kind, Scale: { } scale } ? (kind, scale) : null;

    /// <summary>The answer to a write.</summary>
    public void Wrote(RedundancyGroup group, ResourceKind kind, V1Scale scale) => Note(group, kind, scale);

    /// <summary>A write was refused, for good until a person has done something.</summary>
    public void Refused(RedundancyGroup group, int replicas, KubernetesApiException refusal)
    {
        if (Of(group) is not { } known) return;
        Note(group, known with
        {
            Observation = new ColdObservation.Unusable($"{ColdStandby.Name(group.Spec)} cannot be scaled to {replicas}: {Refusal(group, refusal)}"),
            RefusedUntil = clock.Now + RefusalHolds,
        });
    }

    public void Forget(RedundancyGroup group) => _entries.TryRemove(KeyOf(group), out _);

    private async Task ReadAsync(RedundancyGroup group, CancellationToken cancellationToken)
    {
        var reference = group.Spec.Cold!.WorkloadRef;
        var known = Of(group);
        try
        {
            var kind = known?.Kind ?? await api.FindScalableAsync(reference.ApiVersion, reference.Kind, cancellationToken);
            if (kind is null)
                Note(group, new Entry(reference, new ColdObservation.Unusable($"the API server serves no {reference.Kind} of {reference.ApiVersion} with the subresource scale; correct cold.workloadRef")));
            else if (await api.GetScaleAsync(kind, group.Metadata.NamespaceProperty, reference.Name, cancellationToken) is { } scale) Note(group, kind, scale);
            else Note(group, new Entry(reference, new ColdObservation.Unusable($"there is no {reference.Kind} {reference.Name} in this namespace; create it, with replicas: 0, or correct cold.workloadRef.name")));
        }
        catch (KubernetesApiException e) when (e.Failure is ApiFailure.Forbidden or ApiFailure.Invalid)
        {
            Note(group, new Entry(reference, new ColdObservation.Unusable($"the scale of {ColdStandby.Name(group.Spec)} cannot be read: {Refusal(group, e)}")));
        }
        catch (KubernetesApiException e)
        {
            // Which pods are its is not forgotten for that.
            Note(group, (known ?? new Entry(reference, new ColdObservation.Unread(e.Message))) with { Observation = new ColdObservation.Unread(e.Message) });
        }
    }

    private void Note(RedundancyGroup group, ResourceKind kind, V1Scale scale)
    {
        var reference = group.Spec.Cold!.WorkloadRef;
        var selector = PodSelector.Parse(scale.Status?.Selector) ?? Of(group)?.Selector;
        ColdObservation observation = selector is null
            ? new ColdObservation.Unusable($"the pods of {ColdStandby.Name(group.Spec)} cannot be told: its selector, as its scale says, is not a list of labels with values: '{scale.Status?.Selector}'")
            : new ColdObservation.Seen(scale.Spec?.Replicas ?? 0, scale.Metadata.ResourceVersion ?? "");
        var refusal = Of(group) is { Observation: ColdObservation.Unusable refused, RefusedUntil: var until } && clock.Now < until ? (refused, until) : default;
        Note(group, new Entry(reference, refusal.refused ?? observation) { Kind = kind, Scale = scale, Selector = selector, RefusedUntil = refusal.until });
    }

    private void Note(RedundancyGroup group, Entry entry) => _entries[KeyOf(group)] = entry with { ReadAt = clock.Now };

    /// <summary>Of the workload that the spec names now.</summary>
    private Entry? Of(RedundancyGroup group) => _entries.GetValueOrDefault(KeyOf(group)) is { } entry && entry.Reference == group.Spec.Cold?.WorkloadRef ? entry : null;

    private static string Refusal(RedundancyGroup group, KubernetesApiException e) => e.Failure == ApiFailure.Forbidden
        ? $"the operator lacks the right to get and update the subresource scale of {group.Spec.Cold!.WorkloadRef.Kind}; the chart grants it for Deployments and StatefulSets, and by rbac.scale for others"
        : e.Message;

    private static ObjectKey KeyOf(RedundancyGroup group) => new(group.Metadata.NamespaceProperty, group.Metadata.Name);

    private sealed record Entry(ScalableReference Reference, ColdObservation Observation)
    {
        public TimeSpan ReadAt { get; init; }

        /// <summary>Null: it is not known to be served.</summary>
        public ResourceKind? Kind { get; init; }

        public V1Scale? Scale { get; init; }

        public PodSelector? Selector { get; init; }

        /// <summary>Until then a write is not tried again that was refused.</summary>
        public TimeSpan RefusedUntil { get; init; }
    }
}
