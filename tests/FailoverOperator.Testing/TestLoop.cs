using System.Runtime.ExceptionServices;

namespace FailoverOperator.Testing;

/// <summary>
/// Runs asynchronous code on the test's own thread, one continuation after the other: with fake time, what happens and in
/// which order is the same in every run. Code under test must not leave its context.
/// </summary>
public sealed class TestLoop : SynchronizationContext, IDisposable
{
    private const int MostCallbacks = 200_000;

    private readonly SynchronizationContext? _outer = Current;
    private readonly Lock _gate = new();
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _posted = [];
    private readonly List<Task> _started = [];

    public TestLoop() => SetSynchronizationContext(this);

    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (_gate)
            _posted.Enqueue((d, state));
    }

    public override void Send(SendOrPostCallback d, object? state) => d(state);

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Begins something that goes on in the background; its failure makes <see cref="Settle"/> throw.</summary>
    public Task Start(Func<Task> work)
    {
        var task = work();
        _started.Add(task);
        Settle();
        return task;
    }

    /// <summary>Runs until nothing is left to do without time going on; code that never rests fails.</summary>
    public void Settle()
    {
        for (var done = 0; TryTake(out var next); done++)
        {
            if (done > MostCallbacks)
                throw new InvalidOperationException("something goes on and on without time passing");
            next.Callback(next.State);
        }
        foreach (var failed in _started.Where(task => task.IsFaulted))
            ExceptionDispatchInfo.Throw(failed.Exception!.InnerException!);
    }

    /// <summary>Settles, and gives the result of what must have ended by now.</summary>
    public T Finish<T>(Task<T> task)
    {
        Settle();
        return task.IsCompleted ? task.GetAwaiter().GetResult() : throw new InvalidOperationException("it has not ended");
    }

    public void Finish(Task task)
    {
        Settle();
        if (!task.IsCompleted)
            throw new InvalidOperationException("it has not ended");
        task.GetAwaiter().GetResult();
    }

    /// <summary>By how much time goes on at once: what happens in between is seen at its end.</summary>
    public TimeSpan Step { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Lets time go on in small steps, and everything react to each.</summary>
    /// <param name="advance">FakeTimeProvider.Advance.</param>
    public void Pass(TimeSpan time, Action<TimeSpan> advance)
    {
        var step = Step;
        for (var left = time; left > TimeSpan.Zero; left -= step)
        {
            advance(left < step ? left : step);
            Settle();
        }
    }

    public void Dispose() => SetSynchronizationContext(_outer);

    private bool TryTake(out (SendOrPostCallback Callback, object? State) next)
    {
        lock (_gate)
            return _posted.TryDequeue(out next);
    }
}
