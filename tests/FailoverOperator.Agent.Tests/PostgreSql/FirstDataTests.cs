using FailoverOperator.Core.Observations;

namespace FailoverOperator.Agent.Tests.PostgreSql;

public sealed class FirstDataTests : IAsyncLifetime
{
    private readonly PostgreSqlMember a = new("db-0");
    private readonly PostgreSqlMember b = new("db-1");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await a.DisposeAsync();
        await b.DisposeAsync();
    }

    [Fact]
    public async Task The_first_primary_creates_the_data_and_a_standby_copies_them()
    {
        Assert.True((await a.StatusAsync()) is { IsEmpty: true, Writable: false });
        var terms = PostgreSqlMember.Terms(1, a, b);

        var primary = await a.ServeAsync(terms);
        var standby = await b.FollowAsync(a);

        Assert.True(primary is { Role: EngineRole.Primary, IsEmpty: false, PositionBytes: > 0 });
        Assert.Equal(primary.History, standby.History);
        Assert.NotEqual(primary.PreviousHistory, primary.History);
        Assert.False(standby.Writable);
        await a.SqlAsync("create table t (n int)");
        await a.SqlAsync("insert into t values (1)");
        Assert.Equal("1", await b.SqlAsync("select count(*) from t"));
        Assert.Equal("failover_db_1", await a.SqlAsync("select slot_name from pg_replication_slots where active"));
        Assert.Equal("db-1", await a.SqlAsync("select application_name from pg_stat_replication where sync_state = 'quorum'"));
        Assert.Equal("on", await a.SqlAsync("show data_checksums"));
    }
}
