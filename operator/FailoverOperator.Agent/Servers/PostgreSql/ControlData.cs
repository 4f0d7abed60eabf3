using System.Globalization;

namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>What <c>pg_controldata</c> tells of data whose server does not run.</summary>
/// <param name="SystemId">Given by initdb; what was cloned from each other shares it.</param>
/// <param name="State">In the words of pg_controldata.</param>
/// <param name="Checkpoint">Where the last checkpoint's record begins.</param>
/// <param name="MinimumRecovery">A standby's data need the log up to there. Bytes 0: none.</param>
internal sealed record ControlData(string SystemId, string State, LogPosition Checkpoint, LogPosition MinimumRecovery)
{
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
                ? new ControlData(system, state, checkpoint, minimum)
                : null;
    }

    private static LogPosition? Position(Dictionary<string, string> fields, string location, string timeline) =>
        LogPosition.Parse(fields.GetValueOrDefault(location, "")) is { } bytes
        && uint.TryParse(fields.GetValueOrDefault(timeline), CultureInfo.InvariantCulture, out var number)
            ? new LogPosition(number, bytes)
            : null;
}
