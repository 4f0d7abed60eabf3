using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Reporting;

namespace FailoverOperator.Core.Tests.Reporting;

/// <summary>Whether one failure takes all members; nobody is accused of what is not known or cannot be otherwise.</summary>
public sealed class PlacementTests
{
    public static TheoryData<string, string?[], FailureDomains, string?> Cases => new()
    {
        { "spread over zones", ["a", "b", "c"], new(3, 3), null },
        { "two of three in one zone", ["a", "a", "b"], new(3, 2), null },
        { "all in one zone", ["a", "a", "a"], new(5, 2), Reasons.ZoneConcentrated },
        { "the cluster has one zone only", ["a", "a", "a"], new(3, 1), null },
        { "one node tells no zone", ["a", null, "a"], new(5, 2), null },
        { "no node tells a zone", [null, null, null], new(5, 2), null },
        { "the operator may not read nodes", [null, null, null], FailureDomains.Unknown, null },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Zones(string what, string?[] zones, FailureDomains domains, string? expected)
    {
        Assert.NotEmpty(what);
        var group = Given.Healthy() with { Domains = domains };
        group = group with { Members = [.. group.Members.Select((m, i) => m.InZone(zones[i]))] };
        Assert.Equal(expected, Placement.Concentration(group)?.Reason);
    }

    [Fact]
    public void All_on_one_node_is_worse_and_said_first()
    {
        var group = Given.Healthy() with { Domains = new(2, 2) };
        group = group with { Members = [.. group.Members.Select(m => m with { Node = group.Members[0].Node })] };
        Assert.Equal(Reasons.NodeConcentrated, Placement.Concentration(group)?.Reason);
        Assert.Null(Placement.Concentration(group with { Domains = new(1, 1) }));
        Assert.Null(Placement.Concentration(group with { Members = [group.Members[0]] }));
        Assert.Null(Placement.Concentration(group.Change("db-1", m => m with { Node = m.Node with { Name = "" } })));
    }

    [Fact]
    public void Redundant_says_it_unless_spares_are_missing()
    {
        var group = Given.Healthy() with { Domains = new(3, 2) };
        group = group with { Members = [.. group.Members.Select(m => m.InZone("a"))] };
        Assert.Equal((ConditionStatus.False, Reasons.ZoneConcentrated), Redundant(group));
        Assert.Equal((ConditionStatus.False, Reasons.TooFewSpares), Redundant(group.Without("db-2")));
    }

    private static (ConditionStatus, string) Redundant(GroupObservation group)
    {
        var report = GroupReport.Of(group, new AcceptanceVerdict(true, true, Reasons.Valid, "fine"), Decider.Decide(group));
        return report.Conditions.Single(c => c.Type == ConditionTypes.Redundant) is var condition ? (condition.Status, condition.Reason) : default;
    }
}
