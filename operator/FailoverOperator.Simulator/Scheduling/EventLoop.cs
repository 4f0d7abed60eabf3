namespace FailoverOperator.Simulator.Scheduling;

/// <summary>Something that will happen. It can be called off.</summary>
public sealed class ScheduledEvent
{
    private readonly Agenda _agenda;
    private readonly Action _action;

    internal ScheduledEvent(Agenda agenda, Action action) => (_agenda, _action) = (agenda, action);

    /// <summary>Where it stands in the agenda. Negative: it does not any more.</summary>
    internal int Place { get; set; } = -1;

    public void Cancel() => _agenda.Remove(this);

    internal void Run() => _action();
}

/// <summary>
/// The one thread of a simulated world, and its true time. Events happen in the order of their moments, those of one moment in the order in which
/// they were scheduled; after each of them everybody who can go on does so, one after the other, before time goes on.
/// </summary>
public sealed class EventLoop
{
    private const int MostSteps = 100_000;

    private readonly Agenda _events = new();
    private readonly Queue<(SimulatedProcess Process, SendOrPostCallback Callback, object? State)> _ready = new();
    private readonly Queue<(SimulatedProcess Process, SendOrPostCallback Callback, object? State)> _strays = new();
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private int _strayCount;

    /// <summary>The world's own time, which nobody in it can read.</summary>
    public TimeSpan Now { get; private set; }

    /// <summary>How many events have happened.</summary>
    public long Count { get; private set; }

    /// <summary>Code that went on beside the loop: its order is left to chance. Zero, or the simulation is worth nothing.</summary>
    public int Strays => _strayCount;

    /// <summary>Called after each event, when everybody has reacted to it.</summary>
    public Action? AfterEvent { get; set; }

    public ScheduledEvent At(TimeSpan moment, Action action)
    {
        var scheduled = new ScheduledEvent(_events, action);
        _events.Add(scheduled, Math.Max(moment.Ticks, Now.Ticks));
        return scheduled;
    }

    public ScheduledEvent After(TimeSpan delay, Action action) => At(Now + delay, action);

    /// <summary>Again and again, until the function says otherwise.</summary>
    public void Every(TimeSpan interval, Func<bool> action) => After(interval, () =>
    {
        if (action()) Every(interval, action);
    });

    /// <param name="until">Looked at after each event; true ends the run.</param>
    public void RunUntil(TimeSpan end, Func<bool>? until = null)
    {
        var outer = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            Settle();
            while (until?.Invoke() != true && _events.Next <= end.Ticks) Step();
            if (Now < end && until?.Invoke() != true) Now = end;
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
        }
    }

    internal void Enqueue(SimulatedProcess process, SendOrPostCallback callback, object? state)
    {
        if (Environment.CurrentManagedThreadId == _thread)
        {
            _ready.Enqueue((process, callback, state));
            return;
        }
        lock (_strays)
        {
            _strayCount++;
            _strays.Enqueue((process, callback, state));
        }
    }

    private void Step()
    {
        Now = new TimeSpan(_events.Next);
        var next = _events.TakeFirst();
        Count++;
        next.Run();
        Settle();
        AfterEvent?.Invoke();
    }

    private void Settle()
    {
        for (var steps = 0; TryTake(out var ready); steps++)
        {
            if (steps > MostSteps) throw new InvalidOperationException($"{ready.Process.Name} goes on and on without time passing");
            ready.Process.Run(ready.Callback, ready.State);
        }
    }

    private bool TryTake(out (SimulatedProcess Process, SendOrPostCallback Callback, object? State) ready)
    {
        if (_ready.TryDequeue(out ready)) return true;
        if (Volatile.Read(ref _strayCount) == 0) return false;
        lock (_strays) return _strays.TryDequeue(out ready);
    }
}
