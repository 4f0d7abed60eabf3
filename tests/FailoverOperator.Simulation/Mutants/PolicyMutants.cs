using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Simulator;

namespace FailoverOperator.Simulation.Mutants;

/// <summary>Operators that see another policy than the group has.</summary>
internal static class PolicyMutants
{
    /// <summary>A failover after the other, as fast as it can.</summary>
    internal sealed class IgnoresBrakes : Seams
    {
        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) => Seen(real, spec => spec with { Protection = ProtectionSpec.Off });
    }

    /// <summary>The place goes back as soon as the wanted member follows.</summary>
    internal sealed class FailsBackAtOnce : Seams
    {
        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) =>
            Seen(real, spec => spec with { Failback = spec.Failback with { StabilizationSeconds = 0 } });
    }

    private static Reads Seen(IKubernetesApi real, Func<RedundancyGroupSpec, RedundancyGroupSpec> change) => new(real, entity =>
        entity is RedundancyGroup { Spec: not null } group
            ? new RedundancyGroup { Metadata = group.Metadata, Spec = change(group.Spec), Status = group.Status }
            : entity);
}
