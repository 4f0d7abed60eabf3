using FailoverOperator.Api.Agents;

namespace FailoverOperator.Agent.Tests.PostgreSql;

/// <summary>Members db-0, db-1 ... with the same first data. db-0 serves, the others follow it.</summary>
internal sealed class PostgreSqlGroup : IAsyncDisposable
{
    private long _term = 1;

    private PostgreSqlGroup(int synchronous, PostgreSqlMember[] members) => (Synchronous, Members) = (synchronous, members);

    public int Synchronous { get; }

    public PostgreSqlMember[] Members { get; }

    public LeaseTerms Terms => PostgreSqlMember.Terms(Synchronous, Members);

    /// <param name="settings">Lines for everybody's configuration.</param>
    public static async Task<PostgreSqlGroup> StartAsync(
        FirstData first, int members, int synchronous, string settings = "", PostgreSqlMember? primary = null)
    {
        var standbys = Enumerable.Range(1, members - 1).Select(i => new PostgreSqlMember($"db-{i}"));
        var group = new PostgreSqlGroup(synchronous, [primary ?? new PostgreSqlMember("db-0"), .. standbys]);
        foreach (var member in group.Members)
        {
            await File.AppendAllTextAsync(member.UserConfiguration, settings + "\n", TestContext.Current.CancellationToken);
            await first.GiveToAsync(member);
        }
        _ = await group.Members[0].ServeAsync(group.Terms);
        await Task.WhenAll(group.Members[1..].Select(m => m.FollowAsync(group.Members[0])));
        return group;
    }

    /// <summary>The next term's primary.</summary>
    public Task ServeAsync(PostgreSqlMember member) => member.ServeAsync(Terms, ++_term);

    public async ValueTask DisposeAsync()
    {
        foreach (var member in Members) await member.DisposeAsync();
    }
}

/// <summary>Clients that insert numbered rows as fast as they can, and remember which were acknowledged.</summary>
internal sealed class Writers : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly HashSet<int> _acknowledged = [];
    private readonly Task[] _writers;
    private int _next;

    public Writers(PostgreSqlMember primary, int count) => _writers = [.. Enumerable.Range(0, count).Select(_ => WriteAsync(primary))];

    public int Acknowledged
    {
        get
        {
            lock (_acknowledged) return _acknowledged.Count;
        }
    }

    public async Task UntilAsync(int rows)
    {
        await RealClock.UntilAsync($"{rows} rows are acknowledged", () => Acknowledged >= rows);
    }

    /// <summary>Rows that were acknowledged but are not there.</summary>
    public async Task<int[]> MissingAsync(PostgreSqlMember member)
    {
        await StopAsync();
        var rows = await member.SqlAsync("select coalesce(string_agg(n::text, ','), '') from rows");
        var there = rows!.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).ToHashSet();
        lock (_acknowledged) return [.. _acknowledged.Except(there)];
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_writers).WaitAsync(TimeSpan.FromSeconds(20), RealClock.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private async Task WriteAsync(PostgreSqlMember primary)
    {
        try
        {
            await using var connection = await primary.ConnectAsync();
            while (!_stop.IsCancellationRequested)
            {
                var row = Interlocked.Increment(ref _next);
                await using var command = new Npgsql.NpgsqlCommand($"insert into rows values ({row})", connection);
                _ = await command.ExecuteNonQueryAsync(_stop.Token);
                lock (_acknowledged) _ = _acknowledged.Add(row);
            }
        }
        catch (Exception exception) when (exception is Npgsql.NpgsqlException or OperationCanceledException or System.Net.Sockets.SocketException)
        {
        }
    }
}
