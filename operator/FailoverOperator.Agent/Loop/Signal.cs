namespace FailoverOperator.Agent.Loop;

/// <summary>Wakes one task, again and again.</summary>
public sealed class Signal
{
    private TaskCompletionSource _next = new();

    /// <summary>Ends when it fires the next time. To be taken before looking at what has changed.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    internal void Fire() => Interlocked.Exchange(ref _next, new TaskCompletionSource()).SetResult();
}
