using FailoverOperator.Agent.Leases;

namespace FailoverOperator.Agent.Loop;

/// <summary>Learns of every change of the lease as it happens.</summary>
internal sealed class LeaseWatcher(AgentState state, ILeaseApi api, Random random)
{
    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(2), random);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await foreach (var lease in api.WatchAsync(cancellationToken).WithCancellation(cancellationToken))
            {
                state.Update((m, now) => m.Saw(lease, now));
                _backoff.Reset();
            }
            await state.WaitAsync(state.Now + _backoff.Next(), cancellationToken);
        }
    }
}
