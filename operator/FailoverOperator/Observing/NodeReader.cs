using FailoverOperator.Core.Observations;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>Translates nodes into the core's words. No judgement.</summary>
public static class NodeReader
{
    public const string OutOfServiceTaint = "node.kubernetes.io/out-of-service";

    /// <summary>By these, autoscalers and clouds say of a node that its pods are to go, just before they evict them or it goes.</summary>
    private static readonly string[] DrainTaints =
    [
        "ToBeDeletedByClusterAutoscaler", "karpenter.sh/disrupted", "karpenter.sh/disruption", "cloud.google.com/impending-node-termination",
        "aws-node-termination-handler/spot-itn", "aws-node-termination-handler/scheduled-maintenance", "aws-node-termination-handler/asg-lifecycle-termination",
    ];

    private const string ZoneLabel = "topology.kubernetes.io/zone";

    public static NodeObservation Unobserved(string name) => new() { Name = name, State = NodeState.Unobserved };

    /// <summary>Null: it tells none.</summary>
    public static string? ZoneOf(V1Node node) => node.Metadata.Labels?.TryGetValue(ZoneLabel, out var zone) == true && zone.Length > 0 ? zone : null;

    public static NodeObservation Read(string name, V1Node? node)
    {
        var condition = node?.Status?.Conditions?.FirstOrDefault(c => c.Type == "Ready")?.Status;
        return new NodeObservation
        {
            Name = name,
            Zone = node is null ? null : ZoneOf(node),
            State = node is null ? NodeState.Absent : condition switch { "True" => NodeState.Ready, "False" => NodeState.NotReady, _ => NodeState.Unknown },
            OutOfService = node?.Spec?.Taints?.Any(t => t.Key == OutOfServiceTaint) == true,
            IsCordoned = node?.Spec?.Unschedulable == true,
            DrainedBy = node?.Spec?.Taints?.FirstOrDefault(t => t.Effect != "PreferNoSchedule" && DrainTaints.Contains(t.Key))?.Key,
        };
    }
}
