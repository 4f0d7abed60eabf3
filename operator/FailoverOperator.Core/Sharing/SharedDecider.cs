using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Reporting;

namespace FailoverOperator.Core.Sharing;

/// <summary>
/// Judges and decides for a group in which the operator promotes and fences nobody: it leads the traffic, and nothing else. Pure.
/// </summary>
public static class SharedDecider
{
    public static bool Concerns(RedundancyGroupSpec spec) => spec.Mode is RedundancyMode.ActiveActive or RedundancyMode.Quorum;

    /// <summary>So many pods must stay when some are evicted.</summary>
    public static int LeastMembers(GroupObservation group) => group.Spec.Mode switch
    {
        RedundancyMode.ActiveActive => group.Spec.MinActive ?? 1,
        RedundancyMode.Quorum => QuorumMode.Majority(group.WorkloadReplicas),
        var mode => throw new ArgumentOutOfRangeException(nameof(group), mode, "not a mode without promotions"),
    };

    public static SharedVerdict Decide(SharedObservation seen)
    {
        var group = seen.Group;
        if (PrimaryDetector.SelfDoubt(group) is { } doubt) return Impaired(group, doubt);
        var verdict = group.Spec.Mode == RedundancyMode.Quorum ? QuorumMode.Decide(seen) : OfActiveActive(seen);
        if (group.Failovers.FirstOrDefault(f => !f.IsEnded) is { } request) return verdict with { Request = request, Steps = [Refusal(group.Spec.Mode)] };
        // Of an earlier mode. Of two budgets for one pod the API server obeys neither.
        IReadOnlyList<Step> earlier = group.Budgets is BudgetObservation.Seen { Own: { IsOurs: true, IsGoing: false } budget } ? [new Step.RemoveBudget(budget.Name)] : [];
        return verdict with { Steps = [.. verdict.Steps, .. earlier, .. MemberBudgets.Needed(group)] };
    }

    private static SharedVerdict OfActiveActive(SharedObservation seen)
    {
        var placed = ActiveActive.Place(seen);
        var known = placed.Count(p => p.Standing is Standing.Serving { Doubt: null });
        return new SharedVerdict
        {
            Members = placed,
            Available = Available(placed, known, LeastMembers(seen.Group)),
            ToSpare = Math.Max(0, known - LeastMembers(seen.Group)),
            Steps = Steps(seen.Group, placed),
            LookAgainIn = ActiveActive.NextAdmissionIn(seen, placed),
        };
    }

    /// <summary>Who takes traffic goes on to: the operator accuses nobody.</summary>
    private static SharedVerdict Impaired(GroupObservation group, string doubt) => new()
    {
        Members = [.. group.Members.Select(m => new Placed(m, m.RoleLabel == RoleLabels.Active ? new Standing.Serving(doubt) : new Standing.Out(doubt)))],
        Available = new(ConditionTypes.Available, ConditionStatus.Unknown, Reasons.OperatorImpaired, doubt),
        ToSpare = 0,
        Impaired = doubt,
        LookAgainIn = TimeSpan.FromSeconds(1),
    };

    private static ConditionFact Available(IReadOnlyList<Placed> placed, int known, int wanted)
    {
        var doubtful = placed.Where(p => p.Standing is Standing.Serving { Doubt: not null }).ToList();
        var (total, others) = (placed.Count, Explain(placed));
        if (known >= wanted)
            return Fact(ConditionStatus.True, Reasons.EnoughActive, $"{known} of {total} members take traffic, {wanted} must (minActive){others}");
        // Whom only the operator's own probes accuse, or who could not be asked, may well be at work.
        return known + doubtful.Count(p => p.Member.Pod.Ready) >= wanted
            ? Fact(ConditionStatus.Unknown, Reasons.MembersUnknown,
                $"{known} of {total} members surely take traffic, {wanted} must (minActive); traffic is led to {doubtful.Count} more{others}")
            : Fact(ConditionStatus.False, Reasons.TooFewActive, $"{known} of {total} members take traffic, {wanted} must (minActive){others}");
    }

    private static string Explain(IEnumerable<Placed> placed) =>
        string.Concat(placed.Where(p => p.Standing.Why is not null).Select(p => $"; {p.Member.Name} {p.Standing.Why}"));

    /// <summary>The labels first: a Service that asks for a role that nobody has leads nowhere.</summary>
    private static IReadOnlyList<Step> Steps(GroupObservation group, IReadOnlyList<Placed> placed)
    {
        var labels = placed.Where(p => p.Member.RoleLabel != p.Standing.Label || p.Member.TermLabel is not null)
            .Where(p => p.Standing is Standing.Serving || p.Member.RoleLabel is not null || !p.Member.Pod.Terminating)
            .Select(p => new Step.Label(p.Member, p.Standing.Label, null)).ToList();
        if (labels.Count > 0) return labels;
        return placed.All(p => p.Standing is not Standing.Serving) ? []
            : [.. group.Services.Where(s => s.SelectedRole != RoleLabels.Active || s.SelectedPod is not null || s.SelectedSlot is not null)
                .Select(s => new Step.PointService(s.Name, s.Role, null, s.PublishedTerm ?? 0))];
    }

    private static Step.Enter Refusal(RedundancyMode mode) => new(FailoverPhase.Failed)
    {
        Reason = Reasons.NotRequestable,
        Message = $"the group's mode is {mode}: the operator promotes nobody in it",
    };

    private static ConditionFact Fact(ConditionStatus status, string reason, string message) => new(ConditionTypes.Available, status, reason, message);
}
