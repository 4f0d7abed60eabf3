using FailoverOperator.Core.Observations;
using FailoverOperator.Engines;
using FailoverOperator.Engines.PostgreSql;
using FailoverOperator.Tests.Engines.Agents;

namespace FailoverOperator.Tests.Engines.PostgreSql;

[Trait("Category", "Servers")]
public sealed class PostgreSqlVerifierTests(PostgreSqlServer server) : IClassFixture<PostgreSqlServer>
{
    private static readonly MemberEndpoint Member = new("shop", "db-1", "uid-1", "127.0.0.1");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_primary_takes_the_write_again_and_again_and_keeps_the_term()
    {
        Done(await VerifyAsync(group: "again", term: 7));
        Done(await VerifyAsync(group: "again", term: 8));
        // A group that was deleted and made anew begins anew.
        Done(await VerifyAsync(group: "again", term: 1));
        Assert.Equal(1L, await server.ReadAsync("select term from failover_operator.heartbeat where group_name = 'again' and slot = '0'"));
    }

    [Theory]
    [InlineData("postgres", "postgres", "wrong", "engine.postgreSQL.username and passwordSecretRef")]
    [InlineData("nobody", "postgres", "wrong", "engine.postgreSQL.username and passwordSecretRef")]
    [InlineData("postgres", "none", PostgreSqlServer.Password, "correct engine.postgreSQL.database")]
    public async Task A_login_that_is_refused_says_what_to_correct(string user, string database, string password, string message)
    {
        var reason = NotDone(await VerifyAsync(user, database, password));
        Assert.Contains(message, reason);
        Assert.DoesNotContain(PostgreSqlServer.Password, reason);
    }

    [Fact]
    public async Task A_server_that_is_read_only_is_said_to_be_a_standby()
    {
        await server.ExecuteAsync("create role reader login superuser password 'r'; alter role reader set default_transaction_read_only = on");
        Assert.Contains("is read-only", NotDone(await VerifyAsync("reader", password: "r")));
    }

    [Fact]
    public async Task A_role_without_rights_is_told_which_it_needs_and_a_table_made_for_it_is_enough()
    {
        await server.ExecuteAsync("create role writer login password 'w'");
        await server.ExecuteAsync("create database app");
        Assert.Contains("give it a schema failover_operator", NotDone(await VerifyAsync("writer", "app", "w")));

        await server.ExecuteAsync("create schema failover_operator authorization writer", "app");
        Done(await VerifyAsync("writer", "app", "w"));
        await server.ExecuteAsync("alter schema failover_operator owner to postgres; grant usage on schema failover_operator to writer", "app");
        Done(await VerifyAsync("writer", "app", "w"));
    }

    /// <summary>A commit that is given up while it waits must not be taken for a success.</summary>
    [Fact]
    public async Task A_write_that_no_standby_confirms_is_not_done()
    {
        await server.ExecuteAsync("create role synchronous login superuser password 's'");
        Done(await VerifyAsync("synchronous", password: "s"));
        await server.ExecuteAsync("alter system set synchronous_standby_names = 'ghost'");
        await server.ExecuteAsync("select pg_reload_conf()");
        try
        {
            await UntilAsync(async () => (string?)await server.ReadAsync("show synchronous_standby_names") == "ghost");
            Assert.Contains("did not acknowledge the write in time", NotDone(await VerifyAsync("synchronous", password: "s", timeout: TimeSpan.FromSeconds(1))));
        }
        finally
        {
            await server.ExecuteAsync("alter system reset synchronous_standby_names");
            await server.ExecuteAsync("select pg_reload_conf()");
        }
    }

    [Fact]
    public async Task A_write_that_waits_for_a_lock_ends_in_time()
    {
        Done(await VerifyAsync(group: "locked"));
        await server.ExecuteAsync("create role locker login superuser password 'l'");
        var holding = server.ExecuteAsync("begin; lock table failover_operator.heartbeat; select pg_sleep(3); commit");
        await UntilAsync(async () => (long)(await server.ReadAsync("select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted and relation = 'failover_operator.heartbeat'::regclass"))! > 0);
        Assert.Contains("in time", NotDone(await VerifyAsync(group: "locked", timeout: TimeSpan.FromMilliseconds(500))));
        await holding;
    }

    [Fact]
    public async Task A_port_that_nobody_listens_on_is_refused()
    {
        await using var gone = new ScriptedServer();
        await gone.DisposeAsync();
        Assert.Contains("no server listens there", NotDone(await VerifyAsync(gone.Member.PodAddress, gone.Port)));
    }

    [Fact]
    public async Task A_server_that_hangs_is_waited_for_no_longer_than_the_deadline()
    {
        await using var mute = new ScriptedServer();
        var began = RealClock.Instance.GetTimestamp();
        Assert.Contains("in time", NotDone(await VerifyAsync(mute.Member.PodAddress, mute.Port)));
        Assert.InRange(RealClock.Instance.GetElapsedTime(began), TimeSpan.FromMilliseconds(400), Patience);
    }

    private Task<EngineOutcome> VerifyAsync(string user = "postgres", string database = "postgres", string password = PostgreSqlServer.Password, string group = "db", long term = 7, TimeSpan? timeout = null) =>
        new PostgreSqlVerifier(new PostgreSqlSettings { Port = server.Port, Username = user, Database = database, Password = password, Timeout = timeout ?? Patience }, RealClock.Instance)
            .VerifyAsync(Member, Member.PodAddress, 0, new EngineContext(group, "0", term), Cancelled);

    private static Task<EngineOutcome> VerifyAsync(string address, int port) =>
        new PostgreSqlVerifier(new PostgreSqlSettings { Username = "u", Database = "d", Password = "p", Timeout = TimeSpan.FromMilliseconds(500) }, RealClock.Instance)
            .VerifyAsync(Member, address, port, new EngineContext("db", "0", 7), Cancelled);

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        while (!await condition()) await Task.Delay(TimeSpan.FromMilliseconds(20), RealClock.Instance, Cancelled);
    }

    private static void Done(EngineOutcome outcome) => Assert.True(outcome is EngineOutcome.Done, (outcome as EngineOutcome.NotDone)?.Message);

    private static string NotDone(EngineOutcome outcome) => Assert.IsType<EngineOutcome.NotDone>(outcome).Message;
}
