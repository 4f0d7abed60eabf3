using FailoverOperator.Agent.Servers.PostgreSql;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Agent.Tests.PostgreSql;

public sealed class FailoverTests(FirstData first)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_killed_primary_takes_no_acknowledged_row_with_it_and_comes_back_rewound()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 3, synchronous: 1);
        var (a, b, c) = (group.Members[0], group.Members[1], group.Members[2]);
        await using var writers = new Writers(a, 4);
        await writers.UntilAsync(300);

        await a.KillAsync();
        Assert.IsType<EngineOutcome.Done>(await a.Server.DemoteAsync(Stop));
        _ = await b.StandByAsync();
        _ = await c.StandByAsync();
        var (best, other) = (await b.StatusAsync()).PositionBytes >= (await c.StatusAsync()).PositionBytes ? (b, c) : (c, b);
        var before = (await other.StatusAsync()).Instance;
        var since = RealClock.Instance.GetTimestamp();
        await group.ServeAsync(best);
        TestContext.Current.SendDiagnosticMessage($"promoted after {RealClock.Instance.GetElapsedTime(since).TotalMilliseconds:0} ms");
        var followed = await other.FollowAsync(best);
        Assert.Empty(await writers.MissingAsync(best));
        Assert.Equal(before, followed.Instance);

        since = RealClock.Instance.GetTimestamp();
        var rejoined = await a.FollowAsync(best);
        TestContext.Current.SendDiagnosticMessage($"rejoined after {RealClock.Instance.GetElapsedTime(since).TotalMilliseconds:0} ms");
        Assert.Contains("pg_rewind", a.Supervisor.Programs);
        Assert.DoesNotContain("pg_basebackup", a.Supervisor.Programs);
        Assert.Equal((await best.StatusAsync()).History, rejoined.History);
        Assert.Empty(await writers.MissingAsync(a));
        Assert.Equal("2", await best.SqlAsync("select count(*) from pg_stat_replication where sync_state = 'quorum'"));
        Assert.Equal("2", await best.SqlAsync("select count(*) from pg_replication_slots where active"));
        Assert.All(group.Members, m => Assert.All(m.Supervisor.StartsAsStandby, Assert.True));
    }

    [Fact]
    public async Task What_only_the_old_primary_had_is_taken_back()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 2, synchronous: 0);
        var (a, b) = (group.Members[0], group.Members[1]);
        _ = await a.SqlAsync("insert into rows values (1)");
        await b.UntilRowsAsync(1);
        _ = await b.UntilAsync(b.Server.StandByAsync, s => s.Link == ReplicationLink.Down);
        _ = await a.SqlAsync("insert into rows select generate_series(2, 5000)");

        Assert.IsType<EngineOutcome.Done>(await a.Server.DemoteAsync(Stop));
        await group.ServeAsync(b);
        _ = await b.SqlAsync("insert into rows values (6000)");
        // Between the two it is a standby of nobody, and tells how far it reaches: further than the new primary.
        _ = await a.StandByAsync();
        _ = await a.FollowAsync(b);

        Assert.Contains("pg_rewind", a.Supervisor.Programs);
        Assert.DoesNotContain("pg_basebackup", a.Supervisor.Programs);
        Assert.Equal("1,6000", await a.SqlAsync("select string_agg(n::text, ',') from rows"));
    }

    /// <summary>
    /// A primary is lost before anybody has come to its timeline. Who takes over from the timeline before begins one of another number, so that the
    /// lost one is known for another story when it comes back.
    /// </summary>
    [Fact]
    public async Task Two_that_begin_from_the_same_timeline_begin_two()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 3, synchronous: 0);
        var (a, b, c) = (group.Members[0], group.Members[1], group.Members[2]);
        _ = await a.SqlAsync("insert into rows values (1)");
        await b.UntilRowsAsync(1);
        await c.UntilRowsAsync(1);
        Assert.IsType<EngineOutcome.Done>(await a.Server.DemoteAsync(Stop));
        _ = await c.StandByAsync();
        await group.ServeAsync(b);
        _ = await b.SqlAsync("insert into rows select generate_series(2, 50)");
        var lost = await b.StatusAsync();
        Assert.IsType<EngineOutcome.Done>(await b.Server.DemoteAsync(Stop));

        Assert.Equal((await c.StatusAsync()).History, lost.PreviousHistory);
        var now = await c.ServeAsync(group.Terms, 3, new HistoryFloor(lost.History!, 0));
        Assert.Equal((NumberOf(lost) + 1, lost.PreviousHistory), (NumberOf(now), now.PreviousHistory));
        _ = await c.SqlAsync("insert into rows values (100)");

        // One that has nothing of the lost timeline comes along, also after a start of its own.
        _ = await a.FollowAsync(c);
        await a.RestartAgentAsync();
        _ = await a.FollowAsync(c);
        Assert.DoesNotContain("pg_basebackup", a.Supervisor.Programs);
        _ = await b.FollowAsync(c);
        Assert.Contains("pg_rewind", b.Supervisor.Programs);
        await a.UntilRowsAsync(2);
        Assert.Equal("1,100", await a.SqlAsync("select string_agg(n::text, ',' order by n) from rows"));
        Assert.Equal("1,100", await b.SqlAsync("select string_agg(n::text, ',' order by n) from rows"));

        static int NumberOf(EngineStatus status) => int.Parse(status.History!.Split(':')[1]);
    }

    /// <summary>A second failover comes before a member that was rewound has all that its data need, and nobody else has that.</summary>
    [Fact]
    public async Task Data_that_can_never_become_consistent_are_copied_anew()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 3, synchronous: 0);
        var (a, b, c) = (group.Members[0], group.Members[1], group.Members[2]);
        _ = await a.SqlAsync("insert into rows values (1)");
        await b.UntilRowsAsync(1);
        // c goes its own way, and b falls behind a.
        _ = await c.SqlAsync("select pg_promote()");
        _ = await c.SqlAsync("insert into rows values (13)");
        Assert.IsType<EngineOutcome.Done>(await c.Server.DemoteAsync(Stop));
        _ = await b.UntilAsync(b.Server.StandByAsync, s => s.Link == ReplicationLink.Down);
        _ = await a.SqlAsync("insert into rows values (2)");
        _ = await a.SqlAsync("select pg_switch_wal()");
        _ = await a.SqlAsync("insert into rows values (3)");
        var last = await a.SqlAsync("select pg_walfile_name(pg_current_wal_insert_lsn())");
        _ = await a.SqlAsync("checkpoint");

        // c is rewound onto a, which is lost before it has sent the last of its log.
        File.Delete(Path.Combine(c.Data, "standby.signal"));
        var tools = new PostgreSqlTools(c.Settings, c.Supervisor);
        Assert.IsType<Rewinding.Done>(await tools.RewindAsync(a.AsLeader, c.Data, Stop));
        File.Delete(Path.Combine(c.Data, "pg_wal", last!));
        Assert.IsType<EngineOutcome.Done>(await a.Server.DemoteAsync(Stop));
        using (var soon = new CancellationTokenSource(TimeSpan.FromSeconds(3), RealClock.Instance))
            _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => c.Server.StandByAsync(soon.Token));
        Assert.IsNotType<EngineReply.Answered>(await c.Server.StatusAsync(Stop));

        await group.ServeAsync(b);
        _ = await b.SqlAsync("insert into rows values (100)");
        _ = await c.FollowAsync(b);
        Assert.Contains("pg_basebackup", c.Supervisor.Programs);
        await c.UntilRowsAsync(2);
        Assert.Equal("1,100", await c.SqlAsync("select string_agg(n::text, ',' order by n) from rows"));
    }

    [Fact]
    public async Task A_primary_that_cannot_be_rewound_is_copied_anew()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 2, synchronous: 0);
        var (a, b) = (group.Members[0], group.Members[1]);
        Assert.IsType<EngineOutcome.Done>(await a.Server.DemoteAsync(Stop));
        foreach (var log in Directory.GetFiles(Path.Combine(a.Data, "pg_wal"))) File.Delete(log);
        await group.ServeAsync(b);
        _ = await b.SqlAsync("insert into rows values (1)");

        _ = await a.FollowAsync(b);

        Assert.Contains("pg_basebackup", a.Supervisor.Programs);
        Assert.Equal("1", await a.SqlAsync("select count(*) from rows"));
        Assert.Equal([Path.GetFileName(a.Data)], Directory.GetFileSystemEntries(Path.GetDirectoryName(a.Data)!).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_primary_that_is_shut_down_hands_over_its_last_byte_and_follows_as_it_is()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 2, synchronous: 0);
        var (a, b) = (group.Members[0], group.Members[1]);
        await using var writers = new Writers(a, 2);
        await writers.UntilAsync(100);

        var last = Assert.NotNull(await a.Server.ShutDownAsync(Stop));
        Assert.InRange(Assert.NotNull((await b.StatusAsync()).PositionBytes), last, long.MaxValue);
        await group.ServeAsync(b);
        Assert.Empty(await writers.MissingAsync(b));
        _ = await a.FollowAsync(b);

        Assert.DoesNotContain("pg_rewind", a.Supervisor.Programs);
        Assert.DoesNotContain("pg_basebackup", a.Supervisor.Programs);
        Assert.Empty(await writers.MissingAsync(a));
    }

    [Fact]
    public async Task A_standby_that_somebody_promoted_is_ended_and_rewound()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 2, synchronous: 0);
        var (a, b) = (group.Members[0], group.Members[1]);
        _ = await b.SqlAsync("select pg_promote()");
        Assert.True((await b.StatusAsync()).Writable);
        _ = await b.SqlAsync("insert into rows values (13)");
        _ = await a.SqlAsync("insert into rows values (1)");

        _ = await b.FollowAsync(a);

        Assert.Contains("pg_rewind", b.Supervisor.Programs);
        Assert.Equal("1", await b.SqlAsync("select string_agg(n::text, ',') from rows"));
    }

    [Fact]
    public async Task A_demotion_under_load_takes_less_than_a_second_and_a_restart_is_read_only()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 1, synchronous: 0);
        var a = group.Members[0];
        await using var writers = new Writers(a, 20);
        await writers.UntilAsync(500);

        var since = RealClock.Instance.GetTimestamp();
        Assert.IsType<EngineOutcome.Done>(await a.Server.DemoteAsync(Stop));
        var took = RealClock.Instance.GetElapsedTime(since);
        TestContext.Current.SendDiagnosticMessage($"demoted after {took.TotalMilliseconds:0} ms");
        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.IsType<EngineReply.Refused>(await a.Server.StatusAsync(Stop));
        _ = await Assert.ThrowsAnyAsync<Npgsql.NpgsqlException>(() => a.ConnectAsync());

        var standby = await a.StandByAsync();
        Assert.False(standby.Writable);
        var refused = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => a.SqlAsync("insert into rows values (0)"));
        Assert.Equal("25006", refused.SqlState);
        Assert.Empty(await writers.MissingAsync(a));
    }
}
