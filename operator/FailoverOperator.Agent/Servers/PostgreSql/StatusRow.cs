using Npgsql;
using Npgsql.Replication;

namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>The process that receives the log from upstream.</summary>
/// <param name="HasHeard">
/// The upstream has sent something. One that does not have the log any more lets it begin, too, and ends it a moment later.
/// </param>
/// <param name="Flushed">What it has put on the disk. Null: nothing yet.</param>
internal sealed record Receiver(string State, string? Host, bool HasHeard, LogPosition? Flushed);

/// <summary>What the own server says of itself at one moment.</summary>
/// <param name="StartedAt">The server's own time of its start, only to tell one run from another.</param>
/// <param name="Position">Primary: end of the log on its disk. Standby: where it has read the log to, and on which timeline.</param>
/// <param name="Received">Standby: end of what was received since it started, of the receiver's timeline, also when that has ended.</param>
/// <param name="HasReadItsLog">Standby: it waits for more, so that it has read all it had on its disk.</param>
/// <param name="IsPaused">Standby: somebody, or settings that are too small, have stopped the reading.</param>
/// <param name="SynchronousNames">synchronous_standby_names as in effect.</param>
internal sealed record StatusRow(
    bool InRecovery, bool ReadOnly, long StartedAt, string SystemId, LogPosition Position, Receiver? Receiver, long? Received,
    bool HasReadItsLog, bool IsPaused, long? LagMilliseconds, string SynchronousNames)
{
    public bool IsUp => Receiver is { State: "streaming", HasHeard: true };

    private const string Question = """
        select me.standby, current_setting('default_transaction_read_only') = 'on',
            (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint,
            r.status, r.sender_host, r.received_tli::bigint, (r.flushed_lsn - '0/0')::bigint,
            case when me.standby then (pg_last_wal_receive_lsn() - '0/0')::bigint end,
            startup.wait_event,
            case when me.standby then pg_get_wal_replay_pause_state() end,
            case when not me.standby then null when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0
                else (extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000)::bigint end,
            current_setting('synchronous_standby_names'),
            -- Both begin as the time of the receiver's start; from the first message on one is the sender's, the other its own.
            r.last_msg_send_time is distinct from r.last_msg_receipt_time,
            case when not me.standby then ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint end,
            case when not me.standby then (pg_current_wal_flush_lsn() - '0/0')::bigint end
        from (select pg_is_in_recovery() as standby) me
        left join pg_stat_wal_receiver r on me.standby
        left join lateral (select wait_event from pg_stat_activity where backend_type = 'startup' limit 1) startup on me.standby
        """;

    /// <summary>A standby's position comes with its timeline only from the replication protocol, so there are two questions.</summary>
    public static async Task<StatusRow> ReadAsync(Session session, PhysicalReplicationConnection replication) =>
        await ReadAsync(session, await replication.IdentifySystem(CancellationToken.None));

    /// <param name="identity">Asked before. It may have been promoted since: a primary's own answer is never mixed with the standby's that it was.</param>
    public static async Task<StatusRow> ReadAsync(Session session, ReplicationSystemIdentification identity) =>
        (await session.ReadAsync(Question, row => Read(row, identity), CancellationToken.None))!;

    private static StatusRow Read(NpgsqlDataReader row, ReplicationSystemIdentification identity)
    {
        var wait = row.TextOrNull(8);
        return new StatusRow(
            InRecovery: row.GetBoolean(0),
            ReadOnly: row.GetBoolean(1),
            StartedAt: row.GetInt64(2),
            SystemId: identity.SystemId,
            Position: Place(row.NumberOrNull(13), row.NumberOrNull(14)) ?? new LogPosition(identity.Timeline, (long)(ulong)identity.XLogPos),
            Receiver: row.TextOrNull(3) is { } state
                ? new Receiver(state, row.TextOrNull(4), row.GetBoolean(12), Place(row.NumberOrNull(5), row.NumberOrNull(6)))
                : null,
            Received: row.NumberOrNull(7),
            HasReadItsLog: wait is "RecoveryWalStream" or "RecoveryRetrieveRetryInterval",
            IsPaused: row.TextOrNull(9) is not (null or "not paused"),
            LagMilliseconds: row.NumberOrNull(10) is { } lag ? Math.Max(0, lag) : null,
            SynchronousNames: row.GetString(11));
    }

    private static LogPosition? Place(long? timeline, long? bytes) =>
        timeline is { } number and > 0 && bytes is { } flushed ? new LogPosition((uint)number, flushed) : null;
}
