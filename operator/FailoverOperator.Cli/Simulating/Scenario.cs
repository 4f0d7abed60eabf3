using FailoverOperator.Simulator.Trials;

namespace FailoverOperator.Cli.Simulating;

/// <summary>One fault that is tried over and over.</summary>
public sealed record Scenario(string Name, string Description, TrialPlan Plan);

/// <summary>What is to be simulated.</summary>
/// <param name="Group">As it is called in the report.</param>
/// <param name="Assumptions">What is different from the group as it is, for people.</param>
public sealed record SimulationPlan(string Group, int RtoSeconds, int RpoSeconds, int Members, IReadOnlyList<Scenario> Scenarios,
    IReadOnlyList<string> Assumptions);
