using FailoverOperator.Agent.Supervision;
using Npgsql;

namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>
/// Starts and ends the server. Invariant I1: every start is that of a standby; writable it becomes by <see cref="Promotion"/> alone.
/// Results: null, or why it did not work.
/// </summary>
internal sealed class ServerProcess(
    PostgreSqlSettings settings, Sql sql, DataDirectory data, ConfigurationFiles files, PostgreSqlTools tools, ISupervisor supervisor,
    TimeProvider time)
{
    public const int Reload = 1; // SIGHUP
    public const int FastShutdown = 2; // SIGINT
    private const int ImmediateShutdown = 3; // SIGQUIT

    private static readonly TimeSpan KillTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ReloadTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongGlance = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// A standby that lets nobody in may have to read its log for long, or may wait for a log that the leader does not have: from then on that is
    /// looked into.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The last words of a server are read a moment after its end.</summary>
    private static readonly TimeSpan LastWords = TimeSpan.FromMilliseconds(50);

    private static readonly IReadOnlyDictionary<string, long> NoFloors = new Dictionary<string, long>();

    /// <summary>The checkpointer may not have seen yet that commits are to wait for standbys.</summary>
    private bool _checkpointerLags;

    /// <summary>It was waited for, and let nobody in: its data are not consistent yet.</summary>
    public bool LetsNobodyIn { get; private set; }

    public bool Runs => supervisor.Server is { Exited.IsCompleted: false };

    public string Log => supervisor.Server?.LastOutput ?? "";

    /// <summary>
    /// Starts a standby if the server does not run, and waits until it answers, however long it has to read its log, unless it is to follow
    /// somebody. Null: why it does not; it has ended, perhaps.
    /// </summary>
    public async Task<(Session? Session, string? Problem)> BringUpAsync(Bearing bearing, CancellationToken cancellationToken)
    {
        var (session, problem) = Runs ? await ReadyAsync(bearing, cancellationToken) : await StartAsync(bearing, NoFloors, cancellationToken);
        // Smaller settings than the log was written with keep a standby from starting, or from reading on and being promoted. A
        // user who makes max_connections smaller, say, does not want to have no server for it.
        var mayBeTooSmall = session is null ? ServerLog.SaysTooSmall(Log) : await session.TextAsync(IsPaused, cancellationToken) is not null;
        if (!mayBeTooSmall || await FloorsAsync(cancellationToken) is not { Count: > 0 } floors) return (session, problem);
        if (session is not null) await session.DisposeAsync();
        _ = await StopAsync(cancellationToken);
        return await StartAsync(bearing, floors, cancellationToken);
    }

    private async Task<(Session? Session, string? Problem)> StartAsync(
        Bearing bearing, IReadOnlyDictionary<string, long> floors, CancellationToken cancellationToken)
    {
        if (await ClearAsync(cancellationToken) is { } left) return (null, left);
        _ = files.Write(bearing);
        _checkpointerLags = false;
        data.MakeStandby();
        var command = new ProcessCommand(settings.Program("postgres"), files.Arguments(data.Version ?? 0, floors));
        var (run, problem) = supervisor.StartServer(command with { Environment = PostgreSqlTools.ServerEnvironment });
        if (run is null) return (null, $"postgres could not be started, is it in the image (FAILOVER_PG_BIN)? {problem}");
        return await ReadyAsync(bearing, cancellationToken);
    }

    /// <summary>Which of the user's settings are too small for the log in the data, and what they must be.</summary>
    private async Task<Dictionary<string, long>> FloorsAsync(CancellationToken cancellationToken)
    {
        var floors = new Dictionary<string, long>();
        var arguments = files.Arguments(data.Version ?? 0, floors);
        var (control, _) = await tools.ControlDataAsync(data.Path, cancellationToken);
        foreach (var (name, needed) in control?.Floors ?? floors)
            if (await tools.SettingAsync(arguments, name, cancellationToken) is { } has && has < needed)
                floors[name] = needed;
        return floors;
    }

    private async Task<(Session? Session, string? Problem)> ReadyAsync(Bearing bearing, CancellationToken cancellationToken)
    {
        LetsNobodyIn = false;
        var since = time.GetTimestamp();
        for (var pause = Glance; Runs; pause = pause < LongGlance ? pause * 1.2 : LongGlance)
        {
            if (bearing.LeaderAddress is not null && time.GetElapsedTime(since) > Patience)
            {
                LetsNobodyIn = true;
                return (null, "the server lets nobody in yet: it has not read as much of the log as its data need");
            }
            try
            {
                return (await sql.OpenAsync(cancellationToken), null);
            }
            catch (PostgresException exception) when (exception.SqlState != PostgresErrorCodes.CannotConnectNow)
            {
                return (null, $"the server does not let the agent in: {Sql.Describe(exception)}");
            }
            catch (Exception exception) when (Sql.IsExpected(exception))
            {
                cancellationToken.ThrowIfCancellationRequested();
            }
            Announce(bearing);
            await Task.Delay(pause, time, cancellationToken);
        }
        return (null, await WhyEndedAsync());
    }

    /// <summary>
    /// A standby lets nobody in before it has read as much of the log as its data need, and only the leader may have that: it learns without a
    /// session where to go.
    /// </summary>
    private void Announce(Bearing bearing)
    {
        if (!files.Write(bearing)) return;
        _checkpointerLags |= bearing.SynchronousNames.Length > 0;
        _ = supervisor.Server?.Signal(Reload);
    }

    public async Task<string> WhyEndedAsync()
    {
        if (supervisor.Server is not { } run) return "the server was not started";
        var code = await run.Exited;
        await Task.Delay(LastWords, time);
        return ServerLog.Explain("the server", code, run.LastOutput);
    }

    /// <summary>Puts a new bearing into effect in the running server.</summary>
    public async Task<string?> SteerAsync(Session session, Bearing bearing, CancellationToken cancellationToken)
    {
        var hasChanged = files.Write(bearing);
        var before = await session.TextAsync(InEffect, cancellationToken);
        // From not waiting at all to waiting: commits look at what the checkpointer has made of the setting. It has when it
        // has completed a checkpoint that was asked for after the reload.
        _checkpointerLags |= before?.StartsWith('\n') == true && bearing.SynchronousNames.Length > 0;
        if (hasChanged || before != Expected(bearing))
        {
            _ = supervisor.Server?.Signal(Reload);
            if (!await SeesAsync(session, Expected(bearing), cancellationToken)) return await WhyNotSteeredAsync(session, cancellationToken);
        }
        if (_checkpointerLags && bearing.SynchronousNames.Length > 0) await session.ExecuteAsync("checkpoint", cancellationToken);
        _checkpointerLags = false;
        return null;
    }

    /// <summary>The user has changed a file of theirs that this server reads, or that was copied.</summary>
    public void Refresh()
    {
        if (files.IsStale && files.Write(files.Bearing)) _ = supervisor.Server?.Signal(Reload);
    }

    /// <summary>Ends at once; what was not yet committed is lost, as in a crash. Afterwards nothing of the server is left.</summary>
    public async Task<string?> StopNowAsync(CancellationToken cancellationToken)
    {
        if (supervisor.Server is not { } run) return null;
        _ = run.Signal(ImmediateShutdown);
        _ = await run.Exited.WaitAsync(cancellationToken);
        return await ClearAsync(cancellationToken);
    }

    /// <summary>Ends in order. The exit code, for whoever doubts it.</summary>
    public async Task<int?> StopAsync(CancellationToken cancellationToken)
    {
        if (supervisor.Server is not { } run) return null;
        _ = run.Signal(FastShutdown);
        return await run.Exited.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// The first process of a server waits for all of its others before it ends, unless a signal ended it: then a session may go on, and
    /// acknowledge a commit.
    /// </summary>
    private async Task<string?> ClearAsync(CancellationToken cancellationToken)
    {
        if (supervisor.Server is not { } run || await run.Exited.WaitAsync(cancellationToken) < 128) return null;
        return await supervisor.KillAllAsync(KillTimeout, cancellationToken) ? null : "processes of the server are still there, although killed";
    }

    private const string IsPaused = "select 'yes' where pg_is_in_recovery() and pg_get_wal_replay_pause_state() = 'paused'";

    private const string InEffect = "select current_setting('synchronous_standby_names') || E'\\n' || current_setting('primary_conninfo')";

    private string Expected(Bearing bearing) =>
        bearing.SynchronousNames + "\n" + (bearing.LeaderAddress is { } address ? ServerConfiguration.Upstream(settings, address) : "");

    /// <summary>A session takes a setting over after the first process has, and with it everybody else.</summary>
    private async Task<bool> SeesAsync(Session session, string expected, CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        while (time.GetElapsedTime(since) < ReloadTimeout)
        {
            if (await session.TextAsync(InEffect, cancellationToken) == expected) return true;
            await Task.Delay(Glance, time, cancellationToken);
        }
        return false;
    }

    private static async Task<string> WhyNotSteeredAsync(Session session, CancellationToken cancellationToken)
    {
        const string Overridden = """
            select string_agg(name, ', ') from pg_settings
            where name in ('synchronous_standby_names', 'primary_conninfo') and sourcefile like '%/postgresql.auto.conf'
            """;
        const string Wrong = """
            select sourcefile || ' line ' || sourceline || ': ' || coalesce(name || ': ', '') || error
            from pg_file_settings where error is not null limit 1
            """;
        if (await session.TextAsync(Overridden, cancellationToken) is { } names)
            return $"ALTER SYSTEM has set {names}, which is the agent's: undo that with ALTER SYSTEM RESET for each, then SELECT pg_reload_conf()";
        return await session.TextAsync(Wrong, cancellationToken) is { } error
            ? $"the server does not read its configuration: {Quoting.Words(error)}"
            : "the server has not taken over its configuration in time";
    }
}
