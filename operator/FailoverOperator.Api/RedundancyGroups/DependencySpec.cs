using FailoverOperator.Api.Attributes;

namespace FailoverOperator.Api.RedundancyGroups;

/// <summary>A group that this one is of no use without: it fails over first.</summary>
public sealed record DependencySpec
{
    [Required]
    [Description("Name of the group, in the same namespace.")]
    [Length(1, 253)]
    public string Name { get; init; } = "";

    [Description("So long after this group's primary has failed its failover waits for the other group, if that one fails over or is not Available. After it the failover begins all the same.")]
    [RangeMinimum(1)]
    [RangeMaximum(86400)]
    public int WaitSeconds { get; init; } = 300;
}
