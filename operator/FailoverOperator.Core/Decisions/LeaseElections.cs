using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Decisions;

/// <summary>Chooses the new primary of a group with agents. Nobody is adopted: who takes writes does so by the lease, or not for long.</summary>
public static class LeaseElections
{
    /// <summary>Who could not be made to serve is tried again only after this time, and if there is nobody else.</summary>
    public static readonly TimeSpan AgainAfter = TimeSpan.FromSeconds(10);

    public static Choice Choose(GroupObservation group, FailoverRecord failover, TimeSpan bound) => failover.Spec.Type switch
    {
        FailoverType.Election => First(group),
        FailoverType.Switchover or FailoverType.Failback => Switchover.Choose(group, failover, bound),
        _ => Replacement(group, Benchmark.Of(failover.Spec), bound, failover.Status.Fence?.Evidence, atRest: true),
    };

    /// <summary>The first primary: whom the lease names already, else who holds data; if nobody does, by name.</summary>
    public static Choice First(GroupObservation group)
    {
        if (AtWork(group) is { } serving) return new Choice.Candidate(serving, 0);
        if (!Elections.AllAnswer(group)) return Elections.NotAllAnswer(group);
        if (Writing(group, null) is { } rogue) return rogue;

        var holders = group.Members.Where(m => m.Probe.Status!.IsEmpty != true).ToList();
        // A log that another one continues is the shorter story, not another one.
        holders.RemoveAll(m => holders.Any(o => o.Probe.Status!.PreviousHistory is { } continued && continued == m.Probe.Status!.History));
        if (holders.Select(m => m.Probe.Status!.History).Distinct().Count() > 1)
            return new Choice.Nobody(Reasons.SplitBrainSuspected, $"{Names(holders)} hold different data; remove the data of all but the right one");
        var limits = LeaseLimits.Of(group, FenceEvidence.NotNeeded)!;
        var fit = (holders.Count > 0 ? holders : group.Members)
            .Where(m => m.Pod is { Terminating: false, Phase: PodPhase.Running } && m.Address is not null).ToList();
        var free = fit.Where(m => limits.Lease is null || limits.Refuse(m) is null or { Reason: not Reasons.NotInLease });
        var best = free.OrderByDescending(m => m.Probe.Status!.PositionBytes ?? 0).ThenByDescending(m => Candidates.PriorityOf(group.Spec, m.Name)).ThenBy(m => m.Name, StringComparer.Ordinal).FirstOrDefault();
        return best is not null ? new Choice.Candidate(best, 0)
            : fit.Count > 0 ? new Choice.Nobody(Reasons.NotInLease, limits.Refuse(fit[0])!.Message)
            : new Choice.Nobody(Reasons.MembersUnknown, "no member runs yet");
    }

    /// <param name="evidence">How the old primary was fenced. Null: it is not yet.</param>
    /// <param name="atRest">It was, so that nobody writes any more.</param>
    public static Choice Replacement(GroupObservation group, Benchmark benchmark, TimeSpan bound, FenceEvidence? evidence, bool atRest)
    {
        var from = benchmark.From!;
        if (Writing(group, from) is { } rogue) return rogue;
        // Nothing is wrong with who lost its lease by somebody's hand, and nobody can have more of the data. Or it is to have its place again.
        var limits = LeaseLimits.Of(group, evidence, isHope: !atRest)!;
        if ((IsTampered(group) || benchmark.Preferred == from.Name) && Again(group, from, bound) is { } same && limits.Frees(same)) return new Choice.Candidate(same, 0);
        var candidates = Candidates.Of(group, benchmark, bound, evidence, atRest);
        if (Choice.Candidate.BestOf(candidates, group.Members) is { } best) return best;
        var back = Again(group, from, bound) ?? Elections.Returned(group, from, benchmark) ?? FirstOfTheEmpty(group, from, limits);
        if (back is not null && limits.Frees(back)) return new Choice.Candidate(back, 0);
        return (Choice?)Choice.Candidate.AtALoss(candidates, group) ?? Elections.Nobody(candidates, group);
    }

    /// <summary>What can be hoped for: that the old primary's end will be proven by more than time.</summary>
    public static Choice Prospect(GroupObservation group, Benchmark benchmark) =>
        Replacement(group, benchmark, FailoverProcedure.ReadinessBound(group.Spec), FenceEvidence.Released, atRest: false);

    /// <summary>The member that the lease names and that serves by it.</summary>
    private static Member? AtWork(GroupObservation group) =>
        group.Lease?.Record is { IsAuthentic: true } lease && group.LeaseExpiresIn > TimeSpan.Zero
            ? group.Members.FirstOrDefault(m => m.Identity == lease.Holder && m is { IsWritablePrimary: true, Pod.Terminating: false })
            : null;

    /// <summary>
    /// The old primary itself: it was the last to write, so that nobody has data that it lacks. The same pod only, which is the same volume.
    /// </summary>
    internal static Member? Again(GroupObservation group, MemberReference from, TimeSpan bound)
    {
        var failedToServe = group.Lease?.Record?.Release is { Reason: ReleaseReason.PromotionFailed } && group.Lease.UnchangedFor < AgainAfter;
        return failedToServe ? null : group.Members.FirstOrDefault(m => m.Uid == from.Uid && m.StatusAge <= bound && m.Address is not null
            && m.Pod is { Ready: true, Terminating: false, Phase: PodPhase.Running } && !m.Node.IsSeenDown
            && m.Probe.Status is { IsEmpty: not true, Role: not EngineRole.Unknown, Link: not ReplicationLink.Syncing });
    }

    /// <summary>Nobody has ever had any data, and who was to create them could not.</summary>
    private static Member? FirstOfTheEmpty(GroupObservation group, MemberReference from, LeaseLimits limits)
    {
        if (!Elections.AllAnswer(group) || group.Members.Any(m => m.Probe.Status!.IsEmpty != true)) return null;
        return group.Members.Where(m => m.Pod is { Terminating: false, Phase: PodPhase.Running } && m.Address is not null && limits.Frees(m))
            .Where(m => m.Uid != from.Uid || group.Lease?.UnchangedFor >= AgainAfter)
            .OrderBy(m => m.Uid == from.Uid).ThenBy(m => m.Name, StringComparer.Ordinal).FirstOrDefault();
    }

    private static bool IsTampered(GroupObservation group) =>
        group.Lease?.Record?.Accepted is { Members.Count: 0 }
        || LeaseFinding.Of(group, SlotHolder.Of(group)) is LeaseFinding.Deleted or LeaseFinding.Forged;

    private static Choice.Nobody? Writing(GroupObservation group, MemberReference? from) => Rivals.AtWork(group, from) is { Count: > 0 } writing
        ? new(Reasons.SplitBrainSuspected, $"{Names(writing)} says that it takes writes, although the lease does not name it; its agent stops it")
        : null;

    private static string Names(IEnumerable<Member> members) => string.Join(", ", members.Select(m => m.Name));
}
