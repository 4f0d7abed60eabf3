using FailoverOperator.Api.Attributes;
using FailoverOperator.Api.Failovers;

namespace FailoverOperator.Api.RedundancyGroups;

/// <summary>What is.</summary>
public sealed record RedundancyGroupStatus
{
    [Description("The generation of the spec that this status speaks of.")]
    public long? ObservedGeneration { get; init; }

    [Description("Names of the members that are active, for kubectl get: the holders of the slots, <none> for one without. The first five; the others are counted.")]
    public string? Active { get; init; }

    [Description("Who is active.")]
    [ListMapKey("name")]
    public IReadOnlyList<SlotStatus> Slots { get; init; } = [];

    [Description("The pods of the group.")]
    [ListMapKey("name")]
    public IReadOnlyList<MemberStatus> Members { get; init; } = [];

    [Description("Standbys that could take over now.")]
    public int? SparesReady { get; init; }

    [Description("Whether a failover would work now, and to whom.")]
    public FailoverReadiness? FailoverReadiness { get; init; }

    [Description("The last ended failover.")]
    public LastFailover? LastFailover { get; init; }

    [Description("What failures have cost since counting began.")]
    public GroupStatistics? Statistics { get; init; }

    [Description("Accepted, Available, Redundant, FailoverReady, TargetsMet, Progressing, Suppressed.")]
    [ListMapKey("type")]
    public IReadOnlyList<Condition> Conditions { get; init; } = [];
}

/// <summary>One unit of exclusive activity and its holder.</summary>
public sealed record SlotStatus
{
    [Required]
    [Description("Name of the slot; 0 in mode ActivePassive.")]
    public string Name { get; init; } = "";

    [Description("Name of the pod that is active.")]
    public string? Holder { get; init; }

    [Description("Fencing epoch; grows with each change of the holder.")]
    public long? Term { get; init; }

    [Description("Since when, RFC 3339.")]
    public string? Since { get; init; }

    [Description("In mode NPlusM: every Failover of the slot up to this term is in the statistics. In mode ActivePassive statistics.countedTerm says so.")]
    public long? CountedTerm { get; init; }

    [Description("The loss that a failover waits for a person to accept. Absent: none does.")]
    public LossToAccept? LossToAccept { get; init; }
}

/// <summary>A loss that only a person can accept.</summary>
public sealed record LossToAccept
{
    [Required]
    [Description("What the annotation failover-operator.io/data-loss-accepted of the group has to hold, among the words of other slots: the failover that made the failed primary one, and when that was heard last.")]
    public string Word { get; init; } = "";

    [Required]
    [Description("What would be lost, as far as it is known.")]
    public string Message { get; init; } = "";
}

/// <summary>What a member does.</summary>
public enum MemberRole
{
    Unknown,
    Active,
    Standby,
    Spare,
    Fenced,
}

/// <summary>How a member is. Unknown is neither healthy nor failed.</summary>
public enum MemberHealth
{
    Unknown,
    Healthy,
    Suspect,
    Failed,
}

/// <summary>One pod of the group.</summary>
public sealed record MemberStatus
{
    [Required]
    [Description("Name of the pod.")]
    public string Name { get; init; } = "";

    [Description("What the member does.")]
    public MemberRole Role { get; init; }

    [Description("The slot that it is active in, or was. Absent: none.")]
    public string? Slot { get; init; }

    [Description("How it is. Unknown is neither healthy nor failed.")]
    public MemberHealth Health { get; init; }

    [Description("Bytes of the primary's log that the member has not received. Absent: unknown.")]
    public long? LagBytes { get; init; }

    [Description("Node that the pod runs on.")]
    public string? Node { get; init; }

    [Description("Zone of that node.")]
    public string? Zone { get; init; }

    [Description("Why the member is not healthy.")]
    public string? Message { get; init; }
}

/// <summary>Whether a failover would work now.</summary>
public sealed record FailoverReadiness
{
    [Description("Whether a failover would work now.")]
    public bool Ready { get; init; }

    [Description("Who would be promoted.")]
    public string? Candidate { get; init; }

    [Description("CamelCase reason.")]
    public string Reason { get; init; } = "";

    [Description("A sentence.")]
    public string Message { get; init; } = "";
}

/// <summary>Summary of the last ended failover.</summary>
public sealed record LastFailover
{
    [Description("Name of the Failover object.")]
    public string Name { get; init; } = "";

    [Description("Why it was needed.")]
    public FailoverCause Cause { get; init; }

    [Description("How it ended.")]
    public FailoverPhase Result { get; init; }

    [Description("Milliseconds from the last sign of service of the old primary to the first verified write on the new one.")]
    public long? DowntimeMilliseconds { get; init; }

    [Description("Bytes that the old primary had logged and the new one had not received. Absent: unknown.")]
    public long? LostBytes { get; init; }

    [Description("Whether it met the targets.")]
    public TargetVerdict Targets { get; init; }
}

/// <summary>A metav1.Condition.</summary>
public sealed record Condition
{
    [Required]
    [Description("Type of the condition.")]
    public string Type { get; init; } = "";

    [Required]
    [Description("True, False or Unknown.")]
    public ConditionStatus Status { get; init; }

    [Description("The generation of the spec that the condition speaks of.")]
    public long? ObservedGeneration { get; init; }

    [Required]
    [Description("When the status last changed, RFC 3339.")]
    public string LastTransitionTime { get; init; } = "";

    [Required]
    [Description("CamelCase reason.")]
    public string Reason { get; init; } = "";

    [Required]
    [Description("A sentence that says what is, and what to do about it.")]
    public string Message { get; init; } = "";
}

/// <summary>Status of a condition.</summary>
public enum ConditionStatus
{
    Unknown,
    True,
    False,
}
