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
    public static int Replay(int seed, Kind kind, bool isWhole = false)
    {
        var schedule = kind.Schedule(seed);
        var result = Simulator.Simulation.Run(schedule, isRecording: true);
        var smallest = result.Violation is { } violation && !isWhole ? Shrinker.Shrink(schedule, violation.Invariant) : schedule;
        Console.Write(ReferenceEquals(smallest, schedule) ? result.Trace : Simulator.Simulation.Run(smallest, isRecording: true).Trace);
        Console.WriteLine($"\nstrikes, {smallest.Strikes.Count} of {schedule.Strikes.Count}:");
        foreach (var strike in smallest.Strikes) Console.WriteLine($"    {strike}");
        Console.WriteLine($"seed {seed}: {result.Violation?.ToString() ?? "no violation"}; trace {result.TraceHash}");
        return result.Violation is null ? 0 : 1;
    }

    /// <param name="within">No seed is begun later. Null: all are.</param>
    public static int Search(int count, int from, Kind kind, TimeSpan? within)
    {
        var watch = Stopwatch.StartNew();
        var (found, sums) = (new List<int>(), new Sums());
        var seeds = Enumerable.Range(from, count).TakeWhile(_ => within is null || watch.Elapsed < within);
        InOrder(seeds, seed => Simulator.Simulation.Run(kind.Schedule(seed)), sums.Ended, (seed, result) =>
        {
            sums.Add(result);
            if (result.Violation is null) return;
            found.Add(seed);
            Console.WriteLine($"seed {seed}: {result.Violation}\n    replay it with: make simulate SEED={seed}{(kind == Kind.Usual ? "" : $" KIND={kind.Name}")}");
        });
        sums.Report(watch.Elapsed);
        if (sums.Count < count) Console.WriteLine($"{count - sums.Count} seeds were not begun within {within?.TotalSeconds:0} s");
        Console.WriteLine($"{sums.Count} seeds, {found.Count} with violations: {string.Join(" ", found)}");
        return found.Count == 0 ? 0 : 1;
    }

    /// <summary>How many seeds each deliberate mistake needs; of one that is named in full, for each invariant that it breaks.</summary>
    public static int Mutants(int count, string name)
    {
        var missed = 0;
        Parallel.ForEach(AllMutants.All.Where(m => m.Name.Contains(name, StringComparison.Ordinal)), mutant =>
        {
            var all = Found(mutant.Seams, mutant.Kind, count).DistinctBy(found => found.Violation.Invariant);
            var found = (mutant.Name == name ? all : all.Take(1)).ToList();
            if (found.Count == 0) Interlocked.Increment(ref missed);
            if (found.Count == 0) Console.WriteLine($"{mutant.Name,-32} not within {count}");
            foreach (var (seed, violation) in found) Console.WriteLine($"{mutant.Name,-32} {seed,6} {violation}");
        });
        return missed;
    }

    /// <summary>
    /// One world on each processor, each on one thread from its beginning to its end; what became of them is told in the order of the seeds.
    /// </summary>
    private static void InOrder(IEnumerable<int> seeds, Func<int, SimulationResult> run, Action<SimulationResult> ended, Action<int, SimulationResult> tell)
    {
        var (waiting, next, gate) = (new SortedDictionary<long, (int Seed, SimulationResult Result)>(), 0L, new Lock());
        Parallel.ForEach(Partitioner.Create(seeds, EnumerablePartitionerOptions.NoBuffering), (seed, _, number) =>
        {
            var result = run(seed);
            lock (gate)
            {
                ended(result);
                waiting[number] = (seed, result);
                for (; waiting.Remove(next, out var told); next++) tell(told.Seed, told.Result);
            }
        });
    }

    private static IEnumerable<(int Seed, Simulator.Checking.Violation Violation)> Found(Seams seams, Kind kind, int count)
    {
        for (var seed = 1; seed <= count; seed++)
        {
            if (Simulator.Simulation.Run(kind.Schedule(seed), seams).Violation is { } violation) yield return (seed, violation);
        }
    }

    /// <summary>What hours without any fault take, once everything has been compiled.</summary>
    public static int Quiet(int hours)
    {
        var world = new SimulatedWorld(new WorldOptions { Seed = 1, Spec = Variants.Spec(3) });
        world.RunUntil(TimeSpan.FromHours(1));
        var (before, events, exceptions) = (Environment.CpuUsage.TotalTime, world.Loop.Count, 0);
        AppDomain.CurrentDomain.FirstChanceException += (_, _) => exceptions++;
        world.RunUntil(TimeSpan.FromHours(1 + hours));
        var (seconds, clients) = ((Environment.CpuUsage.TotalTime - before).TotalSeconds, world.Clients);
        Console.WriteLine(FormattableString.Invariant(
            $"{hours} group-hours in {seconds:0.0} s of a processor: {60 * hours / seconds:0.0} a minute; {exceptions} exceptions"));
        Console.WriteLine(FormattableString.Invariant($"{(world.Loop.Count - events) / (3600.0 * hours):0} events a second"));
        Console.WriteLine($"{clients.Acknowledged} writes acknowledged, {clients.Failed} failed, {clients.Unknown} unknown");
        return world.Judge.Violation is null ? 0 : 1;
    }
}
