using System.Globalization;
using System.Text;

namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>What changes from order to order.</summary>
/// <param name="LeaderAddress">Whom to stream from. Null: nobody.</param>
/// <param name="SynchronousNames">synchronous_standby_names; a standby has it for the moment when it is promoted.</param>
internal sealed record Bearing(string? LeaderAddress, string SynchronousNames);

/// <summary>
/// The texts of the agent's configuration files, pure. Three layers: defaults in front of the user's file, which it may override; what the
/// agent owns and changes while the server runs, after it; and on the command line, where neither a file nor ALTER SYSTEM
/// reaches, what the server must not be without.
/// </summary>
internal static class ServerConfiguration
{
    public const string ReplicationRole = "failover_replicator";

    private const string IdentityMap = "failover_operator";

    private const long Megabyte = 1024 * 1024;

    /// <param name="diskBytes">Size of the volume, for bounds that fit it.</param>
    public static string Settings(PostgreSqlSettings settings, Bearing bearing, long diskBytes)
    {
        var text = new StringBuilder("# Written by the agent, again and again: changes here are lost. Change postgresql.conf in PGDATA instead.\n\n");
        _ = text.Append("# Defaults. The files below may override them.\n");
        foreach (var (name, value) in Defaults(diskBytes)) Add(text, name, value);

        var inData = Path.Combine(settings.DataDirectory, "postgresql.conf");
        _ = text.Append(CultureInfo.InvariantCulture, $"\n# The user's.\ninclude_if_exists {Quoting.Setting(inData)}\n");
        if (settings.UserConfiguration is { } file) _ = text.Append(CultureInfo.InvariantCulture, $"include {Quoting.Setting(file)}\n");

        _ = text.Append("\n# The agent's.\n");
        Add(text, "primary_conninfo", bearing.LeaderAddress is { } address ? Upstream(settings, address) : "");
        Add(text, "primary_slot_name", bearing.LeaderAddress is null ? "" : MemberNames.Slot(settings.PodName));
        Add(text, "synchronous_standby_names", bearing.SynchronousNames);
        return text.ToString();
    }

    /// <summary>
    /// The agent's own lines come first, and the first that fits counts. The agent comes over a socket, as the user of the
    /// operating system that it is: no password is needed, and nobody else gets in that way. Then the user's lines; whoever
    /// they say nothing of needs a password.
    /// </summary>
    public static string Hba(string usersLines) => $"""
        # Written by the agent: changes here are lost. Change pg_hba.conf in PGDATA instead.
        local all postgres peer map={IdentityMap}
        local replication postgres peer map={IdentityMap}
        host postgres {ReplicationRole} all scram-sha-256
        host replication {ReplicationRole} all scram-sha-256
        {usersLines}
        host all all all scram-sha-256

        """;

    public static string Identities(string operatingSystemUser, string usersLines) => $"""
        # Written by the agent: changes here are lost. Change pg_ident.conf in PGDATA instead.
        {IdentityMap} {Quoting.Name(operatingSystemUser)} postgres
        {usersLines}

        """;

    /// <param name="version">Major version of the data.</param>
    /// <param name="floors">Settings that must be larger than the user's.</param>
    public static IReadOnlyList<string> Arguments(
        PostgreSqlSettings settings, IReadOnlyList<string> sockets, int version, IReadOnlyDictionary<string, long> floors)
    {
        var run = settings.RunDirectory;
        List<(string Name, string Value)> owned =
        [
            ("config_file", Path.Combine(run, "postgresql.conf")),
            ("hba_file", Path.Combine(run, "pg_hba.conf")),
            ("ident_file", Path.Combine(run, "pg_ident.conf")),
            ("data_directory", settings.DataDirectory),
            ("listen_addresses", settings.ListenAddresses),
            ("port", settings.Port.ToString(CultureInfo.InvariantCulture)),
            ("unix_socket_directories", string.Join(", ", sockets)),
            ("hot_standby", "on"),
            // Together with checksums: what pg_rewind needs.
            ("wal_log_hints", "on"),
            // The crash of one backend ends the whole run: the agent decides what comes next, and a restart is a standby's.
            ("restart_after_crash", "off"),
            // The container's log is where people look, and the agent reads the reason of an end from it.
            ("logging_collector", "off"),
            ("log_destination", "stderr"),
            ("lc_messages", "C"),
            // Nothing but pg_promote makes it writable: no recovery target with an action, no trigger file.
            ("recovery_target_timeline", "latest"),
            ("recovery_target_action", "pause"),
            .. new[] { "", "_lsn", "_name", "_time", "_xid" }.Select(kind => ("recovery_target" + kind, "")),
        ];
        if (version < 16) owned.Add(("promote_trigger_file", ""));
        owned.AddRange(floors.Select(f => (f.Key, f.Value.ToString(CultureInfo.InvariantCulture))));
        return ["-D", settings.DataDirectory, .. owned.SelectMany(o => new[] { "-c", $"{o.Name}={o.Value}" })];
    }

    /// <summary>How this member reaches another one's server, for libpq. The keepalives tell within seconds that it is gone.</summary>
    public static string Upstream(PostgreSqlSettings settings, string address) => Quoting.Connection(
        [.. Peer(settings, address, MemberNames.Application(settings.PodName)), ("password", settings.ReplicationPassword)]);

    /// <summary>As <see cref="Upstream"/>, without the password, which programs are given in their environment.</summary>
    public static string Peer(PostgreSqlSettings settings, string address) => Quoting.Connection(
        [.. Peer(settings, address, "failover_rejoin"), ("dbname", "postgres")]);

    private static IEnumerable<(string, string)> Peer(PostgreSqlSettings settings, string address, string application) =>
    [
        ("host", address),
        ("port", settings.Port.ToString(CultureInfo.InvariantCulture)),
        ("user", ReplicationRole),
        ("application_name", application),
        ("connect_timeout", "2"),
        ("keepalives_idle", "2"),
        ("keepalives_interval", "1"),
        ("keepalives_count", "3"),
        ("tcp_user_timeout", "5000"),
    ];

    /// <summary>
    /// A standby that stays away holds back a tenth of the volume and no more; then it is copied anew. One that is away for a
    /// moment finds what it missed.
    /// </summary>
    private static IEnumerable<(string, string)> Defaults(long diskBytes)
    {
        var slots = Math.Clamp(diskBytes / 10 / Megabyte, 64, 20 * 1024);
        yield return ("max_wal_senders", "20");
        yield return ("max_replication_slots", "20");
        yield return ("max_slot_wal_keep_size", FormattableString.Invariant($"{slots}MB"));
        yield return ("wal_keep_size", FormattableString.Invariant($"{Math.Min(slots / 2, 512)}MB"));
        yield return ("wal_sender_timeout", "5s");
        yield return ("wal_receiver_timeout", "5s");
        yield return ("wal_receiver_status_interval", "1s");
        // How soon a standby tries again to reach a new primary: its first writes wait for that.
        yield return ("wal_retrieve_retry_interval", "100ms");
    }

    private static void Add(StringBuilder text, string name, string value) =>
        text.Append(CultureInfo.InvariantCulture, $"{name} = {Quoting.Setting(value)}\n");
}
