using System.Net.Sockets;
using Npgsql;
using Npgsql.Replication;

namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>Connections, unpooled: each is somebody's, and is thrown away when it breaks.</summary>
internal sealed class Sql(PostgreSqlSettings settings) : IAsyncDisposable
{
    private readonly NpgsqlDataSource _local = Source(Local(settings));

    /// <summary>What a question to a server may fail with; anything else is a defect.</summary>
    public static bool IsExpected(Exception exception) =>
        exception is NpgsqlException or SocketException or IOException or TimeoutException or OperationCanceledException;

    /// <summary>The server's own words where it said something.</summary>
    public static string Describe(Exception exception) => exception switch
    {
        PostgresException { SqlState: var state } refused => $"{Quoting.Words(refused.MessageText)} (SQLSTATE {state})",
        OperationCanceledException => "no answer in time",
        { InnerException: { } inner } => Quoting.Words($"{exception.Message}: {inner.Message}"),
        _ => Quoting.Words(exception.Message),
    };

    /// <summary>Over the agent's own socket, as superuser. Its own writes wait for no standby: there may be none yet.</summary>
    public async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) => await _local.OpenConnectionAsync(cancellationToken);

    /// <summary>Speaks the replication protocol: the only way to a standby's timeline.</summary>
    public async Task<PhysicalReplicationConnection> OpenReplicationAsync(CancellationToken cancellationToken)
    {
        var connection = new PhysicalReplicationConnection(Local(settings).ConnectionString);
        try
        {
            await connection.Open(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Talks to another member's server, as the role that replicates.</summary>
    public async Task<T> OnPeerAsync<T>(string address, Func<NpgsqlConnection, Task<T>> talk, CancellationToken cancellationToken)
    {
        await using var source = Source(new NpgsqlConnectionStringBuilder
        {
            Host = address,
            Port = settings.Port,
            Username = ServerConfiguration.ReplicationRole,
            Password = settings.ReplicationPassword,
            Database = "postgres",
            ApplicationName = "failover_rejoin",
            SslMode = SslMode.Prefer,
            Pooling = false,
            Timeout = 2,
            CommandTimeout = 0, // Each command ends with its token.
            CancellationTimeout = -1,
        });
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        return await talk(connection);
    }

    public ValueTask DisposeAsync() => _local.DisposeAsync();

    private static NpgsqlConnectionStringBuilder Local(PostgreSqlSettings settings) => new()
    {
        Host = settings.RunDirectory,
        Port = settings.Port,
        Username = "postgres",
        Database = "postgres",
        ApplicationName = "failover_agent",
        SslMode = SslMode.Disable,
        Pooling = false,
        Timeout = 2,
        CommandTimeout = 0, // Each command ends with its token.
        CancellationTimeout = -1,
        Options = "-c synchronous_commit=local -c statement_timeout=0 -c lock_timeout=0",
    };

    /// <summary>The slim builder leaves out what would need reflection, and nothing is asked about types.</summary>
    private static NpgsqlDataSource Source(NpgsqlConnectionStringBuilder text)
    {
        var builder = new NpgsqlSlimDataSourceBuilder(text.ConnectionString);
        if (text.SslMode != SslMode.Disable) _ = builder.EnableTransportSecurity();
        return builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false)).Build();
    }
}

internal static class SqlExtensions
{
    public static async Task ExecuteAsync(this NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        _ = await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The first column of the first row. Null: no row, or null.</summary>
    public static async Task<string?> TextAsync(this NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? row.TextOrNull(0) : null;
    }

    public static async Task<bool> IsInRecoveryAsync(this NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await connection.TextAsync("select pg_is_in_recovery()::text", cancellationToken) == "true";

    public static string? TextOrNull(this NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    public static long? NumberOrNull(this NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);
}
