using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.CommandLine;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Simulator.Trials;

namespace FailoverOperator.Cli.Simulating;

/// <summary>Makes trials of a group, as it is written in a manifest, or as it is in the cluster. Pure.</summary>
internal static class SimulationPlanner
{
    private const int ZonesByTurns = 3;
    private static readonly TimeSpan LeastPatience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan MostPatience = TimeSpan.FromSeconds(600);

    /// <summary>What can be asked for by name.</summary>
    public static IReadOnlyDictionary<string, (Blow Blow, Victims Victims, string Description)> Faults { get; } =
        new SortedDictionary<string, (Blow Blow, Victims Victims, string Description)>(StringComparer.Ordinal)
        {
            ["process-crash"] = (Blow.ProcessCrash, Victims.Primary, "the primary's server is killed"),
            ["power-cut"] = (Blow.PowerCut, Victims.Primary, "the primary's node loses power for good"),
            ["partition"] = (Blow.Partition, Victims.Primary, "the primary's node is cut off from everybody"),
            ["zone-loss"] = (Blow.PowerCut, Victims.ZoneOfPrimary, "every node in the primary's zone loses power for good"),
        };

    /// <exception cref="CliException">It cannot be simulated.</exception>
    public static SimulationPlan OfFaults(RedundancyGroup group, IReadOnlyList<string> faults)
    {
        var (members, assumptions) = Members(group);
        return Plan(group, members, assumptions, faults.Select(name =>
        {
            var (blow, victims, description) = Faults[name];
            return new Scenario(name, description, Trial(group.Spec, members, blow, victims));
        }));
    }

    /// <param name="group">With a status.</param>
    /// <param name="what">node or zone.</param>
    /// <param name="name">Of the one that is lost.</param>
    /// <exception cref="CliException">No member is there, or it cannot be simulated.</exception>
    public static SimulationPlan OfLoss(RedundancyGroup group, string what, string name)
    {
        var places = (group.Status?.Members ?? []).Select(m => (m.Name, Place: what == "node" ? m.Node : m.Zone)).ToList();
        var lost = places.Where(p => p.Place == name).Select(p => p.Name).ToList();
        var known = string.Join(", ", places.Select(p => p.Place ?? "unknown").Distinct());
        if (lost.Count == 0) throw new CliException(ExitCodes.WrongUse,
            $"no member of {group.Metadata.Name} is known to be on {what} {name}; they are on: {known}");
        var (members, assumptions) = Members(group, lost);
        return Plan(group, members, assumptions,
            [new($"{what}={name}", $"{what} {name} with {string.Join(", ", lost)} loses power for good",
                Trial(group.Spec, members, Blow.PowerCut, Victims.Named))]);
    }

    private static SimulationPlan Plan(
        RedundancyGroup group, IReadOnlyList<TrialMember> members, IReadOnlyList<string> assumptions, IEnumerable<Scenario> scenarios)
    {
        if (SpecRules.Check(group.Spec) is { Count: > 0 } violations)
            throw new CliException(ExitCodes.WrongUse, string.Join("; ", violations.Select(v => v.Message)));
        if (TrialSpec.Refuse(group.Spec) is { } refusal) throw new CliException(ExitCodes.WrongUse, refusal);
        var targets = group.Spec.Targets;
        return new(group.Metadata.Name, targets.RtoSeconds, targets.RpoSeconds, members.Count, [.. scenarios],
            [.. assumptions, .. TrialSpec.Differences(group.Spec)]);
    }

    private static TrialPlan Trial(RedundancyGroupSpec spec, IReadOnlyList<TrialMember> members, Blow blow, Victims victims)
    {
        var patience = TimeSpan.FromSeconds(2.0 * spec.Targets.RtoSeconds);
        patience = patience < LeastPatience ? LeastPatience : patience > MostPatience ? MostPatience : patience;
        return new TrialPlan { Spec = spec, Members = members, Blow = blow, Victims = victims, Patience = patience };
    }

    /// <summary>The primary first, as the trial wants it.</summary>
    private static (IReadOnlyList<TrialMember> Members, IReadOnlyList<string> Assumptions) Members(RedundancyGroup group,
        IReadOnlyList<string>? lost = null)
    {
        if (group.Status is not { Members.Count: > 0 } status)
        {
            var count = group.Spec.Active + group.Spec.Spares;
            return ([.. Enumerable.Range(0, count).Select(n => new TrialMember(Zone(n)))],
                [FormattableString.Invariant($"{count} members, each on a node of its own, in {Math.Min(count, ZonesByTurns)} zones by turns")]);
        }
        var holder = status.Slots.FirstOrDefault()?.Holder
            ?? throw new CliException(ExitCodes.NotAsWished,
                $"{group.Metadata.Name} has no primary now; see kubectl failover explain {group.Metadata.Name}");
        var ordered = status.Members.OrderBy(m => m.Name != holder).ToList();
        var down = ordered.Where(m => m.Name != holder && m.Health is (MemberHealth.Failed or MemberHealth.Unknown)).Select(m => m.Name).ToList();
        var members = ordered.Select((m, n) => new TrialMember(m.Zone ?? Zone(n), down.Contains(m.Name), lost?.Contains(m.Name) == true));
        return ([.. members],
            [
                $"the members as they are now: {holder} is the primary{(down.Count > 0 ? $", {string.Join(", ", down)} down" : "")}",
                .. ordered.Any(m => m.Zone is null) ? ["members whose zone is unknown are in zones of their own, by turns"] : Array.Empty<string>(),
            ]);
    }

    private static string Zone(int ordinal) => FormattableString.Invariant($"zone-{(ordinal % ZonesByTurns) + 1}");
}
