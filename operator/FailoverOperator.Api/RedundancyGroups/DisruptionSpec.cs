using FailoverOperator.Api.Attributes;

namespace FailoverOperator.Api.RedundancyGroups;

/// <summary>What is done about a disruption that somebody plans.</summary>
public enum DisruptionAnswer
{
    /// <summary>Nothing: when the primary's pod goes, that is a failover.</summary>
    Ignore,

    /// <summary>The primary's place is handed over first.</summary>
    Switchover,
}

/// <summary>What is done about disruptions that somebody plans, for groups whose primary can hand over in order.</summary>
public sealed record DisruptionSpec
{
    [Description("When the primary's pod is to be evicted, as by a drain of its node. Switchover: a PodDisruptionBudget holds the eviction until a standby has taken over. Ignore: no such budget is kept.")]
    public DisruptionAnswer OnEviction { get; init; } = DisruptionAnswer.Switchover;

    [Description("When the primary's node is cordoned, and nothing more is known. Ignore: nothing. Switchover: the place is handed over to a member on another node.")]
    public DisruptionAnswer OnCordon { get; init; } = DisruptionAnswer.Ignore;

    [Description("When the StatefulSet's template has changed and its updateStrategy is OnDelete. Switchover: the operator restarts the standbys one by one, hands over to one of them, and restarts the old primary last. Ignore: whoever changed it deletes the pods.")]
    public DisruptionAnswer OnUpdate { get; init; } = DisruptionAnswer.Switchover;
}
