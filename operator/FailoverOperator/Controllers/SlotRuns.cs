using FailoverOperator.Observing;

namespace FailoverOperator.Controllers;

/// <summary>Runs the slots of one group beside each other: while one waits for a slow hook, the others are looked at again and again.</summary>
public sealed class SlotRuns(OperatorClock clock)
{
    /// <summary>How soon the others notice something while one is slow. What they wait for themselves is seldom due sooner.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

    /// <summary>The last outcome of each slot, in the given order. Fails as the first of them that failed, when none runs any more.</summary>
    public async Task<IReadOnlyList<T>> RunAsync<T>(IReadOnlyList<string> slots, Func<string, Task<T>> run, CancellationToken cancellationToken)
    {
        if (slots is [var only]) return [await run(only)];
        var last = slots.ToDictionary(slot => slot, run);
        for (var slow = Running(last); slow.Count > 0; slow = [.. slow.Where(slot => !last[slot].IsCompleted)])
        {
            await Task.WhenAny(Task.WhenAll(slow.Select(slot => last[slot])), Task.Delay(LookAgain, clock.TimeProvider, cancellationToken));
            // Who is told to stop stops by itself, and is waited for.
            if (cancellationToken.IsCancellationRequested || slow.All(slot => last[slot].IsCompleted)) break;
            foreach (var slot in slots.Where(slot => last[slot].IsCompletedSuccessfully && !slow.Contains(slot))) last[slot] = run(slot);
        }
        await Task.WhenAll(last.Values);
        return [.. slots.Select(slot => last[slot].Result)];
    }

    private static List<string> Running<T>(Dictionary<string, Task<T>> last) => [.. last.Where(run => !run.Value.IsCompleted).Select(run => run.Key)];
}
