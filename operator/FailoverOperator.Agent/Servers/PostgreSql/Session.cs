using Npgsql;

namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>
/// A connection whose commands end with their token, at once: Npgsql would ask a server that hangs to cancel them, and wait for that. A command
/// that is given up may be carried out yet; its connection is closed when it is over.
/// </summary>
/// <param name="source">Disposed with the connection. Null: it is somebody else's.</param>
internal sealed class Session(NpgsqlConnection connection, NpgsqlDataSource? source = null) : IAsyncDisposable
{
    private Task _last = Task.CompletedTask;

    public Task ExecuteAsync(string sql, CancellationToken cancellationToken) => ReadAsync(sql, _ => 0, cancellationToken);

    /// <summary>The first column of the first row. Null: no row, or null.</summary>
    public Task<string?> TextAsync(string sql, CancellationToken cancellationToken) => ReadAsync(sql, row => row.TextOrNull(0), cancellationToken);

    public async Task<bool> IsInRecoveryAsync(CancellationToken cancellationToken) =>
        await TextAsync("select pg_is_in_recovery()::text", cancellationToken) == "true";

    /// <summary>The first row. Default: there is none.</summary>
    public Task<T?> ReadAsync<T>(string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var work = RunAsync(sql, read);
        _last = work;
        return work.WaitAsync(cancellationToken);
    }

    public ValueTask DisposeAsync() => EndAsync(_last, connection, source);

    /// <summary>Closes what <paramref name="work"/> uses: now, or when it is over.</summary>
    public static ValueTask EndAsync(Task work, params IAsyncDisposable?[] used)
    {
        var end = EndWhenOverAsync(work, used);
        return work.IsCompleted ? new ValueTask(end) : ValueTask.CompletedTask;
    }

    private async Task<T?> RunAsync<T>(string sql, Func<NpgsqlDataReader, T> read)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var row = await command.ExecuteReaderAsync();
        // Later commands of the same text may fail, which only reading them tells.
        var first = await row.ReadAsync() ? read(row) : default;
        while (await row.NextResultAsync())
        {
        }
        return first;
    }

    private static async Task EndWhenOverAsync(Task work, IAsyncDisposable?[] used)
    {
        await work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var each in used.OfType<IAsyncDisposable>()) await each.DisposeAsync();
    }
}

internal static class RowExtensions
{
    public static string? TextOrNull(this NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    public static long? NumberOrNull(this NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);
}
