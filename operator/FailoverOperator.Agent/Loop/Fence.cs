using FailoverOperator.Agent.Servers;
using FailoverOperator.Agent.Supervision;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Agent.Loop;

/// <summary>
/// Makes a server that may be writable surely read-only: asks it to be, and kills every process if that is not done in time. Says so
/// to the protocol only when it is true, for this is the proof that somebody else may be promoted on. Invariant I3.
/// </summary>
internal sealed class Fence(AgentState state, IMemberServer server, ISupervisor supervisor, DutyRunner runner, Heartbeat heartbeat, Action<string> log)
{
    private static readonly TimeSpan KillRound = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan KillPause = TimeSpan.FromMilliseconds(20);

    /// <param name="performing">What was being done with the server; it has been cancelled.</param>
    public async Task DemoteAsync(TimeSpan killAt, ReleaseReason reason, string why, Task performing, CancellationToken cancellationToken)
    {
        log($"demoting the server: {why}");
        state.SetDemoting(true);
        state.SetServerNews($"being demoted: {why}");
        state.Counters.CountDemotion();
        runner.Forget();
        var demotion = DemoteServerAsync(killAt, performing, cancellationToken);
        while (!demotion.IsCompleted && state.Now < killAt)
        {
            heartbeat.Beat();
            await state.WaitAsync(heartbeat.Before(killAt), cancellationToken, demotion);
        }
        if (!demotion.IsCompletedSuccessfully || !demotion.Result) await KillAsync(why, demotion, cancellationToken);
        state.Update((m, _) => m.Demoted(reason, null, why));
        state.SetDemoting(false);
        state.SetServerNews(null);
    }

    /// <summary>
    /// Ends every process of the server. Returns only when none is left, and when no order is under way any more that
    /// could start one.
    /// </summary>
    public async Task KillAsync(string why, Task underWay, CancellationToken cancellationToken)
    {
        log($"killing every process of the server: {why}");
        runner.Forget();
        for (var isTold = false; ; isTold = true)
        {
            heartbeat.Beat();
            if (await supervisor.KillAllAsync(KillRound, cancellationToken) && underWay.IsCompleted && runner.InFlight.IsCompleted) return;
            if (!isTold) log("some process of the server does not die, or an order does not end; until then the lease is not given back");
            await state.WaitAsync(state.Now + KillPause, cancellationToken);
        }
    }

    /// <summary>Whether the server is surely not writable any more.</summary>
    private async Task<bool> DemoteServerAsync(TimeSpan killAt, Task performing, CancellationToken cancellationToken)
    {
        // Two orders at a time are more than a server has to understand.
        await Task.WhenAny(Task.WhenAll(performing, runner.InFlight));
        if (state.Now >= killAt) return false;
        using var deadline = state.DeadlineAt(killAt, cancellationToken);
        await Task.Yield();
        try
        {
            return await server.DemoteAsync(deadline.Token) is EngineOutcome.Done;
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            log($"the server could not be demoted: {failure.Message}");
            return false;
        }
    }
}
