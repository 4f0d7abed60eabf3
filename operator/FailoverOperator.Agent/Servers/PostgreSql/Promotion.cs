using FailoverOperator.Api.Agents;

namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>Makes a running standby a primary that members can follow. Results: null, or why it did not work.</summary>
internal sealed class Promotion(PostgreSqlSettings settings, TimeProvider time)
{
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(5);

    /// <summary>From then on whoever holds up the reading of the log has to go.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    public async Task<string?> PromoteAsync(Session session, CancellationToken cancellationToken)
    {
        await session.ExecuteAsync("select pg_promote(wait => false)", cancellationToken);
        var since = time.GetTimestamp();
        while (await session.IsInRecoveryAsync(cancellationToken))
        {
            if (time.GetElapsedTime(since) > Patience) await session.ExecuteAsync(EndHoldUps, cancellationToken);
            await Task.Delay(Glance, time, cancellationToken);
        }
        return await session.TextAsync("show default_transaction_read_only", cancellationToken) == "on"
            ? "the server was promoted but takes no writes: default_transaction_read_only is on in its configuration"
            : null;
    }

    /// <summary>One slot for each other member, so that the log is kept for it; none for who is a member no more.</summary>
    public async Task KeepSlotsAsync(Session session, LeaseTerms terms, CancellationToken cancellationToken)
    {
        var wanted = terms.Members.Where(m => m.Name != settings.PodName).Select(m => Quoting.Literal(MemberNames.Slot(m.Name))).ToList();
        await DropSlotsAsync(session, $"wal_status = 'lost' or not slot_name = any (array[{string.Join(", ", wanted)}]::text[])", cancellationToken);
        if (wanted.Count > 0)
            await session.ExecuteAsync($"""
                select pg_create_physical_replication_slot(name, true) from unnest(array[{string.Join(", ", wanted)}]) name
                where not exists (select from pg_replication_slots where slot_name = name)
                """, cancellationToken);
    }

    /// <summary>
    /// Slots take as long to create as everything else that a promotion does, or longer: a standby has them already. It keeps the log for nobody:
    /// they go with its own position.
    /// </summary>
    public async Task PrepareAsync(Session session, LeaseTerms terms, CancellationToken cancellationToken)
    {
        await KeepSlotsAsync(session, terms, cancellationToken);
        await session.ExecuteAsync($"""
            select pg_replication_slot_advance(slot_name, pg_last_wal_replay_lsn()) from pg_replication_slots
            where {OwnSlots} and pg_is_in_recovery() and restart_lsn < pg_last_wal_replay_lsn()
            """, cancellationToken);
    }

    /// <summary>
    /// The role that standbys replicate as, and may rewind and ask for what that takes. Its password is set once: whoever changes it
    /// changes it in the database, too.
    /// </summary>
    public async Task EnsureRoleAsync(Session session, CancellationToken cancellationToken)
    {
        const string Role = ServerConfiguration.ReplicationRole;
        if (await session.TextAsync(HasAll, cancellationToken) == "true") return;

        // The password is in the command, and commands may be logged.
        await session.ExecuteAsync("""
            set log_statement = none; set log_min_duration_statement = -1; set log_min_error_statement = panic;
            set default_transaction_read_only = off
            """, cancellationToken);
        if (await session.TextAsync($"select 1::text from pg_roles where rolname = '{Role}'", cancellationToken) is null)
            await session.ExecuteAsync($"create role {Role} password {Quoting.Literal(settings.ReplicationPassword)}", cancellationToken);
        await session.ExecuteAsync($"""
            alter role {Role} login replication;
            grant pg_monitor, pg_checkpoint to {Role};
            grant execute on function {string.Join(", ", Functions)} to {Role}
            """, cancellationToken);
    }

    private static readonly string[] Functions =
    [
        "pg_catalog.pg_ls_dir(text, boolean, boolean)", "pg_catalog.pg_stat_file(text, boolean)", "pg_catalog.pg_read_binary_file(text)",
        "pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)",
    ];

    private static readonly string HasAll = $"""
        select (rolcanlogin and rolreplication and pg_has_role(oid, 'pg_checkpoint', 'member') and pg_has_role(oid, 'pg_monitor', 'member')
            and {string.Join(" and ", Functions.Select(f => $"has_function_privilege(oid, '{f}', 'execute')"))})::text
        from pg_roles where rolname = '{ServerConfiguration.ReplicationRole}'
        """;

    /// <summary>
    /// All that was received is read before the end of the recovery, and a query or a lock of somebody on this standby may hold that up for
    /// long. Everybody else waits for a primary.
    /// </summary>
    private const string EndHoldUps = """
        select pg_terminate_backend(pid) from pg_stat_activity
        where backend_type = 'client backend' and pid <> pg_backend_pid() and application_name <> 'failover_agent' and exists (
            select from pg_stat_activity where backend_type = 'startup' and (wait_event_type = 'Lock' or wait_event like 'RecoveryConflict%'))
        """;

    private static Task DropSlotsAsync(Session session, string condition, CancellationToken cancellationToken) => session.ExecuteAsync($"""
        select pg_drop_replication_slot(slot_name) from pg_replication_slots where {OwnSlots} and ({condition})
        """, cancellationToken);

    private const string OwnSlots = $"slot_type = 'physical' and not active and starts_with(slot_name, '{MemberNames.SlotPrefix}')";
}
