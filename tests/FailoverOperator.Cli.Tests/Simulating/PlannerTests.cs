using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.CommandLine;
using FailoverOperator.Cli.Simulating;
using FailoverOperator.Simulator.Trials;
using k8s.Models;

namespace FailoverOperator.Cli.Tests.Simulating;

public sealed class PlannerTests
{
    [Fact]
    public void A_manifest_stands_for_members_in_three_zones()
    {
        var plan = SimulationPlanner.OfFaults(Group(members: []), ["power-cut", "zone-loss"]);
        Assert.Equal(["power-cut", "zone-loss"], plan.Scenarios.Select(s => s.Name));
        Assert.Equal(["zone-1", "zone-2", "zone-3"], plan.Scenarios[0].Plan.Members.Select(m => m.Zone));
        Assert.Equal((Blow.PowerCut, Victims.ZoneOfPrimary), (plan.Scenarios[1].Plan.Blow, plan.Scenarios[1].Plan.Victims));
    }

    [Fact]
    public void A_live_group_is_taken_as_it_is_the_primary_first()
    {
        var group = Group([Member("db-0", "n1", "a", MemberHealth.Failed), Member("db-1", "n2", "b"), Member("db-2", "n3", "b")], holder: "db-1");
        var members = SimulationPlanner.OfFaults(group, ["power-cut"]).Scenarios[0].Plan.Members;
        Assert.Equal([new TrialMember("b"), new TrialMember("a", IsDown: true), new TrialMember("b")], members);
    }

    [Theory]
    [InlineData("node", "n1", new[] { false, true, false })]
    [InlineData("zone", "b", new[] { true, false, true })]
    public void A_lost_place_takes_its_members_with_it(string what, string name, bool[] victims)
    {
        var group = Group([Member("db-0", "n1", "a"), Member("db-1", "n2", "b"), Member("db-2", "n3", "b")], holder: "db-1");
        var scenario = Assert.Single(SimulationPlanner.OfLoss(group, what, name).Scenarios);
        Assert.Equal(victims, scenario.Plan.Members.Select(m => m.IsVictim));
        Assert.Equal((Blow.PowerCut, Victims.Named), (scenario.Plan.Blow, scenario.Plan.Victims));
    }

    [Fact]
    public void A_place_without_members_is_refused_with_those_that_have_some()
    {
        var group = Group([Member("db-0", "n1", "a"), Member("db-1", null, null)], holder: "db-0");
        var refusal = Assert.Throws<CliException>(() => SimulationPlanner.OfLoss(group, "node", "n9"));
        Assert.Equal(ExitCodes.WrongUse, refusal.ExitCode);
        Assert.Contains("n1, unknown", refusal.Message);
    }

    [Fact]
    public void Without_a_primary_there_is_nothing_to_strike()
    {
        var refusal = Assert.Throws<CliException>(() => SimulationPlanner.OfFaults(Group([Member("db-0", "n1", "a")], holder: null), ["power-cut"]));
        Assert.Equal(ExitCodes.NotAsWished, refusal.ExitCode);
    }

    [Fact]
    public void What_the_simulator_does_not_have_is_refused()
    {
        var group = Group([]);
        group.Spec = group.Spec with
        {
            Agent = null,
            Engine = new EngineSpec { Type = EngineType.Redis },
            Fencing = new FencingSpec(),
            Targets = new TargetsSpec(),
        };
        Assert.Contains("agents only", Assert.Throws<CliException>(() => SimulationPlanner.OfFaults(group, ["partition"])).Message);
    }

    [Fact]
    public void A_spec_that_the_operator_would_refuse_is_refused()
    {
        var group = Group([]);
        group.Spec = group.Spec with { Fencing = group.Spec.Fencing with { StopAfterMilliseconds = 4900 } };
        Assert.Contains("leaseDurationSeconds", Assert.Throws<CliException>(() => SimulationPlanner.OfFaults(group, ["partition"])).Message);
    }

    internal static RedundancyGroup Group(IReadOnlyList<MemberStatus> members, string? holder = "db-0") => new()
    {
        Metadata = new V1ObjectMeta { Name = "db", NamespaceProperty = "shop" },
        Spec = new RedundancyGroupSpec
        {
            WorkloadRef = new WorkloadReference { Name = "db" },
            Spares = 2,
            Engine = new EngineSpec { Type = EngineType.PostgreSQL },
            Agent = new AgentSpec { TokenSecretRef = new SecretKeyReference { Name = "db", Key = "token" } },
            Fencing = new FencingSpec { Policy = [FencingMethod.SelfFence, FencingMethod.PodTermination] },
            Targets = new TargetsSpec { RtoSeconds = 30, RpoSeconds = 0 },
        },
        Status = members.Count == 0 ? null : new RedundancyGroupStatus
        {
            Members = members,
            Slots = [new SlotStatus { Name = "0", Holder = holder }],
        },
    };

    private static MemberStatus Member(string name, string? node, string? zone, MemberHealth health = MemberHealth.Healthy) =>
        new() { Name = name, Node = node, Zone = zone, Health = health, Role = MemberRole.Standby };
}
