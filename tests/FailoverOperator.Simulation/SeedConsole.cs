using System.Collections.Concurrent;
using System.Diagnostics;
using FailoverOperator.Simulation.Mutants;
using FailoverOperator.Simulator;
using FailoverOperator.Simulator.Faults;

namespace FailoverOperator.Simulation;

/// <summary>Searches seeds, and shows one.</summary>
internal static class SeedConsole
{
    /// <summary>One seed, with all that happened; of one that breaks an invariant, the fewest strikes that do.</summary>
    public static int Replay(int seed)
    {
        var schedule = Schedule.Of(seed);
        var result = Simulator.Simulation.Run(schedule, isRecording: true);
        var smallest = result.Violation is { } violation ? Shrinker.Shrink(schedule, violation.Invariant) : schedule;
        Console.Write(ReferenceEquals(smallest, schedule) ? result.Trace : Simulator.Simulation.Run(smallest, isRecording: true).Trace);
        Console.WriteLine($"\nstrikes, {smallest.Strikes.Count} of {schedule.Strikes.Count}:");
        foreach (var strike in smallest.Strikes) Console.WriteLine($"    {strike}");
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

    /// <summary>How many seeds each deliberate mistake needs.</summary>
    public static int Mutants(int count, string name)
    {
        var missed = 0;
        Parallel.ForEach(AllMutants.All.Where(m => m.Name.Contains(name, StringComparison.Ordinal)), mutant =>
        {
            var (seed, violation) = FirstFound(mutant.Seams, count);
            if (violation is null) Interlocked.Increment(ref missed);
            Console.WriteLine(violation is null ? $"{mutant.Name,-32} not within {count}" : $"{mutant.Name,-32} {seed,6} {violation}");
        });
        return missed;
    }

    public static (int Seed, Simulator.Checking.Violation? Violation) FirstFound(Seams seams, int count)
    {
        for (var seed = 1; seed <= count; seed++)
        {
            if (Simulator.Simulation.Run(Schedule.Of(seed), seams).Violation is { } violation) return (seed, violation);
        }
        return (0, null);
    }

    /// <summary>What an hour without any fault takes.</summary>
    public static int Quiet(int hours)
    {
        var watch = Stopwatch.StartNew();
        var world = new SimulatedWorld(new WorldOptions { Seed = 1, Spec = Variants.Spec(3) });
        world.RunUntil(TimeSpan.FromHours(hours));
        var (seconds, clients) = (watch.Elapsed.TotalSeconds, world.Clients);
        Console.WriteLine(FormattableString.Invariant($"{hours} group-hours in {seconds:0.0} s: {60 * hours / seconds:0.0} a minute"));
        Console.WriteLine(FormattableString.Invariant($"{world.Loop.Count / world.Loop.Now.TotalSeconds:0} events a second"));
        Console.WriteLine($"{clients.Acknowledged} writes acknowledged, {clients.Failed} failed, {clients.Unknown} unknown");
        return world.Judge.Violation is null ? 0 : 1;
    }
}
