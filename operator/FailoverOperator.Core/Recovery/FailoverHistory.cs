using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Recovery;

/// <summary>Which records may be forgotten.</summary>
public static class FailoverHistory
{
    /// <summary>
    /// The oldest ended failovers beyond <paramref name="limit"/>. Never the one that says who the holder is, and never
    /// the newest: both carry what the next failover needs to know. Nor one that a brake goes by, or that
    /// is not in the statistics yet.
    /// </summary>
    public static IReadOnlyList<FailoverRecord> Surplus(IReadOnlyList<FailoverRecord> failovers, int limit, long countedTerm = long.MaxValue)
    {
        var holding = failovers.LastOrDefault(f => f.IsOwn && f.Status.Candidate is not null);
        var surplus = failovers.Count(f => f.IsEnded) - limit;
        var counted = Brakes.Counted(failovers);
        return surplus <= 0 ? [] : [.. failovers.Where(f => f.IsEnded && f != holding && f != failovers[^1] && !counted.Contains(f))
            .Where(f => !f.IsOwn || f.Spec.Term <= countedTerm).Take(surplus)];
    }
}
