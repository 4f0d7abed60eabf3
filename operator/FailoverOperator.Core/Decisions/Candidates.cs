using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Decisions;

/// <summary>Whether a member may be promoted. Closed: nested types only.</summary>
public abstract record Eligibility
{
    private Eligibility()
    {
    }

    /// <param name="LagBytes">Bytes behind the old primary's last known position. Null: unknown, but surely within the target.</param>
    public sealed record Eligible(long? LagBytes) : Eligibility;

    /// <param name="Reason">CamelCase, see <see cref="Reasons"/>.</param>
    public sealed record Ineligible(string Reason, string Message) : Eligibility
    {
        /// <summary>Its lag is known and beyond the recovery point objective, and nothing else is in its way.</summary>
        public bool MayCatchUp { get; init; }

        /// <summary>Nothing is in its way but what would be lost, or might be: a person may take that on.</summary>
        public bool IsForLoss { get; init; }
    }
}

/// <summary>
/// Chooses whom to promote. Invariant I4: never a member whose loss is unknown or beyond the recovery point
/// objective, never on data older than <paramref name="maxAge"/>.
/// </summary>
public sealed class Candidates(RedundancyGroupSpec spec, Benchmark benchmark, TimeSpan maxAge, LeaseLimits? limits = null, bool atRest = false)
{
    /// <summary>Names of those that are chosen only if there is nobody else, see <see cref="Brakes"/> and <see cref="Disruption"/>.</summary>
    private IReadOnlySet<string> Last { get; init; } = new HashSet<string>();

    /// <summary>The slot, if its members are bound to it. Null: all members are there for the group's only one.</summary>
    private string? Slot { get; init; }

    /// <summary>The spares are for slots that are more important.</summary>
    private bool ArePromised { get; init; }

    /// <summary>Null: nobody knows where the old primary's log ended.</summary>
    private LastWord? End { get; init; }

    /// <summary>How long the old primary may have gone on unseen. Null: nobody counts it.</summary>
    private TimeSpan? Silence { get; init; }

    /// <summary>What it told before, as far as this process has heard it. Null: nothing.</summary>
    private PositionHistory? Positions { get; init; }

    /// <summary>A person takes on whatever is lost.</summary>
    private bool IsLossAccepted { get; init; }

    private readonly bool _isSynchronous = LeasePlan.IsSynchronous(spec);

    private LossJudge Losses => new(spec, benchmark, byQuorum: _isSynchronous && limits is not null)
    {
        Silence = Silence,
        Positions = Positions,
        Tolerance = FailoverProcedure.ReadinessBound(spec),
    };

    /// <param name="evidence">How the old primary was fenced. Null: it is not yet.</param>
    /// <param name="atRest">Nobody writes any more, so that positions that were told at different moments can be compared.</param>
    public static Candidates Of(GroupObservation group, Benchmark benchmark, TimeSpan maxAge, FenceEvidence? evidence = null, bool atRest = false)
    {
        var limits = LeaseLimits.Of(group, evidence, isHope: evidence is not null && !atRest);
        // Without a quorum there is nothing to be a witness of.
        var told = limits is not null && LeasePlan.IsSynchronous(group.Spec) ? Lineage.Of(group, benchmark) : benchmark;
        return new(group.Spec, told, maxAge, limits, atRest)
        {
            Last = Brakes.RecentlyFailed(group).Union(Disruption.NamesOfLeaving(group)).ToHashSet(),
            Slot = Slots.AreBound(group.Spec) ? group.Slot : null,
            ArePromised = Slots.AreSparesPromised(group),
            End = LastWord.Of(group, benchmark),
            Silence = DataLoss.Silence(group),
            Positions = Benchmark.MemoryOf(group) is { } memory && memory.Uid == benchmark.From?.Uid && memory.History == benchmark.History ? memory.Positions : null,
        };
    }

    /// <summary>The same as a person wants it who has accepted the loss. Null: nobody has. Only if there is no other way.</summary>
    public Candidates? Accepting(GroupObservation group) => !DataLoss.IsAccepted(group) ? null : new(spec, benchmark, maxAge, limits, atRest)
    {
        Last = Last,
        Slot = Slot,
        ArePromised = ArePromised,
        End = End,
        Silence = Silence,
        Positions = Positions,
        IsLossAccepted = true,
    };

    /// <summary>What stands in this member's way is what would be lost, in words. Null: it is not.</summary>
    public string? LossBy(Member member, IReadOnlyList<Member> members) =>
        MissingQuorum(members) ?? (Judge(member) is Eligibility.Ineligible { IsForLoss: true } refusal ? refusal.Message : null);

    /// <summary>The eligible members, best first.</summary>
    public IReadOnlyList<Member> Ranked(IReadOnlyList<Member> members)
    {
        if (_isSynchronous && limits is not null) return MissingQuorum(members) is null ? MostComplete(Heard(members)) : [];
        var eligible = members.Where(m => Judge(m) is Eligibility.Eligible);
        // Where more is lost than should be, it is as little as can be.
        if (IsLossAccepted) return [.. eligible.OrderBy(Lag).ThenByDescending(Beyond).ThenBy(m => m.Name, StringComparer.Ordinal)];
        var ranked = eligible.OrderBy(m => m.Name == benchmark.Preferred ? 0 : 1).ThenBy(m => Last.Contains(m.Name));
        // Who is bound already stays so: a slot that changed its mind would keep two spares from the others.
        return [.. InOrder(Slot is null ? ranked : ranked.ThenBy(m => m.SlotLabel == Slot ? 0 : 1))];
    }

    private IOrderedEnumerable<Member> InOrder(IOrderedEnumerable<Member> ranked) => spec.Promotion.CandidateOrder
        .Aggregate(ranked, (before, order) => order switch
        {
            CandidateOrder.LeastLag => before.ThenBy(Lag).ThenByDescending(Beyond),
            CandidateOrder.Zone => before.ThenBy(m => m.Node.Zone is not null && m.Node.Zone == benchmark.From?.Zone ? 1 : 0),
            CandidateOrder.Priority => before.ThenByDescending(m => PriorityOf(spec, m.Name)),
            CandidateOrder.Name => before.ThenBy(m => m.Name, StringComparer.Ordinal),
            _ => throw new ArgumentOutOfRangeException(nameof(ranked), order, "unknown order"),
        })
        .ThenBy(m => m.Name, StringComparer.Ordinal);

    /// <summary>How much it is wanted as the primary.</summary>
    internal static int PriorityOf(RedundancyGroupSpec spec, string member) => spec.Promotion.Priorities.FirstOrDefault(p => p.Member == member)?.Priority ?? MemberPriority.Usual;

    /// <summary>Why nobody may be promoted, whoever it is. Null: there is no such reason.</summary>
    public string? MissingQuorum(IReadOnlyList<Member> members) =>
        _isSynchronous && limits is not null && !IsLossAccepted && Heard(members) is var heard && !heard.Any(HasAll) ? Quorum.Missing(limits.Terms, heard) : null;

    /// <summary>Why each of them may not be promoted, and what else is in the way.</summary>
    public IReadOnlyList<Eligibility.Ineligible> Refusals(IReadOnlyList<Member> members)
    {
        var own = members.Select(Judge).OfType<Eligibility.Ineligible>();
        if (!_isSynchronous || limits is null) return [.. own];
        return [.. own, .. MissingQuorum(members) is { } missing ? [No(Reasons.QuorumNotHeard, missing) with { IsForLoss = true }] : atRest ? Behind(members) : []];
    }

    public Eligibility Judge(Member member)
    {
        if (IsOldPrimary(member)) return No(Reasons.NoCandidate, $"{member.Name} is the failed primary");
        if (ArePromised && member.SlotLabel is null) return No(Reasons.NoCandidate, $"{member.Name} is kept for a slot that is more important and has nobody");
        if (PriorityOf(spec, member.Name) == 0) return No(Reasons.NoCandidate, $"{member.Name} has priority 0 in promotion.priorities");
        if (Unfit(member) is { } unfit) return No(Reasons.NoCandidate, $"{member.Name} {unfit}");
        if (member.Probe.Reply is EngineReply.Unauthorized)
            return No(Reasons.CredentialsRejected, $"{member.Name} rejects the operator's credentials");
        if (member.Probe.Reply is EngineReply.Failed failed) return No(Reasons.EngineFailed, $"{member.Name} answers wrongly: {failed.Message}");
        if (member.Probe.Status is not { } status)
            return No(Reasons.MembersUnknown, $"{member.Name} does not answer: {EngineReply.Describe(member.Probe.Reply)}");
        if (member.StatusAge > maxAge) return No(Reasons.MembersUnknown, $"{member.Name} does not answer any more");
        if (status.Role == EngineRole.Unknown) return No(Reasons.MembersUnknown, $"{member.Name} does not know its role");
        if (status.Link == ReplicationLink.Syncing) return No(Reasons.NoCandidate, $"{member.Name} is still copying the data");
        if (limits?.Refuse(member) is { } refusal) return refusal;
        // How much of it the old primary had not written to the storage yet nobody knows, nor could anybody have it.
        if (ColdStandby.SharesData(spec)) return new Eligibility.Eligible(null);
        if (!_isSynchronous && HasAll(member)) return new Eligibility.Eligible(Losses.LagOf(status));
        return Losses.Judge(member, status) switch
        {
            Eligibility.Ineligible { IsForLoss: true } when IsLossAccepted => new Eligibility.Eligible(Losses.LagOf(status)),
            var judged => judged,
        };
    }

    public bool IsOldPrimary(Member member) => member.Uid == benchmark.From?.Uid;

    /// <summary>The least lag first; an unknown but bounded one after all that are known.</summary>
    private long Lag(Member member) => Judge(member) is Eligibility.Eligible { LagBytes: { } lag } ? lag : long.MaxValue;

    /// <summary>
    /// Who has all that the old primary was heard to have may have more of what it went on to write unheard. Only at rest: while it writes,
    /// whoever was asked last has more.
    /// </summary>
    private long Beyond(Member member) => atRest && member.Probe.Status is { PositionBytes: { } position } status && benchmark.KinshipOf(status) == Kinship.Same ? position : 0;

    private static string? Unfit(Member member) =>
        member.Pod.Terminating ? "is being deleted"
        : member.Pod.Phase != PodPhase.Running ? $"is not running, phase {member.Pod.Phase}"
        : !member.Pod.Ready ? "is not ready"
        : member.Node.IsSeenDown ? $"is on node {member.Node.Name}, which is {member.Node.State}"
        : null;

    /// <summary>
    /// At rest, whoever has the most of those that were heard misses no acknowledged write, see <see cref="Quorum"/>; nobody else will do. A
    /// lead by name or zone is not worth a write. While the primary writes, it only depends on who was asked last.
    /// </summary>
    private List<Member> MostComplete(IReadOnlyList<Member> heard)
    {
        var most = heard.Select(Reach).DefaultIfEmpty().Max();
        return [.. InOrder(heard.Where(m => Judge(m) is Eligibility.Eligible && (!atRest || Reach(m) == most))
            .OrderBy(m => m.Name == benchmark.Preferred ? 0 : 1).ThenByDescending(Reach).ThenBy(m => Last.Contains(m.Name)))];
    }

    /// <summary>
    /// How far one that was heard is. Whoever has anything of the old primary's log is further than all who have only a log before it, whatever
    /// the bytes: these may go on where the old primary's log parted from theirs.
    /// </summary>
    private (bool HasAll, Kinship Kinship, int Order, long Bytes) Reach(Member member) => member.Probe.Status is { } status
        ? (HasAll(member), benchmark.KinshipOf(status), benchmark.Order.GetValueOrDefault(status.History ?? ""), status.PositionBytes ?? 0)
        : default;

    private bool HasAll(Member member) => End?.IsAllKnownTo(member) == true;

    /// <summary>Fit, but not the most complete of those that were heard.</summary>
    private IEnumerable<Eligibility.Ineligible> Behind(IReadOnlyList<Member> members)
    {
        var most = Heard(members).MaxBy(Reach);
        return members.Where(m => Judge(m) is Eligibility.Eligible && most is not null && Reach(m).CompareTo(Reach(most)) < 0)
            .Select(m => No(Reasons.BeyondRpo, $"{m.Name} may miss acknowledged writes that {most!.Name} has"));
    }

    /// <summary>
    /// Members beside the old primary that told their position just now, in its log or in one that surely was begun before, see <see cref="Lineage"/>.
    /// </summary>
    private IReadOnlyList<Member> Heard(IReadOnlyList<Member> members) =>
    [
        .. members.Where(m => !IsOldPrimary(m) && m.StatusAge <= maxAge
            && m.Probe.Status is { PositionBytes: not null, IsEmpty: not true, Link: not ReplicationLink.Syncing } status && benchmark.KinshipOf(status) != Kinship.Other),
    ];

    private static Eligibility.Ineligible No(string reason, string message) => new(reason, message);
}
