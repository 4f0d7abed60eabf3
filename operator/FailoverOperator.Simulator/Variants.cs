using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Simulator.Cluster;

namespace FailoverOperator.Simulator;

/// <summary>The groups that are simulated: what users may well choose, and what leaves no slack.</summary>
internal static class Variants
{
    private const double LargestRateError = 0.01;

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
