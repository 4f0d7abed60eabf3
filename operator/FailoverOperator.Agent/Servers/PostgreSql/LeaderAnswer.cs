using Npgsql;

namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>What the leader's server says to a member that is to follow it. Closed: nested types only.</summary>
internal abstract record LeaderAnswer
{
    private LeaderAnswer()
    {
    }

    /// <summary>A primary that takes writes: the only one whom to copy or rewind from.</summary>
    /// <param name="End">How far its log reaches.</param>
    /// <param name="CheckpointTimeline">Of its last checkpoint; older than its own until the first one after its promotion.</param>
    /// <param name="SynchronousNames">Its synchronous_standby_names.</param>
    public sealed record Primary(string SystemId, TimelineHistory History, long End, uint CheckpointTimeline, string SynchronousNames) : LeaderAnswer;

    /// <summary>Not a primary yet, or not reachable.</summary>
    public sealed record Unfit(string Why) : LeaderAnswer;
}

/// <summary>Asks the leader, as the role that replicates.</summary>
internal sealed class LeaderQuestion(PostgreSqlSettings settings, Sql sql, TimeProvider time)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    private const string Question = """
        select me.standby,
            (select system_identifier::text from pg_control_system()),
            (select timeline_id::bigint from pg_control_checkpoint()),
            case when not me.standby then pg_walfile_name(pg_current_wal_lsn()) end,
            case when not me.standby then (pg_current_wal_flush_lsn() - '0/0')::bigint end,
            case when not me.standby then convert_from(pg_read_binary_file(
                'pg_wal/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) || '.history', 0, 1000000, true), 'UTF8') end,
            current_setting('synchronous_standby_names')
        from (select pg_is_in_recovery() as standby) me
        """;

    /// <summary>A primary is also asked for a slot of this member's, so that it keeps the log from now on.</summary>
    public Task<LeaderAnswer> AskAsync(Leader leader, CancellationToken cancellationToken) =>
        OnLeaderAsync(leader, Timeout, AskAsync, cancellationToken);

    /// <summary>Makes its control file say the timeline that it is on, which pg_rewind goes by. Null: done.</summary>
    public async Task<string?> CheckpointAsync(Leader leader, CancellationToken cancellationToken) =>
        await OnLeaderAsync(leader, TimeSpan.FromMinutes(5), CheckpointAsync, cancellationToken) is LeaderAnswer.Unfit unfit ? unfit.Why : null;

    /// <summary>About how much a copy of its data will take. Null: it does not say.</summary>
    public async Task<long?> SizeAsync(Leader leader, CancellationToken cancellationToken)
    {
        long? size = null;
        _ = await OnLeaderAsync(leader, Timeout, MeasureAsync, cancellationToken);
        return size;

        async Task<LeaderAnswer> MeasureAsync(Session session, CancellationToken deadline)
        {
            size = await session.ReadAsync("select sum(pg_database_size(oid))::bigint from pg_database", row => row.NumberOrNull(0), deadline);
            return new LeaderAnswer.Unfit("");
        }
    }

    private async Task<LeaderAnswer> OnLeaderAsync(
        Leader leader, TimeSpan timeout, Func<Session, CancellationToken, Task<LeaderAnswer>> question, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            await using var session = await sql.OpenPeerAsync(leader.Address, either.Token);
            return await question(session, either.Token);
        }
        catch (Exception exception) when (Sql.IsExpected(exception))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var whom = $"the leader {leader.Name} ({leader.Address})";
            return new LeaderAnswer.Unfit($"{whom} does not answer {ServerConfiguration.ReplicationRole}: {Sql.Describe(exception)}");
        }
    }

    private async Task<LeaderAnswer> AskAsync(Session session, CancellationToken cancellationToken)
    {
        var answer = await ReadAsync(session, cancellationToken);
        if (answer is not LeaderAnswer.Primary) return answer;

        // A slot that fell too far behind is of no use any more.
        var slot = Quoting.Literal(MemberNames.Slot(settings.PodName));
        await session.ExecuteAsync($"""
            select pg_drop_replication_slot(slot_name) from pg_replication_slots
            where slot_name = {slot} and wal_status = 'lost' and not active
            """, cancellationToken);
        await session.ExecuteAsync($"""
            select pg_create_physical_replication_slot({slot}, true)
            where not exists (select from pg_replication_slots where slot_name = {slot})
            """, cancellationToken);
        return answer;
    }

    private static async Task<LeaderAnswer> ReadAsync(Session session, CancellationToken cancellationToken) =>
        await session.ReadAsync(Question, Read, cancellationToken) ?? new LeaderAnswer.Unfit("the leader said nothing");

    private static LeaderAnswer Read(NpgsqlDataReader row)
    {
        if (row.GetBoolean(0)) return new LeaderAnswer.Unfit("the leader is not a primary yet");
        var timeline = Convert.ToUInt32(row.GetString(3)[..8], 16);
        return TimelineHistory.Parse(timeline, row.TextOrNull(5) ?? "") is { } history && (history.Ancestors.Count > 0 || timeline == 1)
            ? new LeaderAnswer.Primary(row.GetString(1), history, row.GetInt64(4), (uint)row.GetInt64(2), row.GetString(6))
            : new LeaderAnswer.Unfit(FormattableString.Invariant($"the leader has no history of its timeline {timeline}"));
    }

    private static async Task<LeaderAnswer> CheckpointAsync(Session session, CancellationToken cancellationToken)
    {
        await session.ExecuteAsync("checkpoint", cancellationToken);
        return await ReadAsync(session, cancellationToken);
    }
}
