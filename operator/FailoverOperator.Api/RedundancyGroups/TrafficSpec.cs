using FailoverOperator.Api.Attributes;

namespace FailoverOperator.Api.RedundancyGroups;

/// <summary>Which role a Service leads to.</summary>
public enum TrafficRole
{
    Active,
    Standby,
}

/// <summary>Which Services follow the members' roles.</summary>
public sealed record TrafficSpec
{
    [Description("Services whose selectors the operator extends by the label failover-operator.io/role, so that they lead to the members of that role only.")]
    [ListMapKey("name")]
    [Items(0, 16)]
    public IReadOnlyList<ServiceReference> Services { get; init; } = [];
}

/// <summary>A Service and the role it leads to.</summary>
public sealed record ServiceReference
{
    [Required]
    [Description("Name of the Service, in the group's namespace; in mode NPlusM each slot has one of the name <name>-<slot>. It must have a selector that matches the workload's pods.")]
    [Length(1, 63)]
    public string Name { get; init; } = "";

    [Required]
    [Description("Active: leads to the primary. Standby: leads to the standbys.")]
    public TrafficRole Role { get; init; }
}
