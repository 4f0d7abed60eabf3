namespace FailoverOperator.Simulator.Faults;

/// <summary>Makes a schedule that breaks an invariant smaller, as long as it breaks the same one.</summary>
public static class Shrinker
{
    private const int MostRuns = 150;

    public static Schedule Shrink(Schedule schedule, string invariant, Seams? seams = null)
    {
        var (smallest, runs) = (schedule, 0);
        for (var hasShrunk = true; hasShrunk && runs < MostRuns;)
        {
            hasShrunk = false;
            foreach (var smaller in Smaller(smallest))
            {
                if (++runs > MostRuns) break;
                if (Simulation.Run(smaller, seams).Violation?.Invariant != invariant) continue;
                (smallest, hasShrunk) = (smaller, true);
                break;
            }
        }
        return smallest;
    }

    /// <summary>Without one of the strikes; then with a shorter one; then with one at a rounder time.</summary>
    private static IEnumerable<Schedule> Smaller(Schedule schedule)
    {
        for (var n = schedule.Strikes.Count - 1; n >= 0; n--) yield return schedule.Without(n);
        for (var n = 0; n < schedule.Strikes.Count; n++)
        {
            var strike = schedule.Strikes[n];
            if (strike.ForMilliseconds > 500) yield return schedule.With(n, strike with { ForMilliseconds = strike.ForMilliseconds / 2 });
            if (strike.AtMilliseconds > 10_000) yield return schedule.With(n, strike with { AtMilliseconds = strike.AtMilliseconds / 2 });
            if (strike.AtMilliseconds % 1000 != 0) yield return schedule.With(
                n, strike with { AtMilliseconds = strike.AtMilliseconds / 1000 * 1000 });
        }
    }
}
