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

    [Fact]
    public void It_is_remembered_in_which_term_it_was_seen()
    {
        Tell(askedAt: 5, age: 0, position: 100);
        Assert.Null(_log.Recall("uid", TimeSpan.FromSeconds(6))!.Term);
        Tell(askedAt: 6, age: 0, position: 110, new AgentFacts { Term = 3, ProcessRuns = true });
        Assert.Equal(3, _log.Recall("uid", TimeSpan.FromSeconds(6))!.Term);
    }

    private void Tell(double askedAt, double age, long position, AgentFacts? agent = null)
    {
        var status = new EngineStatus
        {
            Role = EngineRole.Primary,
            Writable = true,
            PositionBytes = position,
            Age = TimeSpan.FromSeconds(age),
            Agent = agent,
        };
        _log.Note("uid", ProbeLog.Empty.With(new EngineReply.Answered(status), TimeSpan.FromSeconds(askedAt)));
    }
}
