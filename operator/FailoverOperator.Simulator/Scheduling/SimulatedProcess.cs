namespace FailoverOperator.Simulator.Scheduling;

/// <summary>How a process is.</summary>
public enum ProcessState
{
    Running,

    /// <summary>As by SIGSTOP, or a machine that stands still: nothing goes on, and nothing has ended.</summary>
    Paused,

    /// <summary>As by SIGKILL: nothing of it will ever go on.</summary>
    Ended,
}

/// <summary>
/// A process of the simulated world. Whatever it awaits goes on here, on the world's one thread; so that it can be paused and killed between any two
/// continuations, which is all that can be seen of it from outside.
/// </summary>
public sealed class SimulatedProcess : SynchronizationContext
{
    private readonly EventLoop _loop;
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _held = new();
    private int _pauses;

    public SimulatedProcess(string name, EventLoop loop, NodeClock clock)
    {
        (Name, _loop) = (name, loop);
        Time = new SimulatedTime(clock, loop, this);
    }

    public string Name { get; }

    public ProcessState State { get; private set; }

    public bool IsRunning => State == ProcessState.Running;

    public bool HasEnded => State == ProcessState.Ended;

    /// <summary>Its clock and timers, which end with it.</summary>
    public TimeProvider Time { get; }

    /// <summary>What it died of, where that was not meant to be.</summary>
    public Exception? Defect { get; private set; }

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (!HasEnded) _loop.Enqueue(this, d, state);
    }

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("nobody waits for somebody else here");

    public override SynchronizationContext CreateCopy() => this;

    public void Do(Action action) => Post(static run => ((Action)run!)(), action);

    /// <summary>Begins its work; <paramref name="onEnd"/> is called when that ends by itself.</summary>
    public void Start(Func<Task> main, Action<Exception?> onEnd) => Do(() => _ = MainAsync(main, onEnd));

    /// <summary>Whoever stops it lets it go on: stopped by two, it stands still until both have.</summary>
    public void Pause()
    {
        if (HasEnded) return;
        _pauses++;
        State = ProcessState.Paused;
    }

    public void Resume()
    {
        if (State != ProcessState.Paused || --_pauses > 0) return;
        State = ProcessState.Running;
        while (_held.TryDequeue(out var held)) _loop.Enqueue(this, held.Callback, held.State);
    }

    /// <summary>Whoever stopped it.</summary>
    public void ResumeAtLast()
    {
        if (State != ProcessState.Paused) return;
        _pauses = 1;
        Resume();
    }

    public void Kill()
    {
        State = ProcessState.Ended;
        _held.Clear();
    }

    internal void Run(SendOrPostCallback callback, object? state)
    {
        if (HasEnded) return;
        if (State == ProcessState.Paused)
        {
            _held.Enqueue((callback, state));
            return;
        }
        SetSynchronizationContext(this);
        try
        {
            callback(state);
        }
        finally
        {
            SetSynchronizationContext(null);
        }
    }

    private async Task MainAsync(Func<Task> main, Action<Exception?> onEnd)
    {
        try
        {
            await main();
        }
        catch (Exception defect)
        {
            Defect = defect;
        }
        onEnd(Defect);
    }
}
