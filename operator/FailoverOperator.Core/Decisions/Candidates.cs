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

    /// <summary>The logs that came before the one that the old primary's began from, as far as is written down.</summary>
    private IReadOnlySet<string> Ancestors { get; init; } = new HashSet<string>();

    private readonly bool _isSynchronous = LeasePlan.IsSynchronous(spec);

    /// <param name="evidence">How the old primary was fenced. Null: it is not yet.</param>
    /// <param name="atRest">Nobody writes any more, so that positions that were told at different moments can be compared.</param>
    public static Candidates Of(GroupObservation group, Benchmark benchmark, TimeSpan maxAge, FenceEvidence? evidence = null, bool atRest = false) =>
        new(group.Spec, benchmark, maxAge, LeaseLimits.Of(group, evidence, isHope: evidence is not null && !atRest), atRest)
        {
            Last = Brakes.RecentlyFailed(group).Union(Disruption.NamesOfLeaving(group)).ToHashSet(),
            Slot = Slots.AreBound(group.Spec) ? group.Slot : null,
            ArePromised = Slots.AreSparesPromised(group),
            End = LastWord.Of(group, benchmark),
            Ancestors = AncestorsOf(benchmark, group).ToHashSet(),
        };

    /// <summary>The eligible members, best first.</summary>
    public IReadOnlyList<Member> Ranked(IReadOnlyList<Member> members)
    {
        if (_isSynchronous && limits is not null) return MissingQuorum(members) is null ? MostComplete(Heard(members)) : [];
        var ranked = members.Where(m => Judge(m) is Eligibility.Eligible).OrderBy(m => m.Name == benchmark.Preferred ? 0 : 1).ThenBy(m => Last.Contains(m.Name));
        // Who is bound already stays so: a slot that changed its mind would keep two spares from the others.
        return [.. InOrder(Slot is null ? ranked : ranked.ThenBy(m => m.SlotLabel == Slot ? 0 : 1))];
    }

    private IOrderedEnumerable<Member> InOrder(IOrderedEnumerable<Member> ranked) => spec.Promotion.CandidateOrder
        .Aggregate(ranked, (before, order) => order switch
        {
            CandidateOrder.LeastLag => before.ThenBy(Lag),
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
        _isSynchronous && limits is not null && Heard(members) is var heard && !heard.Any(HasAll) ? Quorum.Missing(limits.Terms, heard) : null;

    /// <summary>Why each of them may not be promoted, and what else is in the way.</summary>
    public IReadOnlyList<Eligibility.Ineligible> Refusals(IReadOnlyList<Member> members)
    {
        var own = members.Select(Judge).OfType<Eligibility.Ineligible>();
        if (!_isSynchronous || limits is null) return [.. own];
        return [.. own, .. MissingQuorum(members) is { } missing ? [No(Reasons.QuorumNotHeard, missing)] : atRest ? Behind(members) : []];
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
        return Loss(member, status);
    }

    public bool IsOldPrimary(Member member) => member.Uid == benchmark.From?.Uid;

    /// <summary>The least lag first; an unknown but bounded one after all that are known.</summary>
    private long Lag(Member member) => Judge(member) is Eligibility.Eligible { LagBytes: { } lag } ? lag : long.MaxValue;

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
    /// How far one that was heard is. Whoever has anything of the old primary's log is further than all who have only the log before it, whatever
    /// the bytes: these may go on where the old primary's log parted from theirs.
    /// </summary>
    private (bool HasAll, Kinship Kinship, long Bytes) Reach(Member member) =>
        member.Probe.Status is { } status ? (HasAll(member), benchmark.KinshipOf(status), status.PositionBytes ?? 0) : default;

    private bool HasAll(Member member) => End?.IsAllKnownTo(member) == true;

    /// <summary>Fit, but not the most complete of those that were heard.</summary>
    private IEnumerable<Eligibility.Ineligible> Behind(IReadOnlyList<Member> members)
    {
        var most = Heard(members).MaxBy(Reach);
        return members.Where(m => Judge(m) is Eligibility.Eligible && most is not null && Reach(m).CompareTo(Reach(most)) < 0)
            .Select(m => No(Reasons.BeyondRpo, $"{m.Name} may miss acknowledged writes that {most!.Name} has"));
    }

    /// <summary>
    /// Members beside the old primary that told their position just now, in its log or in one before it. Invariant I5: who has only a log from
    /// before surely has no write that was acknowledged since, and that is what it is counted for; such a write is in W of N members, so that if
    /// R with R + W &gt; N are heard and none has anything of the old primary's log, there is none.
    /// </summary>
    private IReadOnlyList<Member> Heard(IReadOnlyList<Member> members) =>
    [
        .. members.Where(m => !IsOldPrimary(m) && m.StatusAge <= maxAge
            && m.Probe.Status is { PositionBytes: not null, IsEmpty: not true, Link: not ReplicationLink.Syncing } status
            && (benchmark.KinshipOf(status) is not Kinship.Other || Ancestors.Contains(status.History!)) && !IsOutdated(status, members)),
    ];

    private static IEnumerable<string> AncestorsOf(Benchmark benchmark, GroupObservation group)
    {
        // Each log is begun in a later term than the one before it, so that this ends.
        var history = benchmark.Origin?.History;
        foreach (var failover in group.Failovers.Where(f => f.IsOwn && f.Status is { History: not null, Origin: not null }).OrderByDescending(f => f.Spec.Term))
        {
            if (failover.Status.History != history) continue;
            history = failover.Status.Origin!.History;
            yield return history;
        }
    }

    /// <summary>
    /// Nobody remembers which log was the old primary's, and another member holds one that continues this one; or what the old primary's began
    /// from, or one that continues that, which this one has nothing to do with: what this one has may be another story.
    /// </summary>
    private bool IsOutdated(EngineStatus status, IReadOnlyList<Member> members)
    {
        if (benchmark.History is not null || status.History is not { } history) return false;
        if (benchmark.Origin?.History is not { } origin) return Others(history).Any();
        var hasToDoWithIt = history == origin || status.PreviousHistory == origin || Others(origin).Any(o => o.History == status.PreviousHistory);
        return !hasToDoWithIt && (Others(origin).Any() || Others(history).Any() || members.Any(m => m.Probe.Status?.History == origin));

        IEnumerable<EngineStatus> Others(string before) =>
            members.Select(m => m.Probe.Status).OfType<EngineStatus>().Where(s => s.PreviousHistory == before);
    }

    private Eligibility Loss(Member member, EngineStatus status)
    {
        var name = member.Name;
        if (_isSynchronous && limits is not null) return LossByQuorum(name, status);
        if (status.ReportedLagBytes == 0 && !FollowsSomebodyElse(status) && status.Link != ReplicationLink.Down) return new Eligibility.Eligible(0);
        if (benchmark.RequiredPositionBytes is { } required && status.PositionBytes is { } position)
        {
            return benchmark.KinshipOf(status) switch
            {
                Kinship.Same => Loss(name, position, required),
                Kinship.Parent when Loss(name, benchmark.PositionOf(status)!.Value, required) is Eligibility.Eligible eligible => eligible,
                // What it lacks was written since its link was up last.
                Kinship.Parent when status.Link == ReplicationLink.Down && spec.Standby != StandbyTemperature.Warm => LossByTime(member, status),
                _ => No(Reasons.LagUnknown, $"{name} holds another history than the primary's"),
            };
        }
        return LossByTime(member, status);
    }

    /// <summary>That a standby receives the log says nothing of what it has taken in: without a position or a lag nothing is known.</summary>
    private static Eligibility LossOfLate(Member member, EngineStatus status) => status.ReportedLagBytes is > 0 and { } lag
        ? No(Reasons.BeyondRpo, $"{member.Name} says that it is {lag} bytes behind, and may miss none: how many seconds of writes they are is not known") with { MayCatchUp = true }
        : No(Reasons.LagUnknown, $"{member.Name} does not tell how far behind it is, and with standby: Warm its link alone does not either");

    /// <summary>What the old primary logged beyond was never acknowledged, if the quorum says so.</summary>
    private Eligibility LossByQuorum(string name, EngineStatus status) =>
        benchmark.PositionOf(status) is not { } position ? No(Reasons.LagUnknown, $"{name} does not tell its position")
        : benchmark.KinshipOf(status) is Kinship.Other ? No(Reasons.LagUnknown, $"{name} holds another history than the primary's")
        : benchmark.IsShort(status)
            ? No(Reasons.BeyondRpo, $"{name} may miss writes that were acknowledged before {benchmark.From?.Name} became the primary")
        : new Eligibility.Eligible(benchmark.PrimaryPositionBytes is { } primary ? Math.Max(0, primary - position) : null);

    private Eligibility Loss(string name, long position, long required) => position >= required
        ? new Eligibility.Eligible(Math.Max(0, (benchmark.PrimaryPositionBytes ?? position) - position))
        : No(Reasons.BeyondRpo, $"{name} misses more than the last {spec.Targets.RpoSeconds} s of writes ({required - position} bytes beyond)") with { MayCatchUp = true };

    /// <summary>
    /// Without the primary's position: a standby that received the log until so long ago misses at most what was
    /// written since.
    /// </summary>
    private Eligibility LossByTime(Member member, EngineStatus status)
    {
        var name = member.Name;
        // Somebody made it the primary: what it misses is lost, whoever is chosen, and a second writer would lose more.
        if (spec.Engine.StartsAs == StartState.ReadOnly && status is { Role: EngineRole.Primary, Writable: true })
            return new Eligibility.Eligible(null);
        if (FollowsSomebodyElse(status))
        {
            return No(Reasons.LagUnknown,
                $"{name} follows {status.FollowsAddress}, which is not {benchmark.From!.Name}, and what it misses of that is unknown");
        }
        if (spec.Standby == StandbyTemperature.Warm) return LossOfLate(member, status);
        var since = status.Link == ReplicationLink.Up ? TimeSpan.Zero : status.LinkDownFor ?? ServedAgo(member, status);
        if (since is null) return No(Reasons.LagUnknown, $"{name} does not tell how far behind it is");
        return since <= TimeSpan.FromSeconds(spec.Targets.RpoSeconds)
            ? new Eligibility.Eligible(null)
            : No(Reasons.LagUnknown,
                FormattableString.Invariant($"{name} has received nothing for {since.Value.TotalSeconds:0} s, ")
                + "and what the primary wrote since is unknown");
    }

    /// <summary>
    /// An old primary that has not come to follow anybody since had everything when it was the only one to write. By its agent's clock, which an
    /// operator that was started anew can still ask; and only if its engine keeps what it has logged when it is ended. Null: unknown.
    /// </summary>
    private TimeSpan? ServedAgo(Member member, EngineStatus status) =>
        spec.Engine.Type == EngineType.PostgreSQL && !benchmark.IsShort(status) ? status.Agent?.ServedAgo + member.Probe.Age : null;

    /// <summary>Its link says how far behind another one it is, not behind the old primary.</summary>
    private bool FollowsSomebodyElse(EngineStatus status) =>
        benchmark.From?.Address is { } address && status.FollowsAddress is { } followed && followed != address;

    private static Eligibility.Ineligible No(string reason, string message) => new(reason, message);
}
