using CsCheck;
using FailoverOperator.Runtime.Queueing;
using FailoverOperator.Testing;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Tests.Runtime;

public sealed class WorkQueueTests : IDisposable
{
    private readonly TestLoop _loop = new();
    private readonly FakeTimeProvider _time = new();
    private readonly WorkQueue<string> _queue;

    public WorkQueueTests() => _queue = new(new WorkQueueOptions { Capacity = 3 }, _time, new Random(1));

    public void Dispose()
    {
        _queue.Dispose();
        _loop.Dispose();
    }

    [Fact]
    public void Gives_each_key_once_in_the_order_asked()
    {
        Assert.True(_queue.Enqueue("a"));
        Assert.True(_queue.Enqueue("b"));
        Assert.True(_queue.Enqueue("a"));

        Assert.Equal("a", Take());
        Assert.Equal("b", Take());
        Assert.Null(Take());
    }

    [Fact]
    public void Gives_a_key_again_only_after_it_is_done()
    {
        _ = _queue.Enqueue("a");
        Assert.Equal("a", Take());
        _ = _queue.Enqueue("a");
        _ = _queue.Enqueue("a");
        Assert.Null(Take());
        _queue.Done("a");
        Assert.Equal("a", Take());
        _queue.Done("a");
        Assert.Null(Take());
    }

    [Theory]
    [InlineData(2, 5, 2)]
    [InlineData(5, 2, 2)]
    [InlineData(5, 0, 0)]
    public void The_earliest_of_several_times_wins(int firstSeconds, int secondSeconds, int expectedSeconds)
    {
        _ = _queue.EnqueueAfter("a", TimeSpan.FromSeconds(firstSeconds));
        _ = _queue.EnqueueAfter("a", TimeSpan.FromSeconds(secondSeconds));
        if (expectedSeconds > 0)
        {
            _time.Advance(TimeSpan.FromSeconds(expectedSeconds) - TimeSpan.FromMilliseconds(1));
            Assert.Null(Take());
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal("a", Take());
        _queue.Done("a");
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(Take());
    }

    [Fact]
    public void A_delay_that_ends_while_the_key_is_in_work_means_once_more_after()
    {
        _ = _queue.Enqueue("a");
        Assert.Equal("a", Take());
        _ = _queue.EnqueueAfter("a", TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Null(Take());
        _queue.Done("a");
        Assert.Equal("a", Take());
    }

    [Fact]
    public void Refuses_more_keys_than_fit_but_never_one_that_is_known()
    {
        Assert.True(_queue.Enqueue("a"));
        Assert.Equal("a", Take());
        Assert.True(_queue.Enqueue("b"));
        Assert.True(_queue.EnqueueAfter("c", TimeSpan.FromHours(1)));
        Assert.False(_queue.Enqueue("d"));
        Assert.False(_queue.EnqueueAfter("d", TimeSpan.FromSeconds(1)));
        Assert.True(_queue.EnqueueAfterFailure("a"));
        Assert.True(_queue.Enqueue("a"));
        _queue.Done("a");
        Assert.Equal("b", Take());
        Assert.Equal("a", Take());
    }

    [Fact]
    public void Failures_in_a_row_wait_longer_and_longer_up_to_a_bound_until_success()
    {
        var delays = Enumerable.Range(0, 14).Select(_ => DelayAfterFailure()).ToList();
        for (var i = 0; i < delays.Count; i++)
        {
            var fullMilliseconds = Math.Min(30_000, 100 * Math.Pow(2, i));
            Assert.InRange(delays[i].TotalMilliseconds, (fullMilliseconds / 2) - 10, fullMilliseconds + 10);
        }

        _queue.Forget("a");
        Assert.InRange(DelayAfterFailure().TotalMilliseconds, 0, 110);
    }

    [Fact]
    public void A_taker_that_gave_up_takes_nothing_away()
    {
        using var givesUp = new CancellationTokenSource();
        var first = _queue.TakeAsync(givesUp.Token).AsTask();
        givesUp.Cancel();
        _loop.Settle();
        Assert.True(first.IsCanceled);
        _ = _queue.Enqueue("a");
        Assert.Equal("a", Take());
    }

    [Fact]
    public void Whatever_happens_no_key_is_in_work_twice_and_none_is_lost() =>
        Gen.Select(Gen.Int[0, 4], Gen.Int[0, 3]).Array[1, 60].Sample(steps =>
        {
            using var loop = new TestLoop();
            var time = new FakeTimeProvider();
            using var queue = new WorkQueue<string>(new WorkQueueOptions(), time, new Random(1));
            var (asked, inWork) = (new HashSet<string>(), new HashSet<string>());
            foreach (var (action, number) in steps)
            {
                var key = $"k{number}";
                switch (action)
                {
                    case 0:
                        _ = queue.Enqueue(key);
                        _ = asked.Add(key);
                        break;
                    case 1:
                        _ = queue.EnqueueAfter(key, TimeSpan.FromSeconds(number));
                        _ = asked.Add(key);
                        break;
                    case 2:
                        time.Advance(TimeSpan.FromSeconds(1));
                        break;
                    case 3 when inWork.Remove(key):
                        queue.Done(key);
                        break;
                    case 4 when TakeFrom(queue, loop) is { } taken:
                        Assert.True(inWork.Add(taken), $"{taken} is in work twice");
                        Assert.True(asked.Remove(taken), $"nobody asked for {taken}");
                        break;
                }
            }

            foreach (var key in inWork)
                queue.Done(key);
            time.Advance(TimeSpan.FromSeconds(10));
            while (TakeFrom(queue, loop) is { } taken)
                Assert.True(asked.Remove(taken), $"nobody asked for {taken}");
            Assert.Empty(asked);
        }, iter: 300, threads: 1);

    private TimeSpan DelayAfterFailure()
    {
        var before = _time.GetUtcNow();
        _ = _queue.EnqueueAfterFailure("a");
        string? taken;
        while ((taken = Take()) is null)
            _time.Advance(TimeSpan.FromMilliseconds(10));
        _queue.Done(taken);
        return _time.GetUtcNow() - before;
    }

    private string? Take() => TakeFrom(_queue, _loop);

    /// <summary>Null: there is none.</summary>
    private static string? TakeFrom(WorkQueue<string> queue, TestLoop loop)
    {
        using var now = new CancellationTokenSource();
        var take = queue.TakeAsync(now.Token).AsTask();
        loop.Settle();
        if (!take.IsCompleted)
        {
            now.Cancel();
            loop.Settle();
        }

        return take.IsCompletedSuccessfully ? take.Result : null;
    }
}
