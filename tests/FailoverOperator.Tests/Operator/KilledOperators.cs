using FailoverOperator.Api.Failovers;

namespace FailoverOperator.Tests.Operator;

/// <summary>Invariant I10: whoever follows an operator that was killed finishes what that one had begun.</summary>
internal static class KilledOperators
{
    /// <summary>What is written down of a failover that replaces a primary, in this order.</summary>
    public static IReadOnlyList<FailoverPhase> All { get; } =
    [
        FailoverPhase.Pending, FailoverPhase.Fencing, FailoverPhase.Electing, FailoverPhase.Promoting, FailoverPhase.Repointing, FailoverPhase.Verifying,
        FailoverPhase.Completed,
    ];

    public static TheoryData<FailoverPhase> Phases => [.. All];

    /// <summary>The operator is killed as soon as it has written that of the failover of term 2, and another one is started a second later.</summary>
    /// <param name="begin">Why there is that failover.</param>
    public static void IsKilledAfter(this OperatorWorld world, FailoverPhase phase, Action begin)
    {
        world.KillOperatorAfter(phase, term: 2);
        begin();
        world.Until(() => !world.OperatorRuns, $"the operator dies after {phase}");
        world.Pass(TimeSpan.FromSeconds(1));
        world.StartOperator();
    }
}
