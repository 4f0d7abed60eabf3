using FailoverOperator.Api.Failovers;
using FailoverOperator.Cli.Views;
using FailoverOperator.Simulator.Trials;

namespace FailoverOperator.Cli.Simulating;

/// <summary>What the simulated faults cost, against the targets.</summary>
public sealed record SimulationReport
{
    public required string Group { get; init; }

    public required int Members { get; init; }

    public required int RtoSeconds { get; init; }

    public required int RpoSeconds { get; init; }

    public required IReadOnlyList<ScenarioReport> Scenarios { get; init; }

    public required IReadOnlyList<string> Assumptions { get; init; }

    public bool TargetsMet => Scenarios.All(s => s.RtoMet && s.RpoMet != false && s.Defects.Count == 0);
}

/// <summary>One fault over all seeds.</summary>
public sealed record ScenarioReport
{
    private const int MostDefects = 3;

    public required string Name { get; init; }

    public required string Description { get; init; }

    public required int Seeds { get; init; }

    /// <summary>In how many nobody took writes again while the fault lasted.</summary>
    public required int NeverServed { get; init; }

    /// <summary>In how many no failover was needed.</summary>
    public required int WithoutFailover { get; init; }

    /// <summary>Of the seeds in which writes were taken again. Null: in none.</summary>
    public required Distribution? DowntimeMilliseconds { get; init; }

    public required IReadOnlyList<Bin> DowntimeBins { get; init; }

    /// <summary>How far the new primary was behind the old one's acknowledgements, in time.</summary>
    public required Distribution? LossMilliseconds { get; init; }

    public required Distribution? LostWrites { get; init; }

    /// <summary>The median of each phase, of the seeds that had a completed failover.</summary>
    public required PhaseTimes MedianPhases { get; init; }

    public required bool RtoMet { get; init; }

    /// <summary>Null: unknown, for nobody took writes again.</summary>
    public required bool? RpoMet { get; init; }

    /// <summary>What most of the downtime, or the lack of an end to it, comes from. Null: there was nothing.</summary>
    public required Dominant? Dominant { get; init; }

    /// <summary>Broken invariants: defects of the operator or its agents, with the seed.</summary>
    public required IReadOnlyList<string> Defects { get; init; }

    /// <param name="results">By seed, from 1 on.</param>
    public static ScenarioReport Of(Scenario scenario, IReadOnlyList<TrialResult> results)
    {
        var (spec, served) = (scenario.Plan.Spec, results.Where(r => r.Downtime is not null).ToList());
        var downtimes = served.Select(r => r.Downtime!.Value).ToList();
        var losses = served.Select(r => r.Loss).OfType<TimeSpan>().ToList();
        var lostWrites = served.Select(r => (long?)r.LostWrites).OfType<long>().ToList();
        var records = results.Select(r => r.Record).OfType<Failover>().ToList();
        var phases = Medians(records);
        return new ScenarioReport
        {
            Name = scenario.Name,
            Description = scenario.Description,
            Seeds = results.Count,
            NeverServed = results.Count - served.Count,
            WithoutFailover = served.Count(r => r.Failovers == 0),
            DowntimeMilliseconds = Distribution.Of(downtimes),
            DowntimeBins = Bin.Of(downtimes),
            LossMilliseconds = Distribution.Of(losses),
            LostWrites = Distribution.Of(lostWrites),
            MedianPhases = phases,
            RtoMet = served.Count == results.Count && downtimes.TrueForAll(d => d.TotalSeconds <= spec.Targets.RtoSeconds),
            RpoMet = losses.Count == 0 ? null
                : spec.Targets.RpoSeconds == 0 ? lostWrites.TrueForAll(n => n == 0)
                : losses.TrueForAll(l => l.TotalSeconds <= spec.Targets.RpoSeconds),
            Dominant = served.Count < results.Count
                ? Simulating.Dominant.OfWaiting(results.First(r => r.Downtime is null).Waiting)
                : Simulating.Dominant.Of(spec, phases, records),
            Defects = [.. results.Select((r, n) => (r.Violation, Seed: n + 1)).Where(r => r.Violation is not null).Take(MostDefects)
                .Select(r => FormattableString.Invariant($"seed {r.Seed}: {r.Violation}"))],
        };
    }

    private static PhaseTimes Medians(IReadOnlyList<Failover> records) => PhaseTimes.Of(
    [
        .. records.SelectMany(r => r.Status!.Phases).GroupBy(p => p.Name)
            .Select(g => new PhaseDuration { Name = g.Key, Milliseconds = Distribution.Of(g.Select(p => p.Milliseconds))!.P50 }),
    ]);
}
