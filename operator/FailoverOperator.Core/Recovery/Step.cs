using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Recovery;

/// <summary>One thing to do. Each is idempotent: done twice, it does no more than done once. Closed: nested types only.</summary>
public abstract record Step
{
    private Step()
    {
    }

    /// <summary>
    /// Write the next phase into the Failover's status, with what was learned. Nothing of the phase is done before
    /// this has been acknowledged (invariant I10).
    /// </summary>
    public sealed record Enter(FailoverPhase Phase) : Step
    {
        public FenceEvidence? Fence { get; init; }

        /// <summary>Who gave the evidence.</summary>
        public string? FencedBy { get; init; }

        public MemberReference? Candidate { get; init; }

        /// <summary>Null: unknown.</summary>
        public long? LostBytes { get; init; }

        public string? Reason { get; init; }

        public string? Message { get; init; }
    }

    /// <summary>Delete this incarnation of the pod, and no other.</summary>
    public sealed record TerminatePod(MemberReference Member) : Step;

    /// <summary>Ask these members for their status now.</summary>
    public sealed record AskMembers(IReadOnlyList<Member> Members) : Step;

    /// <summary>Make the member writable, then ask it.</summary>
    public sealed record Promote(Member Member, long Term) : Step;

    /// <summary>Make the member a standby of the primary, then ask it.</summary>
    public sealed record Follow(Member Member, Member Primary, long Term) : Step;

    /// <summary>Set the member's role label, and its term label (null: remove it).</summary>
    public sealed record Label(Member Member, string Role, long? Term) : Step;

    /// <summary>Make the Service select members of its role only, and publish the term.</summary>
    public sealed record PointService(string Name, TrafficRole Role, long Term) : Step;

    /// <summary>Write through the Services' endpoints and report the outcome.</summary>
    public sealed record Verify(Member Member, long Term) : Step;
}
