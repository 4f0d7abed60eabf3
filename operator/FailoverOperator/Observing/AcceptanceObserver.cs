using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Observations;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>Gathers what <see cref="GroupAcceptance"/> judges a group by.</summary>
public sealed class AcceptanceObserver(ClusterView cluster, OperatorClock clock)
{
    public AcceptanceFacts Observe(RedundancyGroup group, V1StatefulSet? workload, CredentialFacts credentials) => new()
    {
        Spec = group.Spec,
        WorkloadReplicas = workload is null ? null : workload.Spec.Replicas ?? 1,
        WorkloadClaimedBy = cluster.OlderClaimOnWorkload(group),
        ColdClaimedBy = cluster.OlderClaimOnCold(group),
        Services = workload is null ? [] : [.. Slots.Services(group.Spec).Select(s => Observe(group, workload, s.Name))],
        Secrets = credentials.Secrets,
        Dependencies = DependencyReader.Graph(group, cluster),
        ScheduleProblem = FailbackCalendar.ProblemOf(group.Spec.Failback, clock.WallNow),
    };

    private ServiceFacts Observe(RedundancyGroup group, V1StatefulSet workload, string name)
    {
        var service = cluster.Service(group.Namespace(), name);
        // What the operator itself has added there is on no template.
        var selector = service?.Spec?.Selector?.Where(s => s.Key is not (ApiGroup.RoleLabel or ApiGroup.PodNameLabel or ApiGroup.SlotLabel)).ToList() ?? [];
        var labels = workload.Spec.Template.Metadata?.Labels ?? new Dictionary<string, string>();
        return new ServiceFacts(
            name,
            Exists: service is not null,
            HasSelector: service?.Spec?.Selector is { Count: > 0 },
            SelectsMembers: selector.All(s => labels.TryGetValue(s.Key, out var value) && value == s.Value),
            ClaimedBy: cluster.OlderClaimOnService(group, name));
    }
}
