using FailoverOperator.Api.Attributes;

namespace FailoverOperator.Api.RedundancyGroups;

/// <summary>How the operator stands by a workload that elects its leader itself.</summary>
public sealed record QuorumSpec
{
    [Description("A member whose node does not exist any more, or is down and tainted out of service, is deleted after so long, so that the StatefulSet makes it anew elsewhere. Only while a majority answers without it. 0: never.")]
    [RangeMinimum(0)]
    [RangeMaximum(86400)]
    public int ReplaceLostAfterSeconds { get; init; } = 300;
}
