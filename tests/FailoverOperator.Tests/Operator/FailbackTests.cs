using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using static FailoverOperator.Tests.Operator.AgentedWorld;

namespace FailoverOperator.Tests.Operator;

/// <summary>The place goes back to the member that is wanted most, in virtual time.</summary>
public class FailbackTests
{
    private const int StabilizationSeconds = 60;
    private const double Tolerance = 2;

    [Fact]
    public void After_a_failover_the_wanted_member_gets_its_place_back_when_it_has_been_fit_for_long_enough()
    {
        using var world = Running();
        world.KillContainer("db-0");
        world.UntilSteady("db-1");
        var whole = world.Now;
        world.Until(() => world.Failovers[^1].Spec.Type == FailoverType.Failback, "the failback begins");
        Assert.InRange((world.Now - whole).TotalSeconds, StabilizationSeconds - Tolerance, StabilizationSeconds + Tolerance);
        world.UntilSteady("db-0");
        var failback = world.Failovers[^1];
        Assert.Equal((FailoverPhase.Completed, "db-0"), (failback.Status!.Phase, failback.Status.Candidate!.Name));
        Assert.Equal((1, 1), world.Group.Status!.Statistics is { } s ? (s.Failovers, s.PlannedChanges) : default);
        world.Pass(TimeSpan.FromMinutes(3));
        Assert.Equal(3, world.Failovers.Count);
    }

    [Fact]
    public void A_break_begins_the_count_anew_and_so_does_another_operator()
    {
        using var world = Running();
        world.KillContainer("db-0");
        world.UntilSteady("db-1");
        world.Pass(TimeSpan.FromSeconds(40));
        world.KillContainer("db-0");
        world.Pass(TimeSpan.FromSeconds(40));
        Assert.Equal(2, world.Failovers.Count);
        world.KillOperator();
        world.StartOperator();
        world.Pass(TimeSpan.FromSeconds(40));
        Assert.Equal(2, world.Failovers.Count);
        world.UntilSteady("db-0", "it gets its place back in the end");
    }

    /// <summary>The world begins at 00:00 UTC, which is 01:00 in Berlin.</summary>
    private static FailbackSpec Scheduled(string schedule, string? zone = "Europe/Berlin") => new()
    {
        Policy = FailbackPolicy.Scheduled,
        StabilizationSeconds = StabilizationSeconds,
        Schedule = schedule,
        TimeZone = zone,
        WindowSeconds = 60,
    };

    [Fact]
    public void By_a_schedule_it_waits_for_the_window_and_says_when_that_opens()
    {
        using var world = Running(Scheduled("4 1 * * *"));
        world.KillContainer("db-0");
        world.UntilSteady("db-1");
        world.Pass(TimeSpan.FromMinutes(2));
        Assert.Equal(2, world.Failovers.Count);
        Assert.Contains("the next window opens at 2026-01-01T01:04:00+01:00", Message(world, "Progressing"), StringComparison.Ordinal);
        world.Until(() => world.Failovers[^1].Spec.Type == FailoverType.Failback, "the failback begins", TimeSpan.FromMinutes(3));
        Assert.InRange(world.Now.TotalMinutes, 4, 4.1);
        world.UntilSteady("db-0");
        Assert.Equal(FailoverPhase.Completed, world.Failovers[^1].Status!.Phase);
    }

    [Fact]
    public void A_window_in_which_the_member_was_not_fit_is_missed_and_that_is_said()
    {
        using var world = Running(Scheduled("2,5 * * * *"));
        world.KillContainer("db-0");
        world.UntilSteady("db-1");
        foreach (var kill in new[] { 80, 120, 160 })
        {
            world.Pass(TimeSpan.FromSeconds(kill) - world.Now);
            world.KillContainer("db-0");
        }
        world.Until(() => Message(world, "Progressing").EndsWith(
            "the next window opens at 2026-01-01T01:05:00+01:00; the last one, of 2026-01-01T01:02:00+01:00, passed without it", StringComparison.Ordinal), "it is said");
        Assert.Equal(2, world.Failovers.Count);
        world.Until(() => world.Failovers[^1].Spec.Type == FailoverType.Failback, "the next window is used", TimeSpan.FromMinutes(3));
        Assert.InRange(world.Now.TotalMinutes, 5, 5.1);
    }

    [Theory]
    [InlineData("10 1 * * *", "Europe/Berln", "there is no time zone Europe/Berln")]
    [InlineData("10 1 31 2 *", null, "names a day that no year has")]
    public void A_schedule_that_is_never_due_is_refused_and_the_group_protected_all_the_same(string schedule, string? zone, string why)
    {
        using var world = Running(Scheduled(schedule, zone));
        Assert.Equal("False ScheduleInvalid", world.Condition("Accepted"));
        Assert.Contains(why, Message(world, "Accepted"), StringComparison.Ordinal);
        world.KillContainer("db-0");
        world.UntilSteady("db-1");
        Assert.Contains("at no time", Message(world, "Progressing"), StringComparison.Ordinal);
        world.Api.Change<RedundancyGroup>("shop", "db", g => g.Spec = g.Spec with { Failback = Scheduled("* * * * *") });
        world.UntilSteady("db-0");
        Assert.Equal("True Valid", world.Condition("Accepted"));
    }

    private static string Message(OperatorWorld world, string type) => world.Group.Status!.Conditions.First(c => c.Type == type).Message;

    private static OperatorWorld Running(FailbackSpec? failback = null)
    {
        var world = new OperatorWorld(spec => Agented(spec) with
        {
            Protection = ProtectionSpec.Off,
            Failback = failback ?? new FailbackSpec { Policy = FailbackPolicy.Automatic, StabilizationSeconds = StabilizationSeconds },
            Promotion = spec.Promotion with { Priorities = [new MemberPriority { Member = "db-0", Priority = 200 }] },
        });
        world.StartOperator();
        world.UntilSteady("db-0");
        return world;
    }
}
