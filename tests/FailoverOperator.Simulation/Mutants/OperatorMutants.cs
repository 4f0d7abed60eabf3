using System.Text.Json.Nodes;
using FailoverOperator.Api.Agents;
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
                if (entity is V1Lease && await Real.GetAsync<T>(
                    entity.Metadata.NamespaceProperty, entity.Metadata.Name, cancellationToken) is { } newest)
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

    /// <summary>Whom the lease is assigned to is written down only with the next phase.</summary>
    internal sealed class ForgetsToPersist : Seams
    {
        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) => new Api(real);

        private sealed class Api(IKubernetesApi real) : ApiDecorator(real)
        {
            private bool _owes;

            public override async Task<T> ReplaceStatusAsync<T>(T entity, CancellationToken cancellationToken)
            {
                if (entity is not Failover failover) return await Real.ReplaceStatusAsync(entity, cancellationToken);
                var (written, version) = (EntityJson.Copy(entity),
                    ulong.Parse(entity.Metadata.ResourceVersion, System.Globalization.CultureInfo.InvariantCulture));
                if (failover.Status?.Phase == FailoverPhase.Promoting && !_owes)
                {
                    _owes = true;
                    written.Metadata.ResourceVersion = FormattableString.Invariant($"{version + Ahead}");
                    return written;
                }
                if (_owes) written.Metadata.ResourceVersion = FormattableString.Invariant($"{(version > Ahead ? version - Ahead : version)}");
                _owes = false;
                return await Real.ReplaceStatusAsync(written, cancellationToken);
            }

            private const ulong Ahead = 1_000_000_000;
        }
    }

    /// <summary>A failover begins where the fence is proven.</summary>
    internal sealed class PromotesBeforeTheFence : Seams
    {
        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) => new Api(real);

        private sealed class Api(IKubernetesApi real) : ApiDecorator(real)
        {
            public override Task<T> ReplaceStatusAsync<T>(T entity, CancellationToken cancellationToken)
            {
                if (entity is Failover { Status: { Phase: FailoverPhase.Fencing } status } failover)
                {
                    var fence = new FenceRecord { Evidence = FenceEvidence.Released, By = "nobody", At = status.Steps[^1].BeganAt };
                    failover.Status = status with { Phase = FailoverPhase.Electing, Fence = fence };
                }
                return Real.ReplaceStatusAsync(entity, cancellationToken);
            }
        }
    }

    /// <summary>Changes what is written into leases.</summary>
    private abstract class LeaseWrites(IKubernetesApi real) : ApiDecorator(real)
    {
        public override Task<T> ReplaceAsync<T>(T entity, CancellationToken cancellationToken)
        {
            if (entity is V1Lease lease) Change(lease);
            return Real.ReplaceAsync(entity, cancellationToken);
        }

        protected abstract void Change(V1Lease lease);
    }

    /// <summary>A new holder is told that the one before has given the lease back, whether or not it has.</summary>
    internal sealed class TellsOfReleasesThatNeverWere : Seams
    {
        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) => new Api(real);

        private sealed class Api(IKubernetesApi real) : LeaseWrites(real)
        {
            protected override void Change(V1Lease lease)
            {
                if (lease.Spec.HolderIdentity is null) return;
                var note = new ReleaseNote("db-9/uid-9", lease.Spec.LeaseTransitions!.Value - 1, ReleaseReason.HandOver, null, null);
                lease.Metadata.Annotations[LeaseContract.ReleaseAnnotation] = System.Text.Json.JsonSerializer.Serialize(
                    note, AgentJson.Default.ReleaseNote);
            }
        }
    }

    /// <summary>A new holder gets the term of the one before.</summary>
    internal sealed class ReusesTerms : Seams
    {
        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) => new Api(real);

        private sealed class Api(IKubernetesApi real) : LeaseWrites(real)
        {
            protected override void Change(V1Lease lease)
            {
                if (lease.Spec.HolderIdentity is not { } holder) return;
                lease.Spec.LeaseTransitions = 1;
                lease.Metadata.Annotations[LeaseContract.AssignmentAnnotation] = LeaseContract.Assignment(holder, 1);
            }
        }
    }

    /// <summary>No holder is asked to wait for another member.</summary>
    internal sealed class AsksForNoSynchrony : Seams
    {
        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) => new Api(real);

        private sealed class Api(IKubernetesApi real) : LeaseWrites(real)
        {
            protected override void Change(V1Lease lease) => lease.Metadata.Annotations[LeaseContract.TermsAnnotation] =
                lease.Metadata.Annotations[LeaseContract.TermsAnnotation].Replace(
                    "\"synchronousStandbys\":1", "\"synchronousStandbys\":0", StringComparison.Ordinal);
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

    /// <summary>The first answer of a member counts for good: its position is that of before the fence.</summary>
    internal sealed class ChoosesFromOldAnswers : Seams
    {
        public override IEngine Engine(IEngine real) => new Old(real);

        private sealed class Old(IEngine real) : EngineDecorator(real)
        {
            private readonly Dictionary<string, long> _positions = [];

            public override async Task<EngineReply> StatusAsync(MemberEndpoint member, CancellationToken cancellationToken)
            {
                if (await Real.StatusAsync(member, cancellationToken) is not EngineReply.Answered(
                    { PositionBytes: { } position } status) reply) return await Real.StatusAsync(member, cancellationToken);
                return _positions.TryAdd(member.PodUid, position)
                    ? reply
                    : new EngineReply.Answered(status with { PositionBytes = _positions[member.PodUid] });
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
