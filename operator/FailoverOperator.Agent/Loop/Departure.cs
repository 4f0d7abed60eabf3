using FailoverOperator.Agent.Servers;
using FailoverOperator.Agent.Supervision;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;

namespace FailoverOperator.Agent.Loop;

/// <summary>
/// How a primary hands over in order, because the operator asks for it or because its pod is being stopped; in that case everything ends after.
/// </summary>
internal sealed class Departure(
    AgentState state, IMemberServer server, ISupervisor supervisor, Fence fence, DutyRunner runner, Heartbeat heartbeat, TimeSpan timeout, Action<string> log)
{
    private const int Terminate = 15;

    /// <summary>So long it is tried to write the release note; after that the lease runs out by itself.</summary>
    private static readonly TimeSpan ReleaseBound = TimeSpan.FromSeconds(5);

    private TimeSpan? _begunAt;
    private TimeSpan? _releaseBy;
    private Task? _ending;

    /// <summary>From the stop signal on; the kubelet kills a little later.</summary>
    private TimeSpan EndAt => (_begunAt ??= state.Now) + timeout;

    /// <summary>
    /// Renewing goes on meanwhile, so that nobody else is promoted before the standbys have everything. If the lease is lost on the way,
    /// the deadline of that counts.
    /// </summary>
    public async Task HandOverAsync(Task performing, Signal signal, CancellationToken cancellationToken)
    {
        log(state.Memory.IsStopping ? "the pod is being stopped: handing over" : "handing over, as the operator asks for it");
        var endAt = state.Memory.IsStopping ? EndAt : state.Now + timeout;
        state.SetServerNews("handing over");
        runner.Forget();
        using var deadline = state.DeadlineAt(endAt, cancellationToken);
        var shutdown = ShutDownAsync(performing, deadline.Token);
        while (!shutdown.IsCompleted && state.Now < endAt)
        {
            heartbeat.Beat();
            var changed = signal.Next;
            if (state.Order is AgentOrder.Demote demote)
            {
                deadline.Cancel();
                await fence.DemoteAsync(demote.KillAt, ReleaseReason.SelfFenced, demote.Why, shutdown, cancellationToken);
                return;
            }
            await state.WaitAsync(heartbeat.Before(AgentProtocol.NextDeadline(state.Memory, state.Now)), cancellationToken, changed, shutdown);
        }
        deadline.Cancel();
        var position = shutdown.IsCompletedSuccessfully ? shutdown.Result : null;
        if (position is null) await fence.KillAsync("it did not shut down in order", shutdown, cancellationToken);
        state.Update((m, _) => m.Demoted(ReleaseReason.HandOver, position, position is null ? "it did not shut down in order" : null));
        state.SetServerNews(null);
    }

    /// <summary>Whether the lease says what it has to, and nothing runs any more: the agent may end.</summary>
    /// <param name="order">Not to be carried out any more, but for a release.</param>
    public async Task<bool> HasGivenBackAsync(AgentOrder order, Task performing, Task changed, CancellationToken cancellationToken)
    {
        _ending ??= EndAsync(performing, cancellationToken);
        if (order is AgentOrder.Release && (_releaseBy ??= state.Now + ReleaseBound) is var releaseBy && state.Now < releaseBy)
        {
            await state.WaitAsync(heartbeat.Before(releaseBy), cancellationToken, changed);
            return false;
        }
        await _ending;
        return true;
    }

    private async Task EndAsync(Task performing, CancellationToken cancellationToken)
    {
        log("the pod is being stopped: ending the server");
        using var deadline = state.DeadlineAt(EndAt, cancellationToken);
        if (supervisor.Server is { Exited.IsCompleted: false } run)
        {
            var shutdown = ShutDownAsync(performing, deadline.Token);
            await WaitAsync(shutdown, cancellationToken);
            // A server that only stopped to be writable is to end, too.
            run.Signal(Terminate);
            await WaitAsync(run.Exited, cancellationToken);
        }
        await fence.KillAsync("the agent ends", performing, cancellationToken);
    }

    private async Task WaitAsync(Task task, CancellationToken cancellationToken)
    {
        while (!task.IsCompleted && state.Now < EndAt)
        {
            heartbeat.Beat();
            await state.WaitAsync(heartbeat.Before(EndAt), cancellationToken, task);
        }
    }

    /// <summary>Null: not known to have ended in order.</summary>
    private async Task<long?> ShutDownAsync(Task performing, CancellationToken deadline)
    {
        await Task.WhenAny(Task.WhenAll(performing, runner.InFlight));
        await Task.Yield();
        try
        {
            deadline.ThrowIfCancellationRequested();
            return await server.ShutDownAsync(deadline);
        }
        catch (Exception failure)
        {
            log($"the server did not shut down in order: {failure.Message}");
            return null;
        }
    }
}
