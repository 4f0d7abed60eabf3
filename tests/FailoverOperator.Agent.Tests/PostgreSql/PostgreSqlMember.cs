using System.Diagnostics;
using FailoverOperator.Agent.Servers;
using FailoverOperator.Agent.Servers.PostgreSql;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Observations;
using Npgsql;

namespace FailoverOperator.Agent.Tests.PostgreSql;

/// <summary>One member of a group: a server on an address of its own, as pods have.</summary>
internal sealed class PostgreSqlMember : IAsyncDisposable
{
    public const string Password = "it's \\secret\\";
    private const int Port = 5499;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);
    private static int _last;
    private static int _lastFolder;

    private readonly DirectoryInfo _folder;

    /// <param name="parent">Where its volume is. Null: anywhere.</param>
    public PostgreSqlMember(string name, string? parent = null, params string[] initDbArguments)
    {
        Name = name;
        // Unique among the test runs of this machine, too.
        var (run, number) = (Environment.ProcessId, Interlocked.Increment(ref _last));
        Address = FormattableString.Invariant($"127.{1 + (run / 250 % 250)}.{run % 250}.{number}");
        _folder = parent is null ? NewFolder() : Directory.CreateDirectory(Path.Combine(parent, name));
        _ = Directory.CreateDirectory(Path.Combine(_folder.FullName, "volume"));
        _ = Directory.CreateDirectory(Path.Combine(_folder.FullName, "run"));
        File.WriteAllText(UserConfiguration, "fsync = off\nshared_buffers = 16MB\ndynamic_shared_memory_type = mmap\n");
        // What the tests write as root must be readable by the server.
        Chown(_folder.FullName);
        File.SetUnixFileMode(Path.Combine(_folder.FullName, "run"), (UnixFileMode)0b10_111_101_000);
        Supervisor = new LocalSupervisor(_folder.FullName);
        Settings = new PostgreSqlSettings
        {
            PodName = name,
            DataDirectory = Path.Combine(_folder.FullName, "volume", "pgdata"),
            Port = Port,
            SuperuserPassword = Password,
            ReplicationPassword = "replicate 'it",
            Binaries = PostgreSqlSettings.NewestBinaries("/usr/lib/postgresql"),
            RunDirectory = Path.Combine(_folder.FullName, "run"),
            ListenAddresses = Address,
            UserConfiguration = UserConfiguration,
            InitDbArguments = initDbArguments,
        };
        Server = new PostgreSqlServer(Settings, Supervisor, RealClock.Instance);
    }

    public string Name { get; }

    public string Address { get; }

    public PostgreSqlSettings Settings { get; }

    public LocalSupervisor Supervisor { get; }

    public PostgreSqlServer Server { get; private set; }

    public string Data => Settings.DataDirectory;

    public string UserConfiguration => Path.Combine(_folder.FullName, "user.conf");

    public Leader AsLeader => new(Name, Address, 1);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static LeaseTerms Terms(int synchronous, params PostgreSqlMember[] members) => new()
    {
        Members = [.. members.Select(m => new LeaseMember(m.Name, $"uid-{m.Name}", m.Address, 8008))],
        SynchronousStandbys = synchronous,
    };

    /// <summary>As the agent does: the order again and again, until the status says that it is fulfilled.</summary>
    public async Task<EngineStatus> UntilAsync(Func<CancellationToken, Task<EngineOutcome>> order, Func<EngineStatus, bool> isFulfilled)
    {
        using var timer = new CancellationTokenSource(Patience, RealClock.Instance);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, Stop);
        EngineOutcome? outcome = null;
        try
        {
            while (true)
            {
                outcome = await order(deadline.Token);
                for (var glance = 0; glance < 10; glance++)
                {
                    if (await Server.StatusAsync(deadline.Token) is EngineReply.Answered { Status: var status } && isFulfilled(status)) return status;
                    await Task.Delay(TimeSpan.FromMilliseconds(20), RealClock.Instance, deadline.Token);
                }
            }
        }
        catch (OperationCanceledException) when (!Stop.IsCancellationRequested)
        {
            var status = await Server.StatusAsync(Stop);
            throw new InvalidOperationException($"{Name} did not get there: {outcome}, {status}\n{Supervisor.Server?.LastOutput}");
        }
    }

    public Task<EngineStatus> ServeAsync(LeaseTerms terms, long term = 1, HistoryFloor? floor = null) =>
        UntilAsync(token => Server.ServeAsync(term, terms, floor, () => { }, token), s => s.Writable);

    /// <summary>Until it is on the leader's timeline.</summary>
    public async Task<EngineStatus> FollowAsync(PostgreSqlMember leader)
    {
        var history = (await leader.StatusAsync()).History;
        return await UntilAsync(
            token => Server.FollowAsync(leader.AsLeader, token),
            s => s.Link == ReplicationLink.Up && s.FollowsAddress == leader.Address && s.History == history);
    }

    public Task<EngineStatus> StandByAsync() => UntilAsync(Server.StandByAsync, s => s is { Role: EngineRole.Standby, PositionBytes: not null });

    public async Task<EngineStatus> StatusAsync() => Assert.IsType<EngineReply.Answered>(await Server.StatusAsync(Stop)).Status;

    /// <summary>The end of the server's first process alone; kill -9 leaves its sessions behind.</summary>
    public async Task KillAsync()
    {
        _ = Supervisor.Server!.Signal(9);
        _ = await Supervisor.Server.Exited;
    }

    /// <summary>As a client, over the network.</summary>
    public async Task<NpgsqlConnection> ConnectAsync(int port = Port)
    {
        var text = new NpgsqlConnectionStringBuilder
        {
            Host = Address,
            Port = port,
            Username = "postgres",
            Password = Password,
            Database = "postgres",
            Pooling = false,
            Timeout = 5,
            CommandTimeout = 20,
        };
        var connection = new NpgsqlConnection(text.ConnectionString);
        await connection.OpenAsync(Stop);
        return connection;
    }

    public async Task<string?> SqlAsync(string sql, int port = Port)
    {
        await using var connection = await ConnectAsync(port);
        await using var command = new NpgsqlCommand(sql, connection);
        return (await command.ExecuteScalarAsync(Stop))?.ToString();
    }

    /// <summary>A standby of an asynchronous group is a moment behind.</summary>
    public async Task UntilRowsAsync(int rows)
    {
        for (var i = 0; i < 250 && await SqlAsync("select count(*) from rows") != $"{rows}"; i++)
            await Task.Delay(TimeSpan.FromMilliseconds(20), RealClock.Instance, Stop);
        Assert.Equal($"{rows}", await SqlAsync("select count(*) from rows"));
    }

    /// <summary>A new agent in the same container image: nothing of the old one is remembered, and no process is left.</summary>
    public async Task RestartAgentAsync()
    {
        _ = await Supervisor.KillAllAsync(TimeSpan.FromSeconds(5), Stop);
        await Server.DisposeAsync();
        Server = new PostgreSqlServer(Settings, Supervisor, RealClock.Instance);
    }

    /// <summary>In memory if there is enough: many small files come and go.</summary>
    public static DirectoryInfo NewFolder()
    {
        const long Enough = 2L * 1024 * 1024 * 1024;
        const string Memory = "/dev/shm";
        if (!Directory.Exists(Memory) || new DriveInfo(Memory).AvailableFreeSpace < Enough) return Directory.CreateTempSubdirectory("pg-");
        var name = FormattableString.Invariant($"pg-{Environment.ProcessId}-{Interlocked.Increment(ref _lastFolder)}");
        return Directory.CreateDirectory(Path.Combine(Memory, name));
    }

    public static void Chown(string folder)
    {
        if (!Environment.IsPrivilegedProcess) return;
        using var chown = Process.Start("chown", ["-R", "postgres:postgres", folder]);
        chown.WaitForExit();
    }

    public async ValueTask DisposeAsync()
    {
        _ = await Supervisor.KillAllAsync(TimeSpan.FromSeconds(10), CancellationToken.None);
        await Server.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
