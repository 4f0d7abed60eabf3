using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Simulator.Cluster;

namespace FailoverOperator.Simulator.Trials;

/// <summary>Puts a group into the simulated cluster: its settings are kept, the names of what is around it are the simulator's.</summary>
public static class TrialSpec
{
    /// <summary>Why the simulator cannot have this group. Null: it can.</summary>
    public static string? Refuse(RedundancyGroupSpec spec)
    {
        if (spec.Mode != RedundancyMode.ActivePassive) return $"the simulator has groups of mode ActivePassive only, this one is {spec.Mode}";
        return spec.Agent is null
            ? "the simulator has groups with agents only (spec.agent); what fences without one is outside of it: kubelets, machines, people"
            : null;
    }

    /// <summary>What is different from the group as it is, for people.</summary>
    public static IReadOnlyList<string> Differences(RedundancyGroupSpec spec)
    {
        var differences = new List<string> { "the operator and the API server themselves survive" };
        if (spec.Engine.Type != EngineType.PostgreSQL) differences.Add($"the servers have the manners of PostgreSQL, not of {spec.Engine.Type}");
        if (spec.Fencing.Policy.Contains(FencingMethod.Job)) differences.Add("the Job of fencing.job proves nothing");
        if (spec.Suspended is not null) differences.Add("it is not suspended");
        return differences;
    }

    internal static RedundancyGroupSpec Of(RedundancyGroupSpec spec, int members) => spec with
    {
        WorkloadRef = new WorkloadReference { Name = Objects.Group },
        Spares = members - 1,
        Engine = new EngineSpec { Type = EngineType.PostgreSQL },
        Agent = new AgentSpec { TokenSecretRef = new SecretKeyReference { Name = "agent", Key = "token" } },
        Fencing = spec.Fencing with { Policy = [.. spec.Fencing.Policy.Where(m => m != FencingMethod.Job)], Job = null },
        Suspended = null,
        Traffic = new TrafficSpec { Services = [new ServiceReference { Name = Objects.Service, Role = TrafficRole.Active }] },
    };
}
