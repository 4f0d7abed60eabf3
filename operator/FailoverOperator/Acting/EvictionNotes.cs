using FailoverOperator.Api;
using FailoverOperator.Observing;
using FailoverOperator.Recording;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Acting;

/// <summary>
/// Writes on a primary's pod that somebody wants to evict it, for whichever replica of the operator looks after its group: the API server tells any
/// of them, and keeps nothing of an eviction that a budget refuses.
/// </summary>
public sealed class EvictionNotes(IKubernetesApi api, ClusterView cluster, OperatorClock clock)
{
    /// <summary>A drain asks again every few seconds.</summary>
    private static readonly TimeSpan FreshEnough = TimeSpan.FromSeconds(10);

    public async Task NoteAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (!cluster.Pods.TryGet(key, out var pod) || !IsPrimary(pod) || RolloutReader.EvictionRequestedAgo(pod, clock.WallNow) < FreshEnough) return;
        await api.MergePatchAsync<V1Pod>(key.Namespace, key.Name, new
        {
            metadata = new
            {
                // It is about this incarnation of the pod, not about its successor.
                uid = pod.Uid(),
                annotations = new Dictionary<string, string> { [ApiGroup.EvictionRequestedAnnotation] = Timestamps.Text(clock.WallNow) },
            },
        }, cancellationToken);
    }

    private static bool IsPrimary(V1Pod pod) => pod.Label(ApiGroup.GroupLabel) is not null && pod.Label(ApiGroup.RoleLabel) == RoleLabels.Active;
}
