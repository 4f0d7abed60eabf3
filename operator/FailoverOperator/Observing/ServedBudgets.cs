using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>The newer of the two versions that the API server serves; it is asked when the watching begins.</summary>
public sealed class ServedBudgets(IKubernetesApi api, Func<IDisruptionBudgets> newer, Func<IDisruptionBudgets> older, OperatorClock clock) : IDisruptionBudgets
{
    /// <summary>What the API server would not take is not tried again for so long: somebody has to change something first.</summary>
    private static readonly TimeSpan RefusalHolds = TimeSpan.FromMinutes(1);

    /// <summary>What it could not do just now, such as when a webhook that it asks is down.</summary>
    private static readonly TimeSpan FailureHolds = TimeSpan.FromSeconds(10);

    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, (string Message, TimeSpan Until)> _refused = new();
    private readonly Milestone _isChosen = new();
    private readonly List<Action<string, string?>> _subscribers = [];
    private IDisruptionBudgets? _served;

    public bool IsSynced => _isChosen.IsReached && _served!.IsSynced;

    public async Task WaitForSyncAsync(CancellationToken cancellationToken)
    {
        await _isChosen.WaitAsync(cancellationToken);
        await _served!.WaitForSyncAsync(cancellationToken);
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        _served = await Discovery.IsServedAsync(api, "policy", "v1", "poddisruptionbudgets", clock.TimeProvider, cancellationToken) ? newer() : older();
        foreach (var subscriber in _subscribers) _served.Subscribe(subscriber);
        _isChosen.Reach();
        await _served.RunAsync(cancellationToken);
    }

    public void Subscribe(Action<string, string?> onChange) => _subscribers.Add(onChange);

    public BudgetObservation Observe(RedundancyGroup group, V1StatefulSet workload, IReadOnlyList<V1Pod> pods, bool evictionsAreSeen) =>
        _refused.TryGetValue(group.Uid(), out var refusal) && clock.Now < refusal.Until ? new BudgetObservation.Unobserved(refusal.Message)
        : _isChosen.IsReached ? _served!.Observe(group, workload, pods, evictionsAreSeen)
        : new BudgetObservation.Unobserved("the operator has just started");

    public Task KeepAsync(RedundancyGroup group, string name, string? readVersion, V1PodDisruptionBudgetSpec spec, CancellationToken cancellationToken) =>
        TryAsync(group, () => _served!.KeepAsync(group, name, readVersion, spec, cancellationToken));

    public Task RemoveAsync(RedundancyGroup group, string name, CancellationToken cancellationToken) =>
        TryAsync(group, () => _served!.RemoveAsync(group, name, cancellationToken));

    /// <summary>A budget that cannot be kept must not keep the operator from anything else.</summary>
    private async Task TryAsync(RedundancyGroup group, Func<Task> write)
    {
        try
        {
            await write();
            _refused.TryRemove(group.Uid(), out _);
        }
        catch (KubernetesApiException e) when (e.Failure is not (ApiFailure.Conflict or ApiFailure.AlreadyExists or ApiFailure.NotFound))
        {
            foreach (var (uid, old) in _refused)
            {
                if (clock.Now >= old.Until) _refused.TryRemove(uid, out _);
            }
            _refused[group.Uid()] = e.Failure is ApiFailure.Forbidden or ApiFailure.Invalid
                ? ($"the API server refuses the operator's PodDisruptionBudget: {e.Message}", clock.Now + RefusalHolds)
                : ($"the operator's PodDisruptionBudget could not be written: {e.Message}", clock.Now + FailureHolds);
        }
    }
}

/// <summary>Asks what the API server serves.</summary>
internal static class Discovery
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    /// <summary>Again until there is an answer.</summary>
    public static async Task<bool> IsServedAsync(
        IKubernetesApi api, string group, string version, string plural, TimeProvider time, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await api.IsServedAsync(group, version, plural, cancellationToken);
            }
            catch (KubernetesApiException)
            {
                await Task.Delay(RetryPause, time, cancellationToken);
            }
        }
    }
}
