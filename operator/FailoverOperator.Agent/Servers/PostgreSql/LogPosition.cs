using System.Globalization;
using FailoverOperator.Api.Agents;

namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>A place in the write-ahead log. A later timeline is further, whatever the bytes: it continued the earlier one.</summary>
internal readonly record struct LogPosition(uint Timeline, long Bytes)
{
    /// <summary>Whichever is further.</summary>
    public static LogPosition Max(LogPosition one, LogPosition? other) =>
        other is { } o && (o.Timeline, o.Bytes).CompareTo((one.Timeline, one.Bytes)) > 0 ? o : one;

    /// <summary>Reads PostgreSQL's form, two hexadecimal halves: <c>16/B374D848</c>.</summary>
    public static long? Parse(string text) =>
        text.Split('/') is [var high, var low]
        && uint.TryParse(high, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var h)
        && uint.TryParse(low, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var l)
            ? ((long)h << 32) | l
            : null;

    public override string ToString() => FormattableString.Invariant($"{Bytes >> 32:X}/{Bytes & 0xFFFFFFFF:X} on timeline {Timeline}");
}

/// <summary>Where each ancestor of a timeline ended, from its history file.</summary>
internal sealed record TimelineHistory(uint Timeline, IReadOnlyList<LogPosition> Ancestors)
{
    /// <summary>Null: the first timeline has none.</summary>
    public uint? Parent => Ancestors.Count > 0 ? Ancestors[^1].Timeline : null;

    /// <summary>Lines of number, end and reason, separated by white space; comments begin with #. Null: it cannot be understood.</summary>
    public static TimelineHistory? Parse(uint timeline, string file)
    {
        var ancestors = new List<LogPosition>();
        foreach (var line in file.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (line[0] == '#') continue;
            var fields = line.Split((char[]?)null, 3, StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length < 2 || !uint.TryParse(fields[0], CultureInfo.InvariantCulture, out var number)) return null;
            if (LogPosition.Parse(fields[1]) is not { } end) return null;
            ancestors.Add(new LogPosition(number, end));
        }
        return new TimelineHistory(timeline, ancestors);
    }

    /// <summary>
    /// Whether a log that reaches to <paramref name="position"/> is a beginning of this one, which reaches to <paramref name="end"/>.
    /// </summary>
    public bool Contains(LogPosition position, long end) => position.Timeline == Timeline
        ? position.Bytes <= end
        : Ancestors.Any(a => a.Timeline == position.Timeline && position.Bytes <= a.Bytes);
}

/// <summary>Timelines that may exist although this member does not know them.</summary>
internal static class Timelines
{
    /// <summary>More than any number of failovers that nobody saw: a mistake.</summary>
    private const uint Most = 1000;

    /// <summary>Those after the one that is known. Null: what the operator says cannot be understood.</summary>
    public static IReadOnlyList<uint>? Reserved(uint known, HistoryFloor floor)
    {
        if (Last(floor) is not { } last || last > known + Most) return null;
        return last <= known ? [] : [.. Enumerable.Range(1, (int)(last - known)).Select(n => known + (uint)n)];
    }

    private static uint? Last(HistoryFloor floor) =>
        uint.TryParse(floor.History.AsSpan(floor.History.LastIndexOf(':') + 1), CultureInfo.InvariantCulture, out var newest)
        && floor.Unseen is >= 0 and <= (int)Most && newest < uint.MaxValue - Most
            ? floor.And is not { } and ? newest + (uint)floor.Unseen : Last(and) is { } other ? Math.Max(newest + (uint)floor.Unseen, other) : null
            : null;
}
