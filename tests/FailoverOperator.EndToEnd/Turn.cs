namespace FailoverOperator.EndToEnd;

/// <summary>When a scenario may take away what others need as well. It may get ready before, and says when it is.</summary>
public sealed class Turn
{
    private readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Of one that need not wait.</summary>
    public static Turn Now()
    {
        var turn = new Turn();
        turn.Begin();
        return turn;
    }

    /// <summary>Ends when the scenario is ready.</summary>
    public Task Ready => ready.Task;

    public void Begin() => begun.TrySetResult();

    /// <summary>It will never have its turn.</summary>
    public void Cancel() => begun.TrySetCanceled();

    /// <summary>Called by the scenario once it is ready.</summary>
    public Task WaitAsync()
    {
        ready.TrySetResult();
        return begun.Task;
    }
}
