using System.Globalization;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Observing;
using FailoverOperator.Recording;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Acting;

/// <summary>The ways to fence beyond the members themselves: a node's taint, a user's Job.</summary>
public sealed class FencingTools(IKubernetesApi api)
{
    /// <summary>Adds the taint to those that the node has; a node that is not there needs none.</summary>
    public async Task TaintAsync(Step.TaintNode step, CancellationToken cancellationToken)
    {
        if (await api.GetAsync<V1Node>(null, step.Node, cancellationToken) is not { } node) return;
        var taints = node.Spec?.Taints ?? [];
        if (taints.Any(t => t.Key == NodeReader.OutOfServiceTaint)) return;
        var ours = new { key = NodeReader.OutOfServiceTaint, value = "nodeshutdown", effect = "NoExecute" };
        await api.MergePatchAsync<V1Node>(null, step.Node, new
        {
            // The list is replaced as a whole: only the one that was read.
            metadata = new { resourceVersion = node.ResourceVersion() },
            spec = new { taints = taints.Select(Written).Append(ours) },
        }, cancellationToken);
    }

    /// <summary>Creates the Job, once for a failover.</summary>
    /// <param name="failover">Owns the Job, so that both go together.</param>
    public async Task RunJobAsync(RedundancyGroup group, Failover failover, Step.RunFencingJob step, CancellationToken cancellationToken)
    {
        if (group.Spec.Fencing.Job is not { } spec) return;
        try
        {
            await api.CreateAsync(Job(group, failover, spec, step), cancellationToken);
        }
        catch (KubernetesApiException e) when (e.Failure == ApiFailure.AlreadyExists)
        {
            // Created before; what became of it is observed.
        }
    }

    private static V1Job Job(RedundancyGroup group, Failover failover, FencingJobSpec spec, Step.RunFencingJob step) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = FencingJobReader.NameOf(failover.Name()),
            NamespaceProperty = group.Namespace(),
            Labels = new Dictionary<string, string> { [ApiGroup.GroupLabel] = group.Name(), [ApiGroup.SlotLabel] = failover.Spec.Slot },
            OwnerReferences = [OwnerReference(failover)],
        },
        Spec = new V1JobSpec
        {
            // Failing is an answer: the failover goes on to the next way to fence.
            BackoffLimit = 0,
            ActiveDeadlineSeconds = spec.TimeoutSeconds,
            Template = new V1PodTemplateSpec
            {
                Spec = new V1PodSpec
                {
                    RestartPolicy = "Never",
                    ServiceAccountName = spec.ServiceAccountName.Length == 0 ? null : spec.ServiceAccountName,
                    Affinity = string.IsNullOrEmpty(step.Member.Node) ? null : AwayFrom(step.Member.Node),
                    Containers = [Container(group, failover.Spec.Slot, spec, step)],
                },
            },
        },
    };

    private static V1OwnerReference OwnerReference(Failover failover) => new()
    {
        ApiVersion = failover.ApiVersion,
        Kind = failover.Kind,
        Name = failover.Name(),
        Uid = failover.Uid(),
        Controller = true,
        BlockOwnerDeletion = false,
    };

    private static V1Container Container(RedundancyGroup group, string slot, FencingJobSpec spec, Step.RunFencingJob step) => new()
    {
        Name = "fence",
        Image = spec.Image,
        Command = spec.Command.Count == 0 ? null : [.. spec.Command],
        EnvFrom = spec.EnvironmentSecretName.Length == 0
            ? null
            : [new V1EnvFromSource { SecretRef = new V1SecretEnvSource { Name = spec.EnvironmentSecretName } }],
        Env =
        [
            new V1EnvVar { Name = "NODE_NAME", Value = step.Member.Node ?? "" },
            new V1EnvVar { Name = "POD_NAME", Value = step.Member.Name },
            new V1EnvVar { Name = "POD_NAMESPACE", Value = group.Namespace() },
            new V1EnvVar { Name = "GROUP", Value = group.Name() },
            new V1EnvVar { Name = "SLOT", Value = slot },
            new V1EnvVar { Name = "TERM", Value = step.Term.ToString(CultureInfo.InvariantCulture) },
        ],
    };

    /// <summary>A Job that switches off the node that it runs on never succeeds.</summary>
    private static V1Affinity AwayFrom(string node) => new()
    {
        NodeAffinity = new V1NodeAffinity
        {
            RequiredDuringSchedulingIgnoredDuringExecution = new V1NodeSelector
            {
                NodeSelectorTerms =
                [
                    new V1NodeSelectorTerm { MatchFields = [new V1NodeSelectorRequirement { Key = "metadata.name", OperatorProperty = "NotIn", Values = [node] }] },
                ],
            },
        },
    };

    /// <summary>Without nulls, which a merge patch would not remove inside a list.</summary>
    private static object Written(V1Taint taint) => taint.TimeAdded is { } added
        ? new { key = taint.Key, value = taint.Value ?? "", effect = taint.Effect, timeAdded = Timestamps.Text(new DateTimeOffset(added, TimeSpan.Zero)) }
        : new { key = taint.Key, value = taint.Value ?? "", effect = taint.Effect };
}
