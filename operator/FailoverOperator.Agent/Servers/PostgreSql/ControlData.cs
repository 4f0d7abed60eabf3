using System.Globalization;

namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>What <c>pg_controldata</c> tells of data whose server does not run.</summary>
/// <param name="SystemId">Given by initdb; what was cloned from each other shares it.</param>
/// <param name="State">In the words of pg_controldata.</param>
/// <param name="Checkpoint">Where the last checkpoint's record begins.</param>
/// <param name="MinimumRecovery">A standby's data need the log up to there. Bytes 0: none.</param>
/// <param name="Floors">Settings of the primary that wrote the log; those of a standby must not be smaller.</param>
internal sealed record ControlData(
    string SystemId, string State, LogPosition Checkpoint, LogPosition MinimumRecovery, IReadOnlyDictionary<string, long> Floors)
{
    /// <summary>What pg_controldata calls these settings.</summary>
    private static readonly (string Setting, string Field)[] FloorFields =
    [
        ("max_connections", "max_connections setting"),
        ("max_worker_processes", "max_worker_processes setting"),
        ("max_wal_senders", "max_wal_senders setting"),
        ("max_prepared_transactions", "max_prepared_xacts setting"),
        ("max_locks_per_transaction", "max_locks_per_xact setting"),
    ];

    /// <summary>It was a primary that shut down in order: its log ends with the record of this checkpoint.</summary>
    public bool EndedInOrder => State == "shut down";

    /// <summary>It has followed: what it received beyond <see cref="Known"/> is seen only when it runs.</summary>
    public bool WasStandby => State is "in archive recovery" or "shut down in recovery";

    /// <summary>
    /// The log reaches beyond this. One byte into the checkpoint's record: the log is sent in whole records, so who has more
    /// than its beginning has it all.
    /// </summary>
    public LogPosition Known => LogPosition.Max(Checkpoint with { Bytes = Checkpoint.Bytes + 1 }, MinimumRecovery);

    /// <summary>Null: not the output of pg_controldata as it is known (with LC_ALL=C).</summary>
    public static ControlData? Parse(string output)
    {
        var fields = new Dictionary<string, string>();
        foreach (var line in output.Split('\n'))
            if (line.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon)
                fields[line[..colon]] = line[(colon + 1)..].Trim();

        return fields.GetValueOrDefault("Database system identifier") is { Length: > 0 } system
            && fields.GetValueOrDefault("Database cluster state") is { } state
            && Position(fields, "Latest checkpoint location", "Latest checkpoint's TimeLineID") is { } checkpoint
            && Position(fields, "Minimum recovery ending location", "Min recovery ending loc's timeline") is { } minimum
                ? new ControlData(system, state, checkpoint, minimum, ReadFloors(fields))
                : null;
    }

    private static Dictionary<string, long> ReadFloors(Dictionary<string, string> fields)
    {
        var floors = new Dictionary<string, long>();
        foreach (var (setting, field) in FloorFields)
            if (long.TryParse(fields.GetValueOrDefault(field), CultureInfo.InvariantCulture, out var value))
                floors[setting] = value;
        return floors;
    }

    private static LogPosition? Position(Dictionary<string, string> fields, string location, string timeline) =>
        LogPosition.Parse(fields.GetValueOrDefault(location, "")) is { } bytes
        && uint.TryParse(fields.GetValueOrDefault(timeline), CultureInfo.InvariantCulture, out var number)
            ? new LogPosition(number, bytes)
            : null;
}
