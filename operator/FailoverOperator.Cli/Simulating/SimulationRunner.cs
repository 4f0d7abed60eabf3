using FailoverOperator.Simulator.Trials;

namespace FailoverOperator.Cli.Simulating;

/// <summary>Runs the trials of a plan, as many at a time as there are processors. Each seed is a world of its own on one thread.</summary>
internal static class SimulationRunner
{
    /// <param name="done">Called after each trial, from any thread, with how many have been done.</param>
    public static SimulationReport Run(SimulationPlan plan, int seeds, Action<int>? done, CancellationToken cancellationToken)
    {
        var results = plan.Scenarios.Select(_ => new TrialResult[seeds]).ToList();
        var count = 0;
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellationToken };
        Parallel.For(0, plan.Scenarios.Count * seeds, parallel, n =>
        {
            var (scenario, seed) = (n / seeds, n % seeds);
            results[scenario][seed] = Trial.Run(plan.Scenarios[scenario].Plan, seed + 1);
            done?.Invoke(Interlocked.Increment(ref count));
        });
        return new SimulationReport
        {
            Group = plan.Group,
            Members = plan.Members,
            RtoSeconds = plan.RtoSeconds,
            RpoSeconds = plan.RpoSeconds,
            Scenarios = [.. plan.Scenarios.Select((scenario, n) => ScenarioReport.Of(scenario, results[n]))],
            Assumptions = plan.Assumptions,
        };
    }
}
