using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>The operator's own PodDisruptionBudgets: how they are written, and how they are known again.</summary>
internal static class BudgetSpecs
{
    /// <summary>No pod that is the primary is evicted.</summary>
    public static V1PodDisruptionBudgetSpec OfPrimary(RedundancyGroup group) =>
        new() { MaxUnavailable = 0, Selector = new V1LabelSelector { MatchLabels = PrimaryOf(group) } };

    /// <summary>So many pods of the workload stay.</summary>
    public static V1PodDisruptionBudgetSpec OfMembers(V1StatefulSet workload, int least) => new() { MinAvailable = least, Selector = MembersOf(workload) };

    public static bool HoldsPrimary(RedundancyGroup group, V1PodDisruptionBudgetSpec? spec) =>
        spec is { MinAvailable: null, MaxUnavailable.Value: "0", Selector: { MatchExpressions: null or { Count: 0 }, MatchLabels: { } labels } }
        && labels.OrderBy(l => l.Key, StringComparer.Ordinal).SequenceEqual(PrimaryOf(group).OrderBy(l => l.Key, StringComparer.Ordinal));

    /// <summary>Null: it does not guard all members of the workload.</summary>
    public static int? LeastMembers(V1StatefulSet workload, V1PodDisruptionBudgetSpec? spec) =>
        spec is { MaxUnavailable: null, MinAvailable.Value: var text } && int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var least)
        && k8s.KubernetesJson.Serialize(spec.Selector) == k8s.KubernetesJson.Serialize(MembersOf(workload))
            ? least : null;

    private static Dictionary<string, string> PrimaryOf(RedundancyGroup group) =>
        new() { [ApiGroup.GroupLabel] = group.Name(), [ApiGroup.RoleLabel] = RoleLabels.Active };

    /// <summary>The workload's own: that of all its pods, and of no others.</summary>
    private static V1LabelSelector MembersOf(V1StatefulSet workload) =>
        workload.Spec.Selector ?? new V1LabelSelector { MatchLabels = workload.Spec.Template.Metadata?.Labels };
}
