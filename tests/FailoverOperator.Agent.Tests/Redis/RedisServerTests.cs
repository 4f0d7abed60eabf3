using FailoverOperator.Agent.Servers.Redis;
using FailoverOperator.Agent.Tests.Supervision;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Agent.Tests.Redis;

[Collection(Processes.Name)]
public sealed class RedisServerTests(Processes processes) : IAsyncLifetime
{
    private static readonly LeaseTerms Terms = new();
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    private RedisMember one = null!;
    private RedisMember two = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        one = RedisMember.Create(processes.Supervisor);
        two = RedisMember.Create(processes.Supervisor, one.Port);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await one.DisposeAsync();
        await two.DisposeAsync();
    }

    [Fact]
    public async Task A_server_is_started_read_only()
    {
        Assert.Equal(new EngineReply.Refused("Redis has not been started yet"), await one.Server.StatusAsync(Stop));
        Assert.IsType<EngineOutcome.Done>(await one.Server.StandByAsync(Stop));
        var status = await one.StatusAsync();
        Assert.Equal((EngineRole.Standby, false, null), (status.Role, status.Writable, status.FollowsAddress));
        Assert.StartsWith("READONLY", (await Assert.ThrowsAsync<RedisErrorException>(() => one.CallAsync("SET", "a", "1"))).Message);
    }

    [Fact]
    public async Task Serving_makes_it_writable_and_following_replicates()
    {
        await PairAsync();
        Assert.Equal((EngineRole.Primary, true), (await one.StatusAsync() is var s ? (s.Role, s.Writable) : default));
        await one.CallAsync("SET", "a", "1");
        await two.UntilAsync("the write to arrive", s => s.PositionBytes >= 0 && s.Link == ReplicationLink.Up && s.IsEmpty == false);
        Assert.Equal("1", await two.CallAsync("GET", "a"));
        Assert.Equal(one.Address, (await two.StatusAsync()).FollowsAddress);
    }

    [Fact]
    public async Task Every_order_may_be_given_again()
    {
        await PairAsync();
        var before = await two.StatusAsync();
        Assert.IsType<EngineOutcome.Done>(await one.Server.ServeAsync(1, Terms, null, () => { }, Stop));
        Assert.IsType<EngineOutcome.Done>(await two.Server.FollowAsync(one.AsLeader, Stop));
        var after = await two.StatusAsync();
        Assert.Equal((before.Link, before.History), (after.Link, after.History));
        Assert.Equal(ReplicationLink.Up, after.Link);
    }

    [Fact]
    public async Task A_demoted_primary_refuses_writes_and_sends_its_clients_away()
    {
        await PairAsync();
        using var client = await one.ConnectAsync();
        await client.CallAsync(Stop, "SET", "a", "1");
        Assert.IsType<EngineOutcome.Done>(await one.Server.DemoteAsync(Stop));
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            for (var i = 0; i < 2; i++) await client.CallAsync(Stop, "SET", "a", "2");
        });
        Assert.StartsWith("READONLY", (await Assert.ThrowsAsync<RedisErrorException>(() => one.CallAsync("SET", "a", "3"))).Message);
        Assert.Equal("1", await one.CallAsync("GET", "a"));
        Assert.IsType<EngineOutcome.Done>(await one.Server.DemoteAsync(Stop));
    }

    [Fact]
    public async Task The_fence_is_lifted_with_the_promotion_to_what_the_user_had_set()
    {
        await using var strict = RedisMember.Create(processes.Supervisor, null, null, "--min-replicas-to-write", "1");
        await strict.Server.ServeAsync(1, Terms, null, () => { }, Stop);
        Assert.False((await strict.StatusAsync()).Writable);
        await strict.Server.DemoteAsync(Stop);
        Assert.Equal("1000000", Setting(await strict.CallAsync("CONFIG", "GET", "min-replicas-to-write")));
        await strict.Server.DemoteAsync(Stop);
        await strict.Server.ServeAsync(2, Terms, null, () => { }, Stop);
        Assert.Equal("1", Setting(await strict.CallAsync("CONFIG", "GET", "min-replicas-to-write")));
    }

    [Fact]
    public async Task A_demoted_primary_follows_the_next_one_without_copying_everything()
    {
        await PairAsync();
        await one.CallAsync("SET", "a", "1");
        await two.UntilAsync("the write to arrive", s => s.IsEmpty == false);
        await one.Server.DemoteAsync(Stop);
        await two.Server.ServeAsync(2, Terms, null, () => { }, Stop);
        await one.Server.FollowAsync(two.AsLeader, Stop);
        await one.UntilAsync("one to follow two", s => s.Link == ReplicationLink.Up);
        await two.CallAsync("SET", "b", "2");
        await one.UntilAsync("the second write to arrive", _ => one.CallAsync("GET", "b").Result is "2");
        Assert.Contains("sync_partial_ok:1", (string)(await two.CallAsync("INFO", "stats"))!);
        Assert.Contains("sync_full:0", (string)(await two.CallAsync("INFO", "stats"))!);
    }

    [Fact]
    public async Task A_hand_over_loses_no_write_and_tells_where_it_ended()
    {
        await PairAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var acknowledged = 0;
        var writer = WriteAsync();
        await RealClock.UntilAsync("a hundred writes are acknowledged", () => Volatile.Read(ref acknowledged) >= 100);

        var position = await one.Server.ShutDownAsync(Stop).WaitAsync(Soon, Stop);

        Assert.NotNull(position);
        await two.Server.ServeAsync(2, Terms, null, () => { }, Stop);
        await writer.WaitAsync(Soon, Stop);
        Assert.True((await two.StatusAsync()).PositionBytes >= position);
        Assert.Equal((long)acknowledged, await two.CallAsync("LLEN", "rows"));

        async Task WriteAsync()
        {
            using var client = await one.ConnectAsync();
            try
            {
                while (true)
                {
                    await client.CallAsync(stop.Token, "RPUSH", "rows", "x");
                    Interlocked.Increment(ref acknowledged);
                }
            }
            catch (Exception refused) when (refused is IOException or RedisErrorException)
            {
                // Sent away.
            }
        }
    }

    [Fact]
    public async Task A_hand_over_without_standbys_does_not_wait_for_any()
    {
        await one.Server.ServeAsync(1, Terms, null, () => { }, Stop);
        await one.CallAsync("SET", "a", "1");
        Assert.NotNull(await one.Server.ShutDownAsync(Stop).WaitAsync(TimeSpan.FromSeconds(2), Stop));
        Assert.False((await one.StatusAsync()).Writable);
    }

    [Fact]
    public async Task A_server_that_was_killed_is_started_again_by_the_next_order()
    {
        await PairAsync();
        await two.KillAsync();
        Assert.Equal(new EngineReply.Refused("Redis ended with 137"), (await two.Server.StatusAsync(Stop)) is EngineReply.Refused r ? r with { Message = r.Message.Split(':')[0] } : null);
        Assert.IsType<EngineOutcome.Done>(await two.Server.FollowAsync(one.AsLeader, Stop));
        await two.UntilAsync("two to follow again", s => s.Link == ReplicationLink.Up);
    }

    [Fact]
    public async Task A_password_is_used_for_both_agent_and_replication()
    {
        await using var a = RedisMember.Create(processes.Supervisor, null, "s3cret");
        await using var b = RedisMember.Create(processes.Supervisor, a.Port, "s3cret");
        Assert.IsType<EngineOutcome.Done>(await a.Server.ServeAsync(1, Terms, null, () => { }, Stop));
        Assert.IsType<EngineOutcome.Done>(await b.Server.FollowAsync(a.AsLeader, Stop));
        await b.UntilAsync("b to follow", s => s.Link == ReplicationLink.Up);

        using var wrong = new RedisServer(a.Settings with { Password = "wrong" }, a, RealClock.Instance);
        Assert.Contains("check FAILOVER_REDIS_PASSWORD", Assert.IsType<EngineReply.Unauthorized>(await wrong.StatusAsync(Stop)).Message);
        Assert.DoesNotContain("s3cret", a.Settings.ToString());
    }

    [Fact]
    public async Task A_server_that_hangs_ends_no_order_but_every_order_ends_with_its_token()
    {
        await PairAsync();
        Assert.True(one.Run!.Signal(19));
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(200), RealClock.Instance);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => one.Server.DemoteAsync(cancel.Token).WaitAsync(Soon, Stop));
        using var cancelToo = new CancellationTokenSource(TimeSpan.FromMilliseconds(200), RealClock.Instance);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => one.Server.StatusAsync(cancelToo.Token).WaitAsync(Soon, Stop));
    }

    [Fact]
    public async Task A_server_that_ends_at_once_is_told_with_its_last_words()
    {
        await using var broken = RedisMember.Create(processes.Supervisor, null, null, "--no-such-option", "1");
        var outcome = Assert.IsType<EngineOutcome.NotDone>(await broken.Server.StandByAsync(Stop));
        Assert.StartsWith("Redis ended with 1: ", outcome.Message);
    }

    private async Task PairAsync()
    {
        Assert.IsType<EngineOutcome.Done>(await one.Server.ServeAsync(1, Terms, null, () => { }, Stop));
        Assert.IsType<EngineOutcome.Done>(await two.Server.FollowAsync(one.AsLeader, Stop));
        await two.UntilAsync("two to follow one", s => s.Link == ReplicationLink.Up);
    }

    private static string? Setting(object? pair) => ((List<object?>)pair!)[1] as string;
}
