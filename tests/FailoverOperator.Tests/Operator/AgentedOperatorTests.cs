using FailoverOperator.Api.Failovers;
using k8s.Models;
using static FailoverOperator.Tests.Operator.AgentedWorld;

namespace FailoverOperator.Tests.Operator;

/// <summary>Operators and API servers that fail, in groups with agents, in virtual time.</summary>
public class AgentedOperatorTests
{
    /// <summary>The holder goes on by the word of the others; nobody accuses it when the API server is back.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(60)]
    public void An_outage_of_the_API_server_changes_nothing(double seconds)
    {
        using var world = Running();
        world.CutOffAll(true);
        for (var passed = 0.0; passed < seconds; passed += 0.5)
        {
            world.Pass(TimeSpan.FromSeconds(0.5));
            Assert.True(world.Agent("db-0").IsWritable);
        }
        world.CutOffAll(false);
        for (var passed = 0.0; passed < 30; passed += 0.5)
        {
            world.Pass(TimeSpan.FromSeconds(0.5));
            Assert.True(world.Agent("db-0").IsWritable);
        }
        world.UntilSteady("db-0");
        Assert.Single(world.Failovers);
        Assert.Equal(1, Lease(world).Term);
    }

    [Fact]
    public void An_operator_that_alone_does_not_reach_the_API_server_accuses_nobody_when_it_does_again()
    {
        using var world = Running();
        world.Operator.Api.IsCutOff = true;
        world.Pass(TimeSpan.FromSeconds(60));
        world.Operator.Api.IsCutOff = false;
        world.Pass(TimeSpan.FromSeconds(30));
        world.UntilSteady("db-0");
        Assert.Single(world.Failovers);
    }

    [Fact]
    public void While_no_operator_runs_nothing_happens_and_the_next_one_recovers_what_failed_meanwhile()
    {
        using var world = Running();
        world.KillOperator();
        world.Pass(TimeSpan.FromSeconds(60));
        Assert.True(world.Agent("db-0").IsWritable);
        world.CutPower("node-1");
        world.Pass(TimeSpan.FromSeconds(20));
        world.StartOperator();
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "another one takes over", TimeSpan.FromSeconds(8));
        Assert.Equal(FenceEvidence.LeaseExpired, world.Failovers[^1].Status!.Fence!.Evidence);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_two_operators_one_assigns(bool released)
    {
        using var world = Running();
        var first = world.Operator;
        world.StartOperator();
        world.Pass(TimeSpan.FromSeconds(3));
        if (released) world.Server("db-0").Up = false;
        else world.CutPower("node-1");
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "another one takes over", TimeSpan.FromSeconds(15));
        world.Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(["db-0-1", "db-0-2"], world.Failovers.Select(f => f.Name()));
        Assert.Equal(2, Lease(world).Term);
        Assert.True(first.Runs && world.OperatorRuns);
    }

    /// <summary>Invariant I10: killed after any step, its successor finishes the same failover.</summary>
    [Theory]
    [MemberData(nameof(Phases))]
    public void An_operator_killed_after_a_phase_was_written_is_followed_by_one_that_finishes_the_same_failover(FailoverPhase phase, bool released)
    {
        using var world = Running();
        world.IsKilledAfter(phase, () =>
        {
            if (released) world.Server("db-0").Up = false;
            else world.CutPower("node-1");
        });
        world.Until(() => world.Failovers[^1].Status?.Phase == FailoverPhase.Completed, "the same failover ends", TimeSpan.FromMinutes(1));
        Assert.Equal(["db-0-1", "db-0-2"], world.Failovers.Select(f => f.Name()));
        world.Until(() => world.Agents.All.Count(a => a.IsWritable) == 1 && world.Condition("Available") == "True PrimaryServing", "one takes writes");
    }

    public static TheoryData<FailoverPhase, bool> Phases
    {
        get
        {
            var phases = new TheoryData<FailoverPhase, bool>();
            foreach (var released in new[] { true, false })
            {
                foreach (var phase in KilledOperators.All) phases.Add(phase, released);
            }
            return phases;
        }
    }

    /// <summary>An answer that is lost leaves the outcome unknown; what was written is found.</summary>
    [Theory]
    [InlineData("replace", "Lease")]
    [InlineData("replaceStatus", "Failover")]
    [InlineData("create", "Failover")]
    [InlineData("patch", "Pod")]
    [InlineData("patch", "Service")]
    public void An_answer_that_is_lost_does_no_harm(string verb, string kind)
    {
        using var world = Running();
        world.Operator.Api.Faults.LoseNextAnswer(c => c.Verb == verb && c.Kind == kind);
        world.Server("db-0").Up = false;
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "another one takes over", TimeSpan.FromSeconds(15));
        world.UntilSteady(world.Failovers[^1].Status!.Candidate!.Name);
        Assert.Equal(2, world.Failovers.Count);
    }

    [Fact]
    public void A_slow_API_server_makes_a_failover_slow_and_nothing_else()
    {
        using var world = Running();
        world.SlowDown(TimeSpan.FromSeconds(2));
        world.Pass(TimeSpan.FromSeconds(30));
        Assert.Single(world.Failovers);
        Assert.True(world.Agent("db-0").IsWritable);
        world.Server("db-0").Up = false;
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "another one takes over", TimeSpan.FromMinutes(1));
        Assert.Single(world.Agents.All, a => a.IsWritable);
    }

    /// <summary>
    /// A renewal that takes two seconds leaves a holder no time for the next one within its three, and a lost member cannot acknowledge it.
    /// </summary>
    [Fact]
    public void A_slow_API_server_and_a_lost_node_together_cost_availability_until_it_is_fast_again_and_nothing_else()
    {
        using var world = Running();
        world.SlowDown(TimeSpan.FromSeconds(2));
        world.Pass(TimeSpan.FromSeconds(10));
        world.CutPower("node-1");
        world.Pass(TimeSpan.FromSeconds(40));
        world.SlowDown(TimeSpan.Zero);
        world.Until(() => world.Condition("Available") == "True PrimaryServing" && world.Agents.All.Count(a => a.IsWritable) == 1, "somebody takes writes", TimeSpan.FromSeconds(15));
        Assert.All(world.Failovers.Where(f => f.Status?.Phase == FailoverPhase.Failed), f => Assert.Contains("no renewal", f.Status!.Message));
    }
}
