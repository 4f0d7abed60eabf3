using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Acting;

/// <summary>Writes the replicas of a cold standby's workload, with the version that was decided on: it is refused if somebody has scaled it since.</summary>
public sealed class ScaleWriter(IKubernetesApi api, ScaleLog scales)
{
    /// <summary>A refusal by the API server's rights is remembered, for the core to judge.</summary>
    public async Task ScaleAsync(RedundancyGroup group, Step.ScaleStandby step, CancellationToken cancellationToken)
    {
        if (scales.Last(group) is not (var kind, var scale)) return;
        try
        {
            scales.Wrote(group, kind, await api.ReplaceScaleAsync(kind, Wanted(scale.Metadata, step), cancellationToken));
        }
        catch (KubernetesApiException e) when (e.Failure is ApiFailure.Forbidden or ApiFailure.Invalid)
        {
            scales.Refused(group, step.Replicas, e);
        }
        catch (KubernetesApiException)
        {
            // Changed since, or an unknown outcome: read again before anything is decided.
            scales.Forget(group);
            throw;
        }
    }

    private static V1Scale Wanted(V1ObjectMeta read, Step.ScaleStandby step) => new()
    {
        ApiVersion = "autoscaling/v1",
        Kind = "Scale",
        Metadata = new V1ObjectMeta { Name = read.Name, NamespaceProperty = read.NamespaceProperty, Uid = read.Uid, ResourceVersion = step.ReadVersion },
        Spec = new V1ScaleSpec { Replicas = step.Replicas },
    };
}
