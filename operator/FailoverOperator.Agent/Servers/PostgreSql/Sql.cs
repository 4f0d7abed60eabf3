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
    public async Task<Session> OpenAsync(CancellationToken cancellationToken) => new(await _local.OpenConnectionAsync(cancellationToken));

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

    /// <summary>To another member's server, as the role that replicates.</summary>
    public async Task<Session> OpenPeerAsync(string address, CancellationToken cancellationToken)
    {
        var source = Source(new NpgsqlConnectionStringBuilder
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
        try
        {
            return new Session(await source.OpenConnectionAsync(cancellationToken), source);
        }
        catch
        {
            await source.DisposeAsync();
            throw;
        }
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
