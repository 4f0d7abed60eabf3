using FailoverOperator.Api.Failovers;

namespace FailoverOperator.Core.Reporting;

/// <summary>When a phase was entered. Times are of the operator's clock.</summary>
public sealed record PhaseEntry(FailoverPhase Phase, DateTimeOffset At);

/// <summary>Turns the times at which phases were entered into durations.</summary>
public static class Timeline
{
    /// <summary>Which phase of the procedure a timed phase ends with: it lasts from the entry before to this one.</summary>
    private static readonly (TimedPhase Timed, FailoverPhase Until)[] Ends =
    [
        (TimedPhase.Detect, FailoverPhase.Pending),
        (TimedPhase.Decide, FailoverPhase.Fencing),
        (TimedPhase.Fence, FailoverPhase.Electing),
        (TimedPhase.CatchUp, FailoverPhase.Promoting),
        (TimedPhase.Start, FailoverPhase.Promoting),
        (TimedPhase.Promote, FailoverPhase.Repointing),
        (TimedPhase.Repoint, FailoverPhase.Verifying),
        (TimedPhase.Verify, FailoverPhase.Completed),
    ];

    /// <summary>
    /// The duration of each phase that has ended, in order. Where a clock went back (another operator went on), a
    /// duration is 0, never negative. A skipped phase is left out.
    /// </summary>
    public static IReadOnlyList<PhaseDuration> Durations(DateTimeOffset? lastServiceAt, IReadOnlyList<PhaseEntry> entries)
    {
        var durations = new List<PhaseDuration>();
        var previous = lastServiceAt;
        foreach (var (timed, until) in Ends)
        {
            // Nearly nobody has to catch up, or to be started: to choose and to promote are one then.
            if (timed == TimedPhase.CatchUp && entries.All(e => e.Phase != FailoverPhase.CatchingUp)) continue;
            if (timed == TimedPhase.Start && entries.All(e => e.Phase != FailoverPhase.Starting)) continue;
            if (entries.FirstOrDefault(e => e.Phase == until) is not { } end) continue;
            if (previous is { } start) durations.Add(new PhaseDuration { Name = timed, Milliseconds = Between(start, end.At) });
            previous = end.At;
        }
        return durations;
    }

    /// <summary>What a client sees: from the old primary's last sign of service to the first verified write. Null: not ended so.</summary>
    public static long? DowntimeMilliseconds(DateTimeOffset? lastServiceAt, IReadOnlyList<PhaseEntry> entries) =>
        lastServiceAt is { } start && entries.FirstOrDefault(e => e.Phase == FailoverPhase.Completed) is { } end ? Between(start, end.At) : null;

    private static long Between(DateTimeOffset start, DateTimeOffset end) => Math.Max(0, (long)Math.Round((end - start).TotalMilliseconds));
}
