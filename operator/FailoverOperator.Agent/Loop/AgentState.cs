using FailoverOperator.Agent.Watchdogs;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;

namespace FailoverOperator.Agent.Loop;

/// <summary>
/// What the agent knows, in one place. Its tasks run side by side, so that none waits for another one's hung call; whatever one
/// learns becomes one short step here, one step after the other.
/// </summary>
public sealed class AgentState(string identity, IWatchdog watchdog, TimeProvider time)
{
    private readonly Lock _gate = new();
    private AgentMemory _memory = AgentMemory.Start(identity, time.GetElapsedTime(0));
    private readonly List<Signal> _listeners = [];
    private (long Term, LeaseTerms Terms)? _applied;
    private TimeSpan? _guarded;
    private ((long, LeaseTerms)?, string?, string?, string?, string?, bool)? _told;

    /// <summary>Moments of the monotonic clock, as everywhere in the protocol.</summary>
    public TimeSpan Now => time.GetElapsedTime(0);

    public AgentMemory Memory
    {
        get { lock (_gate) return _memory; }
    }

    /// <summary>What is to be done now.</summary>
    public AgentOrder Order => AgentProtocol.Decide(Memory, Now);

    /// <summary>The terms that the server has been set to in this term. Before that it lives by those of its tenure.</summary>
    public LeaseTerms? Applied
    {
        get { lock (_gate) return AppliedTo(_memory); }
    }

    /// <summary>Why the last renewal failed: no answer, or an error. Null: it did not.</summary>
    public string? RenewalProblem { get; private set; }

    /// <summary>Why the lease cannot be watched. Null: it can.</summary>
    public string? WatchProblem { get; private set; }

    /// <summary>Why the other members did not let this holder stay. Null: they did, or were not asked.</summary>
    public string? FailsafeProblem { get; private set; }

    /// <summary>What is being done with the server, or what is the matter with it.</summary>
    public string? ServerNews { get; private set; }

    /// <summary>The server is being made read-only for good: nothing renews meanwhile, so that a lease runs out whose holder hangs in that.</summary>
    public bool IsDemoting { get; private set; }

    public AgentCounters Counters { get; } = new();

    /// <summary>Fires after every change from now on. Each task has one of its own, for as long as the agent lives.</summary>
    public Signal Listen()
    {
        var signal = new Signal();
        lock (_gate) _listeners.Add(signal);
        return signal;
    }

    /// <summary>Makes everybody look again, as if something had changed.</summary>
    public void Nudge()
    {
        Signal[] listeners;
        lock (_gate) listeners = [.. _listeners];
        foreach (var listener in listeners) listener.Fire();
    }

    public async Task NudgeAfterAsync(Task task)
    {
        await Task.WhenAny(task);
        await Task.Yield();
        Nudge();
    }

    /// <summary>One step. Returns what is known after it.</summary>
    public AgentMemory Update(Func<AgentMemory, TimeSpan, AgentMemory> learn) => Step(() =>
    {
        _memory = learn(_memory, Now);
        return _memory;
    });

    /// <summary>Another holder asks. The promise is made and remembered in one step.</summary>
    public AcknowledgeReply Acknowledge(AcknowledgeRequest request) => Step(() =>
    {
        switch (_memory.Acknowledge(request, Now))
        {
            case AcknowledgeOutcome.Granted granted:
                _memory = granted.Memory;
                return new AcknowledgeReply(true, null);
            case AcknowledgeOutcome.Refused refused:
                return new AcknowledgeReply(false, refused.Reason);
            case var outcome:
                throw new ArgumentOutOfRangeException(nameof(request), outcome, "unknown outcome");
        }
    });

    public LeaseTerms? AppliedTo(AgentMemory memory) =>
        _applied is { } applied && applied.Term == memory.Tenure?.Term ? applied.Terms : memory.Tenure?.Terms ?? memory.Lease?.Terms;

    /// <summary>The server is a primary, and lives by these terms.</summary>
    public void SetApplied(long term, LeaseTerms terms) => Step(() => (_applied, _memory) = ((term, terms), _memory.Served(term)));

    public void SetRenewalProblem(string? problem) => Step(() => RenewalProblem = problem);

    public void SetWatchProblem(string? problem) => Step(() => WatchProblem = problem);

    public void SetFailsafeProblem(string? problem) => Step(() => FailsafeProblem = problem);

    public void SetServerNews(string? news) => Step(() => ServerNews = news);

    public void SetDemoting(bool isDemoting) => Step(() => IsDemoting = isDemoting);

    /// <summary>Waits for the first of these, or the moment. Throws when cancelled.</summary>
    public async Task WaitAsync(TimeSpan? until, CancellationToken cancellationToken, params Task?[] tasks)
    {
        // A cancelled delay would end on some other thread, each time; a timer that is disposed just does not fire.
        var over = new TaskCompletionSource();
        using var registration = cancellationToken.UnsafeRegister(source => ((TaskCompletionSource)source!).TrySetResult(), over);
        // Timers count whole milliseconds: rounded up, lest one fire before its moment and be set again and again.
        var left = until is { } at ? TimeSpan.FromMilliseconds(Math.Ceiling(Math.Max(0, (at - Now).TotalMilliseconds))) : Timeout.InfiniteTimeSpan;
        using var timer = time.CreateTimer(source => ((TaskCompletionSource)source!).TrySetResult(), over, left, Timeout.InfiniteTimeSpan);
        await (tasks switch
        {
            [] or [null] => over.Task,
            [{ } only] => Task.WhenAny(over.Task, only),
            _ => Task.WhenAny([over.Task, .. tasks.OfType<Task>()]),
        });
        // Whoever caused the change goes on first, and on its own.
        await Task.Yield();
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>All that can change beside the memory.</summary>
    private ((long, LeaseTerms)?, string?, string?, string?, string?, bool) Told => (_applied, RenewalProblem, WatchProblem, FailsafeProblem, ServerNews, IsDemoting);

    /// <summary>Cancelled at this moment.</summary>
    public CancellationTokenSource DeadlineAt(TimeSpan moment, CancellationToken cancellationToken)
    {
        var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var left = moment - Now;
        var timer = time.CreateTimer(_ => Cancel(deadline), null, left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        deadline.Token.Register(timer.Dispose);
        return deadline;
    }

    private static void Cancel(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // What it was for has ended in time.
        }
    }

    private T Step<T>(Func<T> change)
    {
        bool hasChanged;
        T result;
        lock (_gate)
        {
            var (memory, told) = (_memory, _told);
            result = change();
            Guard();
            _told = Told;
            hasChanged = memory != _memory || told != _told;
        }
        if (hasChanged) Nudge();
        return result;
    }

    /// <summary>Told before anything is done on account of the step.</summary>
    private void Guard()
    {
        var killAt = _memory.Tenure?.KillAt ?? _memory.Lost?.KillAt;
        if (killAt == _guarded) return;
        _guarded = killAt;
        watchdog.Guard(killAt);
    }
}
