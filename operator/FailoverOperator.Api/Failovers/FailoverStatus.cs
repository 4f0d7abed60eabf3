using FailoverOperator.Api.Attributes;

namespace FailoverOperator.Api.Failovers;

/// <summary>
/// The step that is being done. It is written before the step is begun, so that an operator that was killed
/// in between resumes at the right one.
/// </summary>
public enum FailoverPhase
{
    Pending,
    Fencing,
    Electing,

    /// <summary>Nobody is within the recovery point objective yet, and a warm standby is given time to get there.</summary>
    CatchingUp,

    /// <summary>A cold standby is scaled up and waited for.</summary>
    Starting,
    Promoting,
    Repointing,
    Verifying,
    Completed,
    Failed,
    Aborted,
}

public static class FailoverPhases
{
    /// <summary>Nothing of it is done any more.</summary>
    public static bool IsEnd(this FailoverPhase phase) => phase is FailoverPhase.Completed or FailoverPhase.Failed or FailoverPhase.Aborted;
}

/// <summary>The proof that the old primary cannot write.</summary>
public enum FenceEvidence
{
    /// <summary>Nothing had to be fenced.</summary>
    NotNeeded,

    /// <summary>
    /// The process that was primary has ended, as its kubelet or its successor in the same pod tells, and
    /// <c>engine.startsAs: ReadOnly</c> says that a restarted one takes no writes.
    /// </summary>
    ProcessEnded,

    /// <summary>The kubelet reported the end of every container of the deleted pod.</summary>
    PodTerminated,

    /// <summary>The pod is gone, and the kubelet of its node was alive long enough after to have ended it.</summary>
    KubeletCaughtUp,

    /// <summary>The agent of the old primary released the lease: nothing of it writes any more.</summary>
    Released,

    /// <summary>The old primary's lease ran out on the operator's clock; its agent has stopped it before.</summary>
    LeaseExpired,

    /// <summary>The Job of <c>fencing.job</c> succeeded.</summary>
    JobSucceeded,

    /// <summary>A person said so (annotation <c>failover-operator.io/fence-confirmed</c>).</summary>
    ConfirmedByPerson,

    /// <summary>The node carries the taint <c>node.kubernetes.io/out-of-service</c>: a person says that it is down.</summary>
    NodeOutOfService,

    /// <summary>Not proven; <c>fencing.whenUnproven: Proceed</c> took the risk.</summary>
    Unproven,
}

/// <summary>Whether the targets were met.</summary>
public enum TargetVerdict
{
    /// <summary>Nothing to judge: an election or adoption, or not ended.</summary>
    NotJudged,
    Met,

    /// <summary>It took longer than <c>targets.rtoSeconds</c>.</summary>
    RtoMissed,

    /// <summary>A person accepted that more was lost than the targets allow, or nobody knows how much.</summary>
    RpoMissed,
}

/// <summary>Phases whose duration is recorded.</summary>
public enum TimedPhase
{
    Detect,
    Decide,
    Fence,
    CatchUp,
    Start,
    Promote,
    Repoint,
    Verify,
}

/// <summary>How far it is.</summary>
public sealed record FailoverStatus
{
    [Description("The step that is being done, or how it ended.")]
    public FailoverPhase Phase { get; init; }

    [Description("CamelCase reason why it waits or how it ended.")]
    public string? Reason { get; init; }

    [Description("A sentence that says what is, and what to do about it.")]
    public string? Message { get; init; }

    [Description("The Failover that carries out this request.")]
    public string? ExecutedAs { get; init; }

    [Description("When the old primary last showed a sign of service since this began, RFC 3339 with microseconds. Absent: not since.")]
    public string? LastServiceAt { get; init; }

    [Description("The proof that the old primary cannot write.")]
    public FenceRecord? Fence { get; init; }

    [Description("What a person accepted to lose, by the annotation failover-operator.io/data-loss-accepted of the group. Absent: it was not needed.")]
    [Length(0, 1024)]
    public string? AcceptedLoss { get; init; }

    [Description("Members that said so since it began, as spec.rivals.")]
    [Items(0, FailoverSpec.MaxRivals)]
    public IReadOnlyList<MemberReference> Rivals { get; init; } = [];

    [Description("The new primary.")]
    public MemberReference? Candidate { get; init; }

    [Description("The log that the new primary had after the fence, before it was promoted, and how far. All writes that were acknowledged until then are in it. Absent: it did not tell.")]
    public LogPoint? Origin { get; init; }

    [Description("Identity of the new primary's log, as it told when it was first seen to take writes. Absent: it did not tell.")]
    [Length(0, 256)]
    public string? History { get; init; }

    [Description("Where the old primary's log ended, in a switchover without agents: the new one, or whoever has all of it, misses nothing. Absent: it was not stopped in order.")]
    public LogEnd? End { get; init; }

    [Description("When each step was begun.")]
    [ListMapKey("phase")]
    public IReadOnlyList<StepRecord> Steps { get; init; } = [];

    [Description("Milliseconds that each phase took.")]
    [ListMapKey("name")]
    public IReadOnlyList<PhaseDuration> Phases { get; init; } = [];

    [Description("Milliseconds from the last sign of service of the old primary to the first verified write on the new one.")]
    public long? DowntimeMilliseconds { get; init; }

    [Description("Bytes that the old primary had logged and the new one had not received. Absent: unknown.")]
    public long? LostBytes { get; init; }

    [Description("Whether it met the targets of its group.")]
    public TargetVerdict Targets { get; init; }

    [Description("When it ended, RFC 3339 with microseconds.")]
    public string? EndedAt { get; init; }
}

/// <summary>The proof that the old primary cannot write.</summary>
public sealed record FenceRecord
{
    [Required]
    [Description("What kind of proof.")]
    public FenceEvidence Evidence { get; init; }

    [Required]
    [Description("Who gave it: the kubelet of a node, a person, nobody.")]
    public string By { get; init; } = "";

    [Required]
    [Description("When, RFC 3339 with microseconds.")]
    public string At { get; init; } = "";
}

/// <summary>Where a log ended.</summary>
public sealed record LogEnd
{
    [Description("Identity of the log. Absent: the engine tells none.")]
    [Length(1, 256)]
    public string? History { get; init; }

    [Required]
    [Description("Position in it, as its server told when it took no writes any more.")]
    public long PositionBytes { get; init; }
}

/// <summary>When a step was begun.</summary>
public sealed record StepRecord
{
    [Required]
    [Description("The step.")]
    public FailoverPhase Phase { get; init; }

    [Required]
    [Description("When it was begun, RFC 3339 with microseconds.")]
    public string BeganAt { get; init; } = "";
}

/// <summary>How long a phase took.</summary>
public sealed record PhaseDuration
{
    [Required]
    [Description("The phase.")]
    public TimedPhase Name { get; init; }

    [Required]
    [Description("How long it took.")]
    public long Milliseconds { get; init; }
}
