using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Simulator.Faults;

namespace FailoverOperator.Simulation;

/// <summary>A kind of schedules, by the name that it has on the command line.</summary>
internal sealed record Kind(string Name, Func<int, Schedule> Schedule)
{
    public static Kind Usual { get; } = new("", Simulator.Faults.Schedule.Of);

    public static Kind Endless { get; } = new("endless", Simulator.Faults.Schedule.Endless);

    public static Kind Planned { get; } = new("planned", Simulator.Faults.Schedule.Planned);

    public static Kind NPlusM { get; } = In(RedundancyMode.NPlusM);

    public static Kind Quorum { get; } = In(RedundancyMode.Quorum);

    public static Kind ActiveActive { get; } = In(RedundancyMode.ActiveActive);

    private static Kind[] All { get; } = [Usual, Endless, Planned, NPlusM, Quorum, ActiveActive];

    public static Kind Named(string name) => All.FirstOrDefault(k => k.Name == name)
        ?? throw new ArgumentException($"there is no kind of runs named {name}; there are {string.Join(", ", All.Skip(1).Select(k => k.Name))}", nameof(name));

    private static Kind In(RedundancyMode mode) => new(mode.ToString().ToLowerInvariant(), seed => Simulator.Faults.Schedule.In(mode, seed));
}
