using CsCheck;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Reporting;

namespace FailoverOperator.Core.Tests.Decisions;

/// <summary>The place goes back in a window that a schedule opens, once in each; here 3600 s long.</summary>
public sealed class FailbackWindowTests
{
    private const string Last = "2026-11-28T02:30:00+01:00";
    private const string Next = "2026-12-05T02:30:00+01:00";

    /// <summary>db-0 is the primary since a day; db-1 is wanted more, and has been fit for so long.</summary>
    private static GroupObservation Group(double? dueAgo, double? dueIn, double fitSeconds = 600)
    {
        var group = GivenAgents.Healthy();
        return (group with
        {
            WantedFitFor = Given.Seconds(fitSeconds),
            FailbackTimes = new(dueAgo is { } ago ? new(Given.Seconds(ago), Last) : null, dueIn is { } next ? new(Given.Seconds(next), Next) : null),
            Failovers = [.. group.Failovers.Select(f => f with { EndedFor = TimeSpan.FromDays(1) })],
        }).With(s => s with
        {
            Failback = new FailbackSpec { Policy = FailbackPolicy.Scheduled, Schedule = "30 2 * * 6" },
            Promotion = s.Promotion with { Priorities = [new MemberPriority { Member = "db-1", Priority = 200 }] },
        });
    }

    private static FailoverRecord Past(double endedSeconds, FailoverPhase phase = FailoverPhase.Aborted, string target = "db-1", RequestReference? by = null) =>
        Given.Running(phase, FailoverType.Failback, "db-0", phaseFor: 0) is var f
            ? f with { Spec = f.Spec with { Target = target, RequestRef = by }, EndedFor = Given.Seconds(endedSeconds) } : null!;

    public static TheoryData<string, GroupObservation, double?> Waits => new()
    {
        { "in the window", Group(0, 1000), 0 },
        { "at its end", Group(3599, 1000), 0 },
        { "after it", Group(3600, 1000), 1000 },
        { "it will be fit within the window", Group(3000, 10000, fitSeconds: 100), 500 },
        { "it will be fit too late", Group(3200, 10000, fitSeconds: 100), 10000 },
        { "it will be fit after the next one has opened", Group(null, 100, fitSeconds: 100), 500 },
        { "the schedule was never due", Group(null, 100), 100 },
        { "it is never due again", Group(4000, null), null },
        { "it was tried in this window", Group(1000, 5000).With(Past(900)), 5000 },
        { "it was done in this window, and did not last", Group(1000, 5000).With(Past(900, FailoverPhase.Completed)), 5000 },
        { "it was tried in the window before", Group(1000, 5000).With(Past(1001)), 0 },
        { "another one was tried", Group(1000, 5000).With(Past(900, target: "db-2")), 0 },
        { "a person had it tried", Group(1000, 5000).With(Past(900, by: new RequestReference { Name = "mine" })), 0 },
        { "suspended", Group(0, 1000) with { SuspendedUntil = new Schedule.AtOnce() }, null },
        { "the schedule cannot be read", Group(0, 1000) with { FailbackTimes = null }, null },
        { "not fit", Group(0, 1000) with { WantedFitFor = null }, null },
        { "its node is cordoned", Group(0, 1000).Change("db-1", m => m.Cordoned()), null },
    };

    [Theory]
    [MemberData(nameof(Waits))]
    public void It_waits_for_a_window_and_for_the_member(string why, GroupObservation group, double? expected)
    {
        Assert.True(Failback.WaitsFor(group)?.TotalSeconds == expected, $"{why}: {Failback.WaitsFor(group)}");
        Assert.Equal(expected == 0, Failback.Due(group) is { Type: FailoverType.Failback, Target: "db-1" });
    }

    public static TheoryData<string, GroupObservation> Words => new()
    {
        { $"takes over when it has been fit for 600 s, within 3600 s of {Last} (failback.schedule); after that the next window opens at {Next}", Group(10, 1000, 5) },
        { $"takes over when it has been fit for 600 s, in a window of failback.schedule; the next window opens at {Next}; the last one, of {Last}, passed without it", Group(4000, 1000) },
        { $"takes over when it has been fit for 600 s, in a window of failback.schedule; the next window opens at {Next}", Group(90000, 1000) },
        { $"takes over when it has been fit for 600 s, in a window of failback.schedule; the next window opens at {Next}", Group(4000, 1000).With(Past(3000)) },
        { "takes over when it has been fit for 600 s, in a window of failback.schedule; no window opens any more", Group(null, null) },
        { "takes over at no time: failback.schedule is never due, see condition Accepted", Group(0, 0) with { FailbackTimes = null } },
    };

    [Theory]
    [MemberData(nameof(Words))]
    public void It_says_when_and_what_was_missed(string expected, GroupObservation group)
    {
        var report = GroupReport.Of(group, new AcceptanceVerdict(true, true, "Valid", ""), new Verdict(new Core.Detection.Diagnosis.Healthy(), null, new Decision.Steady()));
        Assert.Equal($"db-0 is active; db-1, which is wanted more, {expected}", report.Conditions.Single(c => c.Type == "Progressing").Message);
    }

    /// <summary>Whatever the times: it begins in an open window only, and in none that has been used.</summary>
    [Fact]
    public void It_never_begins_outside_of_a_window() =>
        Gen.Select(Gen.Double[0, 20000], Gen.Double[0, 20000], Gen.Double[0, 2000], Gen.Double[-10000, 20000]).Sample((ago, next, fit, tried) =>
        {
            var group = Group(ago, next, fit);
            if (tried >= 0) group = group.With(Past(tried));
            if (Failback.Due(group) is null) return;
            Assert.True(ago < 3600 && fit >= 600 && (tried < 0 || tried > ago), $"due {ago} s ago, fit for {fit} s, tried {tried} s ago");
        });
}
