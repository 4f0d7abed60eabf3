using FailoverOperator.Core.Observations;

namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>
/// What the agent has learned from earlier answers of the server, and how it reads the next one. Pure; moments are of its monotonic clock.
/// </summary>
internal sealed record StatusMemory
{
    /// <summary>The run of the server that <see cref="Reached"/> and <see cref="IsSettled"/> are about.</summary>
    public long StartedAt { get; init; }

    /// <summary>The furthest place of the log that this run has put on its disk.</summary>
    public LogPosition? Reached { get; init; }

    /// <summary>
    /// This run has read all of the log that was on the disk when it started. Before, it does not know how far it reaches: a standby
    /// that acknowledged a write must not be taken for one that lacks it.
    /// </summary>
    public bool IsSettled { get; init; }

    /// <summary>When the link was last seen up. Null: never by this agent.</summary>
    public TimeSpan? LastUp { get; init; }

    public StatusMemory Learn(StatusRow row, TimeSpan now)
    {
        var known = row.StartedAt == StartedAt ? this : new StatusMemory { StartedAt = row.StartedAt, LastUp = LastUp };
        return known with
        {
            Reached = row.InRecovery ? LogPosition.Max(LogPosition.Max(row.Position, Flushed(row)), known.Extended(row)) : row.Position,
            // The receiver is started only when all there was has been read.
            IsSettled = known.IsSettled || !row.InRecovery || row.HasReadItsLog || row.Receiver is not null,
            LastUp = row.IsUp ? now : known.LastUp,
        };
    }

    /// <param name="process">Its process id.</param>
    /// <param name="parent">The timeline that the present one continued. Null: none, or unknown.</param>
    /// <param name="leaderAddress">Whom it was told to follow.</param>
    public EngineStatus Tell(StatusRow row, int process, uint? parent, string? leaderAddress, TimeSpan now)
    {
        var reached = Reached ?? row.Position;
        var link = !row.InRecovery ? ReplicationLink.Unknown : row.IsUp ? ReplicationLink.Up : ReplicationLink.Down;
        return new EngineStatus
        {
            Role = row.InRecovery ? EngineRole.Standby : EngineRole.Primary,
            Writable = !row.InRecovery && !row.ReadOnly,
            Instance = FormattableString.Invariant($"{row.StartedAt}-{process}"),
            PositionBytes = IsSettled ? reached.Bytes : null,
            History = History(row.SystemId, reached.Timeline),
            PreviousHistory = parent is { } number ? History(row.SystemId, number) : null,
            Link = link,
            LinkDownFor = link == ReplicationLink.Down && LastUp is { } up ? now - up : null,
            FollowsAddress = row.InRecovery ? row.Receiver?.Host ?? leaderAddress : null,
            IsEmpty = false,
            AppliedLag = row.LagMilliseconds is { } lag ? TimeSpan.FromMilliseconds(lag) : null,
            Message = !IsSettled ? "it is still reading its own log: how far that reaches is not known yet"
                : row.IsPaused ? "it does not read on in the log: somebody has paused that, or its settings are smaller than the primary's"
                : null,
        };
    }

    /// <summary>
    /// What the receiver has put on the disk. On a new timeline it begins with the beginning of a file, which was there before: until it has
    /// got beyond that, this is no standby of the new timeline.
    /// </summary>
    private static LogPosition? Flushed(StatusRow row) =>
        row.Receiver?.Flushed is { } flushed && flushed.Bytes >= row.Position.Bytes ? flushed : null;

    /// <summary>The receiver has ended: what it received last is of the timeline that it was seen on.</summary>
    private LogPosition? Extended(StatusRow row) =>
        Reached is { } reached && row.Received is { } bytes && bytes > reached.Bytes ? reached with { Bytes = bytes } : Reached;

    private static string History(string systemId, uint timeline) => FormattableString.Invariant($"{systemId}:{timeline}");
}
