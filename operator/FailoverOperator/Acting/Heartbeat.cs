using FailoverOperator.Core.Ownership;
using FailoverOperator.Hosting;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Acting;

/// <summary>Tells the other replicas that this one lives, and when it goes.</summary>
public sealed class Heartbeat(IKubernetesApi api, OperatorSettings settings, OperatorClock clock)
{
    /// <summary>A beat that takes longer is given up; the next one says the same.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    private V1Lease? _known;

    /// <summary>Until cancelled. Without a namespace of its own the process is alone, and tells nobody.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (settings.Namespace is not { } namespaceName)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, clock.TimeProvider, cancellationToken);
            return;
        }
        while (!cancellationToken.IsCancellationRequested)
        {
            await BeatAsync(namespaceName, settings.Instance, cancellationToken);
            await Task.Delay(Replica.HeartbeatInterval, clock.TimeProvider, cancellationToken);
        }
    }

    /// <summary>Hands everything over at once. Call when nothing is done any more.</summary>
    public async Task LeaveAsync()
    {
        if (settings.Namespace is not { } namespaceName || _known is null) return;
        await BeatAsync(namespaceName, "", CancellationToken.None);
    }

    private async Task BeatAsync(string namespaceName, string holder, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Deadline, clock.TimeProvider);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            _known ??= await api.GetAsync<V1Lease>(namespaceName, ReplicaLease.NameOf(settings.Instance), both.Token)
                ?? await api.CreateAsync(ReplicaLease.New(settings.Instance, namespaceName, settings.WatchNamespace, settings.PodUid), both.Token);
            _known = await api.ReplaceAsync(ReplicaLease.Beat(_known, holder, clock.WallNow), both.Token);
        }
        catch (KubernetesApiException)
        {
            // Read anew before the next beat: whoever changed or deleted it, the others only look for change.
            _known = null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            _known = null;
        }
    }
}
