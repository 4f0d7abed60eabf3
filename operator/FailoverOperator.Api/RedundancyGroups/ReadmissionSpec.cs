using FailoverOperator.Api.Attributes;

namespace FailoverOperator.Api.RedundancyGroups;

/// <summary>
/// When a member that was out of service takes traffic again: one after the other, so that a member that fails under load does not take
/// the others with it. While nobody takes traffic, as at the first start, all healthy members are let in at once.
/// </summary>
public sealed record ReadmissionSpec
{
    [Description("A member takes traffic again when it has been healthy for so long, without a break.")]
    [RangeMinimum(0)]
    [RangeMaximum(3600)]
    public int StabilizationSeconds { get; init; } = 10;

    [Description("Least time from one member that takes traffic again to the next.")]
    [RangeMinimum(0)]
    [RangeMaximum(3600)]
    public int IntervalSeconds { get; init; } = 5;
}
