using FailoverOperator.Cli.Simulating;

namespace FailoverOperator.Cli.Printing;

/// <summary>What the simulated faults cost: tables, a small picture of each, and a verdict.</summary>
internal static class SimulationPage
{
    private const int BarWidth = 40;
    private const int LabelWidth = 15;

    public static void Write(Page page, SimulationReport report)
    {
        page.Heading(FormattableString.Invariant($"{report.Group}: {report.Members} members, targets: RTO {report.RtoSeconds} s, RPO {report.RpoSeconds} s"));
        foreach (var scenario in report.Scenarios) page.Line($"{scenario.Name}: {scenario.Description}");
        foreach (var assumption in report.Assumptions) page.Line($"assumed: {assumption}", Tone.Quiet);
        page.Heading("Downtime for clients, ms");
        page.Table(
            ["FAULT", Number("SEEDS"), Number("NEVER BACK"), Number("NO FAILOVER"), Number("MIN"), Number("P50"), Number("P95"), Number("P99"),
                Number("MAX")],
            report.Scenarios.Select(s => (IReadOnlyList<Cell>)
                [s.Name, Text(s.Seeds), new Cell(Text(s.NeverServed), s.NeverServed > 0 ? Tone.Bad : Tone.Plain), Text(s.WithoutFailover),
                    .. Figures(s.DowntimeMilliseconds)]));
        page.Heading("Loss of acknowledged writes, ms of them");
        page.Table(["FAULT", Number("MIN"), Number("P50"), Number("P95"), Number("P99"), Number("MAX"), Number("MOST WRITES")],
            report.Scenarios.Select(s => (IReadOnlyList<Cell>)[s.Name, .. Figures(s.LossMilliseconds), Words.Number(s.LostWrites?.Max)]));
        foreach (var scenario in report.Scenarios.Where(s => s.DowntimeBins.Count > 0)) WritePicture(page, scenario);
        page.Heading("Verdict");
        foreach (var scenario in report.Scenarios) WriteVerdict(page, report, scenario);
    }

    private static void WritePicture(Page page, ScenarioReport scenario)
    {
        page.Heading($"{scenario.Name}, ms of downtime");
        var most = scenario.DowntimeBins.Max(b => b.Count);
        foreach (var bin in scenario.DowntimeBins)
        {
            // Not nothing for a few: they are what a target is missed by.
            var length = bin.Count == 0 ? 0 : Math.Max(1, bin.Count * BarWidth / most);
            page.Line(FormattableString.Invariant($"{bin.From}-{bin.To}").PadLeft(LabelWidth) + "  ",
                new Cell(new string('█', length), Tone.Good), FormattableString.Invariant($" {bin.Count}"));
        }
    }

    private static void WriteVerdict(Page page, SimulationReport report, ScenarioReport scenario)
    {
        var longest = scenario.NeverServed > 0
            ? FormattableString.Invariant($"nobody took writes again in {scenario.NeverServed} of {scenario.Seeds}")
            : FormattableString.Invariant($"{scenario.DowntimeMilliseconds?.Max} ms at most");
        var loss = scenario.LostWrites is { } lost ? FormattableString.Invariant($"{lost.Max} writes at most") : Words.Unknown;
        page.Line($"{scenario.Name}: ",
            Judgement("RTO", report.RtoSeconds, scenario.RtoMet), $", {longest}; ", Judgement("RPO", report.RpoSeconds, scenario.RpoMet),
                $", {loss} lost");
        if (scenario.Dominant is { } dominant) page.Line($"    {dominant.Message}", Tone.Quiet);
        foreach (var defect in scenario.Defects) page.Line($"    a defect of the operator or its agents, please report it: {defect}", Tone.Bad);
    }

    private static Cell Judgement(string target, int seconds, bool? isMet) => isMet switch
    {
        true => new(FormattableString.Invariant($"{target} {seconds} s met"), Tone.Good),
        false => new(FormattableString.Invariant($"{target} {seconds} s missed"), Tone.Bad),
        null => new(FormattableString.Invariant($"{target} {seconds} s unknown"), Tone.Doubtful),
    };

    private static IEnumerable<Cell> Figures(Distribution? figures) => figures is null
        ? Enumerable.Repeat<Cell>(Words.Unknown, 5)
        : [Text(figures.Min), Text(figures.P50), Text(figures.P95), Text(figures.P99), Text(figures.Max)];

    private static Column Number(string heading) => new(heading, IsNumber: true);

    private static string Text(long number) => FormattableString.Invariant($"{number}");
}
