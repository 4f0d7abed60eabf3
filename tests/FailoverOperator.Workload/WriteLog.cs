namespace FailoverOperator.Workload;

/// <summary>How one write ended.</summary>
public enum WriteOutcome
{
    /// <summary>The server confirmed it: it counts, and may not be lost.</summary>
    Acknowledged,

    /// <summary>The server said no: it did not happen.</summary>
    Refused,

    /// <summary>No answer: it may or may not have happened. Counts as neither.</summary>
    Unknown,
}

/// <summary>A time without acknowledged writes.</summary>
/// <param name="AfterNumber">The last write that was acknowledged before it.</param>
/// <param name="StartMilliseconds">When that was, since the start of the writer.</param>
/// <param name="DurationMilliseconds">Until the next acknowledged write.</param>
public sealed record WriteGap(long AfterNumber, long StartMilliseconds, long DurationMilliseconds);

/// <summary>What a writer measured. Milliseconds are of its monotonic clock, since its start.</summary>
/// <param name="DowntimeMilliseconds">The longest gap between two acknowledged writes: never less than the outage that a client saw.</param>
/// <param name="Gaps">The longest gaps, longest first.</param>
/// <param name="LastAcknowledgedMilliseconds">When the last write was acknowledged; compare with <paramref name="StoppedMilliseconds"/>: an outage that had not ended is not a gap.</param>
/// <param name="LostWrites">Acknowledged writes that could not be read back. Null: nobody could be asked.</param>
/// <param name="LostNumbers">The first of them.</param>
public sealed record WriteSummary(
    long Attempted,
    long Acknowledged,
    long Refused,
    long Unknown,
    long DowntimeMilliseconds,
    IReadOnlyList<WriteGap> Gaps,
    long? LastAcknowledgedMilliseconds,
    long StoppedMilliseconds,
    long? LostWrites,
    IReadOnlyList<long> LostNumbers);

/// <summary>Keeps the outcome of each write and computes what they say together. Pure.</summary>
public sealed class WriteLog
{
    private const int GapsKept = 10;
    private const int LostNumbersKept = 20;

    private readonly List<(long Number, TimeSpan At)> acknowledged = [];
    private long refused;
    private long unknown;

    public void Record(long number, WriteOutcome outcome, TimeSpan at)
    {
        switch (outcome)
        {
            case WriteOutcome.Acknowledged: acknowledged.Add((number, at)); break;
            case WriteOutcome.Refused: refused++; break;
            case WriteOutcome.Unknown: unknown++; break;
            default: throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "unknown outcome");
        }
    }

    /// <summary>Null <paramref name="readBack"/>: the entries could not be read.</summary>
    public WriteSummary Summarize(TimeSpan stoppedAt, IReadOnlySet<long>? readBack)
    {
        var gaps = acknowledged.Zip(acknowledged.Skip(1), Gap).OrderByDescending(gap => gap.DurationMilliseconds).Take(GapsKept).ToList();
        var lost = readBack is null ? null : acknowledged.Select(write => write.Number).Where(number => !readBack.Contains(number)).ToList();
        return new WriteSummary(
            acknowledged.Count + refused + unknown, acknowledged.Count, refused, unknown,
            gaps is [var longest, ..] ? longest.DurationMilliseconds : 0, gaps,
            acknowledged is [.., var last] ? Milliseconds(last.At) : null, Milliseconds(stoppedAt),
            lost?.Count, lost?.Take(LostNumbersKept).ToList() ?? []);
    }

    private static WriteGap Gap((long Number, TimeSpan At) before, (long Number, TimeSpan At) after) =>
        new(before.Number, Milliseconds(before.At), Milliseconds(after.At) - Milliseconds(before.At));

    private static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;
}
