using FailoverOperator.Agent.Servers;
using FailoverOperator.Agent.Supervision;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Agent.Loop;

/// <summary>
/// Makes the server what it is to be, and keeps it so: gives the order again and again until it is fulfilled, and whenever it is
/// not any more. One duty at a time.
/// </summary>
internal sealed class DutyRunner(AgentState state, IMemberServer server, ISupervisor supervisor, StatusSource status, Random random, Action<string> log)
{
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);

    /// <summary>A server that ran for so long does not crash in a loop.</summary>
    private static readonly TimeSpan Stable = TimeSpan.FromSeconds(10);

    /// <summary>So often a standby does what it can do beforehand, and so long it may take.</summary>
    private static readonly TimeSpan PrepareInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PrepareTimeout = TimeSpan.FromSeconds(2);

    /// <summary>
    /// In which term the server's process may have acknowledged writes: from before it was made writable on, whatever came of that. Its end is a crash,
    /// and no other process is made writable in its stead in this term, unless it is fenced first: that one may not have what was acknowledged.
    /// </summary>
    private Service? _mayHaveServed;

    /// <summary>The term in which the server has become primary. Null: in none.</summary>
    public long? EstablishedTerm { get; private set; }

    /// <summary>The order that was given last. It may go on for a while after it was cancelled.</summary>
    public Task InFlight { get; private set; } = Task.CompletedTask;

    /// <summary>What was primary is or will be fenced: what becomes of it now is no crash any more.</summary>
    public void Forget() => (EstablishedTerm, _mayHaveServed) = (null, null);

    /// <summary>Ends by itself only if a primary cannot go on; otherwise with the token, by throwing.</summary>
    public async Task<DutyEnd> PerformAsync(Duty duty, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), random);
        var (failures, failingSince) = (0, state.Now);
        while (true)
        {
            var begun = state.Now;
            switch (await OrderAsync(duty, cancellationToken))
            {
                case null:
                    return Crash();
                case EngineOutcome.Done:
                    failures = 0;
                    if (await WhileFulfilledAsync(duty, cancellationToken) is { } end) return end;
                    if (state.Now - begun > Stable) backoff.Reset();
                    break;
                case EngineOutcome.NotDone notDone:
                    if (failures++ == 0) failingSince = begun;
                    if (duty is Duty.Serve serve && Duties.IsHopeless(failures, state.Now - failingSince, serve.Terms)) return new DutyEnd.GivenUp(notDone.Message);
                    break;
            }
            await state.WaitAsync(state.Now + backoff.Next(), cancellationToken);
        }
    }

    /// <summary>Gives the order once. Null: the primary crashed meanwhile.</summary>
    private async Task<EngineOutcome?> OrderAsync(Duty duty, CancellationToken cancellationToken)
    {
        if (HasCrashed(duty)) return null;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var order = GiveAsync(duty, over.Token);
        InFlight = order;
        var primary = RunOf(duty)?.Exited;
        await Task.WhenAny([order, .. primary is null ? Array.Empty<Task>() : [primary]]);
        if (HasCrashed(duty))
        {
            over.Cancel();
            _ = state.NudgeAfterAsync(order);
            return null;
        }
        var outcome = await order;
        if (outcome is EngineOutcome.Done && duty is Duty.Serve serve)
        {
            if (EstablishedTerm != serve.Term) log(FormattableString.Invariant($"the server is primary in term {serve.Term}"));
            EstablishedTerm = serve.Term;
            state.SetApplied(serve.Term, serve.Terms);
        }
        Tell(outcome);
        return outcome;
    }

    private async Task<EngineOutcome> GiveAsync(Duty duty, CancellationToken cancellationToken)
    {
        // Apart: whatever the server's adapter does before it waits for something is not done on the caller's time.
        await Task.Yield();
        try
        {
            return await (duty switch
            {
                Duty.Serve serve => server.ServeAsync(serve.Term, serve.Terms, serve.Floor, () => BeforeWritable(serve.Term), cancellationToken),
                Duty.Follow follow => server.FollowAsync(follow.Leader, cancellationToken),
                Duty.StandBy => server.StandByAsync(cancellationToken),
                _ => throw new ArgumentOutOfRangeException(nameof(duty), duty, "unknown duty"),
            });
        }
        catch (Exception defect) when (defect is not OperationCanceledException)
        {
            // A defect of an adapter must not end a server that works.
            log($"unexpected: {defect}");
            return new EngineOutcome.NotDone($"unexpected: {defect.Message}");
        }
    }

    /// <summary>Null: the order has to be given again.</summary>
    private async Task<DutyEnd?> WhileFulfilledAsync(Duty duty, CancellationToken cancellationToken)
    {
        var prepareAt = state.Now;
        while (true)
        {
            var run = supervisor.Server;
            if (HasCrashed(duty)) return Crash();
            var ends = run is { Exited.IsCompleted: false } ? run.Exited : null;
            await state.WaitAsync(state.Now + CheckInterval, cancellationToken, ends);
            if (ends is { IsCompleted: true })
            {
                if (HasCrashed(duty)) return Crash();
                log(Describe(run!));
                return null;
            }
            var news = await status.AskAsync().WaitAsync(cancellationToken);
            if (Duties.IsFulfilled(duty, news.Reply) is not { } isFulfilled) continue;
            if (!isFulfilled) return null;
            if (duty is Duty.Follow && state.Now >= prepareAt && state.Memory.Lease is { Terms: var terms })
            {
                prepareAt = state.Now + PrepareInterval;
                await PrepareAsync(terms, cancellationToken);
            }
        }
    }

    /// <summary>That a standby can do nothing beforehand is said, and changes nothing.</summary>
    private async Task PrepareAsync(LeaseTerms terms, CancellationToken cancellationToken)
    {
        using var deadline = state.DeadlineAt(state.Now + PrepareTimeout, cancellationToken);
        try
        {
            if (await server.PrepareAsync(terms, deadline.Token) is EngineOutcome.NotDone(var why)) log($"a promotion could not be prepared: {why}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            log("a promotion could not be prepared in time");
        }
        catch (Exception defect) when (defect is not OperationCanceledException)
        {
            log($"unexpected: {defect}");
        }
    }

    private void BeforeWritable(long term)
    {
        var run = supervisor.Server ?? throw new InvalidOperationException("a server that was not started is to be made writable");
        if (_mayHaveServed is { } served && served.Term == term && served.Run != run) throw new OperationCanceledException("another process was primary in this term");
        _mayHaveServed = new Service(term, run);
    }

    /// <summary>Null: none that may have served.</summary>
    private IServerRun? RunOf(Duty duty) => duty is Duty.Serve serve && _mayHaveServed is { } served && served.Term == serve.Term ? served.Run : null;

    private bool HasCrashed(Duty duty) => RunOf(duty) is { Exited.IsCompleted: true };

    private DutyEnd.Crashed Crash()
    {
        state.Counters.CountServerEnd();
        return new DutyEnd.Crashed(Describe(_mayHaveServed!.Run));
    }

    private sealed record Service(long Term, IServerRun Run);

    private static string Describe(IServerRun run)
    {
        var last = run.LastOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault();
        return FormattableString.Invariant($"the server's process ended with {run.Exited.Result}{(last is null ? "" : $": {last}")}");
    }

    private void Tell(EngineOutcome outcome)
    {
        var news = (outcome as EngineOutcome.NotDone)?.Message;
        if (news is not null && news != state.ServerNews) log(news);
        if (news != state.ServerNews) state.SetServerNews(news);
    }
}
