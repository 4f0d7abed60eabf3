using System.Runtime.CompilerServices;
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
        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) => new Api(real, spec => spec with { Protection = ProtectionSpec.Off });
    }

    /// <summary>The place goes back as soon as the wanted member follows.</summary>
    internal sealed class FailsBackAtOnce : Seams
    {
        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) =>
            new Api(real, spec => spec with { Failback = spec.Failback with { StabilizationSeconds = 0 } });
    }

    private sealed class Api(IKubernetesApi real, Func<RedundancyGroupSpec, RedundancyGroupSpec> change) : ApiDecorator(real)
    {
        public override async Task<ResourceList<T>> ListAsync<T>(string? namespaceName, ListOptions options, CancellationToken cancellationToken)
        {
            var list = await Real.ListAsync<T>(namespaceName, options, cancellationToken);
            return list with { Items = [.. list.Items.Select(Changed)] };
        }

        public override async IAsyncEnumerable<WatchNotice<T>> WatchAsync<T>(
            string? namespaceName, string resourceVersion, ListOptions options, TimeSpan serverTimeout, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (var notice in Real.WatchAsync<T>(namespaceName, resourceVersion, options, serverTimeout, cancellationToken))
                yield return notice with { Entity = Changed(notice.Entity) };
        }

        private T Changed<T>(T entity) => entity is RedundancyGroup { Spec: not null } group
            ? (T)(object)new RedundancyGroup { Metadata = group.Metadata, Spec = change(group.Spec), Status = group.Status }
            : entity;
    }
}
