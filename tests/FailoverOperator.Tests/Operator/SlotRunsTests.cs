using FailoverOperator.Controllers;
using FailoverOperator.Observing;
using FailoverOperator.Testing;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Tests.Operator;

public sealed class SlotRunsTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void The_others_are_looked_at_while_one_is_slow_and_the_last_outcomes_count()
    {
        using var loop = new TestLoop();
        var (slow, looks) = (new TaskCompletionSource<int>(), 0);
        var all = new SlotRuns(new OperatorClock(_time)).RunAsync(["0", "1"], slot => slot == "0" ? slow.Task : Task.FromResult(++looks), CancellationToken.None);
        loop.Pass(TimeSpan.FromSeconds(1), _time.Advance);
        Assert.InRange(looks, 9, 11);
        Assert.False(all.IsCompleted);
        slow.SetResult(7);
        Assert.Equal([7, looks], loop.Finish(all));
    }

    /// <summary>And does not ask for the time again and again: what is slow could not go on beside that.</summary>
    [Fact]
    public void Who_is_told_to_stop_waits_for_the_slow_one_and_looks_at_nobody_any_more()
    {
        using var loop = new TestLoop();
        using var stop = new CancellationTokenSource();
        var (slow, looks) = (new TaskCompletionSource<int>(), 0);
        var all = new SlotRuns(new OperatorClock(_time)).RunAsync(["0", "1"], slot => slot == "0" ? slow.Task : Look(), stop.Token);
        stop.Cancel();
        loop.Settle();
        Assert.Equal(1, looks);
        Assert.False(all.IsCompleted);
        slow.SetResult(7);
        Assert.Equal([7, 1], loop.Finish(all));

        // So that a mistake fails, and does not hang.
        Task<int> Look()
        {
            if (++looks > 100) slow.TrySetResult(0);
            return Task.FromResult(looks);
        }
    }
}
