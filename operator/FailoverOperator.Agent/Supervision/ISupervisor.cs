namespace FailoverOperator.Agent.Supervision;

/// <summary>A program to run. The environment is the agent's own, changed by <see cref="Environment"/> (null removes).</summary>
public sealed record ProcessCommand(string Program, IReadOnlyList<string> Arguments)
{
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    public string? WorkingDirectory { get; init; }
}

/// <summary>How a helper program ended. Closed: nested types only.</summary>
public abstract record CommandResult
{
    private CommandResult()
    {
    }

    /// <param name="ExitCode">128 + signal if a signal ended it.</param>
    /// <param name="Output">The end of standard output and error together, bounded.</param>
    public sealed record Exited(int ExitCode, string Output) : CommandResult;

    /// <summary>It was killed.</summary>
    public sealed record TimedOut(string Output) : CommandResult;

    public sealed record NotStarted(string Message) : CommandResult;
}

/// <summary>One run of the server.</summary>
public interface IServerRun
{
    int ProcessId { get; }

    /// <summary>Ends with the exit code (128 + signal if a signal ended it) when the first process has ended. Never fails.</summary>
    Task<int> Exited { get; }

    /// <summary>Sends a signal to the first process; false: it has ended.</summary>
    bool Signal(int signal);

    /// <summary>The last lines that it printed, bounded: what explains an early end.</summary>
    string LastOutput { get; }
}

/// <summary>
/// Starts and ends processes in this container. The agent is their first process (PID 1) or their subreaper: whatever they
/// leave behind becomes its child, so that nothing of a server can outlive <see cref="KillAllAsync"/> unnoticed.
/// </summary>
public interface ISupervisor
{
    /// <summary>The run that was started last, whether or not it has ended. Null: none yet.</summary>
    IServerRun? Server { get; }

    /// <summary>Starts the server; its output goes on to the container's. Null: it could not be started, and why.</summary>
    (IServerRun? Run, string? Problem) StartServer(ProcessCommand command);

    /// <summary>Runs a helper program to its end. Killed, with all that it started, at the deadline or with the token (which throws).</summary>
    Task<CommandResult> RunAsync(ProcessCommand command, TimeSpan timeout, CancellationToken cancellationToken);

    /// <summary>
    /// SIGKILL to every process in the container but the agent's own; ends when all have been reaped: from then on nothing
    /// writes. False: some process is still there after the timeout (a process in the kernel's uninterruptible sleep).
    /// </summary>
    Task<bool> KillAllAsync(TimeSpan timeout, CancellationToken cancellationToken);
}
