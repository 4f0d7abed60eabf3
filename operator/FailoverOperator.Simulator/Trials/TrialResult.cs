using FailoverOperator.Api.Failovers;
using FailoverOperator.Simulator.Checking;

namespace FailoverOperator.Simulator.Trials;

/// <summary>What one blow cost in one world.</summary>
public sealed record TrialResult
{
    /// <summary>The longest that the clients were without an acknowledged write. Null: nobody took writes again within the patience.</summary>
    public required TimeSpan? Downtime { get; init; }

    /// <summary>Acknowledged writes that the primary in the end does not have. Null: there is none.</summary>
    public required int? LostWrites { get; init; }

    /// <summary>
    /// How far the primary in the end was behind the last write that the one before had acknowledged, in time. Null: there is no primary.
    /// </summary>
    public required TimeSpan? Loss { get; init; }

    /// <summary>How many failovers it took.</summary>
    public required int Failovers { get; init; }

    /// <summary>The record of the last one that was completed. Null: none was.</summary>
    public required Failover? Record { get; init; }

    /// <summary>Why the group waited when the patience was over. Null: it did not come to that.</summary>
    public required string? Waiting { get; init; }

    /// <summary>An invariant that the operator or the agents broke: a defect of theirs, not of the group.</summary>
    public required Violation? Violation { get; init; }
}
