using System.Text.Json;
using System.Text.Json.Nodes;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Simulator;
using k8s.Models;

namespace FailoverOperator.Simulation.Mutants;

/// <summary>Operators of groups of several slots, with one mistake each.</summary>
internal static class SlotMutants
{
    /// <summary>A spare is bound to a slot whatever has become of it since it was read.</summary>
    internal sealed class BindsUnguarded : Seams
    {
        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) => new Api(real);

        private sealed class Api(IKubernetesApi real) : ApiDecorator(real)
        {
            public override Task<T> MergePatchAsync<T>(string? namespaceName, string name, object patch, CancellationToken cancellationToken)
            {
                if (typeof(T) != typeof(V1Pod)) return Real.MergePatchAsync<T>(namespaceName, name, patch, cancellationToken);
                var unguarded = JsonSerializer.SerializeToNode(patch)!.AsObject();
                _ = (unguarded["metadata"] as JsonObject)?.Remove("resourceVersion");
                return Real.MergePatchAsync<T>(namespaceName, name, unguarded, cancellationToken);
            }
        }
    }

    /// <summary>Two operators claim the same failover under two names: each takes it for its own.</summary>
    internal sealed class ClaimsBesideOthers : Seams
    {
        private int _operators;

        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) => new Api(real, Interlocked.Increment(ref _operators));

        private sealed class Api(IKubernetesApi real, int number) : ApiDecorator(real)
        {
            public override async Task<T> CreateAsync<T>(T entity, CancellationToken cancellationToken)
            {
                try
                {
                    return await Real.CreateAsync(entity, cancellationToken);
                }
                catch (KubernetesApiException e) when (e.Failure == ApiFailure.AlreadyExists && entity is Failover failover)
                {
                    failover.Metadata.Name += FormattableString.Invariant($"-{number}");
                    return await Real.CreateAsync(entity, cancellationToken);
                }
            }

            public override async Task<T> ReplaceStatusAsync<T>(T entity, CancellationToken cancellationToken)
            {
                // What the other one has written meanwhile is overwritten.
                if (entity is Failover && await Real.GetAsync<T>(entity.Metadata.NamespaceProperty, entity.Metadata.Name, cancellationToken) is { } newest)
                    entity.Metadata.ResourceVersion = newest.Metadata.ResourceVersion;
                return await Real.ReplaceStatusAsync(entity, cancellationToken);
            }
        }
    }

    /// <summary>As with agents: a failover begins where the fence is proven.</summary>
    internal sealed class FencesInName : Seams
    {
        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) => new OperatorMutants.PromotesBeforeTheFence().KubernetesApi(real, health);
    }
}
