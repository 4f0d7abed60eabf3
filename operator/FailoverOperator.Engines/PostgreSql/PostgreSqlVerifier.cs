using System.Net.Sockets;
using FailoverOperator.Core.Observations;
using Npgsql;

namespace FailoverOperator.Engines.PostgreSql;

/// <summary>How the operator logs in to write.</summary>
public sealed record PostgreSqlSettings
{
    public int Port { get; init; } = 5432;

    public required string Username { get; init; }

    public required string Database { get; init; }

    public required string Password { get; init; }

    /// <summary>Time for the whole verification, connecting included.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The password stays out of logs and messages.</summary>
    public override string ToString() => $"{Username}@:{Port}/{Database}";
}

/// <summary>
/// Proves that a PostgreSQL server takes writes: writes the term into a table of the operator's own, over a connection of its own, as
/// a client would. In a synchronous group the commit waits for a standby, as a client's does.
/// </summary>
public sealed class PostgreSqlVerifier(PostgreSqlSettings settings, TimeProvider time) : IWriteVerifier
{
    /// <summary>"If not exists" would ask for the right to create a schema even where there is one.</summary>
    private const string CreateSchema =
        "do $$ begin if to_regnamespace('failover_operator') is null then create schema failover_operator; end if; end $$";

    private const string CreateTable = """
        create table if not exists failover_operator.heartbeat (
            group_name text, slot text, term bigint not null, written_at timestamptz not null, primary key (group_name, slot))
        """;

    private const string Write = """
        insert into failover_operator.heartbeat (group_name, slot, term, written_at) values (@group, @slot, @term, now())
        on conflict (group_name, slot) do update set term = excluded.term, written_at = excluded.written_at
        """;

    public async Task<EngineOutcome> VerifyAsync(
        MemberEndpoint member, string address, int port, EngineContext context, CancellationToken cancellationToken)
    {
        var server = FormattableString.Invariant($"PostgreSQL at {address}:{(port == 0 ? settings.Port : port)} ({member.PodName})");
        using var deadline = new Deadline(settings.Timeout, time, cancellationToken);
        try
        {
            await WriteAsync(address, port, context, deadline.Token).WaitAsync(deadline.Token);
            return new EngineOutcome.Done();
        }
        catch (Exception e) when (IsExpected(e))
        {
            cancellationToken.ThrowIfCancellationRequested();
            return new EngineOutcome.NotDone($"{server} {Explain(e)}");
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task WriteAsync(string address, int port, EngineContext context, CancellationToken deadline)
    {
        await using var connection = new NpgsqlConnection(ConnectionString(address, port));
        await connection.OpenAsync(deadline);
        try
        {
            await WriteAsync(connection, context, create: false, deadline);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName)
        {
            // Only now, for it needs more rights than writing does: a person may have made the table for a role without them.
            await WriteAsync(connection, context, create: true, deadline);
        }
    }

    private async Task WriteAsync(NpgsqlConnection connection, EngineContext context, bool create, CancellationToken deadline)
    {
        await using var transaction = await connection.BeginTransactionAsync(deadline);
        await using var batch = new NpgsqlBatch(connection, transaction);
        // The server gives up by itself too: a write that nobody waits for any more must not hold its locks. Not so the commit: one
        // that is given up while it waits for a standby is called a success.
        batch.BatchCommands.Add(new NpgsqlBatchCommand(FormattableString.Invariant($"set local statement_timeout = {Milliseconds}")));
        if (create)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(CreateSchema));
            batch.BatchCommands.Add(new NpgsqlBatchCommand(CreateTable));
        }
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Write)
        {
            Parameters = { new("group", context.Group), new("slot", context.Slot), new("term", context.Term) },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand("set local statement_timeout = 0"));
        await batch.ExecuteNonQueryAsync(deadline);
        await transaction.CommitAsync(deadline);
    }

    private int Milliseconds => (int)Math.Ceiling(settings.Timeout.TotalMilliseconds);

    private string ConnectionString(string address, int port) => new NpgsqlConnectionStringBuilder
    {
        Host = address,
        Port = port == 0 ? settings.Port : port,
        Username = settings.Username,
        Password = settings.Password,
        Database = settings.Database,
        ApplicationName = "failover-operator",
        Pooling = false,
        // Whole seconds, as a bound behind the deadline, which ends it earlier.
        Timeout = (int)Math.Ceiling(settings.Timeout.TotalSeconds) + 1,
        CommandTimeout = (int)Math.Ceiling(settings.Timeout.TotalSeconds) + 1,
        GssEncryptionMode = GssEncryptionMode.Disable,
        IncludeErrorDetail = false,
    }.ConnectionString;

    private static bool IsExpected(Exception exception) => exception is
        NpgsqlException or SocketException or IOException or TimeoutException or OperationCanceledException or ObjectDisposedException;

    private string Explain(Exception exception) => exception switch
    {
        PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification } e =>
            $"rejects the login ({e.MessageText}): check engine.postgreSQL.username and passwordSecretRef",
        PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } e =>
            $"has no such database ({e.MessageText}): correct engine.postgreSQL.database",
        PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } e =>
            $"does not let {settings.Username} write ({e.MessageText}): give it a schema failover_operator, "
                + $"or the right to create one in {settings.Database}",
        PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction } => "is read-only: it is a standby, so no write could be verified",
        PostgresException { SqlState: PostgresErrorCodes.CannotConnectNow } e => $"takes no connections yet ({e.MessageText})",
        PostgresException { SqlState: PostgresErrorCodes.QueryCanceled } => "did not carry the write out in time",
        PostgresException e => $"refused the write: {e.MessageText}",
        _ when Socket(exception) is SocketError.ConnectionRefused => "refuses connections: no server listens there",
        TimeoutException or OperationCanceledException or { InnerException: TimeoutException } => "did not acknowledge the write in time",
        _ => "could not be reached, or the connection broke",
    };

    private static SocketError? Socket(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
            if (exception is SocketException found) return found.SocketErrorCode;
        return null;
    }
}
