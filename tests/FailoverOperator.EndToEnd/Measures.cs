using System.Text;
using FailoverOperator.Api.Failovers;
using FailoverOperator.EndToEnd.Scenarios;

namespace FailoverOperator.EndToEnd;

/// <summary>One quantity over several runs, in milliseconds.</summary>
public sealed record Measure(string Name, Figures Figures, IReadOnlyList<long> Values);

/// <summary>What a series of failovers of one kind cost, as a client saw it and phase by phase.</summary>
public sealed record Measures(string Fault, long LostWrites, long DualWrites, IReadOnlyList<Measure> Milliseconds)
{
    public static Measures Of(string fault, IReadOnlyList<FailoverAccount> accounts)
    {
        var failovers = accounts.Select(account => account.Failover?.Status).OfType<FailoverStatus>().ToList();
        var phases = Enum.GetValues<TimedPhase>().Select(phase => (phase.ToString(), failovers
            .SelectMany(failover => failover.Phases).Where(duration => duration.Name == phase).Select(duration => duration.Milliseconds)));
        var all = phases
            .Prepend(("client downtime", accounts.Select(account => account.Client.DowntimeMilliseconds)))
            .Append(("operator's downtime", failovers.Select(failover => failover.DowntimeMilliseconds).OfType<long>()));
        return new Measures(fault, accounts.Sum(account => account.LostWrites ?? 0), accounts.Sum(account => account.DualWrites),
            [.. all.Select(measure => (Name: measure.Item1, Values: measure.Item2.ToList())).Where(measure => measure.Values.Count > 0)
                .Select(measure => new Measure(measure.Name, Figures.Of(measure.Values), measure.Values))]);
    }

    /// <summary>A table for people.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder($"""
            **{Fault}**: lost writes {LostWrites}, dual writes {DualWrites}

            | ms | runs | min | p50 | p95 | p99 | max |
            |---|--:|--:|--:|--:|--:|--:|

            """);
        foreach (var (name, f, _) in Milliseconds) text.Append($"| {name} | {f.Count} | {f.Minimum} | {f.Median} | {f.Percentile95} | {f.Percentile99} | {f.Maximum} |\n");
        return text.ToString();
    }
}
