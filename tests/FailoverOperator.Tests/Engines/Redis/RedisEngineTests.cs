using FailoverOperator.Core.Observations;
using FailoverOperator.Engines;
using FailoverOperator.Engines.Redis;

namespace FailoverOperator.Tests.Engines.Redis;

[Trait("Category", "Servers")]
public sealed class RedisEngineTests
{
    private static readonly EngineContext Context = new("orders", "0", 7);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>A server may have to wait long for its turn on a machine that is busy with other tests.</summary>
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan ShortTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Surely not by running into the timeout, even on a machine that is busy with other tests.</summary>
    private static readonly double AtOnceMilliseconds = ProbeTimeout.TotalMilliseconds / 2;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_fresh_server_is_an_empty_writable_primary()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Engine(server.Port);

        var status = await StatusAsync(engine, server);

        Assert.Equal((EngineRole.Primary, true, (bool?)true), (status.Role, status.Writable, status.IsEmpty));
        Assert.Equal((40, 40), (status.Instance?.Length, status.History?.Length));
        Assert.Null(status.PreviousHistory);
        Assert.Equal(ReplicationLink.Unknown, status.Link);
    }

    [Fact]
    public async Task A_standby_follows_reports_its_position_and_takes_over_when_promoted()
    {
        await using var first = await RedisServer.StartAsync();
        await using var second = await RedisServer.StartAsync(first.Port);
        await using var engine = Engine(first.Port);

        Done(await engine.FollowAsync(second.Member, first.Member, Context, Cancelled));
        Done(await engine.FollowAsync(second.Member, first.Member, Context, Cancelled));
        Done(await VerifyAsync(engine, first));
        var standby = await UntilAsync(engine, second, status => status is { Link: ReplicationLink.Up, IsEmpty: false });
        var primary = await StatusAsync(engine, first);

        Assert.Equal((EngineRole.Standby, false), (standby.Role, standby.Writable));
        Assert.Equal(first.Member.PodAddress, standby.FollowsAddress);
        Assert.Null(standby.LinkDownFor);
        Assert.Equal(primary.History, standby.History);
        Assert.Equal(primary.PositionBytes, standby.PositionBytes);
        var refused = Assert.IsType<EngineOutcome.NotDone>(await VerifyAsync(engine, second));
        Assert.Contains("read-only", refused.Message);

        await first.KillAsync();
        Done(await engine.PromoteAsync(second.Member, Context, Cancelled));
        Done(await engine.PromoteAsync(second.Member, Context, Cancelled));
        var promoted = await StatusAsync(engine, second);

        Assert.Equal((EngineRole.Primary, true), (promoted.Role, promoted.Writable));
        Assert.Equal(primary.History, promoted.PreviousHistory);
        Assert.NotEqual(primary.History, promoted.History);
        Done(await VerifyAsync(engine, second));
    }

    [Fact]
    public async Task A_standby_whose_primary_is_gone_says_since_when()
    {
        await using var first = await RedisServer.StartAsync();
        await using var second = await RedisServer.StartAsync(first.Port);
        await using var engine = Engine(first.Port);
        Done(await engine.FollowAsync(second.Member, first.Member, Context, Cancelled));
        var before = await UntilAsync(engine, second, status => status.Link == ReplicationLink.Up);

        await first.KillAsync();
        var after = await UntilAsync(engine, second, status => status.Link == ReplicationLink.Down);

        Assert.NotNull(after.LinkDownFor);
        Assert.Equal(before.History, after.History);
        Assert.True(after.PositionBytes >= before.PositionBytes);
    }

    [Fact]
    public async Task A_demoted_server_is_read_only_keeps_its_data_and_follows_nobody()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Engine(server.Port);
        Done(await VerifyAsync(engine, server));

        Done(await engine.DemoteAsync(server.Member, Context, Cancelled));
        var status = await StatusAsync(engine, server);

        Assert.Equal((EngineRole.Standby, false, null, (bool?)false),
            (status.Role, status.Writable, status.FollowsAddress, status.IsEmpty));
        _ = Assert.IsType<EngineOutcome.NotDone>(await VerifyAsync(engine, server));
    }

    [Fact]
    public async Task A_server_is_never_ordered_to_follow_itself()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Engine(server.Port);

        var outcome = await engine.FollowAsync(server.Member, server.Member, Context, Cancelled);

        Assert.Contains("itself", Assert.IsType<EngineOutcome.NotDone>(outcome).Message);
        Assert.Equal(EngineRole.Primary, (await StatusAsync(engine, server)).Role);
    }

    [Fact]
    public async Task A_primary_that_lacks_replicas_is_not_writable()
    {
        await using var server = await RedisServer.StartAsync(null, "--min-replicas-to-write", "1");
        await using var engine = Engine(server.Port);

        var status = await StatusAsync(engine, server);

        Assert.Equal((EngineRole.Primary, false), (status.Role, status.Writable));
    }

    [Theory]
    [InlineData("", "wrong")]
    [InlineData("", null)]
    [InlineData("nobody", "secret")]
    public async Task A_rejected_login_is_unauthorized(string username, string? password)
    {
        await using var server = await RedisServer.StartAsync(null, "--requirepass", "secret");
        await using var engine = Engine(server.Port, () => new RedisCredentials(username, password));

        var reply = await engine.StatusAsync(server.Member, Cancelled);

        Assert.Contains("passwordSecretRef", Assert.IsType<EngineReply.Unauthorized>(reply).Message);
    }

    [Fact]
    public async Task A_corrected_password_is_used_at_once_and_given_to_the_standbys()
    {
        string[] password = ["--requirepass", "secret"];
        await using var first = await RedisServer.StartAsync(null, password);
        await using var second = await RedisServer.StartAsync(first.Port, password);
        var credentials = new RedisCredentials("", "wrong");
        await using var engine = Engine(first.Port, () => credentials);
        _ = Assert.IsType<EngineReply.Unauthorized>(await engine.StatusAsync(second.Member, Cancelled));

        credentials = new RedisCredentials("", "secret");
        Done(await engine.FollowAsync(second.Member, first.Member, Context, Cancelled));

        _ = await UntilAsync(engine, second, status => status.Link == ReplicationLink.Up);
    }

    [Fact]
    public async Task A_closed_port_is_refused_at_once()
    {
        await using var engine = Engine(RedisServer.FreePort());
        var started = RealClock.Instance.GetTimestamp();

        var reply = await engine.StatusAsync(new MemberEndpoint("default", "redis-0", "uid", "127.0.0.1"), Cancelled);

        _ = Assert.IsType<EngineReply.Refused>(reply);
        Assert.InRange(RealClock.Instance.GetElapsedTime(started).TotalMilliseconds, 0, AtOnceMilliseconds);
    }

    [Fact]
    public async Task A_stopped_process_is_silent_within_the_timeout_and_answers_when_it_goes_on()
    {
        await using var server = await RedisServer.StartAsync();
        await using var patient = Engine(server.Port);
        var before = await StatusAsync(patient, server);
        await using var engine = Engine(server.Port, timeout: ShortTimeout);
        _ = await engine.StatusAsync(server.Member, Cancelled);
        server.Stop();
        var started = RealClock.Instance.GetTimestamp();

        var onOpenConnection = await engine.StatusAsync(server.Member, Cancelled);
        var onNewConnection = await engine.StatusAsync(server.Member, Cancelled);

        _ = Assert.IsType<EngineReply.Silent>(onOpenConnection);
        _ = Assert.IsType<EngineReply.Silent>(onNewConnection);
        Assert.InRange(RealClock.Instance.GetElapsedTime(started).TotalMilliseconds, 2 * ShortTimeout.TotalMilliseconds - 100, ProbeTimeout.TotalMilliseconds);
        server.Continue();
        Assert.Equal(before.Instance, (await StatusAsync(patient, server)).Instance);
    }

    [Fact]
    public async Task A_killed_process_is_refused_at_once_and_is_seen_again_at_once()
    {
        await using var server = await RedisServer.StartAsync();
        await using var engine = Engine(server.Port);
        var before = await StatusAsync(engine, server);

        await server.KillAsync();
        var killed = RealClock.Instance.GetTimestamp();
        var reply = await engine.StatusAsync(server.Member, Cancelled);
        var noticed = RealClock.Instance.GetElapsedTime(killed);

        _ = Assert.IsType<EngineReply.Refused>(reply);
        Assert.InRange(noticed.TotalMilliseconds, 0, AtOnceMilliseconds);

        await server.StartAgainAsync();
        var after = await StatusAsync(engine, server);

        Assert.NotEqual(before.Instance, after.Instance);
    }

    [Fact]
    public async Task A_broken_connection_is_told_without_being_asked()
    {
        await using var server = await RedisServer.StartAsync();
        var disturbed = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var engine = Engine(server.Port, onDisturbed: uid => disturbed.TrySetResult(uid));
        _ = await StatusAsync(engine, server);
        var killed = RealClock.Instance.GetTimestamp();

        await server.KillAsync();

        Assert.Equal(server.Member.PodUid, await disturbed.Task.WaitAsync(Patience, Cancelled));
        Assert.InRange(RealClock.Instance.GetElapsedTime(killed).TotalMilliseconds, 0, AtOnceMilliseconds);
    }

    private static RedisEngine Engine(int port, Func<RedisCredentials>? credentials = null, Action<string>? onDisturbed = null, TimeSpan? timeout = null) =>
        new(new RedisSettings { Port = port, ProbeTimeout = timeout ?? ProbeTimeout }, credentials ?? (() => RedisCredentials.None), RealClock.Instance, onDisturbed);

    private static Task<EngineOutcome> VerifyAsync(RedisEngine engine, RedisServer server) =>
        engine.VerifyAsync(server.Member, server.Member.PodAddress, 0, Context, Cancelled);

    private static void Done(EngineOutcome outcome) => Assert.Equal(new EngineOutcome.Done(), outcome);

    private static async Task<EngineStatus> StatusAsync(RedisEngine engine, RedisServer server)
    {
        var reply = await engine.StatusAsync(server.Member, Cancelled);
        return reply is EngineReply.Answered answered ? answered.Status : throw new InvalidOperationException(EngineReply.Describe(reply));
    }

    private static async Task<EngineStatus> UntilAsync(RedisEngine engine, RedisServer server, Func<EngineStatus, bool> condition)
    {
        using var deadline = new CancellationTokenSource(Patience, RealClock.Instance);
        while (true)
        {
            var status = await StatusAsync(engine, server);
            if (condition(status))
                return status;
            await Task.Delay(TimeSpan.FromMilliseconds(20), RealClock.Instance, deadline.Token);
        }
    }
}
