using System.Runtime.InteropServices;

namespace FailoverOperator.Simulator.Engines;

/// <summary>One record of the log.</summary>
/// <param name="Timeline">As the engine counts them.</param>
/// <param name="Branch">Which promotion wrote it. The engine does not know this; the checkers do.</param>
/// <param name="Number">A client's write. 0: the engine's own.</param>
public readonly record struct LogRecord(int Timeline, int Branch, long Number);

/// <summary>How many of whom must have a write before it is acknowledged.</summary>
public sealed record Synchrony(int Count, IReadOnlyList<string> Members)
{
    public static Synchrony None { get; } = new(0, []);

    /// <summary>A standby that is promoted waits for nobody who exists until it is told whom to wait for.</summary>
    public static Synchrony NobodyYet { get; } = new(1, []);

    public bool Equals(Synchrony? other) => other is not null && Count == other.Count && Members.SequenceEqual(other.Members);

    public override int GetHashCode() => Count;
}

/// <summary>What a member's disk holds. All that was written is durable: a power cut loses none of it.</summary>
public sealed class Volume(string member)
{
    public const int BytesPerRecord = 100;

    private readonly List<LogRecord> _log = [];

    public string Member => member;

    public IReadOnlyList<LogRecord> Log => _log;

    /// <summary>The data were being rewound when that was interrupted.</summary>
    public bool IsUnfinished { get; set; }

    public Synchrony Synchrony { get; set; } = Synchrony.None;

    public bool IsEmpty => _log.Count == 0;

    public long PositionBytes => (long)_log.Count * BytesPerRecord;

    public int Timeline => IsEmpty ? 0 : _log[^1].Timeline;

    /// <summary>The timeline that the present one continued. Null: none.</summary>
    public int? ParentTimeline { get; private set; }

    /// <summary>How many records are of the timelines before the present one.</summary>
    public int InheritedRecords => _log.FindLastIndex(r => r.Timeline != Timeline) + 1;

    public void Append(LogRecord record)
    {
        if (!IsEmpty && record.Timeline != Timeline) ParentTimeline = Timeline;
        _log.Add(record);
    }

    /// <summary>Everything from there on.</summary>
    public LogRecord[] From(int begin) => begin < _log.Count ? [.. CollectionsMarshal.AsSpan(_log)[begin..]] : [];

    /// <summary>Everything from there on is taken back.</summary>
    public void Truncate(int length)
    {
        _log.RemoveRange(length, _log.Count - length);
        FindParent();
    }

    public void Replace(IEnumerable<LogRecord> log)
    {
        _log.Clear();
        _log.AddRange(log);
        FindParent();
    }

    /// <summary>The disk is replaced by an empty one.</summary>
    public void Lose()
    {
        _log.Clear();
        (IsUnfinished, ParentTimeline, Synchrony) = (false, null, Synchrony.None);
    }

    /// <summary>Whether this log is a beginning of the other.</summary>
    public bool IsBeginningOf(IReadOnlyList<LogRecord> other) => _log.Count <= other.Count && (IsEmpty || other[_log.Count - 1] == _log[^1]);

    /// <summary>How many records both begin with.</summary>
    public int CommonWith(IReadOnlyList<LogRecord> other)
    {
        // One branch has one writer, so that what is the same at one place is the same before.
        var common = Math.Min(_log.Count, other.Count);
        while (common > 0 && _log[common - 1] != other[common - 1]) common--;
        return common;
    }

    private void FindParent()
    {
        ParentTimeline = InheritedRecords is > 0 and var count ? _log[count - 1].Timeline : null;
    }
}
