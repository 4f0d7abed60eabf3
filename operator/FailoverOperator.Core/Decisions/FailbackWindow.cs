using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Decisions;

/// <summary>
/// <c>failback.policy: Scheduled</c>: each time that the schedule is due opens a window, and in each window the place is handed over at most once. A window
/// that passes is not made up for: who chose the hour did not choose another one.
/// </summary>
public static class FailbackWindow
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    /// <summary>Time until the failback is begun, if nothing changes. Null: not in any window that is known of.</summary>
    /// <param name="fitIn">When the wanted member will have been fit for long enough.</param>
    public static TimeSpan? WaitsFor(GroupObservation group, Member wanted, TimeSpan fitIn)
    {
        if (OpenFor(group, wanted) is { } left && fitIn < left) return fitIn > TimeSpan.Zero ? fitIn : TimeSpan.Zero;
        if (group.FailbackTimes?.Next is not { Distance: var next }) return null;
        // It begins in a window that is seen open, not in the moment before.
        var rest = fitIn > next ? fitIn : next;
        return rest > Moment ? rest : Moment;
    }

    /// <summary>For people, after "takes over".</summary>
    /// <param name="condition">What it takes beside an open window.</param>
    public static string Describe(GroupObservation group, Member wanted, string condition)
    {
        if (group.FailbackTimes is not { } times) return "at no time: failback.schedule is never due, see condition Accepted";
        var next = times.Next is { } due ? $"the next window opens at {due.Time}" : "no window opens any more";
        if (OpenFor(group, wanted) is not null) return $"{condition}, within {group.Spec.Failback.WindowSeconds} s of {times.Last!.Time} (failback.schedule); after that {next}";
        var missed = WasMissed(group, wanted) ? $"; the last one, of {times.Last!.Time}, passed without it" : "";
        return $"{condition}, in a window of failback.schedule; {next}{missed}";
    }

    /// <summary>Null: none is open, or it has been used.</summary>
    private static TimeSpan? OpenFor(GroupObservation group, Member wanted) =>
        group.FailbackTimes?.Last is { Distance: var ago } && Window(group) - ago is var left && left > TimeSpan.Zero && !IsUsed(group, wanted, ago) ? left : null;

    /// <summary>It was somebody else's place already when the window opened.</summary>
    private static bool WasMissed(GroupObservation group, Member wanted) =>
        group.FailbackTimes?.Last is { Distance: var ago } && !IsUsed(group, wanted, ago) && SlotHolder.Of(group).Choice is { IsEnded: true } choice && choice.EndedFor > ago;

    /// <summary>However it ended: a switchover that was taken back cost a pause in the writes, and is not tried again before the next window.</summary>
    private static bool IsUsed(GroupObservation group, Member wanted, TimeSpan openedAgo) =>
        group.Failovers.Any(f => f is { IsOwn: true, IsEnded: true, Spec: { Type: FailoverType.Failback, RequestRef: null } } && f.Spec.Target == wanted.Name && f.EndedFor <= openedAgo);

    private static TimeSpan Window(GroupObservation group) => TimeSpan.FromSeconds(group.Spec.Failback.WindowSeconds);
}
