using FailoverOperator.Api.Failovers;
using FailoverOperator.Cli.Printing;
using FailoverOperator.Cli.Simulating;
using FailoverOperator.Cli.Tests.Support;
using FailoverOperator.Simulator.Checking;
using FailoverOperator.Simulator.Trials;
using Spectre.Console;

namespace FailoverOperator.Cli.Tests.Simulating;

/// <summary>From the results of trials to figures, a picture and a verdict.</summary>
public sealed class ReportTests
{
    private static readonly string Expected = Path.Combine(Repository.Root, "tests/FailoverOperator.Cli.Tests/Simulating/report.txt");

    [Fact]
    public void Targets_that_are_met_are_met()
    {
        var report = Report(Enumerable.Range(0, 20).Select(n => Served(5000 + (n * 50))));
        Assert.True(report is { RtoMet: true, RpoMet: true, NeverServed: 0, WithoutFailover: 0 });
        Assert.Equal("detection.leaseDurationSeconds", report.Dominant!.Field);
        Assert.Equal("5", report.Dominant.Value);
    }

    [Fact]
    public void One_seed_is_enough_to_miss_a_target()
    {
        Assert.False(Report([Served(100), Served(30_001)]).RtoMet);
        Assert.False(Report([Served(100), Served(100) with { LostWrites = 1, Loss = TimeSpan.FromMilliseconds(3) }]).RpoMet);
    }

    [Fact]
    public void Who_never_came_back_missed_the_target_and_lost_nobody_knows_what()
    {
        var report = Report([Never("QuorumNotHeard: one more must come back")]);
        Assert.True(report is { RtoMet: false, RpoMet: null, NeverServed: 1, DowntimeMilliseconds: null });
        Assert.Equal("spares", report.Dominant!.Field);
    }

    [Fact]
    public async Task The_page_reads_well()
    {
        var plan = SimulationPlanner.OfFaults(PlannerTests.Group([]), ["power-cut", "zone-loss", "partition"]);
        var report = new SimulationReport
        {
            Group = plan.Group,
            Members = plan.Members,
            RtoSeconds = plan.RtoSeconds,
            RpoSeconds = plan.RpoSeconds,
            Assumptions = plan.Assumptions,
            Scenarios =
            [
                ScenarioReport.Of(plan.Scenarios[0], [.. Enumerable.Range(0, 40).Select(n => Served(5000 + (n * n)))]),
                ScenarioReport.Of(plan.Scenarios[1], [Never("QuorumNotHeard: one more must come back"), Served(31_000)]),
                ScenarioReport.Of(plan.Scenarios[2],
                [
                    Served(40) with { Failovers = 0, Record = null },
                    Served(50) with
                    {
                        Violation = new Violation("I1", TimeSpan.FromSeconds(7), "two take writes"),
                        LostWrites = 2,
                        Loss = TimeSpan.FromMilliseconds(9),
                    },
                ]),
            ],
        };
        using var writer = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(writer),
        });
        console.Profile.Width = 200;
        SimulationPage.Write(new Page(console), report);
        var actual = string.Join('\n', writer.ToString().TrimEnd().Split('\n').Select(l => l.TrimEnd())) + "\n";
        if (Environment.GetEnvironmentVariable("UPDATE_PAGES") == "1") await File.WriteAllTextAsync(Expected, actual,
            TestContext.Current.CancellationToken);
        else Assert.Equal(await File.ReadAllTextAsync(Expected, TestContext.Current.CancellationToken), actual);
        Assert.False(report.TargetsMet);
    }

    private static ScenarioReport Report(IEnumerable<TrialResult> results) =>
        ScenarioReport.Of(SimulationPlanner.OfFaults(PlannerTests.Group([]), ["power-cut"]).Scenarios[0], [.. results]);

    private static TrialResult Served(int milliseconds) => new()
    {
        Downtime = TimeSpan.FromMilliseconds(milliseconds),
        LostWrites = 0,
        Loss = TimeSpan.Zero,
        Failovers = 1,
        Waiting = null,
        Violation = null,
        Record = new Failover
        {
            Status = new FailoverStatus
            {
                Fence = new FenceRecord { Evidence = FenceEvidence.LeaseExpired },
                Phases =
                [
                    new PhaseDuration { Name = TimedPhase.Detect, Milliseconds = milliseconds - 10 },
                    new PhaseDuration { Name = TimedPhase.Promote, Milliseconds = 10 },
                ],
            },
        },
    };

    private static TrialResult Never(string waiting) =>
        new() { Downtime = null, LostWrites = null, Loss = null, Failovers = 0, Record = null, Waiting = waiting, Violation = null };
}
