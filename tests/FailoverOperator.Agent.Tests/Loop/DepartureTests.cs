using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;
using static FailoverOperator.Agent.Tests.Loop.AgentUnderTest;

namespace FailoverOperator.Agent.Tests.Loop;

/// <summary>The pod is being stopped.</summary>
public sealed class DepartureTests
{
    private const int Seconds = 1000;

    [Fact]
    public void A_primary_hands_over_with_its_last_position_and_ends()
    {
        using var agent = Holder();
        agent.Server.ShutDownTakes = TimeSpan.FromSeconds(5);
        var before = agent.Api.Renewals.Count;
        agent.Loop.Stop();
        agent.Pass(4900);
        Assert.Null(agent.Released);
        Assert.InRange(agent.Api.Renewals.Count - before, 4, 5);
        agent.Pass(200);
        Assert.Equal(new ReleaseNote(Me, 2, ReleaseReason.HandOver, 1234, null), agent.Released);
        agent.PassUntil(() => agent.Run.IsCompleted, 6 * Seconds);
        Assert.True(agent.Run.IsCompletedSuccessfully);
        Assert.False(agent.Supervisor.Runs);
    }

    [Fact]
    public void A_primary_that_does_not_shut_down_in_time_is_killed_before_its_lease_is_released()
    {
        using var agent = Holder();
        agent.Server.IsHung = true;
        agent.Loop.Stop();
        var took = agent.PassUntil(() => agent.Released is not null);
        Assert.InRange(took, TimeSpan.FromSeconds(20), TimeSpan.FromMilliseconds(20_100));
        Assert.Equal((ReleaseReason.HandOver, null), (agent.Released!.Reason, agent.Released.PositionBytes));
        agent.PassUntil(() => agent.Run.IsCompleted, 1 * Seconds);
    }

    [Fact]
    public void A_hand_over_during_which_the_lease_is_lost_is_a_demotion()
    {
        using var agent = Holder(Terms with { Failsafe = false });
        agent.Server.ShutDownTakes = TimeSpan.FromSeconds(15);
        agent.Loop.Stop();
        agent.Pass(1 * Seconds);
        agent.Api.IsDown = true;
        agent.PassUntil(() => !agent.Server.IsWritable, 4 * Seconds);
        Assert.Contains("demote", agent.Server.Orders);
    }

    [Fact]
    public void A_standby_ends_at_once()
    {
        using var agent = new AgentUnderTest(Assigned(Other, 1));
        agent.Pass(1 * Seconds);
        agent.Loop.Stop();
        agent.PassUntil(() => agent.Run.IsCompleted, 500);
        Assert.True(agent.Run.IsCompletedSuccessfully);
        Assert.Contains("shut down", agent.Server.Orders);
        Assert.Null(agent.Released);
        Assert.False(agent.Supervisor.Runs);
    }

    [Fact]
    public void A_primary_that_cannot_reach_the_api_server_ends_although_its_note_is_not_written()
    {
        using var agent = Holder();
        agent.Api.IsDown = true;
        agent.Pass(2 * Seconds);
        agent.Loop.Stop();
        agent.PassUntil(() => agent.Run.IsCompleted, 7 * Seconds);
        Assert.False(agent.Supervisor.Runs);
    }

    [Fact]
    public void A_member_that_is_assigned_while_it_is_being_stopped_says_so_and_never_serves()
    {
        using var agent = new AgentUnderTest(Assigned(Other, 1));
        agent.Server.ShutDownTakes = TimeSpan.FromSeconds(5);
        agent.Pass(1 * Seconds);
        agent.Loop.Stop();
        agent.Pass(1 * Seconds);
        agent.Write(Assigned(Me, 2));
        agent.PassUntil(() => agent.Released is not null, 1 * Seconds);
        Assert.Equal(ReleaseReason.HandOver, agent.Released!.Reason);
        Assert.False(agent.Server.IsWritable);
        agent.PassUntil(() => agent.Run.IsCompleted, 10 * Seconds);
    }

    [Fact]
    public void A_primary_that_is_asked_to_hands_over_and_stays_as_a_standby()
    {
        using var agent = Holder();
        agent.Server.ShutDownTakes = TimeSpan.FromSeconds(5);
        agent.Write(ElectorProtocol.AskHandOver(agent.Api.Lease!));
        agent.Pass(4900);
        Assert.Null(agent.Released);
        agent.Pass(200);
        Assert.Equal(new ReleaseNote(Me, 2, ReleaseReason.HandOver, 1234, null), agent.Released);
        agent.Write(Assigned(Other, 3, release: agent.Released));
        agent.PassUntil(() => agent.Server.Orders[^1].StartsWith("follow", StringComparison.Ordinal), 2 * Seconds);
        Assert.False(agent.Run.IsCompleted);
        Assert.False(agent.Server.IsWritable);
    }

    [Fact]
    public void Who_handed_over_takes_it_back_in_a_new_term_only()
    {
        using var agent = Holder();
        agent.Write(ElectorProtocol.AskHandOver(agent.Api.Lease!));
        agent.PassUntil(() => agent.Released is not null, 1 * Seconds);
        agent.Pass(3 * Seconds);
        Assert.False(agent.Server.IsWritable);
        agent.Write(Assigned(Me, 3, release: agent.Released));
        agent.PassUntil(() => agent.Server.IsWritable, 3 * Seconds);
    }

    [Theory]
    [InlineData(Other, 2)]
    [InlineData(Me, 1)]
    public void A_request_for_another_assignment_means_nothing(string holder, long term)
    {
        using var agent = Holder();
        agent.Write(agent.Api.Lease! with { HandOver = LeaseContract.Assignment(holder, term) });
        agent.Pass(5 * Seconds);
        Assert.True(agent.Server.IsWritable);
        Assert.Null(agent.Released);
    }
}
