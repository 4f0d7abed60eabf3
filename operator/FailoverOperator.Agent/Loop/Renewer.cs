using FailoverOperator.Agent.Leases;
using FailoverOperator.Core.Leases;

namespace FailoverOperator.Agent.Loop;

/// <summary>Claims the lease and renews it. Waits for nothing but the API server.</summary>
internal sealed class Renewer(AgentState state, LeaseCalls calls, Heartbeat heartbeat, Action<string> log)
{
    /// <summary>So often in a row the lease is read and tried again at once after a conflict.</summary>
    private const int Tries = 3;

    private readonly Signal _signal = state.Listen();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            heartbeat.Beat();
            var changed = _signal.Next;
            var due = NextRenewal();
            if (due <= state.Now) await RenewAsync(cancellationToken);
            else await state.WaitAsync(heartbeat.Before(due), cancellationToken, changed);
        }
    }

    /// <summary>Null: nothing is to be renewed.</summary>
    private TimeSpan? NextRenewal()
    {
        if (state.IsDemoting || state.Order is not (AgentOrder.Serve or AgentOrder.Claim or AgentOrder.HandOver)) return null;
        var memory = state.Memory;
        return state.AppliedTo(memory) is { } applied ? AgentProtocol.NextRenewal(memory, applied) : null;
    }

    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        for (var left = Tries; left > 0 && NextRenewal() is not null; left--)
        {
            heartbeat.Beat();
            var memory = state.Update((m, now) => state.AppliedTo(m) is { } applied ? m.Renewing(applied, now) : m);
            if (memory is not { Sent: { } sent, Lease: { } lease } || sent.Term != lease.Term) return;
            switch (await calls.RenewAsync(lease, sent, cancellationToken))
            {
                case LeaseReply.Found found:
                    state.Update((m, now) => m.Renewed(sent, found.Lease, now));
                    Ended(null);
                    return;
                case LeaseReply.Absent:
                    state.Update((m, now) => m.Saw(null, now));
                    return;
                case LeaseReply.Failed failed:
                    Ended(failed.Message);
                    return;
                case LeaseReply.Conflict:
                    // Somebody changed it, perhaps this agent itself by a renewal whose answer got lost: what it says now counts.
                    if (!await ReadAsync(cancellationToken)) return;
                    break;
                case var reply:
                    throw new InvalidOperationException($"unknown reply {reply}");
            }
        }
    }

    /// <summary>Whether something is known now.</summary>
    private async Task<bool> ReadAsync(CancellationToken cancellationToken)
    {
        heartbeat.Beat();
        switch (await calls.ReadAsync(cancellationToken))
        {
            case LeaseReply.Found found:
                state.Update((m, now) => m.Saw(found.Lease, now));
                return true;
            case LeaseReply.Absent:
                state.Update((m, now) => m.Saw(null, now));
                return true;
            case LeaseReply.Failed failed:
                Ended(failed.Message);
                return false;
            default:
                return false;
        }
    }

    private void Ended(string? problem)
    {
        state.Counters.CountRenewal(problem is null);
        if (problem is null != state.RenewalProblem is null) log(problem is null ? "renewals are acknowledged again" : $"the lease could not be renewed: {problem}");
        if (problem != state.RenewalProblem) state.SetRenewalProblem(problem);
    }
}
