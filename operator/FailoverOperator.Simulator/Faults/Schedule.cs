namespace FailoverOperator.Simulator.Faults;

/// <summary>All that chance decides beforehand: the world, and what happens to it.</summary>
/// <param name="Seed">Of the world.</param>
public sealed record Schedule(int Seed, IReadOnlyList<Strike> Strikes)
{
    private const int MostMilliseconds = 75_000;

    /// <summary>When the last of it is over.</summary>
    public TimeSpan Length => TimeSpan.FromMilliseconds(Strikes.Select(s => s.AtMilliseconds + s.ForMilliseconds).DefaultIfEmpty(0).Max());

    /// <summary>
    /// A swarm: each seed has a few kinds of faults only, and many or few of them, for those that hold each other off are not found together.
    /// </summary>
    public static Schedule Of(int seed)
    {
        var random = new Random(seed);
        var world = random.Next();
        var kinds = Enum.GetValues<Fault>().OrderBy(_ => random.Next()).Take(random.Next(1, 7)).ToArray();
        var strikes = Enumerable.Range(0, random.Next(1, 11)).Select(_ => Next(random, kinds)).OrderBy(s => s.AtMilliseconds).ToList();
        return new Schedule(world, strikes);
    }

    public Schedule Without(int index) => this with { Strikes = [.. Strikes.Where((_, n) => n != index)] };

    public Schedule With(int index, Strike strike) => this with { Strikes = [.. Strikes.Select((s, n) => n == index ? strike : s)] };

    private static Strike Next(Random random, Fault[] kinds)
    {
        // Short ones, such as a renewal bears, and long ones, such as nobody bears.
        var length = random.Next(3) switch { 0 => random.Next(100, 2000), 1 => random.Next(2000, 9000), _ => random.Next(9000, 40_000) };
        return new Strike(kinds[random.Next(kinds.Length)], random.Next(MostMilliseconds), random.Next(12), random.Next(12), length);
    }
}
