namespace FailoverOperator.Simulator.ApiServers;

/// <summary>What has arrived and has not been read yet, for one reader, who goes on in its own context.</summary>
internal sealed class Mailbox<T>
{
    private readonly Queue<T> _arrived = new();
    private TaskCompletionSource _change = new();
    private Exception? _failure;
    private bool _hasEnded;

    public void Put(T item)
    {
        if (_hasEnded) return;
        _arrived.Enqueue(item);
        Wake();
    }

    /// <param name="failure">Thrown to the reader after what has arrived before. Null: it ended in order.</param>
    public void End(Exception? failure)
    {
        if (_hasEnded) return;
        (_hasEnded, _failure) = (true, failure);
        Wake();
    }

    /// <summary>False: it has ended.</summary>
    public async Task<(bool Found, T Item)> TakeAsync(CancellationToken cancellationToken)
    {
        if (_arrived.Count > 0) return (true, _arrived.Dequeue());
        using var cancelled = cancellationToken.UnsafeRegister(box => ((Mailbox<T>)box!).Wake(), this);
        while (_arrived.Count == 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_failure is not null) throw _failure;
            if (_hasEnded) return (false, default!);
            await _change.Task;
        }
        return (true, _arrived.Dequeue());
    }

    private void Wake()
    {
        var before = _change;
        _change = new TaskCompletionSource();
        before.TrySetResult();
    }
}
