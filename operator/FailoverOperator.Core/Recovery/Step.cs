using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
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
    /// this has been acknowledged (invariant I10). The same phase again: only what was learned.
    /// </summary>
    public sealed record Enter(FailoverPhase Phase) : Step
    {
        public FenceEvidence? Fence { get; init; }

        /// <summary>Who gave the evidence.</summary>
        public string? FencedBy { get; init; }

        public MemberReference? Candidate { get; init; }

        /// <summary>What the candidate had when it was chosen. Null: it did not tell, or was chosen before.</summary>
        public LogPoint? Origin { get; init; }

        /// <summary>Identity of the new primary's log. Null: not told yet.</summary>
        public string? History { get; init; }

        /// <summary>To be added to those that are written down.</summary>
        public IReadOnlyList<MemberReference> Rivals { get; init; } = [];

        /// <summary>Null: unknown.</summary>
        public long? LostBytes { get; init; }

        /// <summary>Where the old primary's log ended, which somebody else has all of. Null: nothing new.</summary>
        public LogEnd? End { get; init; }

        /// <summary>In words, what a person accepted. Null: nothing, or that is written down already.</summary>
        public string? AcceptedLoss { get; init; }

        public string? Reason { get; init; }

        public string? Message { get; init; }

        /// <summary>Of a request: the Failover that carries it out.</summary>
        public string? ExecutedAs { get; init; }
    }

    /// <summary>Delete this incarnation of the pod, and no other.</summary>
    public sealed record TerminatePod(MemberReference Member) : Step;

    /// <summary>Ask these members for their status now.</summary>
    public sealed record AskMembers(IReadOnlyList<Member> Members) : Step;

    /// <summary>Make the member writable, then ask it.</summary>
    public sealed record Promote(Member Member, long Term) : Step;

    /// <summary>Make the member read-only, then ask it. No fence.</summary>
    public sealed record Demote(Member Member, long Term) : Step;

    /// <summary>Make the member a standby of the primary, then ask it.</summary>
    public sealed record Follow(Member Member, Member Primary, long Term) : Step;

    /// <summary>Set the member's role label, and its term label (null: remove it).</summary>
    public sealed record Label(Member Member, string Role, long? Term) : Step
    {
        /// <summary>Value of the slot label. Null: remove it.</summary>
        public string? Slot { get; init; } = ApiGroup.FirstSlot;

        /// <summary>The version of the pod that this was decided on: refused if it has changed since. Null: whatever has changed.</summary>
        public string? ReadVersion { get; init; }
    }

    /// <summary>
    /// Bind a spare to a slot by its label. Refused if the pod has changed since it was read: of two slots that want one spare, one gets it.
    /// </summary>
    public sealed record BindSpare(Member Member, string Slot) : Step;

    /// <summary>
    /// Make the Service select members of its role only, and publish the term. One write: traffic moves from one pod to the other at once.
    /// </summary>
    /// <param name="Pod">The only pod, by name, that it is to lead to. Null: all of its role.</param>
    public sealed record PointService(string Name, TrafficRole Role, string? Pod, long Term) : Step
    {
        /// <summary>The only slot that it is to lead to. Null: the group has one slot.</summary>
        public string? Slot { get; init; }
    }

    /// <summary>
    /// Name the member as the lease's holder in this term, in one write that also sets the assignment and the terms, and forgets what
    /// an earlier holder accepted. The holder's agent does the rest.
    /// </summary>
    /// <param name="ReadVersion">The version of the lease that this was decided on. Null: there is none, create it.</param>
    /// <param name="KeepRelease">
    /// The lease that this overwrites was released, so that the note stays and frees the new holder from its promises. Otherwise an
    /// older note is removed.
    /// </param>
    public sealed record AssignLease(Member Member, long Term, LeaseTerms Terms, string? ReadVersion, bool KeepRelease) : Step
    {
        /// <summary>
        /// What an earlier holder accepted that may still be writable by promises, see <see cref="LeaseContract.PledgedAnnotation"/>. Null: nobody
        /// can be.
        /// </summary>
        public LeaseTerms? Pledged { get; init; }

        /// <summary>See <see cref="LeaseContract.FloorAnnotation"/>. Null: the next log to its own is a new one.</summary>
        public HistoryFloor? Floor { get; init; }
    }

    /// <summary>
    /// Make the lease anew that somebody deleted, held by nobody: who held it has noticed, and can say there that it has gone. Nobody is
    /// known to have promised it anything, so that the accepted terms name nobody.
    /// </summary>
    public sealed record RecreateLease(long Term, LeaseTerms Terms) : Step;

    /// <summary>Take the lease from this holder: empty holder and assignment, and leave the term. Its agent demotes and says so.</summary>
    public sealed record RevokeLease(string Holder, long Term, string ReadVersion) : Step;

    /// <summary>
    /// Ask the holder of the lease to hand over in order, or take that back. Its agent stops the writes, lets the standbys catch up, and
    /// releases.
    /// </summary>
    public sealed record AskHandOver(string Holder, string ReadVersion, bool Withdraw = false) : Step;

    /// <summary>Write other terms into the lease; its holder applies them, then accepts them.</summary>
    public sealed record UpdateLeaseTerms(LeaseTerms Terms, string ReadVersion) : Step;

    /// <summary>Put the taint <c>node.kubernetes.io/out-of-service:NoExecute</c> on the node.</summary>
    public sealed record TaintNode(string Node) : Step;

    /// <summary>Create the Job of <c>fencing.job</c> for this member and term.</summary>
    public sealed record RunFencingJob(MemberReference Member, long Term) : Step;

    /// <summary>Delete this incarnation of a standby's pod, so that one of the new revision takes its place.</summary>
    public sealed record RestartMember(MemberReference Member, string Revision) : Step;

    /// <summary>Make a PodDisruptionBudget of the operator's own, or put it right.</summary>
    /// <param name="ReadVersion">The version of it that this was decided on. Null: there is none, create it.</param>
    public sealed record KeepBudget(string Name, string? ReadVersion) : Step
    {
        /// <summary>It guards all members: so many must stay. Null: it lets no primary of the group be evicted, and guards nobody else.</summary>
        public int? LeastMembers { get; init; }
    }

    /// <summary>Delete such a budget.</summary>
    public sealed record RemoveBudget(string Name) : Step;

    /// <summary>Give the workload of the cold standby so many replicas, by its subresource scale. Refused if it has changed since it was read.</summary>
    public sealed record ScaleStandby(int Replicas, string ReadVersion) : Step;

    /// <summary>Write through the Services' endpoints and report the outcome.</summary>
    public sealed record Verify(Member Member, long Term) : Step;
}
