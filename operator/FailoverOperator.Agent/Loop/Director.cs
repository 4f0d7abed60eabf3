using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;

namespace FailoverOperator.Agent.Loop;

/// <summary>
/// Turns what the protocol orders into what happens to the server. Looks at the order after every change and at every deadline, and
/// never waits for the server without one.
/// </summary>
internal sealed class Director(
    AgentState state, DutyRunner runner, Fence fence, Departure departure, Heartbeat heartbeat, Action<string> log)
{
    /// <summary>An order that does not end so long after it was cancelled never will.</summary>
    private static readonly TimeSpan CancelBound = TimeSpan.FromSeconds(30);

    private readonly Signal _signal = state.Listen();
    private CancellationTokenSource _dutyOver = new();
    private Task<DutyEnd> _performing = Task.FromCanceled<DutyEnd>(new CancellationToken(true));
    private Duty? _duty;
    private TimeSpan _cancelledAt;
    private TimeSpan? _restartUntil;
    private TimeSpan? _lastRestart;

    /// <summary>Ends when the pod is being stopped and everything has been given back.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            heartbeat.Beat();
            var changed = _signal.Next;
            var memory = state.Memory;
            switch (AgentProtocol.Decide(memory, state.Now))
            {
                case AgentOrder.Demote demote:
                    await fence.DemoteAsync(demote.KillAt, ReleaseReason.SelfFenced, demote.Why, CancelDuty(), cancellationToken);
                    continue;
                case AgentOrder.HandOver:
                    await departure.HandOverAsync(CancelDuty(), _signal, cancellationToken);
                    continue;
                case var order when memory.IsStopping:
                    if (await departure.HasGivenBackAsync(order, CancelDuty(), changed, cancellationToken)) return;
                    continue;
                case var order:
                    if (await HasEndedAsync(cancellationToken)) continue;
                    if (Duties.For(order, memory) is { } duty) Assign(duty, cancellationToken);
                    break;
            }
            await state.WaitAsync(heartbeat.Before(Earliest(AgentProtocol.NextDeadline(memory, state.Now), _restartUntil)), cancellationToken, changed);
        }
    }

    /// <summary>What is done with the server now is cancelled first, and the next begins when that has ended.</summary>
    private void Assign(Duty duty, CancellationToken cancellationToken)
    {
        if (duty == _duty && !_dutyOver.IsCancellationRequested) return;
        var previous = CancelDuty();
        if (!previous.IsCompleted || !runner.InFlight.IsCompleted)
        {
            if (state.Now > _cancelledAt + CancelBound) throw new InvalidOperationException($"{_duty} does not end although it was cancelled");
            return;
        }
        log($"to do: {Describe(duty)}");
        _dutyOver.Dispose();
        _dutyOver = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _duty = duty;
        _performing = runner.PerformAsync(duty, _dutyOver.Token);
        _ = state.NudgeAfterAsync(_performing);
    }

    private Task CancelDuty()
    {
        if (!_dutyOver.IsCancellationRequested) _cancelledAt = state.Now;
        _dutyOver.Cancel();
        return _performing;
    }

    /// <summary>Whether the primary could not go on, and what follows from that has been done.</summary>
    private async Task<bool> HasEndedAsync(CancellationToken cancellationToken)
    {
        if (runner.EstablishedTerm is not null) _restartUntil = null;
        if (_restartUntil is { } until && state.Now >= until)
        {
            _restartUntil = null;
            await ReleaseAsync(ReleaseReason.ProcessDown, "the crashed server did not become primary again in time", cancellationToken);
            return true;
        }
        if (!_performing.IsCompleted || _performing.IsCanceled) return false;
        var end = await _performing;
        _ = CancelDuty();
        _performing = Task.FromCanceled<DutyEnd>(new CancellationToken(true));
        switch (end)
        {
            case DutyEnd.GivenUp(var why):
                await ReleaseAsync(ReleaseReason.PromotionFailed, why, cancellationToken);
                break;
            case DutyEnd.Crashed(var why) when state.Applied is { } terms && Duties.RestartUntil(terms, _lastRestart, state.Now) is { } restart:
                await fence.KillAsync($"{why}; it is started again", _performing, cancellationToken);
                (_lastRestart, _restartUntil) = (state.Now, restart);
                break;
            case DutyEnd.Crashed(var why):
                await ReleaseAsync(ReleaseReason.ProcessDown, why, cancellationToken);
                break;
            default:
                throw new InvalidOperationException($"unknown end {end}");
        }
        return true;
    }

    /// <summary>Ends whatever is left of the server, then gives the lease back.</summary>
    private async Task ReleaseAsync(ReleaseReason reason, string why, CancellationToken cancellationToken)
    {
        await fence.KillAsync(why, CancelDuty(), cancellationToken);
        state.Update((m, _) => m.Demoted(reason, null, why));
    }

    private static TimeSpan? Earliest(TimeSpan? a, TimeSpan? b) => a is null || b < a ? b : a;

    private static string Describe(Duty duty) => duty switch
    {
        Duty.Serve serve => FormattableString.Invariant($"be the primary of term {serve.Term}"),
        Duty.Follow follow => FormattableString.Invariant($"follow {follow.Leader.Name} ({follow.Leader.Address}), the primary of term {follow.Leader.Term}"),
        Duty.StandBy => "stand by, read-only",
        _ => throw new ArgumentOutOfRangeException(nameof(duty), duty, "unknown duty"),
    };
}
