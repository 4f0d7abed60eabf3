namespace FailoverOperator.Cli.Simulating;

/// <summary>Milliseconds over many seeds, by nearest rank: each figure is one that occurred.</summary>
public sealed record Distribution(int Count, long Min, long P50, long P95, long P99, long Max)
{
    /// <summary>Null: there are none.</summary>
    public static Distribution? Of(IEnumerable<TimeSpan> times) => Of(times.Select(t => (long)Math.Round(t.TotalMilliseconds)));

    /// <inheritdoc cref="Of(IEnumerable{TimeSpan})"/>
    public static Distribution? Of(IEnumerable<long> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count == 0 ? null : new(sorted.Count, sorted[0], Rank(50), Rank(95), Rank(99), sorted[^1]);

        long Rank(int percent) => sorted[Math.Max(0, (int)Math.Ceiling(sorted.Count * percent / 100.0) - 1)];
    }
}

/// <summary>So many values were at least <paramref name="From"/> and less than <paramref name="To"/>; the last bin has its end in it.</summary>
public sealed record Bin(long From, long To, int Count)
{
    private const int Most = 8;

    /// <summary>Of equal width, from the least to the greatest.</summary>
    public static IReadOnlyList<Bin> Of(IEnumerable<TimeSpan> times)
    {
        var values = times.Select(t => (long)Math.Round(t.TotalMilliseconds)).ToList();
        if (values.Count == 0) return [];
        var (least, span) = (values.Min(), values.Max() - values.Min());
        var width = Math.Max(1, Round(Math.Max(1, span) / (double)Most));
        var begin = least / width * width;
        var bins = new int[((values.Max() - begin) / width) + 1];
        foreach (var value in values) bins[(value - begin) / width]++;
        return [.. bins.Select((count, n) => new Bin(begin + (n * width), begin + ((n + 1) * width), count))];
    }

    /// <summary>Up, to 1, 2 or 5 times a power of ten.</summary>
    private static long Round(double width)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(width)));
        return (long)(new[] { 1, 2, 5, 10 }.First(n => n * power >= width) * power);
    }
}
