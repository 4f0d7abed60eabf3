using FailoverOperator.Core.Observations;
using FailoverOperator.Observing;

namespace FailoverOperator.Tests.Operator;

/// <summary>What is remembered of a primary at work.</summary>
public class PrimaryLogTests
{
    private readonly PrimaryLog _log = new(TimeSpan.FromSeconds(10));

    [Fact]
    public void The_last_sign_of_service_is_as_old_as_what_the_agent_told()
    {
        Tell(askedAt: 5, age: 2, position: 100);
        Assert.Equal(TimeSpan.FromSeconds(3), _log.Recall("uid", TimeSpan.FromSeconds(6))!.LastServiceAge);
    }

    [Fact]
    public void An_older_word_that_comes_later_takes_nothing_back()
    {
        Tell(askedAt: 5, age: 0, position: 100);
        Tell(askedAt: 6, age: 3, position: 110);
        var memory = _log.Recall("uid", TimeSpan.FromSeconds(6))!;
        Assert.Equal((TimeSpan.FromSeconds(1), 110), (memory.LastServiceAge, memory.PositionBytes));
    }

    /// <summary>Asked each second, so that a gap of two leaves nothing out.</summary>
    [Fact]
    public void Who_answers_that_it_takes_no_writes_or_does_not_listen_is_heard_unless_it_was_silent_before()
    {
        var log = new PrimaryLog(TimeSpan.FromSeconds(10), gap: TimeSpan.FromSeconds(2));
        var primary = new EngineStatus { Role = EngineRole.Primary, Writable = true };
        Note(1, new EngineReply.Answered(primary));
        Note(2, new EngineReply.Answered(primary with { Writable = false }));
        Note(4, new EngineReply.Refused("nobody listens"));
        Note(5, new EngineReply.Silent("no answer"));
        Assert.Equal((9, 6), Ages());
        Note(9, new EngineReply.Refused("nobody listens"));
        Assert.Equal((9, 6), Ages());

        void Note(double at, EngineReply reply) => log.Note("uid", ProbeLog.Empty.With(reply, TimeSpan.FromSeconds(at)));
        (double Service, double Heard) Ages() => log.Recall("uid", TimeSpan.FromSeconds(10)) is var m ? (m!.LastServiceAge.TotalSeconds, m.HeardAge!.Value.TotalSeconds) : default;
    }

    [Fact]
    public void It_is_remembered_in_which_term_it_was_seen()
    {
        Tell(askedAt: 5, age: 0, position: 100);
        Assert.Null(_log.Recall("uid", TimeSpan.FromSeconds(6))!.Term);
        Tell(askedAt: 6, age: 0, position: 110, new AgentFacts { Term = 3, ProcessRuns = true });
        Assert.Equal(3, _log.Recall("uid", TimeSpan.FromSeconds(6))!.Term);
    }

    // ---- what a primary lost for good has cost at most: its recovery point objective is 10 s

    private static AgentFacts Knows(long term) => new() { Term = term, ProcessRuns = true };

    private long? Required => _log.Recall("uid", TimeSpan.FromSeconds(100))!.RequiredPositionBytes;

    /// <summary>It was given term 2 at 20 s, when it had 900.</summary>
    [Theory]
    [InlineData(21, 2, 900L)]
    [InlineData(30, 2, 900L)]
    [InlineData(30.01, 2, 1000L)]
    [InlineData(21, 3, 1000L)] // another process gave it another term
    [InlineData(21, 1, 1000L)]
    [InlineData(21, null, 1000L)]
    [InlineData(19.99, 2, 1000L)] // said before
    public void Within_the_objective_what_it_began_with_is_enough(double askedAt, int? term, long expected)
    {
        _log.Begin("uid", term: 2, TimeSpan.FromSeconds(20), positionBytes: 900);
        Tell(askedAt, age: 0, position: 1000, term is { } number ? Knows(number) : null);
        Assert.Equal(expected, Required);
    }

    [Fact]
    public void Later_it_is_what_it_had_so_long_ago_as_the_objective_is()
    {
        _log.Begin("uid", term: 2, TimeSpan.FromSeconds(20), positionBytes: 900);
        for (var second = 21; second <= 40; second++) Tell(second, age: 0, position: 1000 + second, Knows(2));
        Assert.Equal(1030, Required);
    }

    [Fact]
    public void Another_process_does_not_guess_when_the_term_began()
    {
        Tell(askedAt: 21, age: 0, position: 1000, Knows(2));
        Assert.Equal(1000, Required);
    }

    /// <summary>A server that was started again in its term has begun another log, with all that there was.</summary>
    [Fact]
    public void A_restart_in_the_term_changes_nothing()
    {
        _log.Begin("uid", term: 2, TimeSpan.FromSeconds(20), positionBytes: 900);
        Tell(askedAt: 21, age: 0, position: 1000, Knows(2), history: "log-2");
        Tell(askedAt: 23, age: 0, position: 1100, Knows(2), history: "log-3");
        Assert.Equal(900, Required);
    }

    [Fact]
    public void Who_may_lose_nothing_goes_by_the_last_word()
    {
        var log = new PrimaryLog(TimeSpan.Zero);
        log.Begin("uid", term: 2, TimeSpan.FromSeconds(20), positionBytes: 900);
        Tell(log, askedAt: 20, age: 0, position: 1000, Knows(2), null);
        Assert.Equal(1000, log.Recall("uid", TimeSpan.FromSeconds(21))!.RequiredPositionBytes);
    }

    [Fact]
    public void The_latest_primaries_are_remembered_and_no_more()
    {
        for (var i = 0; i <= PrimaryLog.Most; i++)
        {
            _log.Begin($"uid-{i}", term: i, TimeSpan.FromSeconds(i), positionBytes: 900);
            Tell(_log, askedAt: i + 1, age: 0, position: 1000, Knows(i), history: null, uid: $"uid-{i}");
        }
        Assert.Null(_log.Recall("uid-0", TimeSpan.FromSeconds(60)));
        for (var i = 1; i <= PrimaryLog.Most; i++) Assert.Equal(900, _log.Recall($"uid-{i}", TimeSpan.FromSeconds(60))!.RequiredPositionBytes);
    }

    private void Tell(double askedAt, double age, long position, AgentFacts? agent = null, string? history = null) =>
        Tell(_log, askedAt, age, position, agent, history);

    private static void Tell(PrimaryLog log, double askedAt, double age, long position, AgentFacts? agent, string? history, string uid = "uid")
    {
        var status = new EngineStatus
        {
            Role = EngineRole.Primary,
            Writable = true,
            PositionBytes = position,
            History = history,
            Age = TimeSpan.FromSeconds(age),
            Agent = agent,
        };
        log.Note(uid, ProbeLog.Empty.With(new EngineReply.Answered(status), TimeSpan.FromSeconds(askedAt)));
    }
}
