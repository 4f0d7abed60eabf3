using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Simulator.Cluster;

namespace FailoverOperator.Simulator;

/// <summary>The groups that are simulated: what users may well choose, and what leaves no slack.</summary>
internal static class Variants
{
    private const double LargestRateError = 0.01;

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
