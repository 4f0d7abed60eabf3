namespace FailoverOperator.Engines.Redis;

/// <summary>The open connections, one for each member. Bounded; unused ones are closed.</summary>
internal sealed class RedisConnections(
    RedisSettings settings, Func<RedisCredentials> credentials, Action<string>? onDisturbed, TimeProvider time)
    : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Key, Entry> _entries = [];
    private bool _disposed;

    /// <summary>The member's connection if it is open and was made with today's credentials, else null.</summary>
    public RedisConnection? Find(MemberEndpoint member)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(Key.Of(member), out var entry))
                return null;
            if (!entry.Connection.IsConnected || entry.Connection.Credentials != credentials())
            {
                Remove(Key.Of(member), entry.Connection);
                return null;
            }
            entry.LastUsed = time.GetTimestamp();
            return entry.Connection;
        }
    }

    public async Task<RedisConnection> OpenAsync(MemberEndpoint member, CancellationToken deadline)
    {
        var connection = await RedisConnection.OpenAsync(
            member.PodAddress, settings.Port, credentials(), settings.ProbeTimeout, deadline);
        Keep(member, connection);
        connection.WhenBroken(() =>
        {
            Drop(member, connection);
            onDisturbed?.Invoke(member.PodUid);
        });
        return connection;
    }

    /// <summary>Closes this connection, and no newer one.</summary>
    public void Drop(MemberEndpoint member, RedisConnection connection)
    {
        lock (_lock)
            Remove(Key.Of(member), connection);
    }

    public async ValueTask DisposeAsync()
    {
        List<RedisConnection> open;
        lock (_lock)
        {
            _disposed = true;
            open = [.. _entries.Values.Select(entry => entry.Connection)];
            _entries.Clear();
        }
        foreach (var connection in open)
            await connection.DisposeAsync();
    }

    private void Keep(MemberEndpoint member, RedisConnection connection)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var key = Key.Of(member);
            if (_entries.TryGetValue(key, out var older))
                Remove(key, older.Connection);
            MakeRoom();
            _entries[key] = new Entry(connection) { LastUsed = time.GetTimestamp() };
        }
    }

    private void MakeRoom()
    {
        var oldestFirst = _entries.OrderBy(entry => entry.Value.LastUsed).ToList();
        foreach (var (key, entry) in oldestFirst)
            if (_entries.Count >= settings.MaxConnections || time.GetElapsedTime(entry.LastUsed) >= settings.IdleTimeout)
                Remove(key, entry.Connection);
    }

    private void Remove(Key key, RedisConnection connection)
    {
        if (_entries.TryGetValue(key, out var entry) && entry.Connection == connection)
        {
            _ = _entries.Remove(key);
            _ = connection.DisposeAsync().AsTask();
        }
    }

    private readonly record struct Key(string PodUid, string PodAddress)
    {
        public static Key Of(MemberEndpoint member) => new(member.PodUid, member.PodAddress);
    }

    private sealed class Entry(RedisConnection connection)
    {
        public RedisConnection Connection => connection;

        public long LastUsed { get; set; }
    }
}
