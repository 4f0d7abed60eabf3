using FailoverOperator.Simulator.Faults;

namespace FailoverOperator.Simulation;

/// <summary>A kind of schedules, by the name that it has on the command line.</summary>
internal sealed record Kind(string Name, Func<int, Schedule> Schedule)
{
    public static Kind Usual { get; } = new("", Simulator.Faults.Schedule.Of);

    public static Kind Endless { get; } = new("endless", Simulator.Faults.Schedule.Endless);

    public static Kind Planned { get; } = new("planned", Simulator.Faults.Schedule.Planned);

    public static Kind Named(string name) => new[] { Usual, Endless, Planned }.FirstOrDefault(k => k.Name == name)
        ?? throw new ArgumentException($"there is no kind of runs named {name}; there are endless and planned", nameof(name));
}
