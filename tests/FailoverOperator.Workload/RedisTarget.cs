using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace FailoverOperator.Workload;

/// <summary>Where and how long to try.</summary>
/// <param name="Host">Name or address to write to.</param>
/// <param name="ReadHost">Name or address to read everything back from.</param>
/// <param name="Key">What tells the rows of this writer from those of others.</param>
/// <param name="ConnectDeadline">Time for a connection.</param>
/// <param name="AnswerDeadline">Time for each answer.</param>
public sealed record TargetOptions(string Host, string ReadHost, int Port, string Key, TimeSpan ConnectDeadline, TimeSpan AnswerDeadline, string? Password);

/// <summary>Appends the numbers to a list.</summary>
public sealed class RedisTarget(TargetOptions options) : IWriteTarget
{
    private static readonly TimeSpan ReadDeadline = TimeSpan.FromSeconds(5);

    private IPEndPoint? endpoint;
    private RespConnection? connection;
    private ServerIdentity? server;

    public Task<WriteOutcome> WriteAsync(long number) => Task.FromResult(Write(number));

    public Task<IReadOnlySet<long>> ReadBackAsync()
    {
        try
        {
            using var fresh = Connect(Resolve(options.ReadHost), ReadDeadline, ReadDeadline);
            var entries = (List<object?>)fresh.Call("LRANGE", options.Key, "0", "-1")!;
            return Task.FromResult<IReadOnlySet<long>>(entries.Select(entry => long.Parse((string)entry!, CultureInfo.InvariantCulture)).ToHashSet());
        }
        catch (Exception failure) when (IsFailure(failure) || failure is RedisErrorException)
        {
            throw new TargetException(failure.Message, failure);
        }
    }

    public void Dispose() => connection?.Dispose();

    private WriteOutcome Write(long number)
    {
        var sent = false;
        try
        {
            // The address of a Service does not change, so it is looked up once: the name service is not what is measured.
            endpoint ??= Resolve(options.Host);
            connection ??= Connect(endpoint, options.ConnectDeadline, options.AnswerDeadline);
            server ??= Identify(connection);
            sent = true;
            connection.Call("RPUSH", options.Key, number.ToString(CultureInfo.InvariantCulture));
            return new WriteOutcome.Acknowledged(server);
        }
        catch (RedisErrorException refusal)
        {
            Disconnect();
            return new WriteOutcome.Refused(refusal.Message);
        }
        catch (Exception failure) when (IsFailure(failure))
        {
            Disconnect();
            return sent ? new WriteOutcome.Unknown(failure.Message) : new WriteOutcome.Refused(failure is OperationCanceledException ? "no connection in time" : failure.Message);
        }
    }

    private static bool IsFailure(Exception failure) => failure is IOException or SocketException or OperationCanceledException;

    private static IPAddress AddressOf(string host) => Dns.GetHostAddresses(host, AddressFamily.InterNetwork)[0];

    private IPEndPoint Resolve(string host) => new(AddressOf(host), options.Port);

    private RespConnection Connect(IPEndPoint to, TimeSpan connectDeadline, TimeSpan answerDeadline)
    {
        var fresh = RespConnection.Connect(to, connectDeadline, answerDeadline);
        if (options.Password is { } password) fresh.Call("AUTH", password);
        return fresh;
    }

    /// <summary>A promotion changes <c>master_replid</c>, a restart <c>run_id</c>; neither happens to a connection that stays writable.</summary>
    private static ServerIdentity Identify(RespConnection connection) =>
        new($"{Field(connection, "server", "run_id")}/{Field(connection, "replication", "master_replid")}");

    private static string Field(RespConnection connection, string section, string name) =>
        ((string)connection.Call("INFO", section)!).Split("\r\n").First(line => line.StartsWith(name + ":", StringComparison.Ordinal))[(name.Length + 1)..];

    private void Disconnect()
    {
        connection?.Dispose();
        connection = null;
        server = null;
    }
}
