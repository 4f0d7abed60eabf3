using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Decisions;

/// <summary>Who was chosen. Closed: nested types only.</summary>
public abstract record Choice
{
    private Choice()
    {
    }

    /// <param name="LagBytes">Bytes behind the old primary. Null: unknown, but within the target.</param>
    public sealed record Candidate(Member Member, long? LagBytes) : Choice
    {
        /// <summary>In words. Null: nothing that would need a person's word.</summary>
        public string? AcceptedLoss { get; init; }

        /// <summary>The best of those who may be chosen. Null: nobody may.</summary>
        internal static Candidate? BestOf(Candidates candidates, IReadOnlyList<Member> members) => candidates.Ranked(members) is [var best, ..]
            ? new(best, (candidates.Judge(best) as Eligibility.Eligible)?.LagBytes)
            : null;

        /// <summary>The same if a person accepts the loss. Null: nobody does, or it takes more.</summary>
        internal static Candidate? AtALoss(Candidates candidates, GroupObservation group) =>
            candidates.Accepting(group) is { } accepting && BestOf(accepting, group.Members) is { } best
                ? best with { AcceptedLoss = candidates.LossBy(best.Member, group.Members) }
                : null;
    }

    /// <param name="Reason">CamelCase, see <see cref="Reasons"/>.</param>
    public sealed record Nobody(string Reason, string Message) : Choice
    {
        public Nobody(string reason, Explanation why)
            : this(reason, why.Message) => Loss = why.Loss;

        /// <summary>A loss that would let somebody be chosen, if a person accepted it. Null: there is none on offer.</summary>
        public AwaitedLoss? Loss { get; init; }

        public Explanation Why => new(Message, Loss);
    }
}

/// <summary>Chooses the new primary for each type of failover, from statuses no older than a bound.</summary>
public static class Elections
{
    public static Choice Choose(GroupObservation group, FailoverRecord failover, TimeSpan bound) => failover.Spec.Type switch
    {
        _ when group.HasAgents => LeaseElections.Choose(group, failover, bound),
        FailoverType.Failback or FailoverType.Switchover when OrderlyStop.Complete(group, failover, bound) is { } complete && Rivals.AtWork(group, failover.Spec.From).Count == 0 =>
            new Choice.Candidate(complete, 0),
        FailoverType.Failover or FailoverType.Failback or FailoverType.Switchover => Replacement(group, failover, bound),
        FailoverType.Election when failover.Spec.From is { } last => Return(group, last, Benchmark.Of(failover.Spec)),
        // Somebody may have made a primary since the election began.
        FailoverType.Election => group.Members.Any(m => m is { IsWritablePrimary: true, Probe.Status.IsEmpty: not true })
            ? Found(group)
            : First(group),
        FailoverType.Adoption => Found(group),
        _ => throw new ArgumentOutOfRangeException(nameof(failover), failover.Spec.Type, "unknown type"),
    };

    /// <summary>A standby within the recovery point objective; else, if it is back with its data, the old primary.</summary>
    private static Choice Replacement(GroupObservation group, FailoverRecord failover, TimeSpan bound)
    {
        var benchmark = Benchmark.Of(failover.Spec);
        if (OrderlyStop.EndOfLog(group, failover) is { } end) benchmark = benchmark with { PrimaryPositionBytes = end };
        var candidates = Candidates.Of(group, benchmark, bound, atRest: true);
        // Somebody else made a member the primary: it, or nobody, lest two write.
        var atWork = Rivals.AtWork(group, failover.Spec.From);
        if (atWork.Count > 1)
            return new Choice.Nobody(Reasons.SplitBrainSuspected, $"{Names(atWork)} all take writes; let all but the right one follow it");
        if (atWork is [var one])
        {
            if (candidates.Judge(one) is Eligibility.Eligible fit) return new Choice.Candidate(one, fit.LagBytes);
            return candidates.Accepting(group)?.Judge(one) is Eligibility.Eligible accepted
                ? new Choice.Candidate(one, accepted.LagBytes) { AcceptedLoss = candidates.LossBy(one, group.Members) }
                : Nobody(candidates, group);
        }
        if (Choice.Candidate.BestOf(candidates, group.Members) is { } best) return best;
        if (failover.Spec.From is not { } last) return Nobody(candidates, group);
        if (Returned(group, last, benchmark) is { } back) return new Choice.Candidate(back, 0);
        return (Choice?)Choice.Candidate.AtALoss(candidates, group) ?? Emptied(group, last, benchmark) ?? Nobody(candidates, group);
    }

    /// <summary>Nobody was fenced, so that nobody but the old primary itself may be chosen.</summary>
    private static Choice Return(GroupObservation group, MemberReference last, Benchmark benchmark) =>
        Returned(group, last, benchmark) is { } back && Rivals.AtWork(group, last).Count == 0
            ? new Choice.Candidate(back, 0)
            : new Choice.Nobody(Reasons.NoCandidate, $"{last.Name} is not back with its data any more, or somebody else was made the primary");

    /// <summary>
    /// The pod that was primary last, back with its storage, when everybody has answered. Nobody's data can be newer:
    /// what others hold came from it. It must not have come back empty, unless nobody has anything.
    /// </summary>
    public static Member? Returned(GroupObservation group, MemberReference last, Benchmark benchmark) =>
        Back(group, last) is { } back && (back.Probe.Status!.IsEmpty == false || (NobodyHasData(group) && !MayHaveHeldData(group, benchmark))) ? back : null;

    /// <summary>Why the last primary, which is back and empty as everybody else, is not promoted, and what a person can do. Null: that is not so.</summary>
    public static Choice.Nobody? Emptied(GroupObservation group, MemberReference last, Benchmark benchmark) =>
        Back(group, last) is { } back && NobodyHasData(group) && MayHaveHeldData(group, benchmark)
            ? new(Reasons.BeyondRpo, $"{back.Name} is back without the data of slot {group.Slot}, and no spare has them; restore them into its volume, or give them up: "
                + $"kubectl delete failovers -l {ApiGroup.GroupLabel}={group.Name},{ApiGroup.SlotLabel}={group.Slot} lets the slot begin anew, empty")
            : null;

    /// <summary>It is the same pod as before, but empty, and others may have data: promoted, it would have them copy nothing.</summary>
    public static bool HasLostItsData(GroupObservation group, Member primary) => primary.Probe.Status?.IsEmpty == true
        && (group.Members.Any(m => m.Uid != primary.Uid && m.Probe.Status?.IsEmpty != true) || MayHaveHeldData(group, Benchmark.Of(group)));

    private static Member? Back(GroupObservation group, MemberReference last)
    {
        // That a cold standby is on its way is no reason to wait for it: it has not been the primary since.
        if (!AllAnswer(group with { Members = [.. group.Members.Where(m => !m.IsCold || m.Name == last.Name)] })) return null;
        return group.Members.FirstOrDefault(m => m.Name == last.Name && m.Pod is { Ready: true, Terminating: false });
    }

    private static bool NobodyHasData(GroupObservation group) => group.Members.All(m => m.Probe.Status?.IsEmpty == true);

    /// <summary>
    /// One slot of several does not see all members, so that the emptiness of those it sees is not that nobody ever had anything. What it
    /// served was surely nothing only if all of it is within the recovery point objective: unknown is not.
    /// </summary>
    private static bool MayHaveHeldData(GroupObservation group, Benchmark benchmark) =>
        Slots.AreBound(group.Spec) && !(benchmark.RequiredPositionBytes <= 0) && group.Failovers.Any(f => f is { IsOwn: true, HasServed: true });

    /// <summary>The first primary of a group in which nobody is primary: who holds data; if nobody does, by name.</summary>
    public static Choice First(GroupObservation group)
    {
        if (!AllAnswer(group)) return NotAllAnswer(group);
        var holders = group.Members.Where(m => m.Probe.Status!.IsEmpty != true).ToList();
        var logs = holders.Select(m => m.Probe.Status!.History).Distinct().Count();
        // Without a word about emptiness or logs all members count as equal, and the position decides.
        var tellsApart = holders.Any(m => m.Probe.Status!.IsEmpty == false) && logs > 1;
        if (tellsApart && holders.Count > 1)
        {
            return new Choice.Nobody(Reasons.SplitBrainSuspected,
                $"{Names(holders)} hold different data; make the right one the primary and let the others follow it, then the operator adopts it");
        }
        var from = holders.Count > 0 ? holders : group.Members;
        var ready = from.Where(m => m.Pod is { Ready: true, Terminating: false });
        if (Slots.AreSparesPromised(group)) ready = ready.Where(m => m.SlotLabel is not null);
        var best = ready.OrderByDescending(m => m.Probe.Status!.PositionBytes ?? 0).ThenBy(m => m.IsCold).ThenByDescending(m => Slots.AreBound(group.Spec) && m.SlotLabel == group.Slot).ThenByDescending(m => Candidates.PriorityOf(group.Spec, m.Name)).ThenBy(m => m.Name, StringComparer.Ordinal).FirstOrDefault();
        return best is null ? new Choice.Nobody(Reasons.MembersUnknown, "no member is ready yet") : new Choice.Candidate(best, 0);
    }

    /// <summary>The one primary that is at work already; of several that are all empty the first by name.</summary>
    public static Choice Found(GroupObservation group)
    {
        var primaries = group.Members.Where(m => m.IsWritablePrimary && !m.Pod.Terminating).ToList();
        var withData = primaries.Where(m => m.Probe.Status!.IsEmpty != true).ToList();
        var othersHoldData = group.Members.Any(m => m.Probe.Status?.IsEmpty == false);
        return (withData, primaries) switch
        {
            ([var one], _) => new Choice.Candidate(one, 0),
            ([_, _, ..], _) => new Choice.Nobody(Reasons.SplitBrainSuspected,
                $"{Names(withData)} all take writes and hold data; let all but the right one follow it, then the operator adopts it"),
            ([], [var first, ..]) when !othersHoldData => new Choice.Candidate(first, 0),
            _ => new Choice.Nobody(Reasons.NoPrimary, "no primary with data is at work any more"),
        };
    }

    public static bool AllAnswer(GroupObservation group) => group.Members.Count >= group.WorkloadReplicas && group.Members.All(m => m.Answers);

    /// <summary>Who has not answered, for people.</summary>
    public static string Missing(GroupObservation group)
    {
        var silent = group.Members.Where(m => !m.Answers).Select(m => $"{m.Name} ({EngineReply.Describe(m.Probe.Reply)})").ToList();
        var absent = group.WorkloadReplicas - group.Members.Count;
        if (absent > 0) silent.Add($"{absent} pod(s) not created yet");
        return string.Join(", ", silent);
    }

    private static string Names(IEnumerable<Member> members) => string.Join(", ", members.Select(m => m.Name));

    internal static Choice.Nobody NotAllAnswer(GroupObservation group) => new(Reasons.MembersUnknown,
        $"the first primary is chosen when all {group.WorkloadReplicas} members have answered, lest one with data be overlooked; "
        + $"missing: {Missing(group)}");

    /// <summary>What a person can do, if it is a loss that stands in the way. Empty: it is not.</summary>
    internal static string Advice(IEnumerable<Eligibility.Ineligible> refusals, GroupObservation group) => refusals.Any(r => r.IsForLoss) ? DataLoss.Advice(group) : "";

    /// <summary>With that advice.</summary>
    internal static Explanation Explain(string message, IEnumerable<Eligibility.Ineligible> refusals, GroupObservation group) =>
        refusals.Any(r => r.IsForLoss) ? DataLoss.Offer(group, message) : new(message, null);

    internal static Choice.Nobody Nobody(Candidates candidates, GroupObservation group)
    {
        var refusals = candidates.Refusals(group.Members);
        // The most telling reason: what a person could decide about, before what is merely not there.
        string[] telling = [Reasons.QuorumNotHeard, Reasons.NotInLease, Reasons.BeyondRpo, Reasons.LagUnknown, Reasons.CredentialsRejected];
        var reason = telling.FirstOrDefault(r => refusals.Any(e => e.Reason == r)) ?? Reasons.NoCandidate;
        return new(reason, Explain($"nobody may be promoted: {string.Join("; ", refusals.Select(e => e.Message))}", refusals, group));
    }
}
