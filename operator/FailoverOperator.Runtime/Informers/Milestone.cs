namespace FailoverOperator.Runtime.Informers;

/// <summary>
/// Something that is reached once, and that many may wait for. Each of them goes on where it waited, never in the arms of who reaches it: the
/// simulator, and whoever debugs, can follow them.
/// </summary>
public sealed class Milestone
{
    private readonly Lock _gate = new();
    private readonly List<TaskCompletionSource> _waiting = [];
    private volatile bool _isReached;

    public bool IsReached => _isReached;

    public void Reach()
    {
        lock (_gate) _isReached = true;
        foreach (var waiting in _waiting) waiting.TrySetResult();
    }

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_isReached) return;
            _waiting.Add(reached);
        }
        using var cancelled = cancellationToken.UnsafeRegister(_ => reached.TrySetCanceled(cancellationToken), null);
        await reached.Task;
    }
}
