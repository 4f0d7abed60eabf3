using System.Net.Sockets;
using Npgsql;

namespace FailoverOperator.Workload;

/// <summary>
/// Inserts the numbers into a table, each in a transaction of its own. Npgsql waits for whole seconds at least, and asks a silent
/// server to cancel; so each answer is awaited from outside, and a connection that owes one is left to itself.
/// </summary>
public sealed class PostgreSqlTarget : IWriteTarget
{
    private const string CreateTable = "CREATE TABLE IF NOT EXISTS failover_workload (writer text, number bigint, PRIMARY KEY (writer, number))";

    /// <summary>The server tells with each row who it is: pod address and start of the process, and the timeline that it writes.</summary>
    private const string Insert = """
        INSERT INTO failover_workload VALUES ($1, $2)
        RETURNING host(inet_server_addr()) || ' since ' || extract(epoch FROM pg_postmaster_start_time()),
            ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint
        """;

    private const string Select = "SELECT number FROM failover_workload WHERE writer = $1";

    private static readonly TimeSpan ReadDeadline = TimeSpan.FromSeconds(5);

    private readonly TargetOptions options;
    private NpgsqlDataSource? writeTo;
    private NpgsqlConnection? connection;
    private Task? owed;
    private bool isTableThere;
    private string? warning;

    public PostgreSqlTarget(TargetOptions options) => this.options = options;

    public async Task<WriteOutcome> WriteAsync(long number)
    {
        var sent = false;
        try
        {
            connection ??= await ConnectAsync(writeTo ??= DataSource(options.Host), options.ConnectDeadline);
            if (!isTableThere) await CreateTableAsync(connection);
            warning = null;
            sent = true;
            var server = await Within(options.AnswerDeadline, InsertAsync(connection, number));
            // Such as: canceling wait for synchronous replication; the transaction might not have been replicated.
            return warning is null ? new WriteOutcome.Acknowledged(server) : new WriteOutcome.Unknown(warning);
        }
        catch (PostgresException refusal)
        {
            Abandon();
            // Class 08 and 57: the connection or the server is going away, whatever had been done before. The others are a no.
            var mayHaveHappened = sent && (refusal.SqlState.StartsWith("08", StringComparison.Ordinal) || refusal.SqlState.StartsWith("57", StringComparison.Ordinal));
            return mayHaveHappened ? new WriteOutcome.Unknown(refusal.MessageText) : new WriteOutcome.Refused(refusal.MessageText);
        }
        catch (Exception failure) when (IsFailure(failure))
        {
            Abandon();
            return sent ? new WriteOutcome.Unknown(Why(failure)) : new WriteOutcome.Refused(Why(failure));
        }
    }

    public async Task<IReadOnlySet<long>> ReadBackAsync()
    {
        try
        {
            await using var source = DataSource(options.ReadHost);
            await using var fresh = await ConnectAsync(source, ReadDeadline);
            return await Within(ReadDeadline, SelectAsync(fresh));
        }
        catch (Exception failure) when (IsFailure(failure))
        {
            throw new TargetException(Why(failure), failure);
        }
    }

    public void Dispose()
    {
        Abandon();
        writeTo?.Dispose();
    }

    private static bool IsFailure(Exception failure) => failure is NpgsqlException or SocketException or IOException or OperationCanceledException or TimeoutException;

    private static string Why(Exception failure) => failure switch
    {
        OperationCanceledException => "no connection in time",
        TimeoutException => "no answer in time",
        _ => failure.InnerException?.Message ?? failure.Message,
    };

    private Task<T> Within<T>(TimeSpan deadline, Task<T> answer)
    {
        owed = answer;
        return answer.WaitAsync(deadline);
    }

    private NpgsqlDataSource DataSource(string host)
    {
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = host,
            Port = options.Port,
            Username = "postgres",
            Database = "postgres",
            Password = options.Password,
            ApplicationName = options.Key,
            Pooling = false,
            CommandTimeout = 0,
            SslMode = SslMode.Disable,
        };
        // Text and numbers are all that is needed; without it the first connection after an outage is no slower than the others.
        return new NpgsqlDataSourceBuilder(settings.ConnectionString).ConfigureTypeLoading(types => types.EnableTypeLoading(false)).Build();
    }

    private async Task<NpgsqlConnection> ConnectAsync(NpgsqlDataSource source, TimeSpan deadline)
    {
        using var cancellation = new CancellationTokenSource(deadline);
        var opening = source.OpenConnectionAsync(cancellation.Token).AsTask();
        // The kernel of a server that stands still accepts the connection, and Npgsql then waits for its first word, cancelled or not.
        if (await Task.WhenAny(opening, Task.Delay(Timeout.Infinite, cancellation.Token)) != opening)
        {
            _ = opening.ContinueWith(late => late.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            throw new OperationCanceledException(cancellation.Token);
        }
        var fresh = await opening;
        fresh.Notice += (_, notice) => warning = notice.Notice.InvariantSeverity == "WARNING" ? notice.Notice.MessageText : warning;
        return fresh;
    }

    private async Task CreateTableAsync(NpgsqlConnection on)
    {
        await using var command = new NpgsqlCommand(CreateTable, on);
        await Within(options.AnswerDeadline, command.ExecuteNonQueryAsync());
        isTableThere = true;
    }

    private async Task<ServerIdentity> InsertAsync(NpgsqlConnection on, long number)
    {
        await using var command = new NpgsqlCommand(Insert, on) { Parameters = { new() { Value = options.Key }, new() { Value = number } } };
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        var server = new ServerIdentity(reader.GetString(0), reader.GetInt64(1));
        // The row comes before the commit: only the end of the answer is the acknowledgement.
        while (await reader.ReadAsync() || await reader.NextResultAsync()) { }
        return server;
    }

    private async Task<IReadOnlySet<long>> SelectAsync(NpgsqlConnection on)
    {
        await using var command = new NpgsqlCommand(Select, on) { Parameters = { new() { Value = options.Key } } };
        var numbers = new HashSet<long>();
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync()) numbers.Add(reader.GetInt64(0));
        return numbers;
    }

    /// <summary>Forgets the connection. One that owes an answer cannot be closed before it has come, or never will.</summary>
    private void Abandon()
    {
        if (connection is not { } left) return;
        connection = null;
        _ = (owed ?? Task.CompletedTask).ContinueWith(_ => left.Dispose(), TaskScheduler.Default);
    }
}
