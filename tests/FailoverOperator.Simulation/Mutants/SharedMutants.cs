using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Engines;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Simulator;
using k8s.Models;

namespace FailoverOperator.Simulation.Mutants;

/// <summary>Operators of groups in which nobody is promoted, with one mistake each.</summary>
internal static class SharedMutants
{
    /// <summary>Whoever has led is asked no more for a while, and what was published before is not looked at.</summary>
    internal sealed class FollowsOldTerms : Seams
    {
        private const int Repeats = 8;

        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) => new Reads(real, WithoutTerm);

        public override IEngine Engine(IEngine real) => new Remembering(real, status => status.Role == EngineRole.Primary, Repeats);

        private static object WithoutTerm(object entity)
        {
            switch (entity)
            {
                case V1Service service:
                    var copy = EntityJson.Copy(service);
                    copy.Metadata.Annotations?.Remove(ApiGroup.TermLabel);
                    return copy;
                case V1Pod pod:
                    var other = EntityJson.Copy(pod);
                    other.Metadata.Labels?.Remove(ApiGroup.TermLabel);
                    return other;
                default:
                    return entity;
            }
        }
    }

    /// <summary>Who is silent is there as it was before: a majority answers that is none.</summary>
    internal sealed class TakesSilenceForPresence : Seams
    {
        public override IEngine Engine(IEngine real) => new Remembering(real, _ => true, whom: reply => reply is not EngineReply.Answered);
    }

    /// <summary>A node that is not ready is out of service.</summary>
    internal sealed class TakesSilentNodesForLost : Seams
    {
        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) => new Reads(real, entity =>
        {
            if (entity is not V1Node node || node.Status.Conditions.Any(c => c is { Type: "Ready", Status: "True" })) return entity;
            var copy = EntityJson.Copy(node);
            copy.Spec = new V1NodeSpec { Taints = [new V1Taint { Key = "node.kubernetes.io/out-of-service", Effect = "NoExecute" }] };
            return copy;
        });
    }

    /// <summary>Nobody who has failed is taken out.</summary>
    internal sealed class NeverEjects : Seams
    {
        public override IEngine Engine(IEngine real) => new Remembering(real, status => status.Writable);
    }

    /// <summary>All that are well are let in as soon as they are.</summary>
    internal sealed class ReadmitsAllAtOnce : Seams
    {
        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) => new Reads(real, entity => entity is RedundancyGroup { Spec: not null } group
            ? new RedundancyGroup
            {
                Metadata = group.Metadata,
                Spec = group.Spec with { Readmission = new ReadmissionSpec { StabilizationSeconds = 0, IntervalSeconds = 0 } },
                Status = group.Status,
            }
            : entity);
    }

    /// <summary>Who does not answer as it should is taken out, and be it the last one.</summary>
    internal sealed class EjectsTheLast : Seams
    {
        private IKubernetesApi? _api;

        public override IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) => _api = real;

        public override IEngine Engine(IEngine real) => new Ejecting(real, _api!);

        private sealed class Ejecting(IEngine real, IKubernetesApi api) : EngineDecorator(real)
        {
            public override async Task<EngineReply> StatusAsync(MemberEndpoint member, CancellationToken cancellationToken)
            {
                var reply = await Real.StatusAsync(member, cancellationToken);
                if (reply is EngineReply.Answered { Status.Writable: true }) return reply;
                try
                {
                    var labels = new Dictionary<string, string> { [ApiGroup.RoleLabel] = RoleLabels.Standby };
                    await api.MergePatchAsync<V1Pod>(member.Namespace, member.PodName, new { metadata = new { uid = member.PodUid, labels } }, cancellationToken);
                }
                catch (KubernetesApiException)
                {
                    // It has gone, or is asked about again.
                }
                return reply;
            }
        }
    }

    /// <summary>Answers like that are repeated, so often, instead of what is answered then.</summary>
    private sealed class Remembering(
        IEngine real, Func<EngineStatus, bool> which, int repeats = int.MaxValue, Func<EngineReply, bool>? whom = null) : EngineDecorator(real)
    {
        private readonly Dictionary<string, (EngineReply Reply, int Left)> _last = [];

        public override async Task<EngineReply> StatusAsync(MemberEndpoint member, CancellationToken cancellationToken)
        {
            var reply = await Real.StatusAsync(member, cancellationToken);
            if (reply is EngineReply.Answered(var status) && which(status)) _last[member.PodUid] = (reply, repeats);
            if (whom?.Invoke(reply) == false || !_last.TryGetValue(member.PodUid, out var before) || before.Left == 0) return reply;
            _last[member.PodUid] = before with { Left = before.Left - 1 };
            return before.Reply;
        }
    }
}
