namespace FailoverOperator.Agent.Watchdogs;

/// <summary>
/// Ends the server when this process does not get around to it: a stopped process (SIGSTOP, a debugger, a starved machine) keeps no
/// deadline. It is another process, which must be told in time that all is well.
/// </summary>
public interface IWatchdog
{
    /// <summary>
    /// From this moment on (of the monotonic clock) every process of the server is killed unless another moment has been given by then.
    /// Null: nothing is writable. Returns at once.
    /// </summary>
    void Guard(TimeSpan? killAt);
}
