using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Leases;
using FailoverOperator.Observing;

namespace FailoverOperator.Tests.Operator;

/// <summary>
/// Groups with agents, for tests. At every instant of every test at most one server takes writes: the world looks.
/// </summary>
internal static class AgentedWorld
{
    public static RedundancyGroupSpec Agented(RedundancyGroupSpec spec) => spec with
    {
        Agent = new AgentSpec { TokenSecretRef = new SecretKeyReference { Name = "agent", Key = "token" } },
        Fencing = spec.Fencing with { Policy = [FencingMethod.SelfFence, FencingMethod.PodTermination] },
    };

    /// <summary>Where db-0 is the primary of term 1, and everybody follows it.</summary>
    public static OperatorWorld Running(Func<RedundancyGroupSpec, RedundancyGroupSpec>? change = null)
    {
        var world = new OperatorWorld(spec => change?.Invoke(Agented(spec)) ?? Agented(spec));
        world.StartOperator();
        world.UntilSteady("db-0");
        return world;
    }

    public static LeaseRecord Lease(OperatorWorld world) => LeaseCodec.Read(world.Lease!).Record;

    public static TimeSpan LastRenewal(OperatorWorld world) => world.Lease!.Spec.RenewTime!.Value - FakeAgents.Epoch.UtcDateTime;
}
