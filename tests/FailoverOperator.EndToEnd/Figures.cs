namespace FailoverOperator.EndToEnd;

/// <summary>What a series of measurements says, nearest rank.</summary>
public sealed record Figures(int Count, long Minimum, long Median, long Percentile95, long Percentile99, long Maximum)
{
    public static Figures Of(IEnumerable<long> values)
    {
        var sorted = values.Order().ToList();
        return new Figures(sorted.Count, sorted[0], Rank(sorted, 0.5), Rank(sorted, 0.95), Rank(sorted, 0.99), sorted[^1]);
    }

    public override string ToString() => $"runs={Count} min={Minimum} median={Median} p95={Percentile95} p99={Percentile99} max={Maximum}";

    private static long Rank(List<long> sorted, double share) => sorted[(int)Math.Ceiling(share * sorted.Count) - 1];
}
