using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>Standbys that take in late what they receive, in virtual time: a failover waits for them, for as long as it may.</summary>
public class WarmStandbyTests
{
    private const long Written = 1000;

    [Fact]
    public void A_failover_waits_until_a_standby_has_caught_up_and_records_the_wait()
    {
        using var world = Late(syncTimeoutSeconds: 30);
        Assert.Equal("False CatchingUp", world.Condition("FailoverReady"));
        DeletePrimary(world);
        world.Until(() => Running(world).Phase == FailoverPhase.CatchingUp, "it waits");
        world.Pass(TimeSpan.FromSeconds(10));
        Assert.Equal((FailoverPhase.CatchingUp, Reasons.CatchingUp), (Running(world).Phase, Running(world).Reason));
        Assert.Contains($"({Written - 100} bytes beyond)", Running(world).Message, StringComparison.Ordinal);
        Assert.DoesNotContain(world.Servers.Commands, c => c.EndsWith(" 2", StringComparison.Ordinal));

        world.Server("db-2").Position = Written;
        world.Until(() => Running(world).Phase == FailoverPhase.Completed, "it goes on at once", TimeSpan.FromSeconds(5));
        Assert.Equal("db-2", Running(world).Candidate!.Name);
        Assert.InRange(Assert.Single(Running(world).Phases, p => p.Name == TimedPhase.CatchUp).Milliseconds, 10_000, 12_000);
        Assert.Equal(Running(world).DowntimeMilliseconds, Running(world).Phases.Sum(p => p.Milliseconds));
        Assert.Single(world.Servers.Primaries);
    }

    [Fact]
    public void When_its_time_is_over_it_is_blocked_and_names_lag_and_limit_and_still_takes_who_gets_there()
    {
        using var world = Late(syncTimeoutSeconds: 10);
        DeletePrimary(world);
        world.Until(() => Running(world).Reason == Reasons.CatchUpTimedOut, "it gives up waiting", TimeSpan.FromSeconds(20));
        Assert.Equal("False CatchUpTimedOut", world.Condition("Progressing"));
        Assert.Contains("no standby caught up to within targets.rpoSeconds (1 s) in warm.syncTimeoutSeconds (10 s): db-1 misses more than the last 1 s of writes (900 bytes beyond)", Running(world).Message, StringComparison.Ordinal);
        world.Pass(TimeSpan.FromMinutes(3));
        Assert.DoesNotContain(world.Servers.Commands, c => c.EndsWith(" 2", StringComparison.Ordinal));

        world.Server("db-1").Position = Written;
        world.Until(() => Running(world).Phase == FailoverPhase.Completed, "whoever gets there is promoted after all");
        Assert.Equal("db-1", Running(world).Candidate!.Name);
    }

    [Fact]
    public void An_operator_that_is_killed_while_it_waits_is_followed_by_one_that_goes_on_waiting_and_no_longer()
    {
        using var world = Late(syncTimeoutSeconds: 20);
        DeletePrimary(world);
        world.Until(() => Running(world).Phase == FailoverPhase.CatchingUp, "it waits");
        world.Pass(TimeSpan.FromSeconds(5));
        world.KillOperator();
        world.Pass(TimeSpan.FromSeconds(5));
        world.StartOperator();
        var before = world.Now;
        world.Until(() => Running(world).Reason == Reasons.CatchUpTimedOut, "it gives up waiting", TimeSpan.FromSeconds(20));
        Assert.InRange(world.Now - before, TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(12));

        world.KillOperator();
        world.StartOperator();
        world.Server("db-1").Position = Written;
        world.Until(() => Running(world).Phase == FailoverPhase.Completed, "whoever gets there is promoted after all");
        Assert.Equal(["db-0-1", "db-0-2"], world.Failovers.Select(f => f.Name()));
    }

    /// <summary>Invariant I10, for the phases before and after the wait, too.</summary>
    [Theory]
    [InlineData(FailoverPhase.Fencing)]
    [InlineData(FailoverPhase.Electing)]
    [InlineData(FailoverPhase.CatchingUp)]
    [InlineData(FailoverPhase.Promoting)]
    [InlineData(FailoverPhase.Repointing)]
    public void An_operator_killed_after_a_phase_was_written_is_followed_by_one_that_finishes_the_same_failover(FailoverPhase phase)
    {
        using var world = Late(syncTimeoutSeconds: 60);
        world.KillOperatorAfter(phase, term: 2);
        DeletePrimary(world);
        if (phase is FailoverPhase.Promoting or FailoverPhase.Repointing)
        {
            world.Until(() => Running(world).Phase == FailoverPhase.CatchingUp, "it waits");
            world.Server("db-1").Position = Written;
        }
        world.Until(() => !world.OperatorRuns, $"the operator dies after {phase}");
        world.StartOperator();
        world.Pass(TimeSpan.FromSeconds(3));
        world.Server("db-1").Position = Written;
        world.Until(() => Running(world).Phase == FailoverPhase.Completed, "the same failover ends");
        Assert.Equal("db-1", Running(world).Candidate!.Name);
        Assert.Single(world.Servers.Primaries);
    }

    /// <summary>An operator that has not seen the primary at work does not know how far it was.</summary>
    [Fact]
    public void With_an_unknown_lag_nobody_is_waited_for_and_nothing_is_fenced()
    {
        using var world = Late(syncTimeoutSeconds: 10);
        world.KillOperator();
        world.Server("db-0").Hangs = true;
        world.StartOperator();
        world.Until(() => world.Condition("Progressing") == "False LagUnknown", "nobody may be promoted");
        world.Pass(TimeSpan.FromMinutes(1));
        Assert.Single(world.Failovers);
        Assert.Equal("False LagUnknown", world.Condition("FailoverReady"));
        Assert.Contains("with standby: Warm its link alone does not", world.Group.Status!.Conditions.Single(c => c.Type == "FailoverReady").Message, StringComparison.Ordinal);
    }

    /// <summary>The standbys have stopped to take anything in, and the recovery point objective is long past.</summary>
    private static OperatorWorld Late(int syncTimeoutSeconds)
    {
        var world = new OperatorWorld(spec => spec with
        {
            Standby = StandbyTemperature.Warm,
            Warm = new WarmSpec { SyncTimeoutSeconds = syncTimeoutSeconds },
            Targets = spec.Targets with { RpoSeconds = 1, RtoSeconds = 300 },
        });
        world.StartOperator();
        world.UntilSteady("db-0");
        foreach (var name in new[] { "db-1", "db-2" }) world.Server(name).IsLate = true;
        world.Server("db-0").Position = Written;
        // The primary's successor would have all the data.
        world.NewPodsAreBroken = true;
        world.Until(() => world.Condition("FailoverReady") == "False CatchingUp", "nobody is within the objective any more", TimeSpan.FromSeconds(20));
        return world;
    }

    private static void DeletePrimary(OperatorWorld world) => world.Api.Change<V1Pod>("shop", "db-0", p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch);

    private static FailoverStatus Running(OperatorWorld world) => world.Failovers[^1] is { Spec.Term: 2, Status: { } status } ? status : new FailoverStatus();
}
