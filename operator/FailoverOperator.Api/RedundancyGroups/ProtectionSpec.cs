using FailoverOperator.Api.Attributes;

namespace FailoverOperator.Api.RedundancyGroups;

/// <summary>
/// What keeps failovers from following each other too fast. Only those that the operator begins by itself are counted, and kept back; the failed
/// primary may come back to its own place at any time.
/// </summary>
public sealed record ProtectionSpec
{
    /// <summary>As many failovers as there are faults.</summary>
    public static ProtectionSpec Off { get; } = new() { CooldownSeconds = 0, CooldownMaximumSeconds = 0, MaxFailoversPerHour = 1000, ReturnAfterSeconds = 0 };

    [Description("So long after a failover has ended the operator begins no other one. Twice as long after a second one within an hour, and so on. 0: at once.")]
    [RangeMinimum(0)]
    [RangeMaximum(3600)]
    public int CooldownSeconds { get; init; } = 60;

    [Description("The pause after a failover does not grow beyond this.")]
    [RangeMinimum(0)]
    [RangeMaximum(3600)]
    public int CooldownMaximumSeconds { get; init; } = 900;

    [Description("After so many failovers within an hour the operator begins none any more until a person has acknowledged the last one, by the annotation failover-operator.io/acknowledged of the group.")]
    [RangeMinimum(1)]
    [RangeMaximum(1000)]
    public int MaxFailoversPerHour { get; init; } = 4;

    [Description("A member that was the primary and failed is not made the primary again by a failover within so many seconds after it was replaced. 0: at once.")]
    [RangeMinimum(0)]
    [RangeMaximum(3600)]
    public int ReturnAfterSeconds { get; init; } = 120;
}
