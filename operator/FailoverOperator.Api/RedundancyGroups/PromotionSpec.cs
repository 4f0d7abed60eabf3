using FailoverOperator.Api.Attributes;

namespace FailoverOperator.Api.RedundancyGroups;

/// <summary>What orders the candidates.</summary>
public enum CandidateOrder
{
    LeastLag,
    Zone,
    Priority,
    Name,
}

/// <summary>Who decides that a failed primary is replaced.</summary>
public enum PromotionPolicy
{
    Automatic,

    /// <summary>The operator prepares the failover and waits for a person's word.</summary>
    ApprovalRequired,

    /// <summary>The operator does nothing unless a person asks for it.</summary>
    Manual,
}

/// <summary>How the new primary is chosen and promoted.</summary>
public sealed record PromotionSpec
{
    [Description("Who decides that a failed primary is replaced. Automatic: the operator. ApprovalRequired: a person approves each failover, by the annotation failover-operator.io/approved. Manual: a person asks for it, with a Failover of type Failover or Switchover.")]
    public PromotionPolicy Policy { get; init; } = PromotionPolicy.Automatic;

    [Description("What decides between standbys that may be promoted, the first difference wins. LeastLag: least behind the old primary. Zone: in another zone than the old primary. Priority: highest in priorities. Name: first by name.")]
    [Items(1, 4)]
    [ListSet]
    public IReadOnlyList<CandidateOrder> CandidateOrder { get; init; } =
        [RedundancyGroups.CandidateOrder.LeastLag, RedundancyGroups.CandidateOrder.Zone, RedundancyGroups.CandidateOrder.Priority, RedundancyGroups.CandidateOrder.Name];

    [Description("How much each member is wanted as the primary, for candidateOrder Priority. A member that is not named has 100; one with 0 never takes the place of another one.")]
    [ListMapKey("member")]
    [Items(0, 101)]
    public IReadOnlyList<MemberPriority> Priorities { get; init; } = [];

    [Description("Time for the candidate to become primary. After it the candidate is fenced in turn and another one is chosen.")]
    [RangeMinimum(1)]
    [RangeMaximum(3600)]
    public int TimeoutSeconds { get; init; } = 30;
}

/// <summary>How much a member is wanted as the primary.</summary>
public sealed record MemberPriority
{
    public const int Usual = 100;

    [Required]
    [Description("Name of the pod.")]
    [Length(1, 253)]
    public string Member { get; init; } = "";

    [Required]
    [Description("The higher, the more it is wanted. 0: never.")]
    [RangeMinimum(0)]
    [RangeMaximum(1000)]
    public int Priority { get; init; }
}
