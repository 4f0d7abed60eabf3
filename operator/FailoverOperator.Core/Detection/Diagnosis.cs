using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Detection;

/// <summary>What is the matter with a group's primary. Closed: nested types only.</summary>
public abstract record Diagnosis
{
    private Diagnosis()
    {
    }

    /// <summary>The primary takes writes.</summary>
    public sealed record Healthy : Diagnosis;

    /// <summary>Nobody has been chosen yet.</summary>
    public sealed record NewGroup : Diagnosis;

    /// <summary>The operator cannot trust what it sees, and accuses nobody.</summary>
    public sealed record OperatorImpaired(string Why) : Diagnosis;

    /// <summary>There are signs, but not for long enough, or they may be the operator's own blindness.</summary>
    /// <param name="DecisiveIn">When they will be decisive if they last. Null: only other evidence can be.</param>
    public sealed record PrimarySuspected(string Evidence, TimeSpan? DecisiveIn) : Diagnosis
    {
        /// <summary>CamelCase, see <see cref="Reasons"/>.</summary>
        public string Reason { get; init; } = Reasons.FailureSuspected;
    }

    /// <summary>The primary has failed.</summary>
    public sealed record PrimaryFailed(FailoverCause Cause, IReadOnlyList<string> Evidence) : Diagnosis
    {
        /// <summary>CamelCase, see <see cref="Reasons"/>.</summary>
        public string Reason { get; init; } = Reasons.PrimaryNotServing;
    }

    /// <summary>
    /// The primary cannot renew its lease, and the other members keep it: it takes writes, as long as they acknowledge it and its
    /// kubelet calls it ready.
    /// </summary>
    /// <param name="LookAgainIn">When the first of these promises ends.</param>
    public sealed record PrimaryIsolated(Member Primary, IReadOnlyList<string> Evidence, TimeSpan LookAgainIn) : Diagnosis;

    /// <summary>The primary is there and says that it is a standby, and nobody else is primary.</summary>
    public sealed record PrimaryDemoted(Member Primary) : Diagnosis;

    /// <summary>Somebody made <paramref name="Primary"/> the primary, and the holder a standby, without the operator.</summary>
    public sealed record PrimaryMoved(Member Primary) : Diagnosis;

    /// <summary>Members beside the primary say that they take writes.</summary>
    public sealed record SplitBrainSuspected(IReadOnlyList<Member> Others) : Diagnosis;

    /// <summary>The members reject the operator's credentials: nothing is known of their health.</summary>
    public sealed record CredentialsRejected(string Message) : Diagnosis;
}
