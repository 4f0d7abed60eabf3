using FailoverOperator.Agent.Servers;
using FailoverOperator.Agent.Servers.PostgreSql;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Agent.Tests.PostgreSql;

public sealed class StandbyTests(FirstData first)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_interrupted_copy_never_looks_like_data_and_is_done_again()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 1, synchronous: 0);
        var a = group.Members[0];
        await using var b = new PostgreSqlMember("db-1");
        using var impatience = CancellationTokenSource.CreateLinkedTokenSource(Stop);

        var following = b.Server.FollowAsync(a.AsLeader, impatience.Token);
        await RealClock.UntilAsync("data are copied", () => Directory.Exists(b.Data + ".new"));
        var status = await b.StatusAsync();
        await impatience.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);

        Assert.True(status is { Role: EngineRole.Standby, Link: ReplicationLink.Syncing, Writable: false } && status.FollowsAddress == a.Address);
        Assert.True(Directory.Exists(b.Data + ".new"));
        Assert.False(Directory.Exists(b.Data));
        Assert.True((await b.StatusAsync()).IsEmpty);
        _ = await b.FollowAsync(a);
        Assert.False(Directory.Exists(b.Data + ".new"));
    }

    [Fact]
    public async Task Nobody_is_copied_from_who_is_not_a_primary()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 2, synchronous: 0);
        await using var c = new PostgreSqlMember("db-2");

        var refused = Assert.IsType<EngineOutcome.NotDone>(await c.Server.FollowAsync(group.Members[1].AsLeader, Stop));
        Assert.Contains("not a primary", refused.Message, StringComparison.Ordinal);
        refused = Assert.IsType<EngineOutcome.NotDone>(await c.Server.FollowAsync(new Leader("db-9", "127.0.0.99", 1), Stop));
        Assert.Contains("db-9 (127.0.0.99) does not answer failover_replicator", refused.Message, StringComparison.Ordinal);
        Assert.Empty(c.Supervisor.Programs);
    }

    [Fact]
    public async Task A_primary_that_was_promoted_between_two_questions_does_not_tell_the_standbys_timeline()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 2, synchronous: 0);
        var (a, b) = (group.Members[0], group.Members[1]);
        await using var sql = new Sql(b.Settings);
        await using var replication = await sql.OpenReplicationAsync(Stop);
        await using var session = await sql.OpenAsync(Stop);
        var before = await replication.IdentifySystem(Stop);

        _ = await a.Server.DemoteAsync(Stop);
        await group.ServeAsync(b);
        var row = await StatusRow.ReadAsync(session, before);

        Assert.False(row.InRecovery);
        Assert.True(row.Position.Timeline > before.Timeline, $"{row.Position} is still of timeline {before.Timeline}");
        Assert.Equal(await session.TextAsync("select ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int::text", Stop), $"{row.Position.Timeline}");
        Assert.True(row.Position.Bytes >= (long)(ulong)before.XLogPos, $"{row.Position} is not after {before.XLogPos}");
    }

    /// <summary>As after a rewind, or a crash in the middle of it all: it lets nobody in before it has read on, and only the leader has what it lacks.</summary>
    [Fact]
    public async Task A_standby_that_lets_nobody_in_yet_learns_of_its_leader_all_the_same()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 2, synchronous: 0);
        var (a, b) = (group.Members[0], group.Members[1]);
        _ = await b.Server.DemoteAsync(Stop);
        foreach (var segment in Directory.EnumerateFiles(Path.Combine(b.Data, "pg_wal"))) File.Delete(segment);
        using var impatience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var standing = b.Server.StandByAsync(impatience.Token);
        while (b.Supervisor.Server?.LastOutput.Contains("waiting for WAL", StringComparison.Ordinal) != true)
            await Task.Delay(TimeSpan.FromMilliseconds(10), RealClock.Instance, Stop);
        await impatience.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => standing);

        _ = await b.FollowAsync(a);
    }

    [Fact]
    public async Task A_standby_that_was_away_for_too_long_is_copied_anew()
    {
        const string LittleLog = "max_slot_wal_keep_size = 1MB\nwal_keep_size = 0\nmin_wal_size = 2MB\nmax_wal_size = 2MB";
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 2, synchronous: 0, LittleLog);
        var (a, b) = (group.Members[0], group.Members[1]);
        _ = await b.Server.DemoteAsync(Stop);
        for (var i = 0; i < 8; i++)
        {
            _ = await a.SqlAsync($"insert into rows values ({i})");
            _ = await a.SqlAsync("select pg_switch_wal()");
            _ = await a.SqlAsync("checkpoint");
        }

        _ = await b.FollowAsync(a);

        Assert.Contains("pg_basebackup", b.Supervisor.Programs);
        Assert.Equal("8", await b.SqlAsync("select count(*) from rows"));
        Assert.Equal("reserved", await a.SqlAsync("select wal_status from pg_replication_slots"));
    }

    [Fact]
    public async Task A_standby_has_slots_for_a_promotion_and_they_hold_no_log_back()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 2, synchronous: 0);
        var (a, b) = (group.Members[0], group.Members[1]);
        var terms = PostgreSqlMember.Terms(0, a, b);
        const string Held = "select string_agg(slot_name || ' ' || (restart_lsn >= pg_last_wal_replay_lsn())::text, ',') from pg_replication_slots";
        Assert.IsType<EngineOutcome.Done>(await b.Server.PrepareAsync(terms, Stop));
        _ = await a.SqlAsync("insert into rows select generate_series(1, 1000)");
        await b.UntilRowsAsync(1000);
        Assert.Equal($"{MemberNames.Slot(a.Name)} false", await b.SqlAsync(Held));

        Assert.IsType<EngineOutcome.Done>(await b.Server.PrepareAsync(terms, Stop));
        Assert.Equal($"{MemberNames.Slot(a.Name)} true", await b.SqlAsync(Held));

        // A primary's own, once it is a standby again.
        _ = Assert.NotNull(await a.Server.ShutDownAsync(Stop));
        await group.ServeAsync(b);
        _ = await a.FollowAsync(b);
        _ = await b.SqlAsync("insert into rows select generate_series(1001, 2000)");
        await a.UntilRowsAsync(2000);
        Assert.Equal($"{MemberNames.Slot(b.Name)} false", await a.SqlAsync(Held));
        Assert.IsType<EngineOutcome.Done>(await a.Server.PrepareAsync(terms, Stop));
        Assert.Equal($"{MemberNames.Slot(b.Name)} true", await a.SqlAsync(Held));
        await group.ServeAsync(b);
    }

    [Fact]
    public async Task A_query_on_the_standby_does_not_hold_up_its_promotion()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 2, synchronous: 0, "max_standby_streaming_delay = -1");
        var (a, b) = (group.Members[0], group.Members[1]);
        _ = await a.SqlAsync("insert into rows select generate_series(1, 1000)");
        await b.UntilRowsAsync(1000);
        await using var query = await b.ConnectAsync();
        await using var transaction = await query.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, Stop);
        await using (var count = new Npgsql.NpgsqlCommand("select count(*) from rows", query, transaction)) _ = await count.ExecuteScalarAsync(Stop);
        _ = await a.SqlAsync("delete from rows");
        _ = await a.SqlAsync("vacuum (truncate false) rows");
        _ = await a.SqlAsync("insert into rows values (1)");
        _ = Assert.NotNull(await a.Server.ShutDownAsync(Stop));

        var since = RealClock.Instance.GetTimestamp();
        await group.ServeAsync(b);

        Assert.InRange(RealClock.Instance.GetElapsedTime(since), TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5));
        Assert.Equal("1", await b.SqlAsync("select count(*) from rows"));
    }

    [Fact]
    public async Task Settings_that_are_smaller_than_those_of_the_log_are_raised()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 2, synchronous: 0, "max_connections = 80");
        var (a, b) = (group.Members[0], group.Members[1]);
        Assert.Equal("100", await a.SqlAsync("show max_connections"));

        // The primary with larger ones: the standby stops to read its log, which keeps it from being promoted, until it is started anew.
        await File.AppendAllTextAsync(a.UserConfiguration, "max_connections = 120\n", Stop);
        _ = await a.Server.DemoteAsync(Stop);
        await group.ServeAsync(a);
        await b.UntilAsync(token => b.Server.FollowAsync(a.AsLeader, token), s => s.Link == ReplicationLink.Up);
        _ = await a.SqlAsync("insert into rows values (1)");
        var status = await b.UntilAsync(token => b.Server.FollowAsync(a.AsLeader, token), s => s is { Link: ReplicationLink.Up, Message: null });

        Assert.Equal("120", await b.SqlAsync("show max_connections"));
        await b.UntilRowsAsync(1);
        Assert.Equal(ReplicationLink.Up, status.Link);
    }

    [Fact]
    public async Task Lines_in_the_users_pg_hba_conf_take_effect_without_an_order()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 1, synchronous: 0);
        var a = group.Members[0];
        var hba = Path.Combine(a.Data, "pg_hba.conf");
        await File.WriteAllTextAsync(hba, "host all postgres 127.0.0.0/8 reject\n" + await File.ReadAllTextAsync(hba, Stop), Stop);

        _ = await a.StatusAsync();

        for (var i = 0; i < 100; i++)
        {
            try
            {
                _ = await a.SqlAsync("select 1");
            }
            catch (Npgsql.PostgresException refused)
            {
                Assert.Equal("28000", refused.SqlState);
                Assert.True((await a.StatusAsync()).Writable);
                return;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(20), RealClock.Instance, Stop);
        }
        Assert.Fail("the new lines have no effect");
    }
}
