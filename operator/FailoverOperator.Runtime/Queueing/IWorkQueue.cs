namespace FailoverOperator.Runtime.Queueing;

/// <summary>
/// Keys that wait to be worked on. A key is in work at most once at a time; asking for it meanwhile means: once more after.
/// Asking twice before it is taken means once. The earliest of several due times wins.
/// </summary>
public interface IWorkQueue<TKey>
    where TKey : notnull
{
    /// <summary>Work on the key as soon as possible. False: the queue is full and the key is not in it.</summary>
    bool Enqueue(TKey key);

    /// <summary>Work on the key after <paramref name="delay"/>, or earlier if somebody asks.</summary>
    bool EnqueueAfter(TKey key, TimeSpan delay);

    /// <summary>Work on the key after a jittered, growing delay (its number of failures in a row counts).</summary>
    bool EnqueueAfterFailure(TKey key);

    /// <summary>The key has succeeded: the next failure is its first.</summary>
    void Forget(TKey key);

    /// <summary>The next key that is due; waits for one. Call <see cref="Done"/> when finished with it.</summary>
    ValueTask<TKey> TakeAsync(CancellationToken cancellationToken);

    void Done(TKey key);

    /// <summary>Keys waiting or delayed.</summary>
    int Count { get; }
}
