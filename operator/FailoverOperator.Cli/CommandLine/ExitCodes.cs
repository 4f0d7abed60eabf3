namespace FailoverOperator.Cli.CommandLine;

/// <summary>What a script learns. Part of the contract, see docs/cli.md.</summary>
public static class ExitCodes
{
    public const int Fine = 0;

    /// <summary>The answer was given, and it is: not ready, not as wished, targets missed.</summary>
    public const int NotAsWished = 1;

    /// <summary>The command makes no sense as it is: an unknown option, no such group, a manifest that is refused.</summary>
    public const int WrongUse = 2;

    /// <summary>The cluster could not be asked: not reachable, forbidden, without the CRDs.</summary>
    public const int NoCluster = 3;

    /// <summary>Ended by Ctrl-C before the answer, as shells have it.</summary>
    public const int Interrupted = 130;
}

/// <summary>Ends the command with a message for people, and an exit code for scripts.</summary>
public sealed class CliException(int exitCode, string message, Exception? innerException = null) : Exception(message, innerException)
{
    public int ExitCode => exitCode;
}
