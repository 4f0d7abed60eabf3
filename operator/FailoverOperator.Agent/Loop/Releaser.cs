using FailoverOperator.Agent.Leases;
using FailoverOperator.Core.Leases;

namespace FailoverOperator.Agent.Loop;

/// <summary>
/// Writes into the lease that this member's term is over. The order for that is given only when nothing is writable by the
/// term any more. Invariant I3.
/// </summary>
internal sealed class Releaser(AgentState state, LeaseCalls calls, Random random, Action<string> log)
{
    private readonly Signal _signal = state.Listen();
    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(1), random);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = _signal.Next;
            if (state.Memory is not { Lease: { } lease } || state.Order is not AgentOrder.Release(var note))
            {
                await state.WaitAsync(null, cancellationToken, changed);
                continue;
            }
            switch (await calls.ReleaseAsync(lease, note, cancellationToken))
            {
                case LeaseReply.Found found:
                    state.Update((m, now) => m.Saw(found.Lease, now).Released());
                    log(FormattableString.Invariant($"released the lease of term {note.Term}: {note.Reason}"));
                    _backoff.Reset();
                    break;
                case LeaseReply.Absent:
                    state.Update((m, now) => m.Saw(null, now));
                    break;
                case LeaseReply.Conflict when await calls.ReadAsync(cancellationToken) is LeaseReply.Found found && found.Lease.Version != lease.Version:
                    state.Update((m, now) => m.Saw(found.Lease, now));
                    break;
                default:
                    await state.WaitAsync(state.Now + _backoff.Next(), cancellationToken);
                    break;
            }
        }
    }
}
