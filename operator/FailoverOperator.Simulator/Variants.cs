using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Simulator.Cluster;
using FailoverOperator.Simulator.Faults;
using FailoverOperator.Simulator.Workloads;

namespace FailoverOperator.Simulator;

/// <summary>The groups that are simulated: what users may well choose, and what leaves no slack.</summary>
internal static class Variants
{
    private const double LargestRateError = 0.01;

    /// <summary>What the schedule was made for.</summary>
    public static WorldOptions For(Schedule schedule, bool isRecording) => schedule switch
    {
        { Mode: RedundancyMode.NPlusM } => NPlusM(schedule.Seed, isRecording),
        { Mode: RedundancyMode.Quorum } => Quorum(schedule.Seed, isRecording),
        { Mode: RedundancyMode.ActiveActive } => ActiveActive(schedule.Seed, isRecording),
        { IsPlanned: true } => Planned(schedule.Seed, isRecording),
        _ => Of(schedule.Seed, isRecording),
    };

    /// <summary>Two or three shards with one or two spares, without agents.</summary>
    public static WorldOptions NPlusM(int seed, bool isRecording)
    {
        var random = new Random(seed);
        var (active, spares) = (random.Next(2, 4), random.Next(1, 3));
        var operators = random.Next(3) == 0 ? 2 : 1;
        return new WorldOptions
        {
            Seed = random.Next(),
            Members = active + spares,
            Operators = operators,
            OperatorsShare = operators > 1 && random.Next(2) == 0,
            ClockRateError = LargestRateError / 10,
            WritePause = TimeSpan.FromMilliseconds(400),
            IsRecording = isRecording,
            Spec = Spec(active + spares) with
            {
                Mode = RedundancyMode.NPlusM,
                Active = active,
                Spares = spares,
                Agent = null,
                Engine = new EngineSpec { Type = EngineType.Hooks, StartsAs = StartState.ReadOnly, Hooks = Hooks(random.Next(1, 6), canStop: (seed & 1) == 0) },
                Targets = new TargetsSpec { RtoSeconds = 30, RpoSeconds = random.Next(3) == 0 ? 30 : 5 },
                Detection = new DetectionSpec
                {
                    ProbeIntervalMilliseconds = random.Next(2) == 0 ? 1000 : 2000,
                    ProbeTimeoutMilliseconds = 1000,
                    UnhealthyAfterSeconds = random.Next(3, 7),
                },
                Fencing = new FencingSpec { Policy = [FencingMethod.PodTermination], TimeoutSeconds = random.Next(5, 31) },
                Promotion = new PromotionSpec { TimeoutSeconds = random.Next(5, 31) },
            },
        };
    }

    /// <summary>Three or five members that elect, and a node that one of them can move to.</summary>
    public static WorldOptions Quorum(int seed, bool isRecording)
    {
        var random = new Random(seed);
        var (members, operators) = (random.Next(3) == 0 ? 5 : 3, random.Next(3) == 0 ? 2 : 1);
        return new WorldOptions
        {
            Seed = random.Next(),
            Members = members,
            SpareNodes = 1,
            Operators = operators,
            OperatorsShare = operators > 1 && random.Next(2) == 0,
            ClockRateError = LargestRateError / 10,
            WritePause = TimeSpan.FromMilliseconds(400),
            IsRecording = isRecording,
            Spec = Spec(members) with
            {
                Mode = RedundancyMode.Quorum,
                Agent = null,
                Spares = members / 2,
                Protection = new ProtectionSpec(),
                Fencing = new FencingSpec(),
                Quorum = new QuorumSpec { ReplaceLostAfterSeconds = random.Next(1, 21) },
                Engine = new EngineSpec { Type = EngineType.Hooks, Hooks = new HooksEngineSpec { Status = HookedWorkload.Hook(random.Next(1, 4)) } },
                Detection = new DetectionSpec { ProbeIntervalMilliseconds = random.Next(300, 1500), ProbeTimeoutMilliseconds = 200, UnhealthyAfterSeconds = random.Next(2, 7) },
            },
        };
    }

    /// <summary>Two to four members that are alike, asked by the operator or by their kubelets only.</summary>
    public static WorldOptions ActiveActive(int seed, bool isRecording)
    {
        var random = new Random(seed);
        var (members, operators) = (random.Next(2, 5), random.Next(3) == 0 ? 2 : 1);
        var minActive = random.Next(1, members);
        var hasHooks = random.Next(3) > 0;
        return new WorldOptions
        {
            Seed = random.Next(),
            Members = members,
            Operators = operators,
            OperatorsShare = operators > 1,
            ClockRateError = LargestRateError / 10,
            WritePause = TimeSpan.FromMilliseconds(400),
            IsRecording = isRecording,
            Spec = Spec(members) with
            {
                Mode = RedundancyMode.ActiveActive,
                Agent = null,
                MinActive = minActive,
                Spares = members - minActive,
                Protection = new ProtectionSpec(),
                Fencing = new FencingSpec(),
                Readmission = new ReadmissionSpec { StabilizationSeconds = random.Next(1, 12), IntervalSeconds = random.Next(1, 8) },
                Engine = hasHooks
                    ? new EngineSpec { Type = EngineType.Hooks, Hooks = new HooksEngineSpec { Status = HookedWorkload.Hook(1) } }
                    : new EngineSpec { Type = EngineType.None },
                Detection = new DetectionSpec { ProbeIntervalMilliseconds = random.Next(200, 700), ProbeTimeoutMilliseconds = 100, UnhealthyAfterSeconds = random.Next(2, 7) },
            },
        };
    }

    private static HooksEngineSpec Hooks(int timeoutSeconds, bool canStop)
    {
        var hook = HookedWorkload.Hook(timeoutSeconds);
        return new() { Status = hook, Promote = hook, Follow = hook, Verify = hook, Demote = canStop ? hook : null };
    }

    /// <summary>The same group with brakes, and mostly with a member that is wanted more than the others.</summary>
    public static WorldOptions Planned(int seed, bool isRecording)
    {
        // Scattered: the first numbers of seeds that are near each other are near each other, too.
        var (options, random) = (Of(seed, isRecording), new Random(unchecked((int)((uint)seed * 2654435761u >> 1))));
        var cooldown = random.Next(3) switch { 0 => 0, 1 => 15, _ => 60 };
        var spec = options.Spec with
        {
            Protection = new ProtectionSpec { CooldownSeconds = cooldown, CooldownMaximumSeconds = 60, MaxFailoversPerHour = 1000, ReturnAfterSeconds = random.Next(3) * 20 },
        };
        if (random.Next(4) > 0) spec = spec with
        {
            Failback = new FailbackSpec { Policy = FailbackPolicy.Automatic, StabilizationSeconds = random.Next(3, 20) },
            Promotion = spec.Promotion with { Priorities = [new MemberPriority { Member = $"{Objects.Group}-{random.Next(options.Members)}", Priority = 200 }] },
        };
        return options with { Spec = spec };
    }

    public static WorldOptions Of(int seed, bool isRecording)
    {
        var random = new Random(seed);
        var members = random.Next(6) switch { 0 => 2, 1 => 5, _ => 3 };
        var options = new WorldOptions
        {
            Seed = random.Next(),
            Members = members,
            Spec = Spec(members),
            Operators = random.Next(4) == 0 ? 2 : 1,
            ClockRateError = random.Next(2) == 0 ? LargestRateError : LargestRateError / 10,
            IsRecording = isRecording,
        };
        options = options with { Spec = Vary(options.Spec, random) };
        return options with { OperatorsShare = options.Operators > 1 && random.Next(2) == 0 };
    }

    /// <summary>A group of PostgreSQL servers that loses nothing, with agents.</summary>
    public static RedundancyGroupSpec Spec(int members) => new()
    {
        WorkloadRef = new WorkloadReference { Name = Objects.Group },
        Spares = members - 1,
        Engine = new EngineSpec { Type = EngineType.PostgreSQL },
        Targets = new TargetsSpec { RtoSeconds = 30, RpoSeconds = 0 },
        Agent = new AgentSpec { TokenSecretRef = new SecretKeyReference { Name = "agent", Key = "token" } },
        Fencing = new FencingSpec { Policy = [FencingMethod.SelfFence, FencingMethod.PodTermination] },
        Protection = ProtectionSpec.Off,
        Traffic = new TrafficSpec { Services = [new ServiceReference { Name = Objects.Service, Role = TrafficRole.Active }] },
    };

    private static RedundancyGroupSpec Vary(RedundancyGroupSpec spec, Random random)
    {
        var (detection, fencing) = random.Next(4) switch
        {
            // T_stop is below its limit by a millisecond.
            0 => (spec.Detection, spec.Fencing with { StopAfterMilliseconds = 3800 }),
            1 => (spec.Detection with { LeaseDurationSeconds = 3, RenewIntervalMilliseconds = 500 },
                spec.Fencing with { StopAfterMilliseconds = 1500 }),
            _ => (spec.Detection, spec.Fencing),
        };
        if (random.Next(4) == 0) detection = detection with { OnProcessCrash = OnProcessCrash.RestartFirst };
        if (random.Next(4) == 0) fencing = fencing with { Failsafe = Failsafe.Disabled };
        return spec with
        {
            Detection = detection,
            Fencing = fencing,
            Targets = random.Next(4) == 0 ? spec.Targets with { RpoSeconds = 30 } : spec.Targets,
        };
    }
}
