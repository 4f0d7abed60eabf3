using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;

namespace FailoverOperator.Core.Decisions;

/// <summary>How a slot of a group takes part in a storm.</summary>
public enum StormPart
{
    /// <summary>Its failover is needed and has not begun.</summary>
    Waiting,

    /// <summary>Its failover runs, and nothing but time keeps it from its end.</summary>
    Running,
}

/// <summary>One slot of a group in a storm.</summary>
/// <param name="Slot">Namespace and name of the group, and the slot's.</param>
/// <param name="Priority"><c>spec.priority</c>; the higher, the sooner.</param>
/// <param name="For">For how long it has taken part so.</param>
public sealed record StormEntry(string Slot, int Priority, StormPart Part, TimeSpan For);

/// <summary>
/// When many groups fail at once their failovers share what they need: the API server, the network, the nodes that are left. So no more than a cap
/// run at the same time, the most important groups first. Invariant I8. Only a beginning is kept back; below the cap nobody waits for anybody.
/// </summary>
public static class Storm
{
    /// <summary>What takes longer waits for something of its own, and must not keep others from theirs.</summary>
    public static readonly TimeSpan LongestRun = TimeSpan.FromMinutes(2);

    /// <summary>Who waits is called when its turn has come; so often it looks by itself.</summary>
    public static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    /// <summary>The operator begins it by itself because of a failure. What people ask for, and the first primary of a group, is never kept back.</summary>
    public static bool Concerns(FailoverSpec plan) => plan.RequestRef is null
        && (plan.Type == FailoverType.Failover || plan is { Type: FailoverType.Election, Cause: not FailoverCause.NewGroup });

    /// <summary>What keeps a slot's failover from beginning now. Null: nothing.</summary>
    /// <param name="slot">It waits, if only since now.</param>
    /// <param name="all">It may be among them.</param>
    /// <param name="cap">0: there is none.</param>
    public static Restraint? On(StormEntry slot, IReadOnlyList<StormEntry> all, int cap)
    {
        if (cap == 0) return null;
        var running = all.Count(e => e.Slot != slot.Slot && IsRunning(e));
        var before = all.Count(e => e.Slot != slot.Slot && e.Part == StormPart.Waiting && GoesBefore(e, slot));
        var toEnd = running + before - cap + 1;
        return toEnd <= 0 ? null : new(Reasons.ClusterDisruption,
            $"many groups have failed at once: {running} failovers run, the operator's storm.maxConcurrentFailovers allows {cap}, and {before} others "
            + $"go before this one (spec.priority {slot.Priority}): not until {toEnd} of them {(toEnd == 1 ? "has" : "have")} ended; "
            + "to fail over now, apply a Failover with type: Failover",
            LookAgain);
    }

    /// <summary>Who waits and may begin now, most important first.</summary>
    public static IReadOnlyList<string> Next(IReadOnlyList<StormEntry> all, int cap)
    {
        var free = Math.Max(0, cap - all.Count(IsRunning));
        var waiting = all.Where(e => e.Part == StormPart.Waiting).ToList();
        waiting.Sort((one, other) => GoesBefore(one, other) ? -1 : GoesBefore(other, one) ? 1 : 0);
        return [.. waiting.Take(free).Select(e => e.Slot)];
    }

    private static bool IsRunning(StormEntry entry) => entry is { Part: StormPart.Running } && entry.For < LongestRun;

    /// <summary>By priority; of the same, who has waited longer.</summary>
    private static bool GoesBefore(StormEntry one, StormEntry other) =>
        one.Priority != other.Priority ? one.Priority > other.Priority
        : one.For != other.For ? one.For > other.For
        : string.CompareOrdinal(one.Slot, other.Slot) < 0;
}
