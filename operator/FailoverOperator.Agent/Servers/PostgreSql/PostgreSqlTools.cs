using System.Globalization;
using FailoverOperator.Agent.Supervision;

namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>PostgreSQL's own programs. Results: null, or why it did not work.</summary>
internal sealed class PostgreSqlTools(PostgreSqlSettings settings, ISupervisor supervisor)
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(10);

    /// <summary>A copy of terabytes takes hours. What hangs ends sooner: the keepalives of its connections see to that.</summary>
    private static readonly TimeSpan Long = TimeSpan.FromHours(48);

    /// <summary>The server's environment, without the passwords, which a superuser could read there.</summary>
    public static readonly IReadOnlyDictionary<string, string?> ServerEnvironment = new Dictionary<string, string?>
    {
        ["POSTGRES_PASSWORD"] = null,
        ["FAILOVER_REPLICATION_PASSWORD"] = null,
        ["FAILOVER_TOKEN"] = null,
        ["LC_MESSAGES"] = "C",
    };

    public async Task<(ControlData? Data, string? Problem)> ControlDataAsync(string folder, CancellationToken cancellationToken)
    {
        var (output, problem) = await RunAsync("pg_controldata", ["-D", folder], Short, cancellationToken);
        if (problem is not null) return (null, problem);
        return ControlData.Parse(output) is { } data ? (data, null) : (null, $"pg_controldata cannot be understood: {Quoting.Words(output)}");
    }

    /// <summary>The setting that a server with these arguments would have. Null: it cannot be told.</summary>
    public async Task<long?> SettingAsync(IReadOnlyList<string> arguments, string name, CancellationToken cancellationToken)
    {
        var (output, problem) = await RunAsync("postgres", [.. arguments, "-C", name], Short, cancellationToken);
        var last = output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).LastOrDefault();
        return problem is null && long.TryParse(last, CultureInfo.InvariantCulture, out var value) ? value : null;
    }

    /// <summary>
    /// The very first data. With checksums: a standby is rewound rather than copied, and rotten pages are noticed.
    /// </summary>
    public async Task<string?> CreateAsync(string folder, CancellationToken cancellationToken)
    {
        var password = Path.Combine(settings.RunDirectory, "password");
        await File.WriteAllTextAsync(password, settings.SuperuserPassword + "\n", cancellationToken);
        try
        {
            IReadOnlyList<string> arguments =
            [
                "-D", folder, "--username=postgres", $"--pwfile={password}", "--auth-local=peer", "--auth-host=scram-sha-256",
                "--data-checksums", "--encoding=UTF8", .. settings.InitDbArguments,
            ];
            // The locale of the container becomes that of the databases.
            return (await RunAsync("initdb", arguments, TimeSpan.FromMinutes(10), [], cancellationToken)).Problem;
        }
        finally
        {
            File.Delete(password);
        }
    }

    /// <summary>A copy of the leader's data, with all of the log that it takes to be consistent.</summary>
    public async Task<(bool DiskIsFull, string? Problem)> CloneAsync(Leader leader, string folder, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> arguments =
        [
            "-D", folder, "-d", ServerConfiguration.Peer(settings, leader.Address), "--no-password", "--wal-method=stream", "--checkpoint=fast",
            $"--slot={MemberNames.Slot(settings.PodName)}",
        ];
        var (output, problem) = await RunAsync("pg_basebackup", arguments, Long, cancellationToken);
        return (problem is not null && ServerLog.SaysFull(output), problem);
    }

    /// <summary>Takes back what the leader never had. It completes a crash recovery first, with the configuration in the data.</summary>
    public async Task<Rewinding> RewindAsync(Leader leader, string folder, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> configuration = File.Exists(Path.Combine(folder, "postgresql.conf")) ? []
            : [$"--config-file={Path.Combine(settings.RunDirectory, "postgresql.conf")}"];
        IReadOnlyList<string> arguments =
            [$"--target-pgdata={folder}", $"--source-server={ServerConfiguration.Peer(settings, leader.Address)}", .. configuration];
        var (output, problem) = await RunAsync("pg_rewind", arguments, Long, cancellationToken);
        return problem is null ? new Rewinding.Done() : ServerLog.Judge(output, problem);
    }

    /// <summary>A folder and all in it. It may be large: not on a thread of the agent's.</summary>
    public async Task<string?> RemoveAsync(string folder, CancellationToken cancellationToken) => !Directory.Exists(folder) ? null
        : Told("rm", await supervisor.RunAsync(new ProcessCommand("rm", ["-rf", folder]), Long, cancellationToken)).Problem;

    private Task<(string Output, string? Problem)> RunAsync(
        string program, IReadOnlyList<string> arguments, TimeSpan timeout, CancellationToken cancellationToken) =>
        RunAsync(program, arguments, timeout, new() { ["LC_ALL"] = "C", ["PGPASSWORD"] = settings.ReplicationPassword }, cancellationToken);

    private async Task<(string Output, string? Problem)> RunAsync(
        string program, IReadOnlyList<string> arguments, TimeSpan timeout, Dictionary<string, string?> environment,
        CancellationToken cancellationToken)
    {
        var command = new ProcessCommand(settings.Program(program), arguments) { Environment = environment };
        return Told(program, await supervisor.RunAsync(command, timeout, cancellationToken));
    }

    private static (string Output, string? Problem) Told(string program, CommandResult result) => result switch
    {
        CommandResult.Exited { ExitCode: 0 } exited => (exited.Output, null),
        CommandResult.Exited exited => (exited.Output, ServerLog.Explain(program, exited.ExitCode, exited.Output)),
        CommandResult.TimedOut timedOut => (timedOut.Output, $"{program} did not end in time: {Quoting.Words(timedOut.Output)}"),
        CommandResult.NotStarted notStarted => ("", $"{program} could not be started, is it in the image (FAILOVER_PG_BIN)? {notStarted.Message}"),
        _ => throw new ArgumentOutOfRangeException(nameof(result), result, "unknown result"),
    };
}
