using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace FailoverOperator.Engines.Redis;

/// <summary>
/// One connection to one server. It is never mended: when it breaks it is thrown away, and the next question makes a new
/// one. The library's own reconnecting, with its growing pauses, would hide that a server is gone, and that it is back.
/// </summary>
internal sealed class RedisConnection : IAsyncDisposable
{
    private readonly ConnectionMultiplexer _multiplexer;
    private Action? _onBroken;

    private RedisConnection(ConnectionMultiplexer multiplexer, RedisCredentials credentials)
    {
        _multiplexer = multiplexer;
        Credentials = credentials;
        Server = multiplexer.GetServer(multiplexer.GetEndPoints()[0]);
        _multiplexer.ConnectionFailed += (_, _) => Interlocked.Exchange(ref _onBroken, null)?.Invoke();
    }

    public RedisCredentials Credentials { get; }

    public IServer Server { get; }

    public bool IsConnected => _multiplexer.IsConnected;

    /// <summary>Calls back once when the connection breaks by itself.</summary>
    public void WhenBroken(Action callback)
    {
        _onBroken = callback;
        if (!IsConnected)
            Interlocked.Exchange(ref _onBroken, null)?.Invoke();
    }

    /// <summary>Throws SocketException, RedisException or, after <paramref name="timeout"/>, what the token gives.</summary>
    public static async Task<RedisConnection> OpenAsync(
        string address, int port, RedisCredentials credentials, TimeSpan timeout, CancellationToken deadline)
    {
        EndPoint endPoint = IPAddress.TryParse(address, out var ip) ? new IPEndPoint(ip, port) : new DnsEndPoint(address, port);

        // The kernel's own answer first: at once, and "refused" is not mixed with anything else.
        using (var socket = new Socket(SocketType.Stream, ProtocolType.Tcp))
            await socket.ConnectAsync(endPoint, deadline);

        var connecting = ConnectionMultiplexer.ConnectAsync(Options(endPoint, credentials, timeout));
        try
        {
            return new RedisConnection(await connecting.WaitAsync(deadline), credentials);
        }
        catch (OperationCanceledException)
        {
            _ = DisposeLateAsync(connecting);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Interlocked.Exchange(ref _onBroken, null);
        await _multiplexer.DisposeAsync();
    }

    private static ConfigurationOptions Options(EndPoint endPoint, RedisCredentials credentials, TimeSpan timeout) => new()
    {
        EndPoints = { endPoint },
        User = credentials.Username.Length == 0 ? null : credentials.Username,
        Password = credentials.Password,
        ClientName = "failover-operator",
        SetClientLibrary = false,
        Protocol = RedisProtocol.Resp2,
        AllowAdmin = true,
        AbortOnConnectFail = true,
        ConnectRetry = 1,
        ConnectTimeout = (int)timeout.TotalMilliseconds,
        AsyncTimeout = (int)timeout.TotalMilliseconds,
        SyncTimeout = (int)timeout.TotalMilliseconds,
        BacklogPolicy = BacklogPolicy.FailFast,
        // This server alone: no discovery of others, nothing written to it or published on it by the library.
        TieBreaker = "",
        ConfigurationChannel = "",
        CommandMap = CommandMap.Create(["SUBSCRIBE", "CLUSTER", "SENTINEL"], available: false),
    };

    private static async Task DisposeLateAsync(Task<ConnectionMultiplexer> connecting)
    {
        try
        {
            await (await connecting).DisposeAsync();
        }
        catch (RedisException)
        {
            // It could not connect: nothing is open.
        }
    }
}
