using System.Collections.Concurrent;
using System.Diagnostics;
using FailoverOperator.Simulator;
using FailoverOperator.Simulator.Faults;

namespace FailoverOperator.Simulation;

/// <summary>Searches seeds, and shows one.</summary>
internal static class SeedConsole
{
    /// <summary>One seed, with all that happened.</summary>
    public static int Replay(int seed)
    {
        var schedule = Schedule.Of(seed);
        var result = Simulator.Simulation.Run(schedule, isRecording: true);
        Console.Write(result.Trace);
        Console.WriteLine();
        foreach (var strike in schedule.Strikes) Console.WriteLine($"    {strike}");
        Console.WriteLine($"seed {seed}: {result.Violation?.ToString() ?? "no violation"}; trace {result.TraceHash}");
        return result.Violation is null ? 0 : 1;
    }

    public static int Search(int count, int from)
    {
        var watch = Stopwatch.StartNew();
        var found = new ConcurrentDictionary<int, SimulationResult>();
        var sums = new Sums();
        Parallel.ForEach(Partitioner.Create(Enumerable.Range(from, count), EnumerablePartitionerOptions.NoBuffering), seed =>
        {
            var result = Simulator.Simulation.Run(Schedule.Of(seed));
            sums.Add(result);
            if (result.Violation is null) return;
            found[seed] = result;
            Console.WriteLine($"seed {seed}: {result.Violation}\n    replay it with: make simulate SEED={seed}");
        });
        sums.Report(watch.Elapsed);
        Console.WriteLine($"{count} seeds, {found.Count} with violations: {string.Join(" ", found.Keys.Order())}");
        return found.IsEmpty ? 0 : 1;
    }
}
