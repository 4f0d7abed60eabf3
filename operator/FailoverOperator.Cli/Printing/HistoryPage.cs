using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Cli.Views;

namespace FailoverOperator.Cli.Printing;

/// <summary>What each failover was and what it cost.</summary>
internal static class HistoryPage
{
    public static void Write(Page page, string group, IReadOnlyList<FailoverView> failovers, DateTimeOffset now)
    {
        if (failovers.Count == 0)
        {
            page.Line($"{group}: there was no failover yet");
            return;
        }
        page.Heading($"{group}: failovers, the latest first (times in ms)");
        WriteTable(page, failovers, now, isWide: true);
        page.Line();
        page.Line(Summary(failovers));
    }

    /// <param name="isWide">With the proofs of fencing.</param>
    public static void WriteTable(Page page, IReadOnlyList<FailoverView> failovers, DateTimeOffset now, bool isWide)
    {
        IEnumerable<Column> columns = ["NAME", "BEGAN", "TYPE", "CAUSE", "FROM", "TO", "RESULT", "TARGETS"];
        if (isWide) columns = columns.Append("PROOF OF FENCING");
        columns = [.. columns, .. new[] { "DETECT", "DECIDE", "FENCE", "PROMOTE", "REPOINT", "VERIFY", "DOWNTIME", "LOST BYTES" }
            .Select(h => new Column(h, IsNumber: true))];
        page.Table([.. columns], failovers.Select(f => Row(f, now, isWide)));
    }

    private static IReadOnlyList<Cell> Row(FailoverView failover, DateTimeOffset now, bool isWide)
    {
        var phases = failover.Phases;
        IEnumerable<Cell> cells =
        [
            failover.Name,
            Words.Ago(failover.BeganAt, now),
            failover.Request is null ? failover.Type.ToString() : $"{failover.Type} request",
            failover.Cause.ToString(),
            failover.From ?? Words.None,
            failover.To ?? Words.None,
            Result(failover),
            Verdict(failover.Targets),
        ];
        if (isWide) cells = cells.Append(failover.Fence is { } fence ? $"{fence.Evidence} by {fence.By}" : Words.None);
        return
        [
            .. cells,
            Words.Phase(phases.Detect), Words.Phase(phases.Decide), Words.Phase(phases.Fence),
            Words.Phase(phases.Promote), Words.Phase(phases.Repoint), Words.Phase(phases.Verify),
            Words.Cost(failover, failover.DowntimeMilliseconds), Words.Cost(failover, failover.LostBytes),
        ];
    }

    private static Cell Result(FailoverView failover) => failover.Phase switch
    {
        FailoverPhase.Completed when failover.Reason is null or Reasons.Verified => new("Completed", Tone.Good),
        FailoverPhase.Completed => new($"Completed: {failover.Reason}", Tone.Good),
        FailoverPhase.Failed => new($"Failed: {failover.Reason}", Tone.Bad),
        FailoverPhase.Aborted => new($"Aborted: {failover.Reason}"),
        _ when failover.Reason is { Length: > 0 } reason => new($"{failover.Phase}: {reason}", failover.Request is null ? Tone.Bad : Tone.Doubtful),
        _ => new($"{failover.Phase}…", Tone.Doubtful),
    };

    private static Cell Verdict(TargetVerdict verdict) => verdict switch
    {
        TargetVerdict.NotJudged => Words.None,
        TargetVerdict.Met => new Cell("met", Tone.Good),
        TargetVerdict.RtoMissed => new Cell("RTO missed", Tone.Bad),
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, "unknown verdict"),
    };

    private static string Summary(IReadOnlyList<FailoverView> failovers)
    {
        var judged = failovers.Where(f => f.Targets != TargetVerdict.NotJudged).ToList();
        var missed = judged.Count(f => f.Targets == TargetVerdict.RtoMissed);
        var downtimes = judged.Select(f => f.DowntimeMilliseconds).OfType<long>().Order().ToList();
        var span = downtimes.Count == 0 ? "" : FormattableString.Invariant($"; downtime from {downtimes[0]} to {downtimes[^1]} ms");
        return judged.Count == 0
            ? "none of them was judged against the targets"
            : FormattableString.Invariant($"{judged.Count} judged against the targets, {missed} missed them{span}");
    }
}
