namespace FailoverOperator.Workload;

/// <summary>A time without acknowledged writes.</summary>
/// <param name="AfterNumber">The last write that was acknowledged before it.</param>
/// <param name="StartMilliseconds">When that was, since the start of the writer.</param>
/// <param name="DurationMilliseconds">Until the next acknowledged write.</param>
public sealed record WriteGap(long AfterNumber, long StartMilliseconds, long DurationMilliseconds);

/// <summary>What a writer measured. Milliseconds are of its monotonic clock, since its start.</summary>
/// <param name="Refused">Since the first acknowledged write: what a client meets while it starts is no outage.</param>
/// <param name="Unknown">As <paramref name="Refused"/>, without an answer.</param>
/// <param name="DowntimeMilliseconds">The longest gap between two acknowledged writes: never less than the outage that a client saw.</param>
/// <param name="Gaps">The longest gaps, longest first.</param>
/// <param name="LastAcknowledgedMilliseconds">When the last write was acknowledged; compare with <paramref name="StoppedMilliseconds"/>: an outage that had not ended is not a gap.</param>
/// <param name="LostWrites">Acknowledged writes that could not be read back. Null: nobody could be asked.</param>
/// <param name="LostNumbers">The first of them.</param>
/// <param name="Tenures">Who acknowledged, and when.</param>
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
    IReadOnlyList<long> LostNumbers,
    IReadOnlyList<Tenure> Tenures)
{
    /// <summary>Writes were acknowledged up to the end: whatever the outage was, it is over.</summary>
    public bool ServedAtTheEnd => LastAcknowledgedMilliseconds is { } last && StoppedMilliseconds - last < 1000;
}

/// <summary>Keeps the outcome of each write and computes what they say together. Pure.</summary>
/// <param name="startedAt">The machine's monotonic clock at the start of the writer: what other writers on the machine share.</param>
public sealed class WriteLog(TimeSpan startedAt)
{
    private const int GapsKept = 10;
    private const int LostNumbersKept = 20;

    private readonly List<Acknowledgement> acknowledged = [];
    private readonly List<long> refused = [];
    private readonly List<long> unknown = [];

    private sealed record Acknowledgement(long Number, ServerIdentity Server, TimeSpan SentAt, TimeSpan At);

    /// <summary>Times are since the start of the writer.</summary>
    public void Record(long number, WriteOutcome outcome, TimeSpan sentAt, TimeSpan at)
    {
        switch (outcome)
        {
            case WriteOutcome.Acknowledged by: acknowledged.Add(new Acknowledgement(number, by.Server, sentAt, at)); break;
            case WriteOutcome.Refused: refused.Add(number); break;
            case WriteOutcome.Unknown: unknown.Add(number); break;
            default: throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "unknown outcome");
        }
    }

    /// <summary>Null <paramref name="readBack"/>: the entries could not be read.</summary>
    public WriteSummary Summarize(TimeSpan stoppedAt, IReadOnlySet<long>? readBack)
    {
        var gaps = acknowledged.Zip(acknowledged.Skip(1), Gap).OrderByDescending(gap => gap.DurationMilliseconds).Take(GapsKept).ToList();
        var lost = readBack is null ? null : acknowledged.Select(write => write.Number).Where(number => !readBack.Contains(number)).ToList();
        var first = acknowledged is [var served, ..] ? served.Number : 0;
        return new WriteSummary(
            acknowledged.Count + refused.Count + unknown.Count, acknowledged.Count, refused.Count(n => n > first), unknown.Count(n => n > first),
            gaps is [var longest, ..] ? longest.DurationMilliseconds : 0, gaps,
            acknowledged is [.., var last] ? Milliseconds(last.At) : null, Milliseconds(stoppedAt),
            lost?.Count, lost?.Take(LostNumbersKept).ToList() ?? [], [.. Tenures()]);
    }

    private static WriteGap Gap(Acknowledgement before, Acknowledgement after) =>
        new(before.Number, Milliseconds(before.At), Milliseconds(after.At) - Milliseconds(before.At));

    private IEnumerable<Tenure> Tenures()
    {
        for (int first = 0, next; first < acknowledged.Count; first = next)
        {
            var server = acknowledged[first].Server;
            next = acknowledged.FindIndex(first, write => write.Server != server) is var end and >= 0 ? end : acknowledged.Count;
            yield return new Tenure(server, Milliseconds(startedAt + acknowledged[first].At),
                [.. acknowledged[first..next].Select(write => Milliseconds(startedAt + write.SentAt))]);
        }
    }

    private static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;
}
