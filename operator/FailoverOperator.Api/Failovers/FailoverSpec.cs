using System.Text.Json.Serialization;
using FailoverOperator.Api.Attributes;

namespace FailoverOperator.Api.Failovers;

/// <summary>What kind of change it is.</summary>
public enum FailoverType
{
    /// <summary>Forced by a fault: fence the old primary, promote a standby.</summary>
    Failover,

    /// <summary>The first primary of a new group, or the return of the last one after all members were down.</summary>
    Election,

    /// <summary>A primary was found at work; it is recorded, not changed.</summary>
    Adoption,

    /// <summary>Planned and lossless: the primary hands over to a standby. People may ask for it.</summary>
    Switchover,

    /// <summary>A switchover to the member that is wanted most. People may ask for it.</summary>
    Failback,
}

/// <summary>Why the change is needed: the diagnosis.</summary>
public enum FailoverCause
{
    NewGroup,
    PrimaryProcessDown,
    PrimaryPodGone,
    PrimaryNodeDown,
    PrimaryUnresponsive,
    AllMembersDown,

    /// <summary>The primary's lease was not renewed, and nothing more is known of it.</summary>
    PrimaryLeaseExpired,

    /// <summary>The primary is alive, as it or its peers say, and cannot renew its lease.</summary>
    PrimaryIsolated,

    /// <summary>A person made another member the primary.</summary>
    PrimaryMoved,

    /// <summary>Nothing is wrong: a person asks for it.</summary>
    Requested,

    /// <summary>Nothing is wrong: another member is wanted more (<c>failback.policy</c>).</summary>
    Failback,

    /// <summary>Nothing is wrong: the primary's node is drained, or is about to be removed.</summary>
    NodeDrain,

    /// <summary>Nothing is wrong: the primary's node is cordoned (<c>disruption.onCordon</c>).</summary>
    NodeCordon,

    /// <summary>Nothing is wrong: somebody wants to evict the primary's pod.</summary>
    PodEviction,

    /// <summary>Nothing is wrong: the workload is updated, and the primary's pod is the last of the old revision.</summary>
    RollingUpdate,
}

/// <summary>
/// What is to be done and why. A person's request names a type and nothing that the operator finds out itself; the operator does it as a
/// Failover of its own, with a term, which names the request.
/// </summary>
[ValidationRule(RedundancyGroups.RuleIds.RequestIsPossible, "has(self.term) || self.type in ['Switchover', 'Failover', 'Failback']",
    "people can ask for type: Switchover, Failover, or Failback; the other types are begun by the operator alone, when they are needed")]
[ValidationRule(RedundancyGroups.RuleIds.RequestHasNoTerm, "!has(self.term) || !(has(self.reason) || has(self.scheduledAt) || has(self.expectedHolder))",
    "term is what the operator finds out; leave it out of a request")]
[ValidationRule(RedundancyGroups.RuleIds.SpecIsImmutable, "self == oldSelf", "the spec of a Failover cannot be changed")]
public sealed record FailoverSpec
{
    public const int MaxEvidence = 16;
    public const int MaxEvidenceLength = 1024;
    public const int MaxRivals = 16;
    public const int DefaultDeadlineSeconds = 60;

    [Required]
    [Description("The group.")]
    public GroupReference GroupRef { get; init; } = new();

    [Description("The slot whose holder changes; 0 in mode ActivePassive.")]
    [Length(1, 63)]
    public string Slot { get; init; } = ApiGroup.FirstSlot;

    /// <summary>0: a request, which has none.</summary>
    [Description("The term that the new primary will have. Absent: this is a person's request, which the operator carries out as a Failover of its own.")]
    [RangeMinimum(1)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Term { get; init; }

    [Required]
    [Description("Switchover: planned and lossless, may be asked for. Failover: forced by a fault, or by a person who asks for it. Election: first primary. Adoption: a primary was found at work.")]
    public FailoverType Type { get; init; }

    [Description("The diagnosis. Requested: a person asks for it.")]
    public FailoverCause Cause { get; init; } = FailoverCause.Requested;

    [Description("Pod that is to become the primary. Absent: the best standby.")]
    [Length(1, 253)]
    public string? Target { get; init; }

    [Description("Why, for the record.")]
    [Length(0, 1024)]
    public string? Reason { get; init; }

    [Description("Pod that must be the primary, else nothing is done: nobody else has moved it since this was written.")]
    [Length(1, 253)]
    public string? ExpectedHolder { get; init; }

    [Description("Not before this time, RFC 3339, for example 2026-11-27T03:00:00Z. Absent: at once.")]
    [Pattern(RedundancyGroups.TimePattern.Rfc3339)]
    [Length(0, 64)]
    public string? ScheduledAt { get; init; }

    [Description("Change nothing: only say in the status what would be done, and what every check says.")]
    public bool DryRun { get; init; }

    [Description("Given up so long after it could have begun, with the old primary as it was.")]
    [RangeMinimum(1)]
    [RangeMaximum(86400)]
    public int DeadlineSeconds { get; init; } = DefaultDeadlineSeconds;

    [Description("The request that this carries out. Written by the operator.")]
    public RequestReference? RequestRef { get; init; }

    [Description("The evidence for the diagnosis, for people.")]
    [Items(0, MaxEvidence)]
    [Length(0, MaxEvidenceLength)]
    public IReadOnlyList<string> Evidence { get; init; } = [];

    [Description("When the need for it was noticed, RFC 3339 with microseconds.")]
    [Length(0, 64)]
    public string? DetectedAt { get; init; }

    [Description("When the old primary last showed a sign of service, RFC 3339 with microseconds. Absent: the operator has not seen it at work.")]
    [Length(0, 64)]
    public string? LastServiceAt { get; init; }

    [Description("The old primary. Absent: there was none.")]
    public MemberReference? From { get; init; }

    [Description("Other members that said that they take writes, as when a person had moved the primary without the operator. Each is heard again, or its end is proven, before anybody else is promoted.")]
    [Items(0, MaxRivals)]
    public IReadOnlyList<MemberReference> Rivals { get; init; } = [];

    [Description("The old primary's last known position in its log.")]
    public long? PrimaryPositionBytes { get; init; }

    [Description("Identity of the log that the positions belong to. Absent: the engine tells none.")]
    [Length(0, 256)]
    public string? PrimaryHistory { get; init; }

    [Description("The least position of a candidate that keeps the loss within the recovery point objective.")]
    public long? RequiredPositionBytes { get; init; }

    [Description("What the old primary's log began from, as status.origin of the failover that chose it. Absent: unknown.")]
    public LogPoint? PrimaryOrigin { get; init; }
}

/// <summary>A place in a log.</summary>
public sealed record LogPoint
{
    [Required]
    [Description("Identity of the log.")]
    [Length(1, 256)]
    public string History { get; init; } = "";

    [Required]
    [Description("Position in it.")]
    public long PositionBytes { get; init; }
}

/// <summary>Names the group.</summary>
public sealed record GroupReference
{
    [Required]
    [Description("Name of the RedundancyGroup, in the same namespace.")]
    [Length(1, 253)]
    public string Name { get; init; } = "";
}

/// <summary>Names a person's request.</summary>
public sealed record RequestReference
{
    [Required]
    [Description("Name of the Failover.")]
    [Length(1, 253)]
    public string Name { get; init; } = "";

    [Required]
    [Description("UID of the Failover: one of the same name and another UID is another request.")]
    [Length(0, 128)]
    public string Uid { get; init; } = "";
}

/// <summary>Names one incarnation of a pod.</summary>
public sealed record MemberReference
{
    public const int MaxInstanceLength = 256;

    [Required]
    [Description("Name of the pod.")]
    [Length(0, 253)]
    public string Name { get; init; } = "";

    [Required]
    [Description("UID of the pod: a pod of the same name and another UID is another member.")]
    [Length(0, 128)]
    public string Uid { get; init; } = "";

    [Description("Node that it runs on.")]
    [Length(0, 253)]
    public string? Node { get; init; }

    [Description("Zone of that node.")]
    [Length(0, 253)]
    public string? Zone { get; init; }

    [Description("Id of its engine container; changes when the container restarts.")]
    [Length(0, 256)]
    public string? ContainerId { get; init; }

    [Description("Address that its standbys follow: its own, or that of the primary before it where it never took writes. Absent: unknown.")]
    [Length(0, 253)]
    public string? Address { get; init; }

    [Description("Identity of the server process, as the engine tells it. Empty: the engine tells none.")]
    [Length(0, MaxInstanceLength)]
    public string? Instance { get; init; }
}
