using FailoverOperator.Core.Observations;
using FailoverOperator.Engines;
using FailoverOperator.Engines.Guarding;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Tests.Engines.Guarding;

/// <summary>Operations that keep failing are not tried for a while, and nothing else is kept back.</summary>
public sealed class GuardedEngineTests
{
    private static readonly MemberEndpoint One = new("shop", "db-1", "uid-1", "10.0.0.1");
    private static readonly MemberEndpoint Two = new("shop", "db-2", "uid-2", "10.0.0.2");
    private static readonly MemberEndpoint Primary = new("shop", "db-0", "uid-0", "10.0.0.0");
    private static readonly EngineContext Context = new("db", "0", 1);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly Scripted _inner = new();
    private readonly GuardedEngine _engine;

    public GuardedEngineTests() => _engine = new GuardedEngine(_inner, TimeSpan.FromSeconds(5), _time);

    [Fact]
    public async Task Whoever_judges_has_judged_before_a_circuit_opens()
    {
        _inner.Reply = new EngineReply.Silent("no answer");
        for (var second = 0; second < 10; second++)
        {
            Assert.Equal(_inner.Reply, await AskAsync(One));
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Equal(10, _inner.Questions);
    }

    [Fact]
    public async Task A_member_that_keeps_failing_is_asked_ever_more_seldom_and_is_unknown_meanwhile()
    {
        _inner.Reply = new EngineReply.Failed("hook status ended with exit code 1");
        for (var second = 0; second < 600; second++)
        {
            var reply = await AskAsync(One);
            if (second > 12) Assert.True(reply is EngineReply.Silent { WasAsked: false }, $"after {second} s: {reply}");
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        // 12 until it opens, then after 5, 10, 20 and every 30 seconds.
        Assert.InRange(_inner.Questions, 28, 36);
        var open = Assert.Single(_engine.OpenOf("uid-1"));
        Assert.Equal((GuardedOperation.Status, "hook status ended with exit code 1"), (open.Operation, open.Failure));
        Assert.InRange(open.TriedAgainIn.TotalSeconds, 0, 30);
        Assert.Matches("^db-1 is not asked, circuit open until 2026-01-01T00:1[0-9]:[0-9]{2}Z: hook status ended", EngineReply.Describe(await AskAsync(One)));
        Assert.Empty(_engine.OpenOf("uid-2"));
    }

    [Fact]
    public async Task A_trial_that_is_answered_closes_the_circuit()
    {
        await OpenAsync(One);
        _inner.Reply = Answer;
        Assert.IsType<EngineReply.Silent>(await AskAsync(One));
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(Answer, await AskAsync(One));
        Assert.Equal(Answer, await AskAsync(One));
        Assert.Empty(_engine.OpenOf("uid-1"));
    }

    [Fact]
    public async Task Another_member_is_asked_all_the_same_and_so_is_one_that_somebody_waits_for()
    {
        await OpenAsync(One);
        var before = _inner.Questions;
        Assert.Equal(_inner.Reply, await AskAsync(Two));
        Assert.Equal(before + 1, _inner.Questions);
        _engine.AlwaysAsk(["uid-1"]);
        Assert.Equal(_inner.Reply, await AskAsync(One));
        _inner.Reply = Answer;
        Assert.Equal(Answer, await AskAsync(One));
        _engine.AlwaysAsk([]);
        Assert.Equal(Answer, await AskAsync(One));
        Assert.Empty(_engine.OpenOf("uid-1"));
    }

    [Fact]
    public async Task A_pod_that_has_changed_is_asked_at_once()
    {
        await OpenAsync(One);
        _inner.Reply = Answer;
        _engine.Forgive("uid-1");
        Assert.Equal(Answer, await AskAsync(One));
    }

    [Fact]
    public async Task Answers_that_say_something_open_no_circuit()
    {
        EngineReply[] answers = [Answer, new EngineReply.Refused("nobody listens"), new EngineReply.Unauthorized("wrong password")];
        foreach (var reply in answers)
        {
            _inner.Reply = reply;
            for (var second = 0; second < 60; second++)
            {
                Assert.Equal(reply, await AskAsync(One));
                _time.Advance(TimeSpan.FromSeconds(1));
            }
        }
    }

    [Fact]
    public async Task An_order_that_fails_twice_is_put_off_but_not_that_to_follow_another_primary()
    {
        _inner.Outcome = new EngineOutcome.NotDone("exit code 1");
        for (var n = 0; n < 50; n++) _ = await FollowAsync(Primary);
        Assert.Equal(2, _inner.Orders);
        Assert.Contains("circuit open until 2026-01-01T00:00:05Z: exit code 1", Assert.IsType<EngineOutcome.NotDone>(await FollowAsync(Primary)).Message, StringComparison.Ordinal);
        _inner.Outcome = new EngineOutcome.Done();
        Assert.IsType<EngineOutcome.Done>(await FollowAsync(Two));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.IsType<EngineOutcome.Done>(await FollowAsync(Primary));
        Assert.Empty(_engine.OpenOf("uid-1"));
    }

    [Fact]
    public async Task What_a_failover_waits_for_is_never_kept_back()
    {
        _inner.Outcome = new EngineOutcome.NotDone("exit code 1");
        for (var n = 0; n < 50; n++)
        {
            Assert.Equal(_inner.Outcome, await _engine.PromoteAsync(One, Context, CancellationToken.None));
            Assert.Equal(_inner.Outcome, await _engine.VerifyAsync(One, "10.0.0.1", 0, Context, CancellationToken.None));
        }
        Assert.Equal(100, _inner.Orders);
        Assert.Empty(_engine.OpenOf("uid-1"));
    }

    [Fact]
    public async Task Whoever_gives_up_is_told_so()
    {
        await OpenAsync(One);
        _time.Advance(TimeSpan.FromSeconds(30));
        _inner.Hangs = true;
        using var source = new CancellationTokenSource();
        var asking = _engine.StatusAsync(One, source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
    }

    private static EngineReply Answer { get; } = new EngineReply.Answered(new EngineStatus { Role = EngineRole.Standby, Writable = false });

    private async Task OpenAsync(MemberEndpoint member)
    {
        _inner.Reply = new EngineReply.Silent("no answer");
        for (var second = 0; second < 13; second++)
        {
            _ = await AskAsync(member);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Single(_engine.OpenOf(member.PodUid));
    }

    private Task<EngineReply> AskAsync(MemberEndpoint member) => _engine.StatusAsync(member, CancellationToken.None);

    private Task<EngineOutcome> FollowAsync(MemberEndpoint primary) => _engine.FollowAsync(One, primary, Context, CancellationToken.None);

    private sealed class Scripted : IEngine
    {
        public EngineReply Reply { get; set; } = Answer;

        public EngineOutcome Outcome { get; set; } = new EngineOutcome.Done();

        public bool Hangs { get; set; }

        public int Questions { get; private set; }

        public int Orders { get; private set; }

        public async Task<EngineReply> StatusAsync(MemberEndpoint member, CancellationToken cancellationToken)
        {
            Questions++;
            if (Hangs) await new TaskCompletionSource().Task.WaitAsync(cancellationToken);
            return Reply;
        }

        public Task<EngineOutcome> PromoteAsync(MemberEndpoint member, EngineContext context, CancellationToken cancellationToken) => Order();

        public Task<EngineOutcome> FollowAsync(MemberEndpoint member, MemberEndpoint primary, EngineContext context, CancellationToken cancellationToken) => Order();

        public Task<EngineOutcome> DemoteAsync(MemberEndpoint member, EngineContext context, CancellationToken cancellationToken) => Order();

        public Task<EngineOutcome> VerifyAsync(MemberEndpoint member, string address, int port, EngineContext context, CancellationToken cancellationToken) => Order();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private Task<EngineOutcome> Order()
        {
            Orders++;
            return Task.FromResult(Outcome);
        }
    }
}
