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

/// <summary>Who decides about what a failover loses.</summary>
public enum DataLossPolicy
{
    /// <summary>Up to <c>targets.rpoSeconds</c> of writes the operator, more than that, or what nobody knows, a person.</summary>
    WithinTarget,

    /// <summary>A person, as soon as anything may be lost.</summary>
    RequireApproval,

    /// <summary>Nobody: who may miss anything is not promoted.</summary>
    Forbid,
}

/// <summary>How the new primary is chosen and promoted.</summary>
public sealed record PromotionSpec
{
    [Description("Who decides that a failed primary is replaced. Automatic: the operator. ApprovalRequired: a person approves each failover, by the annotation failover-operator.io/approved. Manual: a person asks for it, with a Failover of type Failover or Switchover.")]
    public PromotionPolicy Policy { get; init; } = PromotionPolicy.Automatic;

    [Description("Who decides about what is lost, if no standby has all that the old primary may have acknowledged. WithinTarget: up to targets.rpoSeconds of writes the operator; more, or what nobody knows, a person, by the annotation failover-operator.io/data-loss-accepted of the group. RequireApproval: a person, whatever it is. Forbid: nobody is promoted. With a PostgreSQL group's rpoSeconds 0 nothing that was acknowledged is missing as long as enough members are heard.")]
    public DataLossPolicy DataLoss { get; init; } = DataLossPolicy.WithinTarget;

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
