using System.Globalization;

namespace FailoverOperator.Api.Agents;

/// <summary>
/// The slot's Lease (<c>coordination.k8s.io/v1</c>) as operator and agents use it. Its name is <c>group-slot</c>; <c>holderIdentity</c> is
/// <c>pod/uid</c> or empty, <c>leaseTransitions</c> is the term, <c>leaseDurationSeconds</c> is D. The operator alone assigns; the
/// holder's agent alone renews and releases; every write carries the resourceVersion that was read.
/// </summary>
public static class LeaseContract
{
    /// <summary>
    /// Annotation, written by the operator in the same update as the holder: <c>holder term</c>. A holder that was changed by
    /// anybody else does not fit it, and no agent obeys it.
    /// </summary>
    public const string AssignmentAnnotation = ApiGroup.Name + "/assignment";

    /// <summary>Annotation, written by the operator: a <see cref="LeaseTerms"/> as JSON.</summary>
    public const string TermsAnnotation = ApiGroup.Name + "/terms";

    /// <summary>
    /// Annotation, written by the holder's agent with every renewal: the <see cref="LeaseTerms"/> that it lives by now. Nobody who is
    /// not in it may be promoted on account of an expired lease: only these can have promised not to. Without it nobody has been
    /// writable in this term.
    /// </summary>
    public const string AcceptedAnnotation = ApiGroup.Name + "/accepted";

    /// <summary>
    /// Annotation, written by the operator when it assigns a lease that has expired: the <see cref="LeaseTerms"/> that the earlier
    /// holder accepted. That one may still be writable by the promises of their members, until the new holder's first renewal.
    /// </summary>
    public const string PledgedAnnotation = ApiGroup.Name + "/pledged";

    /// <summary>
    /// Annotation, written by the operator when it assigns to a member that may not know of every log that was begun: a
    /// <see cref="HistoryFloor"/> as JSON. Its server begins a later one. Without it: whatever is next to its own.
    /// </summary>
    public const string FloorAnnotation = ApiGroup.Name + "/history-floor";

    /// <summary>Annotation, written by the holder's agent when it empties the holder: a <see cref="ReleaseNote"/> as JSON.</summary>
    public const string ReleaseAnnotation = ApiGroup.Name + "/release";

    /// <summary>
    /// Annotation, written by the operator: the <see cref="Assignment"/> whose holder is to hand over now, as if its pod were being stopped,
    /// but stays as a standby. Of any other term it means nothing.
    /// </summary>
    public const string HandOverAnnotation = ApiGroup.Name + "/hand-over";

    public static string LeaseName(string group, string slot) => $"{group}-{slot}";

    public static string Identity(string podName, string podUid) => $"{podName}/{podUid}";

    public static string Assignment(string holder, long term) => string.Create(CultureInfo.InvariantCulture, $"{holder} {term}");
}

/// <summary>What holds for a slot while it is held. Written by the operator, accepted by the holder.</summary>
public sealed record LeaseTerms
{
    /// <summary>D: after so long without a renewal the operator takes the lease for expired.</summary>
    public int LeaseDurationSeconds { get; init; } = 5;

    public int RenewIntervalMilliseconds { get; init; } = 1000;

    /// <summary>The holder stops to be writable so long after sending its last acknowledged renewal.</summary>
    public int StopAfterMilliseconds { get; init; } = 3000;

    /// <summary>Time for the engine to become read-only; after it the agent kills every process of the container.</summary>
    public int DemoteTimeoutMilliseconds { get; init; } = 1000;

    /// <summary>Whether the holder may stay writable without the API server, while every other member acknowledges it.</summary>
    public bool Failsafe { get; init; } = true;

    /// <summary>Try to start a crashed server again before the lease is released. Zero: release at once.</summary>
    public int RestartTimeoutSeconds { get; init; }

    /// <summary>The members, the holder among them, ordered by name.</summary>
    public IReadOnlyList<LeaseMember> Members { get; init; } = [];

    /// <summary>
    /// How many members beside the primary must have a write before it is acknowledged; 0: none is waited for (asynchronous).
    /// </summary>
    public int SynchronousStandbys { get; init; }

    /// <summary>By value: lists compare element by element.</summary>
    public bool Equals(LeaseTerms? other) => other is not null
        && (LeaseDurationSeconds, RenewIntervalMilliseconds, StopAfterMilliseconds, DemoteTimeoutMilliseconds, Failsafe, RestartTimeoutSeconds, SynchronousStandbys)
        == (other.LeaseDurationSeconds, other.RenewIntervalMilliseconds, other.StopAfterMilliseconds, other.DemoteTimeoutMilliseconds, other.Failsafe, other.RestartTimeoutSeconds, other.SynchronousStandbys)
        && Members.SequenceEqual(other.Members);

    public override int GetHashCode() => HashCode.Combine(LeaseDurationSeconds, Members.Count, SynchronousStandbys);
}

/// <summary>A member as its peers reach it.</summary>
/// <param name="Address">IP address of the pod.</param>
/// <param name="AgentPort">Port of its agent.</param>
public sealed record LeaseMember(string Name, string Uid, string Address, int AgentPort);

/// <summary>Logs that may exist: whoever is promoted must not begin one of the same name.</summary>
/// <param name="History">The newest that is known, in the engine's own words.</param>
/// <param name="Unseen">How many may have been begun after it.</param>
/// <param name="And">Others, which the same holds for. Null: none.</param>
public sealed record HistoryFloor(string History, int Unseen, HistoryFloor? And = null);

/// <summary>Why a lease was released.</summary>
public enum ReleaseReason
{
    /// <summary>The server's processes have ended.</summary>
    ProcessDown,

    /// <summary>The pod is being stopped: the server was shut down in order, and its log has been sent.</summary>
    HandOver,

    /// <summary>The agent started anew and found its own lease: whatever ran before has ended with its container.</summary>
    AgentRestarted,

    /// <summary>The server could not be made or kept writable.</summary>
    PromotionFailed,

    /// <summary>The deadline came without a renewal; the server is not writable any more.</summary>
    SelfFenced,
}

/// <summary>The holder's statement that it is surely not writable any more. A proof of fencing.</summary>
/// <param name="Holder">Identity of who released.</param>
/// <param name="PositionBytes">Last position of its log. Null: unknown.</param>
public sealed record ReleaseNote(string Holder, long Term, ReleaseReason Reason, long? PositionBytes, string? Message);
