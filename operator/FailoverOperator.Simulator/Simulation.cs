using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Simulator.Checking;
using FailoverOperator.Simulator.Cluster;
using FailoverOperator.Simulator.Faults;
using FailoverOperator.Simulator.Workloads;

namespace FailoverOperator.Simulator;

/// <summary>What became of a schedule.</summary>
public sealed record SimulationResult
{
    public required Violation? Violation { get; init; }

    public required string TraceHash { get; init; }

    /// <summary>Empty unless it was recorded.</summary>
    public required string Trace { get; init; }

    /// <summary>How long the world lasted.</summary>
    public required TimeSpan SimulatedTime { get; init; }

    /// <summary>From the healing to everything as it should be. Null: it was not waited for.</summary>
    public required TimeSpan? Recovery { get; init; }

    /// <summary>The longest that the clients were without an acknowledged write, once the group had come up.</summary>
    public required TimeSpan LongestGap { get; init; }

    /// <summary>How many failovers there were, the first election aside.</summary>
    public required int Failovers { get; init; }

    /// <summary>How often each thing happened of which it is to be known that it does.</summary>
    public required IReadOnlyDictionary<string, int> Sometimes { get; init; }
}

/// <summary>Runs schedules: a group becomes steady, is struck, and is left to itself when everything has healed.</summary>
public static class Simulation
{
    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(120);

    /// <summary>How long the slowest way out may take, copies of the data and pauses between restarts included.</summary>
    private static readonly TimeSpan RecoveryBound = TimeSpan.FromSeconds(240);

    /// <summary>So long a person waits for those who may have more to come back.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    /// <summary>A watch that has fallen silent is noticed within that.</summary>
    private static readonly TimeSpan LongestDisturbance = TimeSpan.FromSeconds(420);

    /// <summary>After the last fault, so that its consequences are seen.</summary>
    private static readonly TimeSpan Aftermath = TimeSpan.FromSeconds(20);

    /// <param name="untilSteady">Whether it has to recover in the end, unless the schedule is endless. L1.</param>
    /// <param name="options">The world. Null: by the schedule's seed.</param>
    public static SimulationResult Run(Schedule schedule, Seams? seams = null, bool untilSteady = true, bool isRecording = false,
        WorldOptions? options = null)
    {
        var world = new SimulatedWorld(options ?? Variants.For(schedule, isRecording), seams);
        world.RunUntil(StartBound, world.IsSteady);
        if (!world.IsSteady()) world.Judge.Break("L1", $"the group never came up: {Describe(world)}");
        var recovery = world.Judge.Violation is null ? Strike(world, schedule, untilSteady) : null;
        if (world.Loop.Strays > 0) world.Judge.Break("determinism", $"{world.Loop.Strays} continuations left the simulated world's thread");
        return new SimulationResult
        {
            Violation = world.Judge.Violation,
            TraceHash = world.Trace.Hash,
            Trace = world.Trace.Text,
            SimulatedTime = world.Loop.Now,
            Recovery = recovery,
            LongestGap = world.Clients.LongestGap,
            Failovers = world.Failovers,
            Sometimes = world.Judge.Sometimes,
        };
    }

    private static TimeSpan? Strike(SimulatedWorld world, Schedule schedule, bool untilSteady)
    {
        var (begin, injector) = (world.Loop.Now, new Injector(world));
        world.Clients.LongestGap = TimeSpan.Zero;
        foreach (var strike in schedule.Strikes.Where(s => s.Failover == 0)) At(begin, strike);
        world.FailoverBegan = number =>
        {
            foreach (var strike in schedule.Strikes.Where(s => s.Failover == number)) At(world.Loop.Now, strike);
        };
        world.RunUntil(begin + schedule.Length + Aftermath);
        world.FailoverBegan = null;
        if (!untilSteady || schedule.IsEndless || world.Judge.Violation is not null) return null;

        world.Heal();
        var healed = world.Loop.Now;
        var bound = RecoveryBound + world.Judge.Brakes.LongestPause;
        world.RunUntil(healed + Patience, world.IsSteady);
        if (world.Workload.MayLose && world.Judge.Violation is null && !world.IsSteady() && new Hands(world).AcceptLoss()) world.Judge.Happened("a person accepts a loss");
        world.RunUntil(healed + bound, world.IsSteady);
        if (world.Judge.Violation is not null) return null;
        if (!world.IsSteady()) world.Judge.Break("L1",
            $"not as it should be {bound.TotalSeconds:0} s after everything had healed: {Describe(world)}");
        else world.Workload.CheckEnd();
        var recovery = world.Loop.Now - healed;
        if (schedule.HasFinale && world.Judge.Violation is null && world.Workload.Finale() is { } finale) See(world, finale);
        return recovery;

        void At(TimeSpan from, Strike strike) => world.Loop.At(from + TimeSpan.FromMilliseconds(strike.AtMilliseconds), () =>
        {
            if (!world.HasHealed) injector.Hit(strike);
        });
    }

    private static void See(SimulatedWorld world, Finale finale)
    {
        // Watches that fell silent before are noticed first.
        world.RunUntil(world.Loop.Now + LongestDisturbance, () => !world.IsDisturbed);
        world.RunUntil(world.Loop.Now + RecoveryBound, world.IsSteady);
        if (world.Judge.Violation is not null) return;
        world.Trace.Write("world", $"to the end: {finale.What}");
        finale.Begin();
        world.RunUntil(world.Loop.Now + finale.Within, finale.IsSaid);
        if (world.Judge.Violation is null && !finale.IsSaid()) world.Judge.Break("L1", $"not so within {finale.Within.TotalSeconds:0} s: {finale.What}: {Describe(world)}");
        else world.Judge.Happened(finale.What);
    }

    /// <summary>What is not so that should be.</summary>
    private static string Describe(SimulatedWorld world)
    {
        var group = world.Cluster.Find<RedundancyGroup>(Objects.Group);
        var conditions = string.Join("; ", (group?.Status?.Conditions ?? []).Select(c => $"{c.Type} {c.Status} {c.Reason} {c.Message}"));
        return $"{world.Workload.Describe()}; {conditions}";
    }
}
