using FailoverOperator.Api.RedundancyGroups;

namespace FailoverOperator.Simulator.Faults;

/// <summary>All that chance decides beforehand: the world, and what happens to it.</summary>
/// <param name="Seed">Of the world.</param>
public sealed record Schedule(int Seed, IReadOnlyList<Strike> Strikes)
{
    private const int MostMilliseconds = 75_000;
    private const int StormMilliseconds = 4 * MostMilliseconds;

    /// <summary>Nothing heals in the end, and nobody waits for that: a run for what must never happen. Else: and for what must happen at last.</summary>
    public bool IsEndless { get; init; }

    /// <summary>The group has brakes and wants its primary back, and people ask for things.</summary>
    public bool IsPlanned { get; init; }

    /// <summary>Of the group.</summary>
    public RedundancyMode Mode { get; init; } = RedundancyMode.ActivePassive;

    /// <summary>When everything has been well again, more fails than can be mended.</summary>
    public bool HasFinale { get; init; }

    private static Fault[] Requests { get; } = [Fault.SwitchoverRequested, Fault.FailoverRequested, Fault.GroupSuspended];

    private static Fault[] Mishaps { get; } = [.. Enum.GetValues<Fault>().Where(f => f < Fault.SwitchoverRequested)];

    /// <summary>Those without agents: their questions go through the API server, and some of them sicken or are lost for good.</summary>
    private static Fault[] MishapsIn(RedundancyMode mode) => mode switch
    {
        RedundancyMode.NPlusM => [.. Mishaps.Except(OfAgents)],
        RedundancyMode.Quorum => [.. Mishaps.Except(OfAgents), Fault.NodeDestroyed, Fault.NodeDestroyed],
        RedundancyMode.ActiveActive => [.. Mishaps.Except(OfAgents), Fault.MemberSick, Fault.MemberSick, Fault.MemberSick],
        _ => Mishaps,
    };

    private static Fault[] OfAgents { get; } = [Fault.LeaseDeleted, Fault.LeaseEmptied, Fault.LeaseHolderEdited, Fault.LeaseTermEdited,
        Fault.FailsafeSwitched, Fault.TimingsChanged, Fault.AgentPause];

    /// <summary>When the last of it is over, those that follow a failover aside.</summary>
    public TimeSpan Length =>
        TimeSpan.FromMilliseconds(Strikes.Where(s => s.Failover == 0).Select(s => s.AtMilliseconds + s.ForMilliseconds).DefaultIfEmpty(0).Max());

    /// <summary>
    /// A swarm: each seed has a few kinds of faults only, and many or few of them, for those that hold each other off are not found together.
    /// </summary>
    public static Schedule Of(int seed)
    {
        var random = new Random(seed);
        var world = random.Next();
        var isStorm = random.Next(6) == 0;
        return isStorm ? Swarm(random, world, mostKinds: 14, random => random.Next(20, 60), StormMilliseconds)
            : Swarm(random, world, mostKinds: 7, random => random.Next(1, 11), MostMilliseconds);
    }

    /// <summary>One fault after the other, of many kinds, as long as the run lasts.</summary>
    public static Schedule Endless(int seed)
    {
        var random = new Random(~seed);
        return Swarm(random, random.Next(), mostKinds: 20, random => random.Next(30, 90), StormMilliseconds) with { IsEndless = true };
    }

    /// <summary>A swarm in which failovers follow each other, and people ask for others in between.</summary>
    public static Schedule Planned(int seed)
    {
        var random = new Random(seed ^ 0x2545F491);
        var swarm = Swarm(random, random.Next(), mostKinds: 5, random => random.Next(2, 10), 2 * MostMilliseconds);
        var requests = new List<Strike>();
        for (var left = random.Next(1, 7); left > 0; left--) requests.Add(Next(random, Requests, 2 * MostMilliseconds, requests));
        return swarm with { Strikes = [.. swarm.Strikes.Concat(requests).OrderBy(s => s.Failover).ThenBy(s => s.AtMilliseconds)], IsPlanned = true };
    }

    /// <summary>The swarm of another mode, and people who ask for things.</summary>
    public static Schedule In(RedundancyMode mode, int seed)
    {
        // Scattered: the first numbers of seeds that are near each other are near each other, too.
        var random = new Random(unchecked((int)(((uint)seed + ((uint)mode << 24)) * 2654435761u >> 1)));
        var world = random.Next();
        var isStorm = random.Next(6) == 0;
        var swarm = isStorm ? Swarm(random, world, mostKinds: 14, random => random.Next(20, 60), StormMilliseconds, MishapsIn(mode))
            : Swarm(random, world, mostKinds: 7, random => random.Next(1, 14), MostMilliseconds, MishapsIn(mode));
        var requests = new List<Strike>();
        for (var left = random.Next(4); left > 0; left--) requests.Add(Next(random, Requests, MostMilliseconds, requests));
        return swarm with { Strikes = [.. swarm.Strikes.Concat(requests).OrderBy(s => s.Failover).ThenBy(s => s.AtMilliseconds)], Mode = mode, HasFinale = random.Next(3) == 0 };
    }

    public Schedule Without(int index) => this with { Strikes = [.. Strikes.Where((_, n) => n != index)] };

    public Schedule With(int index, Strike strike) => this with { Strikes = [.. Strikes.Select((s, n) => n == index ? strike : s)] };

    private static Schedule Swarm(
        Random random, int world, int mostKinds, Func<Random, int> count, int mostMilliseconds, Fault[]? mishaps = null)
    {
        var kinds = (mishaps ?? Mishaps).OrderBy(_ => random.Next()).Take(random.Next(1, mostKinds)).ToArray();
        var strikes = new List<Strike>();
        for (var left = count(random); left > 0; left--) strikes.Add(Next(random, kinds, mostMilliseconds, strikes));
        return new Schedule(world, [.. strikes.OrderBy(s => s.Failover).ThenBy(s => s.AtMilliseconds)]);
    }

    /// <summary>
    /// At any time, or soon after another one, or while a failover runs, which takes so little time that chance alone would seldom hit it.
    /// </summary>
    private static Strike Next(Random random, Fault[] kinds, int mostMilliseconds, List<Strike> before)
    {
        // Short ones, such as a renewal bears, and long ones, such as nobody bears.
        var length = random.Next(3) switch { 0 => random.Next(100, 2000), 1 => random.Next(2000, 9000), _ => random.Next(9000, 40_000) };
        var strike = new Strike(kinds[random.Next(kinds.Length)], random.Next(mostMilliseconds), random.Next(12), random.Next(12), length);
        return random.Next(3) switch
        {
            0 when before.Count > 0 && before[^1] is var last =>
                strike with { AtMilliseconds = last.AtMilliseconds + random.Next(5000), Failover = last.Failover },
            1 => strike with { AtMilliseconds = random.Next(2500), Failover = random.Next(1, 4) },
            _ => strike,
        };
    }
}
