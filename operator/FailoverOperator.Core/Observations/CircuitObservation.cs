namespace FailoverOperator.Core.Observations;

/// <summary>What a circuit breaker keeps from a member.</summary>
public enum GuardedOperation
{
    Status,
    Follow,
    Demote,
}

/// <summary>
/// An operation that kept failing on a member and is not tried for a while. It says nothing about the member: what is not asked is unknown.
/// </summary>
/// <param name="TriedAgainIn">Zero: the next time that it is wanted.</param>
/// <param name="Until">The same as a time, for people.</param>
/// <param name="Failure">How it failed last.</param>
public sealed record CircuitObservation(GuardedOperation Operation, TimeSpan TriedAgainIn, string Until, string Failure)
{
    /// <summary>Of <see cref="GuardedOperation.Follow"/>: UID of the pod that was to be followed. To follow another one is another matter.</summary>
    public string? Primary { get; init; }
}
