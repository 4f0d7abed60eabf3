using FailoverOperator.Core.Observations;

namespace FailoverOperator.Engines;

/// <summary>Where a member is. <paramref name="PodAddress"/> is the pod's IP address.</summary>
public sealed record MemberEndpoint(string Namespace, string PodName, string PodUid, string PodAddress)
{
    internal string Url(int port, string path)
    {
        var host = PodAddress.Contains(':') ? $"[{PodAddress}]" : PodAddress;
        return FormattableString.Invariant($"http://{host}:{port}{path}");
    }
}

/// <summary>On whose behalf a command is given. The term is passed to whatever can check it.</summary>
public sealed record EngineContext(string Group, string Slot, long Term);

/// <summary>Proves that a member takes writes. Ends within its deadline; failures are values, only a cancelled token throws.</summary>
public interface IWriteVerifier : IAsyncDisposable
{
    /// <summary>
    /// Proves by a harmless write that the member takes writes. <paramref name="address"/> and <paramref name="port"/>
    /// are those that the Service's endpoints lead to; a port of 0 means the engine's own.
    /// </summary>
    Task<EngineOutcome> VerifyAsync(
        MemberEndpoint member, string address, int port, EngineContext context, CancellationToken cancellationToken);
}

/// <summary>
/// Talks to the members of one group. Every call ends within its deadline; failures are values, not exceptions
/// (only a cancelled token throws). Commands are idempotent. Disposing closes what is open.
/// </summary>
public interface IEngine : IWriteVerifier
{
    Task<EngineReply> StatusAsync(MemberEndpoint member, CancellationToken cancellationToken);

    /// <summary>Makes the member writable.</summary>
    Task<EngineOutcome> PromoteAsync(MemberEndpoint member, EngineContext context, CancellationToken cancellationToken);

    /// <summary>Makes the member a standby of <paramref name="primary"/>.</summary>
    Task<EngineOutcome> FollowAsync(
        MemberEndpoint member, MemberEndpoint primary, EngineContext context, CancellationToken cancellationToken);

    /// <summary>Makes the member read-only.</summary>
    Task<EngineOutcome> DemoteAsync(MemberEndpoint member, EngineContext context, CancellationToken cancellationToken);
}

/// <summary>Runs a command in a container; the adapter is the Kubernetes exec subresource.</summary>
public interface IPodCommandRunner
{
    /// <summary>
    /// Runs the command with <paramref name="standardInput"/>; output beyond <paramref name="maxOutputBytes"/> ends the run.
    /// Never throws but for the token.
    /// </summary>
    Task<PodCommandResult> RunAsync(
        MemberEndpoint member, string container, IReadOnlyList<string> command, string standardInput,
        int maxOutputBytes, TimeSpan timeout, CancellationToken cancellationToken);
}

/// <summary>How a command in a pod ended. Closed: nested types only.</summary>
public abstract record PodCommandResult
{
    private PodCommandResult()
    {
    }

    public sealed record Exited(int ExitCode, string StandardOutput, string StandardError) : PodCommandResult;

    public sealed record TimedOut : PodCommandResult;

    public sealed record TooMuchOutput(int LimitBytes) : PodCommandResult;

    /// <summary>The command could not be started, or the connection broke: a sentence for a person.</summary>
    public sealed record NotRun(string Message) : PodCommandResult;
}
