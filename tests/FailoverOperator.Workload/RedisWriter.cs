using System.Net;
using System.Net.Sockets;

namespace FailoverOperator.Workload;

/// <summary>What to write where.</summary>
/// <param name="AnswerDeadline">Time for a connection, and for each answer.</param>
public sealed record WriterOptions(string Host, int Port, string Key, TimeSpan Interval, TimeSpan AnswerDeadline, string? Password);

/// <summary>
/// A client that appends numbered entries to a list, one at a time over one connection. A failed write is never sent again:
/// each try has a number of its own, so that what comes back tells exactly what was kept. After a failure it
/// reconnects at once.
/// </summary>
public sealed class RedisWriter(WriterOptions options, TimeProvider time, Action<object> report)
{
    private static readonly TimeSpan ReadBackDeadline = TimeSpan.FromSeconds(15);

    private readonly WriteLog log = new();
    private readonly long startedAt = time.GetTimestamp();
    private IPEndPoint? endpoint;
    private RespConnection? connection;
    private string? state;

    public WriteSummary Run(CancellationToken stop)
    {
        for (long number = 1; !stop.IsCancellationRequested; number++)
        {
            var began = time.GetTimestamp();
            var (outcome, detail) = Write(number);
            log.Record(number, outcome, Elapsed);
            ReportChange(number, outcome, detail);
            if (options.Interval - time.GetElapsedTime(began) is var rest && rest > TimeSpan.Zero) stop.WaitHandle.WaitOne(rest);
        }

        var stoppedAt = Elapsed;
        return log.Summarize(stoppedAt, ReadBack());
    }

    private TimeSpan Elapsed => time.GetElapsedTime(startedAt);

    private (WriteOutcome Outcome, string Detail) Write(long number)
    {
        var sent = false;
        try
        {
            connection ??= Connect();
            sent = true;
            connection.Call("RPUSH", options.Key, number.ToString());
            return (WriteOutcome.Acknowledged, "");
        }
        catch (RedisErrorException refusal)
        {
            Disconnect();
            return (WriteOutcome.Refused, refusal.Message);
        }
        catch (Exception failure) when (failure is IOException or SocketException or OperationCanceledException)
        {
            Disconnect();
            return (sent ? WriteOutcome.Unknown : WriteOutcome.Refused, failure is OperationCanceledException ? "no connection in time" : failure.Message);
        }
    }

    /// <summary>The address of a Service does not change, so it is looked up once: the name service is not what is measured.</summary>
    private RespConnection Connect()
    {
        endpoint ??= new IPEndPoint(Dns.GetHostAddresses(options.Host, AddressFamily.InterNetwork)[0], options.Port);
        var fresh = RespConnection.Connect(endpoint, options.AnswerDeadline);
        if (options.Password is { } password) fresh.Call("AUTH", password);
        return fresh;
    }

    private void Disconnect()
    {
        connection?.Dispose();
        connection = null;
    }

    /// <summary>Through the Service and over a new connection, as another client would. Null: no answer before the deadline.</summary>
    private HashSet<long>? ReadBack()
    {
        var began = time.GetTimestamp();
        do
        {
            try
            {
                Disconnect();
                connection = Connect();
                var entries = (List<object?>)connection.Call("LRANGE", options.Key, "0", "-1")!;
                return [.. entries.Select(entry => long.Parse((string)entry!))];
            }
            catch (Exception failure) when (failure is IOException or SocketException or OperationCanceledException or RedisErrorException)
            {
                report(new { readBack = failure.Message });
                Thread.Sleep(options.AnswerDeadline);
            }
        }
        while (time.GetElapsedTime(began) < ReadBackDeadline);
        return null;
    }

    private void ReportChange(long number, WriteOutcome outcome, string detail)
    {
        var now = $"{outcome} {detail}";
        if (now == state) return;
        state = now;
        report(new { number, atMilliseconds = (long)Elapsed.TotalMilliseconds, outcome = outcome.ToString(), detail });
    }
}
