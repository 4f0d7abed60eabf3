using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Observing;
using FailoverOperator.Recording;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Acting;

/// <summary>Keeps the budgets that hold evictions, and restarts members for an update.</summary>
public sealed class DisruptionTools(IKubernetesApi api, ClusterView cluster, IDisruptionBudgets budgets, FailoverNews news)
{
    public async Task RestartAsync(RedundancyGroup group, Step.RestartMember step, CancellationToken cancellationToken)
    {
        try
        {
            await api.DeleteAsync<V1Pod>(group.Namespace(), step.Member.Name, new DeleteOptions(Uid: step.Member.Uid), cancellationToken);
            news.Restarted(group, step.Member.Name, step.Revision);
        }
        catch (KubernetesApiException e) when (e.Failure is ApiFailure.NotFound or ApiFailure.Conflict)
        {
            // Gone already, or another pod has its name: the watch will tell.
        }
    }

    public async Task KeepBudgetAsync(RedundancyGroup group, Step.KeepBudget step, CancellationToken cancellationToken)
    {
        var spec = step.LeastMembers is not { } least ? BudgetSpecs.OfPrimary(group)
            : cluster.WorkloadOf(group) is { } workload ? BudgetSpecs.OfMembers(workload, least)
            : null;
        // Without a workload nobody can be evicted.
        if (spec is not null) await budgets.KeepAsync(group, step.Name, step.ReadVersion, spec, cancellationToken);
    }

    public Task RemoveBudgetAsync(RedundancyGroup group, Step.RemoveBudget step, CancellationToken cancellationToken) =>
        budgets.RemoveAsync(group, step.Name, cancellationToken);
}
