using FailoverOperator.Agent.Peers;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;

namespace FailoverOperator.Agent.Loop;

/// <summary>While renewals fail, or one is without an answer for long, asks every other member in each cycle, all at once, whether this holder may stay.</summary>
internal sealed class FailsafeRounds(AgentState state, IPeers peers, Heartbeat heartbeat, TimeProvider time, Action<string> log)
{
    /// <summary>An answer that takes longer is as good as none.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    private readonly Signal _signal = state.Listen();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var next = TimeSpan.Zero;
        while (true)
        {
            heartbeat.Beat();
            var changed = _signal.Next;
            var due = Due(next);
            if (due <= state.Now && state.Memory.BeginRound(state.Now) is { } round)
            {
                var interval = LeaseTimings.Of(state.Memory.Tenure?.Terms ?? new LeaseTerms()).RenewInterval;
                next = round.BegunAt + interval;
                Ended(round, await AskAsync(round, interval * 0.9 < Longest ? interval * 0.9 : Longest, cancellationToken));
            }
            else
            {
                await state.WaitAsync(heartbeat.Before(due > state.Now ? due : null), cancellationToken, changed);
            }
        }
    }

    /// <param name="next">The earliest moment, one interval after the last round.</param>
    /// <returns>Null: nobody is to be asked.</returns>
    private TimeSpan? Due(TimeSpan next)
    {
        if (state.IsDemoting) return null;
        var due = state.RenewalProblem is not null ? next : AgentProtocol.NextRound(state.Memory);
        return due < next ? next : due;
    }

    /// <summary>Null: everybody acknowledged. Otherwise who did not, and why.</summary>
    private async Task<string?> AskAsync(AcknowledgeRound round, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        var problems = await Task.WhenAll(round.Members.Select(member => AskAsync(round, member, either.Token)));
        cancellationToken.ThrowIfCancellationRequested();
        return problems.FirstOrDefault(p => p is not null);
    }

    private async Task<string?> AskAsync(AcknowledgeRound round, LeaseMember member, CancellationToken deadline)
    {
        try
        {
            // Apart, so that every question is under way before any answer is waited for.
            await Task.Yield();
            return await peers.AcknowledgeAsync(member, round.To(member), deadline).WaitAsync(deadline) switch
            {
                { Granted: true } => null,
                { } refused => $"{member.Name} refuses: {refused.Reason}",
                null => $"{member.Name} does not answer",
            };
        }
        catch (OperationCanceledException)
        {
            return $"{member.Name} does not answer in time";
        }
    }

    private void Ended(AcknowledgeRound round, string? problem)
    {
        state.Counters.CountRound(problem is null);
        if (problem is null) state.Update((m, _) => m.AcknowledgedByAll(round));
        if (problem == state.FailsafeProblem) return;
        log(problem is null ? "every other member lets this one stay without the API server" : $"not every other member lets this one stay: {problem}");
        state.SetFailsafeProblem(problem);
    }
}
