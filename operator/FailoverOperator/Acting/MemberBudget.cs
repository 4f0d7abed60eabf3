using System.Collections.Concurrent;
using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Kubernetes;
using k8s;
using k8s.Models;

namespace FailoverOperator.Acting;

/// <summary>
/// Keeps drains and other evictions from taking more members than a group can do without: a PodDisruptionBudget of the operator's own,
/// which goes with the group. It is looked at now and then: nothing depends on it at once.
/// </summary>
public sealed class MemberBudget(IKubernetesApi api, OperatorClock clock)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(60);

    /// <summary>After a failure that may pass.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, Looked> _looked = new();
    private bool? _isCurrentServed;

    public static string NameOf(RedundancyGroup group) => $"{group.Name()}-members";

    /// <summary>Whether there is one for this group, so far as this process knows.</summary>
    public bool Guards(RedundancyGroup group) => _looked.ContainsKey(group.Uid());

    /// <param name="others">What is known of budgets that people made for the same pods.</param>
    /// <returns>Why nothing guards the members. Null: the budget does.</returns>
    public async Task<string?> EnsureAsync(
        RedundancyGroup group, V1StatefulSet workload, int minAvailable, BudgetObservation? others, CancellationToken cancellationToken)
    {
        if ((others as BudgetObservation.Seen)?.Others.FirstOrDefault(name => name != NameOf(group)) is { } other)
        {
            // Of two that select a pod the API server obeys neither, and evicts nobody.
            if (Guards(group)) await RemoveAsync(group, cancellationToken);
            return $"evictions are bounded by PodDisruptionBudget {other} alone, which selects members, too; delete it, and the operator makes one";
        }
        if (_looked.TryGetValue(group.Uid(), out var last) && last.MinAvailable == minAvailable && clock.Now < last.GoodUntil) return last.Problem;
        var (problem, pause) = await TryAsync(group, workload, minAvailable, cancellationToken);
        _looked[group.Uid()] = new(minAvailable, problem, clock.Now + pause);
        return problem;
    }

    /// <summary>The group's mode needs none any more.</summary>
    public async Task RemoveAsync(RedundancyGroup group, CancellationToken cancellationToken)
    {
        try
        {
            if (await IsCurrentServedAsync(cancellationToken)) await RemoveAsync<V1PodDisruptionBudget>(group, cancellationToken);
            else await RemoveAsync<V1Beta1PodDisruptionBudget>(group, cancellationToken);
            Forget(group);
        }
        catch (KubernetesApiException)
        {
            // It is in nobody's way for now; the next look tries again.
        }
    }

    public void Forget(RedundancyGroup group) => _looked.TryRemove(group.Uid(), out _);

    private async Task<(string? Problem, TimeSpan Pause)> TryAsync(
        RedundancyGroup group, V1StatefulSet workload, int minAvailable, CancellationToken cancellationToken)
    {
        try
        {
            var spec = new V1PodDisruptionBudgetSpec { MinAvailable = minAvailable, Selector = SelectorOf(workload) };
            return (await IsCurrentServedAsync(cancellationToken)
                ? await WriteAsync(group, new V1PodDisruptionBudget { Metadata = Metadata(group), Spec = spec }, cancellationToken)
                : await WriteAsync(group, new V1Beta1PodDisruptionBudget { Metadata = Metadata(group), Spec = spec }, cancellationToken), LookEvery);
        }
        catch (KubernetesApiException e) when (e.Failure == ApiFailure.Forbidden)
        {
            return ("evictions are not bounded: the operator lacks the right to get, create and patch poddisruptionbudgets", LookEvery);
        }
        catch (KubernetesApiException e)
        {
            return ($"evictions are not bounded yet: {e.Message}", RetryAfter);
        }
    }

    private async Task<string?> WriteAsync<T>(RedundancyGroup group, T wanted, CancellationToken cancellationToken)
        where T : V1PodDisruptionBudget
    {
        if (await api.GetAsync<T>(group.Namespace(), wanted.Name(), cancellationToken) is not { } known)
        {
            await api.CreateAsync(wanted, cancellationToken);
            return null;
        }
        if (!IsOurs(known, group))
            return $"evictions are not bounded by the operator: PodDisruptionBudget {known.Name()} is somebody else's";
        if (IsSame(known.Spec, wanted.Spec)) return null;
        await api.MergePatchAsync<T>(group.Namespace(), wanted.Name(), new
        {
            metadata = new { resourceVersion = known.ResourceVersion() },
            spec = new { minAvailable = int.Parse(wanted.Spec.MinAvailable.Value, System.Globalization.CultureInfo.InvariantCulture), maxUnavailable = (int?)null, selector = wanted.Spec.Selector },
        }, cancellationToken);
        return null;
    }

    private async Task RemoveAsync<T>(RedundancyGroup group, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (await api.GetAsync<T>(group.Namespace(), NameOf(group), cancellationToken) is not { } known || !IsOurs(known, group)) return;
        await api.DeleteAsync<T>(group.Namespace(), known.Name(), new DeleteOptions(Uid: known.Uid()), cancellationToken);
    }

    private async Task<bool> IsCurrentServedAsync(CancellationToken cancellationToken) =>
        _isCurrentServed ??= await api.IsServedAsync("policy", "v1", "poddisruptionbudgets", cancellationToken);

    private static bool IsOurs(IKubernetesObject<V1ObjectMeta> budget, RedundancyGroup group) =>
        GroupOwnership.Owns(group, budget.Metadata);

    private static bool IsSame(V1PodDisruptionBudgetSpec one, V1PodDisruptionBudgetSpec other) =>
        one.MinAvailable?.Value == other.MinAvailable.Value && one.MaxUnavailable is null
        && KubernetesJson.Serialize(one.Selector) == KubernetesJson.Serialize(other.Selector);

    /// <summary>The workload's own: that of all its pods, and of no others.</summary>
    private static V1LabelSelector SelectorOf(V1StatefulSet workload) =>
        workload.Spec.Selector ?? new V1LabelSelector { MatchLabels = workload.Spec.Template.Metadata?.Labels };

    private static V1ObjectMeta Metadata(RedundancyGroup group) => new()
    {
        Name = NameOf(group),
        NamespaceProperty = group.Namespace(),
        Labels = new Dictionary<string, string> { [ApiGroup.GroupLabel] = group.Name() },
        OwnerReferences = [GroupOwnership.By(group)],
    };

    private sealed record Looked(int MinAvailable, string? Problem, TimeSpan GoodUntil);
}
