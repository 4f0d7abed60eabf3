using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;
using static FailoverOperator.Agent.Tests.Loop.AgentUnderTest;

namespace FailoverOperator.Agent.Tests.Loop;

/// <summary>The server's process ends, or cannot be made primary, or cannot be killed.</summary>
public sealed class CrashTests
{
    private const int Seconds = 1000;
    private static readonly LeaseTerms RestartFirst = Terms with { RestartTimeoutSeconds = 5 };

    [Fact]
    public void The_lease_of_a_crashed_primary_is_released_at_once()
    {
        using var agent = Holder();
        agent.Supervisor.Crash(139, "starting\nPANIC: could not write to file\n");
        agent.Settle();
        Assert.Equal(new ReleaseNote(Me, 2, ReleaseReason.ProcessDown, null, "the server's process ended with 139: PANIC: could not write to file"), agent.Released);
        agent.Pass(1 * Seconds);
        Assert.True(agent.Supervisor.Runs);
        Assert.False(agent.Server.IsWritable);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(5, 1)]
    [InlineData(5, 2)]
    public void A_server_that_ends_before_it_is_known_to_be_primary_may_have_acknowledged_writes_and_is_not_started_again_unheard(int restartSeconds, int ends)
    {
        using var agent = new AgentUnderTest();
        agent.Server.EndsOnceWritable = ends;
        agent.Write(Assigned(Me, 2, Terms with { RestartTimeoutSeconds = restartSeconds }));
        agent.Pass(2 * Seconds);
        // It keeps the lease only where a restart comes first, and that once.
        var isBack = restartSeconds > 0 && ends == 1;
        Assert.Equal((restartSeconds > 0 ? 2 : 1, isBack), (agent.Server.Served, agent.Server.IsWritable));
        Assert.Equal(isBack ? null : ReleaseReason.ProcessDown, agent.Released?.Reason);
    }

    [Fact]
    public void The_lease_is_not_released_before_every_process_is_dead()
    {
        using var agent = Holder();
        agent.Supervisor.KillTakes = TimeSpan.FromSeconds(2);
        agent.Supervisor.Crash(137);
        agent.Pass(1900);
        Assert.Null(agent.Released);
        agent.Pass(300);
        Assert.Equal(ReleaseReason.ProcessDown, agent.Released?.Reason);
    }

    [Fact]
    public void A_primary_that_crashes_while_terms_are_applied_is_noticed_at_once()
    {
        using var agent = Holder();
        agent.Server.ServeTakes = TimeSpan.FromSeconds(20);
        agent.Write(agent.Api.Lease! with { Terms = Terms with { SynchronousStandbys = 1 } });
        agent.Pass(100);
        agent.Supervisor.Crash(137);
        agent.Pass(50);
        Assert.Equal(ReleaseReason.ProcessDown, agent.Released?.Reason);
    }

    [Fact]
    public void If_a_restart_comes_first_a_crashed_primary_keeps_the_lease_and_serves_again()
    {
        using var agent = Holder(RestartFirst);
        agent.Server.ServeTakes = TimeSpan.FromSeconds(3);
        agent.Supervisor.Crash(137);
        agent.Settle();
        Assert.False(agent.Server.IsWritable);
        var before = agent.Api.Renewals.Count;
        agent.Pass(3500);
        Assert.True(agent.Server.IsWritable);
        Assert.Null(agent.Released);
        Assert.InRange(agent.Api.Renewals.Count - before, 3, 4);
        agent.Pass(20 * Seconds);
        Assert.Null(agent.Released);
    }

    [Fact]
    public void A_restart_that_takes_too_long_ends_in_a_release()
    {
        using var agent = Holder(RestartFirst);
        agent.Server.ServeTakes = TimeSpan.FromMinutes(1);
        agent.Supervisor.Crash(137);
        agent.Pass(4900);
        Assert.Null(agent.Released);
        agent.Pass(200);
        Assert.Equal(ReleaseReason.ProcessDown, agent.Released?.Reason);
        Assert.False(agent.Supervisor.Runs && agent.Server.IsWritable);
    }

    [Fact]
    public void A_primary_that_crashes_again_soon_is_not_restarted_a_second_time()
    {
        using var agent = Holder(RestartFirst);
        agent.Supervisor.Crash(137);
        agent.Pass(5 * Seconds);
        Assert.True(agent.Server.IsWritable);
        agent.Supervisor.Crash(137);
        agent.Settle();
        Assert.Equal(ReleaseReason.ProcessDown, agent.Released?.Reason);
    }

    [Fact]
    public void A_server_that_cannot_be_promoted_is_given_up_after_a_lease_duration()
    {
        using var agent = new AgentUnderTest();
        agent.Server.ServeProblem = "the disk is full";
        agent.Write(Assigned(Me, 2));
        agent.Pass(4 * Seconds);
        Assert.Null(agent.Released);
        Assert.Equal("the disk is full", agent.State.ServerNews);
        agent.PassUntil(() => agent.Released is not null, 6 * Seconds);
        Assert.Equal(new ReleaseNote(Me, 2, ReleaseReason.PromotionFailed, null, "the disk is full"), agent.Released);
    }

    [Fact]
    public void A_server_that_turns_read_only_by_itself_is_told_again_to_serve()
    {
        using var agent = Holder();
        var orders = agent.Server.Orders.Count;
        agent.Server.TurnReadOnly();
        agent.Pass(2 * Seconds);
        Assert.True(agent.Server.IsWritable);
        Assert.Equal("serve 2", Assert.Single(agent.Server.Orders.Skip(orders)));
    }

    [Fact]
    public void An_order_that_does_not_end_although_it_was_cancelled_keeps_the_lease_from_being_released()
    {
        using var agent = Holder();
        agent.Server.Stuck = new TaskCompletionSource();
        agent.Write(agent.Api.Lease! with { Terms = Terms with { SynchronousStandbys = 1 } });
        agent.Pass(500);
        agent.Write(ElectorProtocol.Revoke(agent.Api.Lease!));
        agent.Pass(5 * Seconds);
        Assert.False(agent.Server.IsWritable);
        Assert.NotEmpty(agent.Supervisor.Kills);
        Assert.Null(agent.Released);
        // It ends at last, and starts a server as it does: that one is killed, too, before anything is said.
        agent.Server.Stuck.SetResult();
        agent.Server.Stuck = null;
        agent.PassUntil(() => agent.Released is not null, 1 * Seconds);
        Assert.False(agent.Server.IsWritable);
    }
}
