using FailoverOperator.Agent.Leases;

namespace FailoverOperator.Agent.Loop;

/// <summary>Learns of every change of the lease as it happens.</summary>
internal sealed class LeaseWatcher(AgentState state, ILeaseApi api, LeaseCalls calls, Random random, Action<string> log)
{
    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(2), random);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var hasSeen = false;
            await foreach (var lease in api.WatchAsync(cancellationToken).WithCancellation(cancellationToken))
            {
                hasSeen = true;
                state.Update((m, now) => m.Saw(lease, now));
                Told(null);
                _backoff.Reset();
            }
            // A watch does not say why it could not begin; a question does.
            if (!hasSeen) await AskAsync(cancellationToken);
            await state.WaitAsync(state.Now + _backoff.Next(), cancellationToken);
        }
    }

    private async Task AskAsync(CancellationToken cancellationToken)
    {
        switch (await calls.ReadAsync(cancellationToken))
        {
            case LeaseReply.Found found:
                state.Update((m, now) => m.Saw(found.Lease, now));
                Told(null);
                break;
            case LeaseReply.Absent:
                state.Update((m, now) => m.Saw(null, now));
                Told(null);
                break;
            case LeaseReply.Failed failed:
                Told(failed.Message);
                break;
        }
    }

    private void Told(string? problem)
    {
        if (problem is null != state.WatchProblem is null) log(problem is null ? "the lease is watched" : $"the lease cannot be watched: {problem}");
        if (problem != state.WatchProblem) state.SetWatchProblem(problem);
    }
}
