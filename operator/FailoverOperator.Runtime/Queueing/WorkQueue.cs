using System.Threading.Channels;

namespace FailoverOperator.Runtime.Queueing;

/// <summary>Bounds and delays of a queue.</summary>
public sealed record WorkQueueOptions
{
    /// <summary>Keys that may wait or be in work; a further one is refused.</summary>
    public int Capacity { get; init; } = 100_000;

    /// <summary>Delay after the first failure; doubles with each further one.</summary>
    public TimeSpan BaseDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(30);
}

/// <inheritdoc cref="IWorkQueue{TKey}"/>
public sealed class WorkQueue<TKey>(WorkQueueOptions options, TimeProvider time, Random random) : IWorkQueue<TKey>, IDisposable
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly Channel<TKey> _due = Channel.CreateUnbounded<TKey>();      // bounded by _queued, see below
    private readonly HashSet<TKey> _queued = [];                                // in _due, each once
    private readonly HashSet<TKey> _working = [];
    private readonly HashSet<TKey> _again = [];                                 // asked for while in work
    private readonly Dictionary<TKey, Alarm> _delayed = [];
    private readonly Dictionary<TKey, int> _failures = [];

    public int Count
    {
        get
        {
            lock (_gate) return _queued.Count + _delayed.Count + _again.Count;
        }
    }

    public bool Enqueue(TKey key)
    {
        lock (_gate) return EnqueueLocked(key);
    }

    public bool EnqueueAfter(TKey key, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero) return Enqueue(key);
        lock (_gate)
        {
            if (_queued.Contains(key) || _again.Contains(key)) return true;
            var due = time.GetTimestamp() + (long)(delay.TotalSeconds * time.TimestampFrequency);
            if (_delayed.TryGetValue(key, out var known))
            {
                if (known.Due <= due) return true;
                known.Timer.Dispose();
                _delayed.Remove(key);
            }
            else if (!_working.Contains(key) && IsFull())
            {
                return false;
            }
            _delayed[key] = new(due, time.CreateTimer(_ => Enqueue(key), null, delay, Timeout.InfiniteTimeSpan));
            return true;
        }
    }

    public bool EnqueueAfterFailure(TKey key)
    {
        TimeSpan delay;
        lock (_gate)
        {
            var failures = _failures.GetValueOrDefault(key);
            _failures[key] = failures + 1;
            var full = Math.Min(options.MaxDelay.TotalMilliseconds, options.BaseDelay.TotalMilliseconds * Math.Pow(2, Math.Min(failures, 30)));
            // Half fixed, half by chance: keys that failed together do not come back together.
            delay = TimeSpan.FromMilliseconds((full / 2) + (random.NextDouble() * full / 2));
        }
        return EnqueueAfter(key, delay);
    }

    public void Forget(TKey key)
    {
        lock (_gate) _failures.Remove(key);
    }

    public async ValueTask<TKey> TakeAsync(CancellationToken cancellationToken)
    {
        var key = await _due.Reader.ReadAsync(cancellationToken);
        lock (_gate)
        {
            _queued.Remove(key);
            _working.Add(key);
        }
        return key;
    }

    public void Done(TKey key)
    {
        lock (_gate)
        {
            _working.Remove(key);
            // Its place was kept: what was asked for while it was in work is never refused.
            if (_again.Remove(key) && _queued.Add(key)) _due.Writer.TryWrite(key);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var alarm in _delayed.Values) alarm.Timer.Dispose();
            _delayed.Clear();
        }
    }

    /// <summary>Invariant: a key is in at most one of _queued, _again; and in _delayed only while in neither.</summary>
    private bool EnqueueLocked(TKey key)
    {
        if (_delayed.Remove(key, out var alarm)) alarm.Timer.Dispose();
        if (_queued.Contains(key)) return true;
        if (_working.Contains(key))
        {
            _again.Add(key);
            return true;
        }
        if (IsFull()) return false;
        _queued.Add(key);
        return _due.Writer.TryWrite(key);
    }

    /// <summary>Keys in work keep their place, so that they can always be asked for again.</summary>
    private bool IsFull() => _queued.Count + _delayed.Count + _working.Count >= options.Capacity;

    private sealed record Alarm(long Due, ITimer Timer);
}
