namespace FailoverOperator.Core.Observations;

/// <summary>What a member's engine says that it is. Unknown: it does not know, or did not say.</summary>
public enum EngineRole
{
    Unknown,
    Primary,
    Standby,
}

/// <summary>State of a standby's replication. Unknown for a primary.</summary>
public enum ReplicationLink
{
    Unknown,

    /// <summary>Receiving the primary's log.</summary>
    Up,

    /// <summary>Copying everything anew: its data are not consistent until that has ended.</summary>
    Syncing,
    Down,
}

/// <summary>A member's own account of itself.</summary>
public sealed record EngineStatus
{
    public required EngineRole Role { get; init; }

    /// <summary>Whether it would take a write now.</summary>
    public required bool Writable { get; init; }

    /// <summary>Identity of the server process; changes when it restarts. Null: the engine tells none.</summary>
    public string? Instance { get; init; }

    /// <summary>Position in the log, in bytes, comparable between members of a group. Null: unknown.</summary>
    public long? PositionBytes { get; init; }

    /// <summary>Identity of the log that the position belongs to; positions of another one cannot be compared. Null: not told.</summary>
    public string? History { get; init; }

    /// <summary>Identity of the log that this one continued. Null: none, or not told.</summary>
    public string? PreviousHistory { get; init; }

    public ReplicationLink Link { get; init; } = ReplicationLink.Unknown;

    /// <summary>For how long the link has been other than up. Null: it is up, or unknown.</summary>
    public TimeSpan? LinkDownFor { get; init; }

    /// <summary>Address (IP or host name) of the primary that a standby follows. Null: none, or unknown.</summary>
    public string? FollowsAddress { get; init; }

    /// <summary>The term in which a leader that was elected by the workload itself leads. Null: it tells none, or does not lead.</summary>
    public long? Term { get; init; }

    /// <summary>Whether it surely holds no data. Null: unknown.</summary>
    public bool? IsEmpty { get; init; }

    /// <summary>Lag that the engine itself reports, in bytes, for engines whose positions cannot be compared. Null: use positions.</summary>
    public long? ReportedLagBytes { get; init; }

    /// <summary>Age of the last write that a standby has applied. Null: unknown, or a primary.</summary>
    public TimeSpan? AppliedLag { get; init; }

    /// <summary>The engine's own words for people.</summary>
    public string? Message { get; init; }

    /// <summary>How old these facts were when they were told. Zero: they were asked for at that moment.</summary>
    public TimeSpan Age { get; init; }

    /// <summary>What the member's agent says beside. Null: no agent told this.</summary>
    public AgentFacts? Agent { get; init; }
}

/// <summary>What an agent says of itself and of its holder. Durations up to the moment of its answer, on its own monotonic clock.</summary>
public sealed record AgentFacts
{
    /// <summary>The highest term that it knows of.</summary>
    public required long Term { get; init; }

    /// <summary>Whether the server's process runs.</summary>
    public required bool ProcessRuns { get; init; }

    /// <summary>Since it sent the last renewal that was acknowledged. Null: it does not hold the lease.</summary>
    public TimeSpan? RenewedAgo { get; init; }

    /// <summary>
    /// Since it surely was the only one to write, and its server a primary: what it may lack was written since. Null: it is the holder, or its
    /// agent has not seen it so.
    /// </summary>
    public TimeSpan? ServedAgo { get; init; }

    /// <summary>Identity of the holder whom it acknowledged last. Null: nobody since it started.</summary>
    public string? AcknowledgedHolder { get; init; }

    /// <summary>The term that it acknowledged the holder in; 0: it acknowledged nobody.</summary>
    public long AcknowledgedTerm { get; init; }

    /// <summary>Null: it acknowledged nobody.</summary>
    public TimeSpan? AcknowledgedAgo { get; init; }
}

/// <summary>The outcome of one question to a member's engine. Closed: nested types only.</summary>
public abstract record EngineReply
{
    private EngineReply()
    {
    }

    /// <summary>The reply in words. Null: there was no question yet.</summary>
    public static string Describe(EngineReply? reply) => reply switch
    {
        null => "not asked yet",
        Answered => "answers",
        Refused refused => refused.Message,
        Silent silent => silent.Message,
        Unauthorized unauthorized => unauthorized.Message,
        Failed failed => failed.Message,
        _ => throw new ArgumentOutOfRangeException(nameof(reply), reply, "unknown reply"),
    };

    /// <summary>It answered.</summary>
    public sealed record Answered(EngineStatus Status) : EngineReply;

    /// <summary>The pod's kernel answered that nobody listens: the process is not there.</summary>
    public sealed record Refused(string Message) : EngineReply;

    /// <summary>No answer in time, or the connection broke. Says nothing about the process.</summary>
    /// <param name="Connected">
    /// True: the pod's kernel took the connection and nobody answered, as with a frozen process. False: not even the kernel did, as
    /// with a node without power or network. Null: unknown.
    /// </param>
    public sealed record Silent(string Message, bool? Connected = null) : EngineReply
    {
        /// <summary>False: the operator could not even ask, which says nothing about the member at all.</summary>
        public bool WasAsked { get; init; } = true;
    }

    /// <summary>It is there and rejects the operator's credentials. Says nothing about its health.</summary>
    public sealed record Unauthorized(string Message) : EngineReply;

    /// <summary>It answered with an error or with something that cannot be understood.</summary>
    public sealed record Failed(string Message) : EngineReply;
}

/// <summary>The outcome of a command to a member's engine. Closed: nested types only.</summary>
public abstract record EngineOutcome
{
    private EngineOutcome()
    {
    }

    /// <summary>Acknowledged.</summary>
    public sealed record Done : EngineOutcome;

    /// <summary>Not carried out, or not known to be: a sentence for a person.</summary>
    public sealed record NotDone(string Message) : EngineOutcome;
}
