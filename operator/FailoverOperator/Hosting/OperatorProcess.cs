using FailoverOperator.Acting;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Observing;
using FailoverOperator.Recording;
using FailoverOperator.Runtime.Controllers;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;

namespace FailoverOperator.Hosting;

/// <summary>
/// The parts that run side by side: watches, the API server's watch over its health, events, the controller.
/// When one of them ends, the process ends, and its pod is started again: half an operator is worse than none.
/// </summary>
public sealed class OperatorProcess(
    ClusterView cluster, ReplicaLog replicas, Heartbeat heartbeat, ApiHealthMonitor apiMonitor, EventOutbox events,
    ControllerHost<RedundancyGroup> controller, GroupSessions sessions) : BackgroundService
{
    /// <summary>Every watch has delivered its first list, so that there is something to decide on.</summary>
    public bool IsReady => cluster.IsSynced && controller.IsAlive;

    /// <summary>The workers run. An API server that is away is no reason to restart: the operator waits for it.</summary>
    public bool IsAlive => !_started || ExecuteTask is null or { IsCompleted: false };

    private bool _started;

    private IReadOnlyList<IWatched> Watches => [.. cluster.Watches, .. replicas.Watch is { } watch ? new IWatched[] { watch } : []];

    /// <summary>Asked to end: once nothing is done any more, the other replicas are told, and go on at once.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await heartbeat.LeaveAsync();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _started = true;
        return RunAsync(stoppingToken);
    }

    /// <summary>Runs everything until it is cancelled or a part ends, on the scheduler of the caller.</summary>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        var parts = new List<Task>
        {
            apiMonitor.RunAsync(stoppingToken),
            heartbeat.RunAsync(stoppingToken),
            events.RunAsync(stoppingToken),
            RunControllerAsync(stoppingToken),
        };
        parts.AddRange(Watches.Select(w => w.RunAsync(stoppingToken)));
        try
        {
            await await Task.WhenAny(parts);
        }
        finally
        {
            await sessions.DisposeAsync();
        }
    }

    private async Task RunControllerAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(Watches.Select(w => w.WaitForSyncAsync(cancellationToken)));
        await controller.RunAsync(cancellationToken);
    }
}
