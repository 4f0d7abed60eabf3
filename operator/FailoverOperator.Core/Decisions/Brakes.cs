using System.Globalization;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Decisions;

/// <summary>
/// What keeps failovers from following each other too fast (<c>spec.protection</c>). Invariant I7: between two failovers that the operator begins by
/// itself lies the cooldown, there are no more of them in an hour than the budget allows, and none leads back to a member that failed a moment ago.
/// Judged from the Failover objects alone, so that a restarted operator brakes as the one before it did. What has begun goes on to its end: to
/// stop half way would only prolong the outage.
/// </summary>
public static class Brakes
{
    /// <summary>What is longer ago has nothing to do with now.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromHours(1);

    /// <summary>The reasons of all brakes.</summary>
    public static IReadOnlySet<string> AllReasons { get; } = new HashSet<string> { Reasons.CoolingDown, Reasons.BudgetExhausted, Reasons.RecentlyFailed };

    /// <summary>What keeps the next failover back. Null: nothing.</summary>
    /// <param name="group">Its primary has failed.</param>
    public static Restraint? On(GroupObservation group) => Budget(group) ?? Cooldown(group) ?? Return(group);

    /// <summary>Members that have been replaced a moment ago, by name: the next pod of that name has the same volume, and mostly the same trouble.</summary>
    public static IReadOnlySet<string> RecentlyFailed(GroupObservation group)
    {
        var bound = TimeSpan.FromSeconds(group.Spec.Protection.ReturnAfterSeconds);
        return Moves(group).Where(f => f.EndedFor < bound).Select(f => f.Spec.From!.Name).ToHashSet();
    }

    /// <summary>When a member may become the primary again that was replaced as such. Zero: now.</summary>
    public static TimeSpan MayReturnIn(GroupObservation group, string member)
    {
        var bound = TimeSpan.FromSeconds(group.Spec.Protection.ReturnAfterSeconds);
        return Moves(group).Where(f => f.Spec.From!.Name == member).Select(f => bound - f.EndedFor).Append(TimeSpan.Zero).Max();
    }

    /// <summary>Failovers of the last hour that a brake goes by; their records must not be forgotten.</summary>
    public static IReadOnlyList<FailoverRecord> Counted(IEnumerable<FailoverRecord> failovers) =>
        [.. failovers.Where(f => f is { IsOwn: true, IsEnded: true, Spec: { Type: FailoverType.Failover, RequestRef: null } }
            && f.Status.Phase != FailoverPhase.Aborted && f.EndedFor < Window && !IsInPlace(f))];

    /// <summary>Those that led to another member, and to their end.</summary>
    private static IEnumerable<FailoverRecord> Moves(GroupObservation group) =>
        Counted(group.Failovers).Where(f => f is { Status.Phase: FailoverPhase.Completed, Spec.From: not null });

    /// <summary>The failed primary came back to its own place.</summary>
    private static bool IsInPlace(FailoverRecord failover) => failover.Status.Candidate is { } candidate && candidate.Name == failover.Spec.From?.Name;

    private static Restraint? Budget(GroupObservation group)
    {
        var acknowledged = AcknowledgedTerm(group);
        var counted = Counted(group.Failovers).Where(f => acknowledged is not { } term || f.Spec.Term > term).ToList();
        if (counted.Count < group.Spec.Protection.MaxFailoversPerHour) return null;
        var remark = group.Acknowledged is { } other && acknowledged is null
            ? $" (its value now is {other}, which is not the name of a failover of this group)" : "";
        return new(Reasons.BudgetExhausted,
            $"there were {counted.Count} failovers within an hour, as many as protection.maxFailoversPerHour allows; find out why the primaries fail, then run: "
            + $"kubectl annotate --overwrite rg {group.Name} {ApiGroup.AcknowledgedAnnotation}={counted[^1].Name}{remark}");
    }

    /// <summary>Doubled for each failover of the last hour beyond the first.</summary>
    private static Restraint? Cooldown(GroupObservation group)
    {
        if (Moves(group).ToList() is not [.., var last] moves) return null;
        var protection = group.Spec.Protection;
        var growth = Math.Pow(2, Math.Min(moves.Count - 1, 30));
        var pause = TimeSpan.FromSeconds(Math.Min(protection.CooldownSeconds * growth, protection.CooldownMaximumSeconds));
        return Until(last, pause) is not var (left, until) ? null : new(Reasons.CoolingDown,
            $"cooling down after {last.Name} (protection.cooldownSeconds, failover {moves.Count} of this hour) {until}; {InsteadOfWaiting(group)}", left);
    }

    private static Restraint? Return(GroupObservation group)
    {
        if (Prospect(group) is not { } best || !RecentlyFailed(group).Contains(best.Name)) return null;
        var left = Moves(group).Last(f => f.Spec.From!.Name == best.Name);
        return Until(left, TimeSpan.FromSeconds(group.Spec.Protection.ReturnAfterSeconds)) is not var (time, until) ? null : new(Reasons.RecentlyFailed,
            $"only {best.Name} could take over, which failed itself before {left.Name}: not {until} (protection.returnAfterSeconds); {InsteadOfWaiting(group)}", time);
    }

    private static Member? Prospect(GroupObservation group)
    {
        var benchmark = Benchmark.Of(group);
        return group.HasAgents
            ? (LeaseElections.Prospect(group, benchmark) as Choice.Candidate)?.Member
            : Candidates.Of(group, benchmark, FailoverProcedure.ReadinessBound(group.Spec)).Ranked(group.Members).FirstOrDefault();
    }

    /// <summary>Null: the time is over.</summary>
    private static (TimeSpan Left, string Words)? Until(FailoverRecord failover, TimeSpan pause)
    {
        if (failover.EndedFor >= pause) return null;
        var isKnown = DateTimeOffset.TryParse(failover.Status.EndedAt, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var ended);
        return (pause - failover.EndedFor, isKnown
            ? string.Create(CultureInfo.InvariantCulture, $"until {ended + pause:yyyy-MM-dd'T'HH:mm:ss'Z'}")
            : string.Create(CultureInfo.InvariantCulture, $"for up to {pause.TotalSeconds:0} s"));
    }

    internal static string InsteadOfWaiting(GroupObservation group) =>
        $"to fail over now, apply a Failover with spec: {{ groupRef: {{ name: {group.Name} }}, type: Failover }}";

    /// <summary>Null: nothing was acknowledged, or what is written there is no name of a failover. Nobody acknowledges what is yet to come.</summary>
    private static long? AcknowledgedTerm(GroupObservation group)
    {
        var prefix = $"{group.Name}-{group.Slot}-";
        return group.Acknowledged is { } name && name.StartsWith(prefix, StringComparison.Ordinal)
            && long.TryParse(name[prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var term)
            && term <= group.Failovers.LastOrDefault(f => f.IsOwn)?.Spec.Term ? term : null;
    }
}
