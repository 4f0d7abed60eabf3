using FailoverOperator.Api.Attributes;

namespace FailoverOperator.Api.RedundancyGroups;

/// <summary>What is said of one slot of mode NPlusM.</summary>
public sealed record SlotSpec
{
    /// <summary>Of a slot that is not named.</summary>
    public const int UsualPriority = 100;

    [Required]
    [Description("Name of the slot: 0 to active - 1.")]
    [Pattern("^(0|[1-9][0-9]?)$")]
    [Length(1, 2)]
    public string Name { get; init; } = "";

    [Required]
    [Description("The higher, the sooner it gets a spare when there are too few for all. A slot that is not named has 100; of the same priority the lower number goes first.")]
    [RangeMinimum(0)]
    [RangeMaximum(1000)]
    public int Priority { get; init; }
}
