using FailoverOperator.Api.Attributes;

namespace FailoverOperator.Api.RedundancyGroups;

/// <summary>Who decides that the primary's place is given back.</summary>
public enum FailbackPolicy
{
    /// <summary>Where it is it stays, until something happens or a person asks.</summary>
    Never,

    /// <summary>The operator, once the wanted member has been fit for long enough.</summary>
    Automatic,
}

/// <summary>Return of the primary's place to the member that is wanted most, see <c>promotion.priorities</c>. Always a switchover.</summary>
public sealed record FailbackSpec
{
    [Description("Never: the place stays where it is. Automatic: the operator hands it over to a member of higher priority than the primary's.")]
    public FailbackPolicy Policy { get; init; } = FailbackPolicy.Never;

    [Description("With policy Automatic: for so long that member must have been fit to take over, without a break.")]
    [RangeMinimum(1)]
    [RangeMaximum(86400)]
    public int StabilizationSeconds { get; init; } = 600;
}
