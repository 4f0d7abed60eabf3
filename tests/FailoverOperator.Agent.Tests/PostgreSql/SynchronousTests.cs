using FailoverOperator.Agent.Servers.PostgreSql;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Agent.Tests.PostgreSql;

public sealed class SynchronousTests(FirstData first)
{
    private static readonly TimeSpan AWhile = TimeSpan.FromMilliseconds(400);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_primary_acknowledges_no_write_before_a_standby_has_it()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 3, synchronous: 1);
        var (a, b, c) = (group.Members[0], group.Members[1], group.Members[2]);
        _ = await a.Server.DemoteAsync(Stop);
        _ = await c.Server.DemoteAsync(Stop);

        await group.ServeAsync(b);
        var write = b.SqlAsync("insert into rows values (1)");
        await Task.Delay(AWhile, RealClock.Instance, Stop);
        Assert.False(write.IsCompleted);

        _ = await c.FollowAsync(b);
        _ = await write;
        Assert.Equal("1", await c.SqlAsync("select count(*) from rows"));
    }

    [Fact]
    public async Task Changed_terms_are_applied_to_the_running_primary()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 2, synchronous: 0);
        var (a, b) = (group.Members[0], group.Members[1]);
        await using var c = new PostgreSqlMember("db-2");
        var before = await a.StatusAsync();
        _ = await a.SqlAsync("insert into rows values (1)");

        _ = await a.ServeAsync(PostgreSqlMember.Terms(1, a, c));
        Assert.Equal("ANY 1 (\"db-2\")", await a.SqlAsync("show synchronous_standby_names"));
        Assert.Equal("failover_db_2", await a.SqlAsync("select string_agg(slot_name, ',') from pg_replication_slots where not active"));
        var write = a.SqlAsync("insert into rows values (2)");
        await Task.Delay(AWhile, RealClock.Instance, Stop);
        Assert.False(write.IsCompleted);

        _ = await a.ServeAsync(PostgreSqlMember.Terms(1, a, b));
        _ = await write;
        Assert.Equal("failover_db_1", await a.SqlAsync("select string_agg(slot_name, ',') from pg_replication_slots"));
        Assert.Equal(before.Instance, (await a.StatusAsync()).Instance);
    }

    [Fact]
    public async Task A_standby_waits_for_somebody_once_promoted_if_its_leader_does_so_now()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 2, synchronous: 1);
        Assert.Equal(MemberNames.WaitForNobodyYet, await group.Members[1].SqlAsync("show synchronous_standby_names"));

        _ = await group.Members[0].ServeAsync(PostgreSqlMember.Terms(0, group.Members));
        Assert.IsType<EngineOutcome.Done>(await group.Members[1].Server.FollowAsync(group.Members[0].AsLeader, Stop));

        Assert.Equal("", await group.Members[1].SqlAsync("show synchronous_standby_names"));
    }

    [Fact]
    public async Task A_primary_alone_in_its_terms_waits_for_good_and_says_so()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 1, synchronous: 1);
        var a = group.Members[0];
        var write = a.SqlAsync("insert into rows values (1)");
        await Task.Delay(AWhile, RealClock.Instance, Stop);
        Assert.False(write.IsCompleted);
        Assert.Contains("no other member", (await a.StatusAsync()).Message, StringComparison.Ordinal);
        _ = await a.Server.DemoteAsync(Stop);
        _ = await Assert.ThrowsAnyAsync<Npgsql.NpgsqlException>(() => write);
    }

    [Fact]
    public async Task What_ALTER_SYSTEM_has_set_is_noticed_and_named()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 2, synchronous: 0);
        var (a, b) = (group.Members[0], group.Members[1]);
        _ = await b.SqlAsync("alter system set synchronous_standby_names = ''");
        _ = await b.SqlAsync("alter system set primary_conninfo = 'host=nowhere'");
        _ = await b.SqlAsync("select pg_reload_conf()");

        var refused = Assert.IsType<EngineOutcome.NotDone>(await b.Server.ServeAsync(2, PostgreSqlMember.Terms(1, a, b), null, () => { }, Stop));
        Assert.Contains("ALTER SYSTEM RESET", refused.Message, StringComparison.Ordinal);
        Assert.Contains("synchronous_standby_names", refused.Message, StringComparison.Ordinal);
        Assert.False((await b.StatusAsync()).Writable);

        _ = await b.SqlAsync("alter system reset all");
        _ = await b.SqlAsync("select pg_reload_conf()");
        _ = await b.FollowAsync(a);
    }
}
