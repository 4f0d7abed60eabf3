namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>What a member has that is to follow a leader.</summary>
/// <param name="Runs">The server runs, as a standby.</param>
/// <param name="Control">Null: no data, or it runs and lets the agent in.</param>
/// <param name="SystemId">Null: no data.</param>
/// <param name="Reached">How far its log reaches, if it runs and knows.</param>
/// <param name="LinkIsUp">It receives a log.</param>
/// <param name="Log">What the server printed last.</param>
/// <param name="RewoundOnto">The timeline that this member was last rewound onto.</param>
internal sealed record LocalData(
    DataState State, bool Runs, ControlData? Control, string? SystemId, LogPosition? Reached, bool LinkIsUp, string Log, uint? RewoundOnto);

/// <summary>How a member comes to follow its leader. Closed: nested types only.</summary>
internal abstract record Rejoin
{
    private Rejoin()
    {
    }

    /// <summary>Its log is a beginning of the leader's, as far as is known: stream the rest.</summary>
    public sealed record Stream : Rejoin;

    /// <summary>It has something that the leader never had; take that back.</summary>
    public sealed record Rewind(string Why) : Rejoin;

    /// <summary>Copy everything.</summary>
    public sealed record Copy(string Why) : Rejoin;

    /// <summary>A person must decide.</summary>
    public sealed record Refuse(string Why) : Rejoin;

    /// <summary>
    /// Pure. Data are given up only for those of a primary that was asked just now, and that shares their origin: whoever has the lease
    /// decides which history counts, but not that somebody else's database is worth nothing.
    /// </summary>
    public static Rejoin Decide(LocalData local, LeaderAnswer.Primary leader)
    {
        if (local.State == DataState.Foreign)
            return new Refuse("PGDATA holds files that are not PostgreSQL's: empty it, or set PGDATA to another folder");
        if (local.State == DataState.Absent) return new Copy("it has no data yet");
        if (local.State == DataState.Unfinished) return new Copy("its data were being rewound when that was interrupted");
        if (local.SystemId is { } own && own != leader.SystemId)
        {
            var whose = $"its data are those of another database system ({own}) than the leader's ({leader.SystemId})";
            return new Refuse($"{whose}: if nobody needs them, delete its volume, and it is cloned anew");
        }
        return local.Runs ? Running(local, leader) : Stopped(local, leader);
    }

    private static Rejoin Running(LocalData local, LeaderAnswer.Primary leader)
    {
        // It was rewound or copied from a leader that was lost before it had sent all that these data need. Nobody else has that, so that they will
        // never be consistent, and what is not cannot be rewound either. What they need of this leader's own timeline will come.
        if (local.Control is { MinimumRecovery: { Bytes: > 0 } needed } && needed.Timeline != leader.History.Timeline
            && !leader.History.Contains(needed, leader.End))
            return new Copy($"its data need the log up to {needed}, which the leader's did not pass");
        if (local.Reached is { } reached && !leader.History.Contains(reached, leader.End)) return Back(local, leader, reached);
        // The log of a run may speak of an earlier trouble: it counts only while the link is down.
        if (!local.LinkIsUp && ServerLog.SaysLogIsGone(local.Log) is { } gone) return new Copy(gone);
        return new Stream();
    }

    private static Rejoin Stopped(LocalData local, LeaderAnswer.Primary leader)
    {
        if (ServerLog.SaysBroken(local.Log) is { } broken) return new Copy(broken);
        if (local.Control is not { } control) return new Stream();
        if (!leader.History.Contains(control.Known, leader.End)) return Back(local, leader, control.Known);
        if (ServerLog.SaysDiverged(local.Log) is { } diverged) return Back(local, leader, control.Known, diverged);
        // A primary that crashed may have written more than its last checkpoint tells. On the leader's own timeline nobody else has written.
        var mayHaveMore = !control.EndedInOrder && !control.WasStandby && control.Checkpoint.Timeline != leader.History.Timeline;
        return mayHaveMore && local.RewoundOnto != leader.History.Timeline ? new Rewind("it was a primary when it ended") : new Stream();
    }

    /// <summary>pg_rewind goes back to where the timelines part, so it needs two; and once is enough.</summary>
    private static Rejoin Back(LocalData local, LeaderAnswer.Primary leader, LogPosition reached, string? why = null)
    {
        why ??= $"its log reaches to {reached}, where the leader's did not pass";
        var isUseless = reached.Timeline == leader.History.Timeline || local.RewoundOnto == leader.History.Timeline;
        return isUseless ? new Copy(why) : new Rewind(why);
    }
}
