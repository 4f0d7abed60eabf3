using System.Text.Json.Nodes;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Observations;
using FailoverOperator.Engines;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Simulator;
using FailoverOperator.Simulator.Scheduling;
using k8s.Models;

namespace FailoverOperator.Simulation.Mutants;

/// <summary>Operators with one mistake each.</summary>
internal static class OperatorMutants
{
    /// <summary>The lease is written whatever has become of it since.</summary>
    internal sealed class WritesLeasesUnguarded : Seams
    {
        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) => new Api(real);

        private sealed class Api(IKubernetesApi real) : ApiDecorator(real)
        {
            public override async Task<T> ReplaceAsync<T>(T entity, CancellationToken cancellationToken)
            {
                if (entity is V1Lease && await Real.GetAsync<T>(entity.Metadata.NamespaceProperty, entity.Metadata.Name, cancellationToken) is { } newest)
                    entity.Metadata.ResourceVersion = newest.Metadata.ResourceVersion;
                return await Real.ReplaceAsync(entity, cancellationToken);
            }
        }
    }

    /// <summary>A lease counts as expired too early.</summary>
    internal sealed class CountsTooFast(double factor) : Seams
    {
        public override NodeClock OperatorClock(NodeClock real) => real.Times(factor);
    }

    /// <summary>The phase of a failover is not written down before its step is done.</summary>
    internal sealed class ForgetsToPersist : Seams
    {
        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) => new Api(real);

        private sealed class Api(IKubernetesApi real) : ApiDecorator(real)
        {
            private ulong _invented = 1_000_000_000;

            public override Task<T> ReplaceStatusAsync<T>(T entity, CancellationToken cancellationToken)
            {
                if (entity is not Failover { Status.Phase: FailoverPhase.Promoting }) return Real.ReplaceStatusAsync(entity, cancellationToken);
                var written = EntityJson.Copy(entity);
                written.Metadata.ResourceVersion = FormattableString.Invariant($"{++_invented}");
                return Task.FromResult(written);
            }
        }
    }

    /// <summary>Pods are deleted without waiting for their kubelet.</summary>
    internal sealed class DeletesByForce : Seams
    {
        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) => new Api(real);

        private sealed class Api(IKubernetesApi real) : ApiDecorator(real)
        {
            public override Task DeleteAsync<T>(string? namespaceName, string name, DeleteOptions options, CancellationToken cancellationToken) =>
                Real.DeleteAsync<T>(namespaceName, name, options with { GracePeriodSeconds = 0 }, cancellationToken);
        }
    }

    /// <summary>A term that somebody else has published is overwritten.</summary>
    internal sealed class PointsServicesUnguarded : Seams
    {
        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) => new Api(real);

        private sealed class Api(IKubernetesApi real) : ApiDecorator(real)
        {
            public override Task<T> MergePatchAsync<T>(string? namespaceName, string name, object patch, CancellationToken cancellationToken)
            {
                if (typeof(T) != typeof(V1Service)) return Real.MergePatchAsync<T>(namespaceName, name, patch, cancellationToken);
                var unguarded = System.Text.Json.JsonSerializer.SerializeToNode(patch)!.AsObject();
                _ = (unguarded["metadata"] as JsonObject)?.Remove("resourceVersion");
                return Real.MergePatchAsync<T>(namespaceName, name, unguarded, cancellationToken);
            }
        }
    }

    /// <summary>The read that is to confirm an expiry is answered from memory.</summary>
    internal sealed class ConfirmsFromMemory : Seams
    {
        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) => new Api(real);

        private sealed class Api(IKubernetesApi real) : ApiDecorator(real)
        {
            private object? _known;

            public override async Task<T?> GetAsync<T>(string? namespaceName, string name, CancellationToken cancellationToken)
                where T : class
            {
                if (typeof(T) != typeof(V1Lease)) return await Real.GetAsync<T>(namespaceName, name, cancellationToken);
                return (T?)(_known ??= await Real.GetAsync<T>(namespaceName, name, cancellationToken));
            }
        }
    }

    /// <summary>The API server counts as answering, whatever it does.</summary>
    internal sealed class NeverDoubtsItself : Seams
    {
        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) => new Api(real, health);

        private sealed class Api(IKubernetesApi real, ApiHealth health) : ApiDecorator(real)
        {
            public override async Task<T?> GetAsync<T>(string? namespaceName, string name, CancellationToken cancellationToken)
                where T : class
            {
                try
                {
                    return await Real.GetAsync<T>(namespaceName, name, cancellationToken);
                }
                catch (KubernetesApiException)
                {
                    health.RecordSignOfLife();
                    throw;
                }
            }
        }
    }

    /// <summary>The first answer of a member counts for good: its position is that of before the fence.</summary>
    internal sealed class ChoosesFromOldAnswers : Seams
    {
        public override IEngine Engine(IEngine real) => new Old(real);

        private sealed class Old(IEngine real) : EngineDecorator(real)
        {
            private readonly Dictionary<string, long> _positions = [];

            public override async Task<EngineReply> StatusAsync(MemberEndpoint member, CancellationToken cancellationToken)
            {
                if (await Real.StatusAsync(member, cancellationToken) is not EngineReply.Answered({ PositionBytes: { } position } status) reply) return await Real.StatusAsync(member, cancellationToken);
                return _positions.TryAdd(member.PodUid, position) ? reply : new EngineReply.Answered(status with { PositionBytes = _positions[member.PodUid] });
            }
        }
    }

    /// <summary>Who does not say how far it is counts as far enough.</summary>
    internal sealed class TakesUnknownForEnough : Seams
    {
        public override IEngine Engine(IEngine real) => new Guessing(real);

        private sealed class Guessing(IEngine real) : EngineDecorator(real)
        {
            private readonly Dictionary<string, EngineReply> _last = [];

            public override async Task<EngineReply> StatusAsync(MemberEndpoint member, CancellationToken cancellationToken)
            {
                var reply = await Real.StatusAsync(member, cancellationToken);
                if (reply is EngineReply.Answered) return _last[member.PodUid] = reply;
                return reply is EngineReply.Silent && _last.TryGetValue(member.PodUid, out var before) ? before : reply;
            }
        }
    }
}
