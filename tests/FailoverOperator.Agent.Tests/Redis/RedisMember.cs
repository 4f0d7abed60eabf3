using System.Globalization;
using System.Net;
using System.Net.Sockets;
using FailoverOperator.Agent.Servers;
using FailoverOperator.Agent.Servers.Redis;
using FailoverOperator.Agent.Supervision;
using FailoverOperator.Core.Observations;
using FailoverOperator.TestBed;

namespace FailoverOperator.Agent.Tests.Redis;

using CommandResult = FailoverOperator.Agent.Supervision.CommandResult;

/// <summary>
/// A member with a real redis-server. As pods do, the members of a test share a port and have an address each, on loopback.
/// </summary>
internal sealed class RedisMember : ISupervisor, IAsyncDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);
    private static int lastHost = 1;
    private static int lastPort;

    private readonly Supervisor shared;
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("redis-member-");

    private RedisMember(Supervisor shared, int port, string? password, string[] arguments)
    {
        this.shared = shared;
        Port = port;
        Address = FormattableString.Invariant($"127.0.2.{Interlocked.Increment(ref lastHost)}");
        var command = new ProcessCommand("redis-server",
            ["--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", Address, "--protected-mode", "no", "--save", "", "--repl-diskless-sync-delay", "0", "--dir", folder.FullName,
             .. password is null ? Array.Empty<string>() : ["--requirepass", password], .. arguments]);
        Settings = new RedisSettings(command, Port, password) { Host = IPAddress.Parse(Address) };
        Server = new RedisServer(Settings, this, RealClock.Instance);
    }

    public int Port { get; }

    public string Address { get; }

    public RedisSettings Settings { get; }

    public RedisServer Server { get; }

    public Leader AsLeader => new("redis-x", Address, 1);

    public IServerRun? Run { get; private set; }

    IServerRun? ISupervisor.Server => Run;

    public static RedisMember Create(Supervisor supervisor, int? port = null, string? password = null, params string[] arguments) =>
        new(supervisor, port ?? FreePort(), password, arguments);

    public (IServerRun? Run, string? Problem) StartServer(ProcessCommand command)
    {
        var (run, problem) = shared.StartServer(command);
        if (run is not null) Run = run;
        return (run, problem);
    }

    public Task<CommandResult> RunAsync(ProcessCommand command, TimeSpan timeout, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<bool> KillAllAsync(TimeSpan timeout, CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <summary>What a client gets.</summary>
    public async Task<object?> CallAsync(params string[] command)
    {
        using var connection = await RespConnection.OpenAsync(new IPEndPoint(IPAddress.Parse(Address), Port), Settings.Password, CancellationToken.None).WaitAsync(Soon);
        return await connection.CallAsync(CancellationToken.None, command).WaitAsync(Soon);
    }

    /// <summary>A client that stays.</summary>
    public Task<RespConnection> ConnectAsync() => RespConnection.OpenAsync(new IPEndPoint(IPAddress.Parse(Address), Port), Settings.Password, CancellationToken.None);

    public async Task<EngineStatus> StatusAsync() => Assert.IsType<EngineReply.Answered>(await Server.StatusAsync(CancellationToken.None).WaitAsync(Soon)).Status;

    public async Task<EngineStatus> UntilAsync(string what, Func<EngineStatus, bool> isSo)
    {
        EngineStatus? last = null;
        await Poll.UntilAsync(what, Soon, async () => isSo(last = await StatusAsync()), () => Task.FromResult(last?.ToString() ?? ""));
        return last!;
    }

    public async Task KillAsync()
    {
        if (Run is not { } run) return;
        _ = run.Signal(9);
        await run.Exited.WaitAsync(Soon);
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        Server.Dispose();
        folder.Delete(recursive: true);
    }

    /// <summary>Below those that the kernel gives to clients: a client that tries a closed one of these again and again ends up connected to itself.</summary>
    public static int FreePort()
    {
        while (true)
        {
            var port = 20_000 + (((Environment.ProcessId * 7) + Interlocked.Increment(ref lastPort)) % 10_000);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken.
            }
        }
    }
}
