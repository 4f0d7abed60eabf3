using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Sharing;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>A PodDisruptionBudget on API servers before 1.21.</summary>
[KubernetesEntity(Group = "policy", ApiVersion = "v1beta1", Kind = "PodDisruptionBudget", PluralName = "poddisruptionbudgets")]
public record V1Beta1PodDisruptionBudget : V1PodDisruptionBudget;

/// <summary>The PodDisruptionBudgets, in whatever version the API server has them.</summary>
public interface IDisruptionBudgets : IWatched
{
    /// <param name="pods">The group's members.</param>
    BudgetObservation Observe(RedundancyGroup group, V1StatefulSet workload, IReadOnlyList<V1Pod> pods, bool evictionsAreSeen);

    /// <summary>Calls back with the namespace when a budget's spec has changed, and with the group's name if it is the operator's.</summary>
    void Subscribe(Action<string, string?> onChange);

    /// <summary>Creates one of the group's, or replaces the version of it that was read.</summary>
    Task KeepAsync(RedundancyGroup group, string name, string? readVersion, V1PodDisruptionBudgetSpec spec, CancellationToken cancellationToken);

    Task RemoveAsync(RedundancyGroup group, string name, CancellationToken cancellationToken);
}

/// <inheritdoc cref="IDisruptionBudgets"/>
public sealed class BudgetReader<T>(IInformer<T> budgets, IKubernetesApi api) : IDisruptionBudgets
    where T : V1PodDisruptionBudget, new()
{
    private const string ByNamespace = "namespace";

    private readonly IInformer<T> _budgets = Indexed(budgets);

    public bool IsSynced => _budgets.IsSynced;

    public Task WaitForSyncAsync(CancellationToken cancellationToken) => _budgets.WaitForSyncAsync(cancellationToken);

    public Task RunAsync(CancellationToken cancellationToken) => _budgets.RunAsync(cancellationToken);

    public BudgetObservation Observe(RedundancyGroup group, V1StatefulSet workload, IReadOnlyList<V1Pod> pods, bool evictionsAreSeen)
    {
        var name = Budgets.NameOf(group.Name());
        var (own, members) = (Find(group, name), Find(group, MemberBudgets.NameOf(group.Name())));
        // Of the operator's own only another one of this group, as it needs one in another mode.
        var others = _budgets.ByIndex(ByNamespace, group.Namespace()).Concat(_budgets.ByIndex(ByNamespace, $"{group.Namespace()}/{group.Name()}"))
            .Where(b => b.Name() != name && pods.Any(p => SelectsPrimary(b, p))).Select(b => b.Name()).ToList();
        if (_budgets.IsForbidden) return new BudgetObservation.Unobserved("the operator lacks the right to PodDisruptionBudgets; upgrade its chart");
        return new BudgetObservation.Seen(own is null ? null : Facts(group, workload, own), others, evictionsAreSeen)
        {
            Members = members is null ? null : Facts(group, workload, members),
        };
    }

    public void Subscribe(Action<string, string?> onChange) => _budgets.Subscribe(change =>
    {
        // Their status changes with every pod that becomes ready, which says nothing here.
        var isNews = change is not { Change: CacheChange.Updated, Previous: { } before } || before.Metadata.Generation != change.Current.Metadata.Generation;
        if (isNews) onChange(change.Current.Namespace(), GroupOf(change.Current));
    });

    public Task KeepAsync(RedundancyGroup group, string name, string? readVersion, V1PodDisruptionBudgetSpec spec, CancellationToken cancellationToken)
    {
        var budget = new T
        {
            Metadata = new V1ObjectMeta
            {
                Name = name,
                NamespaceProperty = group.Namespace(),
                ResourceVersion = readVersion,
                Labels = new Dictionary<string, string> { [ApiGroup.GroupLabel] = group.Name() },
                OwnerReferences = [GroupOwnership.By(group)],
            },
            Spec = spec,
        };
        return readVersion is null ? api.CreateAsync(budget, cancellationToken) : api.ReplaceAsync(budget, cancellationToken);
    }

    public async Task RemoveAsync(RedundancyGroup group, string name, CancellationToken cancellationToken)
    {
        try
        {
            await api.DeleteAsync<T>(group.Namespace(), name, new DeleteOptions(), cancellationToken);
        }
        catch (KubernetesApiException e) when (e.Failure == ApiFailure.NotFound)
        {
            // Somebody else has.
        }
    }

    private static IInformer<T> Indexed(IInformer<T> budgets)
    {
        // There may be as many of the operator's own as there are groups.
        budgets.AddIndex(ByNamespace, b => [GroupOf(b) is { } group ? $"{b.Namespace()}/{group}" : b.Namespace()]);
        return budgets;
    }

    private static string? GroupOf(T budget) => budget.Metadata.Labels?.TryGetValue(ApiGroup.GroupLabel, out var group) == true ? group : null;

    private T? Find(RedundancyGroup group, string name) => _budgets.TryGet(new ObjectKey(group.Namespace(), name), out var found) ? found : null;

    private static BudgetFacts Facts(RedundancyGroup group, V1StatefulSet workload, T budget) => new(
        budget.Name(), budget.ResourceVersion() ?? "", budget.Metadata.OwnerReferences?.Any(o => o.Uid == group.Uid()) == true, BudgetSpecs.HoldsPrimary(group, budget.Spec))
    {
        LeastMembers = BudgetSpecs.LeastMembers(workload, budget.Spec),
        IsGoing = budget.Metadata.DeletionTimestamp is not null,
    };

    /// <summary>Whether it would select this pod if that were the primary.</summary>
    private static bool SelectsPrimary(T budget, V1Pod pod)
    {
        var labels = new Dictionary<string, string>(pod.Metadata.Labels ?? new Dictionary<string, string>()) { [ApiGroup.RoleLabel] = RoleLabels.Active };
        return LabelSelectors.Matches(budget.Spec?.Selector, labels, emptySelectsAll: typeof(T) == typeof(V1PodDisruptionBudget));
    }
}

/// <summary>Kubernetes' label selectors.</summary>
public static class LabelSelectors
{
    public static bool Matches(V1LabelSelector? selector, IReadOnlyDictionary<string, string> labels, bool emptySelectsAll)
    {
        var (equal, expressions) = (selector?.MatchLabels ?? new Dictionary<string, string>(), selector?.MatchExpressions ?? []);
        if (selector is null || equal.Count + expressions.Count == 0) return selector is not null && emptySelectsAll;
        return equal.All(l => labels.TryGetValue(l.Key, out var value) && value == l.Value) && expressions.All(e => Holds(e, labels));
    }

    private static bool Holds(V1LabelSelectorRequirement expression, IReadOnlyDictionary<string, string> labels)
    {
        var value = labels.TryGetValue(expression.Key, out var found) ? found : null;
        return expression.OperatorProperty switch
        {
            "In" => value is not null && expression.Values.Contains(value),
            "NotIn" => value is null || !expression.Values.Contains(value),
            "Exists" => value is not null,
            "DoesNotExist" => value is null,
            // From a newer server: taken for one that selects, so that no second budget is made.
            _ => true,
        };
    }
}
