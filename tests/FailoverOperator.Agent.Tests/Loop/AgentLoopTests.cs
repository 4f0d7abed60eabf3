using FailoverOperator.Agent.Http;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;
using static FailoverOperator.Agent.Tests.Loop.AgentUnderTest;

namespace FailoverOperator.Agent.Tests.Loop;

public sealed class AgentLoopTests
{
    private const int Seconds = 1000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_standby_prepares_its_promotion_now_and_then_and_never_waits_for_that(bool hangs)
    {
        using var agent = new AgentUnderTest(AgentUnderTest.Assigned(AgentUnderTest.Other, 1));
        agent.Server.HangsPreparing = hangs;
        agent.Pass(2000);
        Assert.Equal(1, agent.Server.Prepared);
        agent.Pass(20_000);
        Assert.InRange(agent.Server.Prepared, 2, 3);
        Assert.Equal(hangs, agent.Log.Contains("a promotion could not be prepared in time"));

        agent.Api.Write(AgentUnderTest.Assigned(AgentUnderTest.Me, 2));
        agent.Pass(200);
        Assert.True(agent.Server.IsWritable);
    }

    [Fact]
    public void An_agent_without_a_lease_stands_by()
    {
        using var agent = new AgentUnderTest();
        agent.Pass(5 * Seconds);
        Assert.Equal(["stand by"], agent.Server.Orders.Distinct());
        Assert.False(agent.Server.IsWritable);
        Assert.Null(agent.Watchdog.KillAt);
    }

    [Fact]
    public void An_assigned_agent_claims_serves_and_renews_every_second()
    {
        using var agent = new AgentUnderTest(Assigned(Other, 1));
        agent.Pass(1 * Seconds);
        agent.Write(Assigned(Me, 2));

        Assert.True(agent.Server.IsWritable);
        Assert.Equal(2, agent.Server.Term);
        agent.Pass(10 * Seconds);
        Assert.InRange(agent.Api.Renewals.Count, 10, 12);
        Assert.All(agent.Api.Renewals, r => Assert.Equal(Terms, r.Accepted));
        Assert.Equal(["stand by", "follow db-1 10.0.0.2", "serve 2"], agent.Server.Orders.Distinct());
    }

    [Fact]
    public void Nothing_is_writable_before_the_first_renewal_is_acknowledged()
    {
        using var agent = new AgentUnderTest();
        agent.Api.Latency = TimeSpan.FromMilliseconds(800);
        agent.Write(Assigned(Me, 2));
        agent.Pass(700);
        Assert.False(agent.Server.IsWritable);
        agent.Pass(200);
        Assert.True(agent.Server.IsWritable);
    }

    [Fact]
    public void A_claim_that_gets_no_answer_is_tried_again_and_never_serves()
    {
        using var agent = new AgentUnderTest();
        agent.Api.LosesAnswers = true;
        agent.Write(Assigned(Me, 2));
        agent.Pass(5 * Seconds);
        Assert.False(agent.Server.IsWritable);
        agent.Api.LosesAnswers = false;
        agent.Pass(2 * Seconds);
        Assert.True(agent.Server.IsWritable);
    }

    [Fact]
    public void A_holder_without_failsafe_stops_when_its_last_renewal_is_three_seconds_old()
    {
        using var agent = Holder(Terms with { Failsafe = false });
        var last = agent.Api.Renewals[^1].At;
        agent.Api.IsDown = true;
        agent.PassUntil(() => !agent.Server.IsWritable);
        Assert.InRange(agent.Now - last, TimeSpan.FromMilliseconds(3000), TimeSpan.FromMilliseconds(3050));
        Assert.Empty(agent.Supervisor.Kills);
        Assert.Empty(agent.Peers.Asked);

        agent.Api.IsDown = false;
        agent.PassUntil(() => agent.Released is not null, 3 * Seconds);
        Assert.Equal(new ReleaseNote(Me, 2, ReleaseReason.SelfFenced, null, "no renewal of term 2 was acknowledged in time"), agent.Released);
        Assert.Null(agent.Watchdog.KillAt);
    }

    /// <summary>What anybody else wrote came after the last renewal; whoever was never a primary has no say in it.</summary>
    [Fact]
    public void Who_was_the_primary_tells_how_long_ago_it_surely_was_the_only_one()
    {
        using var agent = Holder(Terms with { Failsafe = false });
        Assert.Null(AgentStatusReport.Of(agent.State, null, null).ServedAgoMilliseconds);
        var last = agent.Api.Renewals[^1].At;
        agent.Write(Assigned(Other, 3));
        agent.Pass(5 * Seconds);
        Assert.Equal((agent.Now - last).TotalMilliseconds, AgentStatusReport.Of(agent.State, null, null).ServedAgoMilliseconds!.Value, tolerance: 50);
        agent.Write(Assigned(Me, 4));
        agent.Pass(1 * Seconds);
        Assert.Null(AgentStatusReport.Of(agent.State, null, null).ServedAgoMilliseconds);

        using var standby = new AgentUnderTest(Assigned(Other, 1));
        standby.Pass(5 * Seconds);
        Assert.Null(AgentStatusReport.Of(standby.State, null, null).ServedAgoMilliseconds);
    }

    [Fact]
    public void A_holder_whose_server_hangs_is_killed_at_the_deadline_and_released_when_all_is_dead()
    {
        using var agent = Holder(Terms with { Failsafe = false });
        var last = agent.Api.Renewals[^1].At;
        agent.Api.IsDown = true;
        agent.Server.IsHung = true;
        agent.Supervisor.KillTakes = TimeSpan.FromMilliseconds(50);
        agent.PassUntil(() => agent.Supervisor.Kills.Count > 0);
        Assert.InRange(agent.Supervisor.Kills[0] - last, TimeSpan.FromMilliseconds(4000), TimeSpan.FromMilliseconds(4050));
        agent.Api.IsDown = false;
        agent.PassUntil(() => agent.Released is not null, 3 * Seconds);
        Assert.Equal(ReleaseReason.SelfFenced, agent.Released!.Reason);
    }

    [Fact]
    public void While_every_other_member_acknowledges_a_holder_stays_without_the_api_server()
    {
        using var agent = Holder();
        agent.Api.IsDown = true;
        agent.Pass(60 * Seconds);
        Assert.True(agent.Server.IsWritable);
        Assert.Equal(["db-1", "db-2"], agent.Peers.Asked.Distinct().Order());
        Assert.InRange(agent.Peers.Asked.Count, 100, 130);
        Assert.Equal(["stand by", "serve 2"], agent.Server.Orders);

        agent.Api.IsDown = false;
        agent.Pass(3 * Seconds);
        var asked = agent.Peers.Asked.Count;
        agent.Pass(10 * Seconds);
        Assert.Equal(asked, agent.Peers.Asked.Count);
        Assert.True(agent.Server.IsWritable);
        Assert.Null(agent.State.RenewalProblem);
    }

    [Theory]
    [InlineData("refuses")]
    [InlineData("is silent")]
    [InlineData("hangs")]
    public void One_member_that_does_not_acknowledge_ends_the_tenure(string how)
    {
        using var agent = Holder();
        agent.Api.IsDown = true;
        agent.Pass(20 * Seconds);
        Assert.True(agent.Server.IsWritable);
        agent.Peers.Answer = (member, _) => member.Name == "db-1" ? Task.FromResult<AcknowledgeReply?>(new AcknowledgeReply(true, null)) : how switch
        {
            "refuses" => Task.FromResult<AcknowledgeReply?>(new AcknowledgeReply(false, "term 3 has been seen")),
            "is silent" => Task.FromResult<AcknowledgeReply?>(null),
            _ => new TaskCompletionSource<AcknowledgeReply?>().Task,
        };
        var took = agent.PassUntil(() => !agent.Server.IsWritable);
        Assert.InRange(took, TimeSpan.FromMilliseconds(2000), TimeSpan.FromMilliseconds(3050));
        Assert.Contains("db-2", agent.State.FailsafeProblem);
    }

    [Fact]
    public void A_slow_api_server_makes_no_second_writer_and_with_failsafe_no_outage()
    {
        using var agent = Holder();
        agent.Api.Latency = TimeSpan.FromSeconds(2);
        agent.Pass(60 * Seconds);
        Assert.True(agent.Server.IsWritable);
        Assert.Contains("did not answer within 1000 ms", agent.State.RenewalProblem);
    }

    /// <summary>A renewal that is without an answer leaves no time for waiting until it has failed.</summary>
    [Fact]
    public void A_slow_api_server_is_no_outage_for_a_holder_that_renews_seldom()
    {
        using var agent = Holder(Terms with { RenewIntervalMilliseconds = 2000 });
        agent.Api.Latency = TimeSpan.FromSeconds(2);
        agent.Pass(60 * Seconds);
        Assert.True(agent.Server.IsWritable);
        Assert.Equal(0, agent.State.Counters.Demotions);
    }

    /// <summary>A promise can keep its giver from being promoted.</summary>
    [Theory]
    [InlineData(1000)]
    [InlineData(2000)]
    public void Nobody_is_asked_while_the_api_server_answers_in_time(int renewIntervalMilliseconds)
    {
        using var agent = Holder(Terms with { RenewIntervalMilliseconds = renewIntervalMilliseconds });
        agent.Api.Latency = TimeSpan.FromMilliseconds(200);
        agent.Pass(20 * Seconds);
        Assert.Equal((0, 0), (agent.State.Counters.Rounds, agent.State.Counters.FailedRounds));
    }

    [Fact]
    public void A_revoked_holder_is_demoted_at_once_and_says_so()
    {
        using var agent = Holder();
        agent.Write(ElectorProtocol.Revoke(agent.Api.Lease!));
        Assert.False(agent.Server.IsWritable);
        Assert.Equal(ReleaseReason.SelfFenced, agent.Released?.Reason);
        agent.Pass(5 * Seconds);
        Assert.False(agent.Server.IsWritable);
    }

    [Fact]
    public void A_revoked_holder_whose_server_hangs_is_killed_within_the_demote_timeout()
    {
        using var agent = Holder();
        agent.Server.IsHung = true;
        var revoked = agent.Now;
        agent.Write(ElectorProtocol.Revoke(agent.Api.Lease!));
        Assert.True(agent.Server.IsWritable);
        agent.PassUntil(() => agent.Released is not null);
        Assert.InRange(agent.Now - revoked, TimeSpan.FromMilliseconds(1000), TimeSpan.FromMilliseconds(1050));
        Assert.NotEmpty(agent.Supervisor.Kills);
    }

    [Fact]
    public void A_deleted_lease_ends_the_tenure()
    {
        using var agent = Holder();
        agent.Write(null);
        Assert.False(agent.Server.IsWritable);
        agent.Pass(10 * Seconds);
        Assert.False(agent.Server.IsWritable);
    }

    [Fact]
    public void A_holder_that_nobody_assigned_is_not_obeyed()
    {
        using var agent = new AgentUnderTest(Assigned(Other, 1));
        agent.Write(Assigned(Other, 1) with { Holder = Me, Term = 2 });
        agent.Pass(10 * Seconds);
        Assert.False(agent.Server.IsWritable);
        Assert.Empty(agent.Api.Renewals);
    }

    [Fact]
    public void When_somebody_else_holds_the_lease_the_server_follows()
    {
        using var agent = Holder();
        agent.Write(Assigned(Other, 3));
        Assert.Equal("10.0.0.2", agent.Server.FollowsAddress);
        Assert.False(agent.Server.IsWritable);
        agent.Pass(10 * Seconds);
        // Fulfilled, so it is not ordered again.
        Assert.Single(agent.Server.Orders, "follow db-1 10.0.0.2");
    }

    [Fact]
    public void A_standby_that_ends_is_started_again_and_ever_more_slowly()
    {
        using var agent = new AgentUnderTest(Assigned(Other, 1));
        agent.Pass(1 * Seconds);
        agent.Supervisor.Crash(1);
        agent.PassUntil(() => agent.Supervisor.Runs, 200);
        for (var i = 0; i < 8; i++)
        {
            agent.Supervisor.Crash(1);
            agent.PassUntil(() => agent.Supervisor.Runs, 6 * Seconds);
        }
        agent.Supervisor.Crash(1);
        agent.Pass(2 * Seconds);
        Assert.False(agent.Supervisor.Runs);
        Assert.Null(agent.Released);
    }

    [Fact]
    public void A_conflict_is_read_again_and_renewed_at_once()
    {
        using var agent = Holder();
        agent.Api.WriteUnseen(agent.Api.Lease!);
        agent.Pass(1 * Seconds);
        Assert.Equal(1, agent.Api.Conflicts);
        Assert.True(agent.Server.IsWritable);
        Assert.Null(agent.State.RenewalProblem);
        Assert.InRange(agent.Now - agent.Api.Renewals[^1].At, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void A_conflict_that_is_another_holder_ends_the_tenure()
    {
        using var agent = Holder();
        agent.Api.WriteUnseen(Assigned(Other, 3));
        agent.Pass(1 * Seconds);
        Assert.False(agent.Server.IsWritable);
        Assert.Equal("10.0.0.2", agent.Server.FollowsAddress);
    }

    [Fact]
    public void Renewing_waits_for_no_hung_server_and_no_hung_order()
    {
        using var agent = Holder();
        agent.Server.IsHung = true;
        agent.Write(agent.Api.Lease! with { Terms = Terms with { SynchronousStandbys = 1 } });
        var before = agent.Api.Renewals.Count;
        agent.Pass(10 * Seconds);
        Assert.InRange(agent.Api.Renewals.Count - before, 9, 11);
    }

    [Fact]
    public void Changed_terms_are_applied_first_and_accepted_then()
    {
        using var agent = Holder();
        var changed = Terms with { SynchronousStandbys = 1 };
        agent.Server.ServeTakes = TimeSpan.FromSeconds(2);
        agent.Write(agent.Api.Lease! with { Terms = changed });
        agent.Pass(1900);
        Assert.Equal(Terms, agent.Api.Lease!.Accepted);
        Assert.Equal(Terms, agent.Server.Terms);
        agent.Pass(200);
        Assert.Equal(changed, agent.Server.Terms);
        Assert.Equal(changed, agent.Api.Lease!.Accepted);
        Assert.True(agent.Server.IsWritable);
    }

    [Fact]
    public void The_promise_to_another_holder_is_kept()
    {
        using var agent = new AgentUnderTest(Assigned(Other, 1));
        agent.Pass(20 * Seconds);
        var reply = agent.State.Acknowledge(new AcknowledgeRequest(Other, 1, Me, 5));
        Assert.True(reply.Granted);
        // Assigned on account of an expired lease: without a release note.
        agent.Write(Assigned(Me, 2) with { Release = null });
        agent.Pass(4900);
        Assert.False(agent.Server.IsWritable);
        Assert.Empty(agent.Api.Renewals);
        agent.Pass(200);
        Assert.True(agent.Server.IsWritable);
    }

    [Fact]
    public void A_holder_refuses_to_acknowledge_another_one()
    {
        using var agent = Holder();
        Assert.False(agent.State.Acknowledge(new AcknowledgeRequest(Other, 3, Me, 5)).Granted);
    }

    [Fact]
    public void An_agent_that_finds_its_own_lease_gives_it_back()
    {
        using var agent = new AgentUnderTest(Assigned(Me, 2) with { Accepted = Terms });
        agent.Settle();
        Assert.Equal(ReleaseReason.AgentRestarted, agent.Released?.Reason);
        agent.Pass(10 * Seconds);
        Assert.False(agent.Server.IsWritable);
    }

    [Fact]
    public void An_agent_that_cannot_reach_the_api_server_says_so_and_recovers()
    {
        using var agent = new AgentUnderTest();
        agent.Api.IsDown = true;
        agent.Api.BreakWatches();
        agent.Pass(5 * Seconds);
        Assert.Equal("connection refused", agent.State.WatchProblem);
        agent.Api.IsDown = false;
        agent.Pass(3 * Seconds);
        Assert.Null(agent.State.WatchProblem);
        agent.Write(Assigned(Me, 2));
        Assert.True(agent.Server.IsWritable);
    }
}
