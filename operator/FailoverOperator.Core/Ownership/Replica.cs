namespace FailoverOperator.Core.Ownership;

/// <summary>One process of the operator, as another one sees it.</summary>
/// <param name="UnchangedFor">For how long its heartbeat has not changed, on the observer's own monotonic clock; clocks of two machines are never compared.</param>
/// <param name="HasLeft">It said that it goes.</param>
public sealed record Replica(string Name, TimeSpan UnchangedFor, bool HasLeft)
{
    /// <summary>A live replica changes its heartbeat so often.</summary>
    public static readonly TimeSpan HeartbeatInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// One whose heartbeat has stood still for so long is taken for dead. That is a guess, and a wrong one does no harm: two
    /// that think they own a group race for its records, and one loses.
    /// </summary>
    public static readonly TimeSpan DeadAfter = TimeSpan.FromMilliseconds(1500);

    public bool IsLive => !HasLeft && UnchangedFor < DeadAfter;
}
