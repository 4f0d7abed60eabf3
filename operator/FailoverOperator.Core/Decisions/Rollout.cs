using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Decisions;

/// <summary>
/// An update of the workload whose pods are renewed when they are deleted (<c>updateStrategy: OnDelete</c>): the standbys one by one, each only
/// while all others could take over, then a switchover to one of them, then the old primary, which is a standby by then.
/// </summary>
public static class Rollout
{
    /// <summary>A pod of the old revision that has not been ready for so long will not be by itself; the new revision may mend it.</summary>
    public static readonly TimeSpan GivenUpAfter = TimeSpan.FromMinutes(1);

    /// <summary>What is to be done next. Null: every pod is of the new revision, or it is not the operator's business.</summary>
    /// <param name="group">Its primary takes writes and stays where it is, and nothing else is to be done.</param>
    public static Decision? Next(GroupObservation group)
    {
        if (group.Rollout is not { ByDeletion: true } rollout || !IsGuided(group) || SlotHolder.Of(group).MemberIn(group) is not { } primary) return null;
        if (!group.Members.Any(m => IsOutdated(rollout, m))) return null;
        if (Restraint.Of(group) is { } restraint) return Waits(rollout, restraint.Reason, restraint.Message);
        // One at a time: whoever is on its way is waited for.
        if (group.Members.FirstOrDefault(m => m.Pod.Terminating) is { } going) return Waits(rollout, Reasons.WaitingForMembers, $"{going.Name} is being deleted");
        if (group.Members.Count < group.WorkloadReplicas)
            return Waits(rollout, Reasons.WaitingForMembers, $"{group.WorkloadReplicas - group.Members.Count} pod(s) are not created yet");

        var fit = RequestCheck.Ready(group).Select(m => m.Uid).ToHashSet();
        var standbys = group.Members.Where(m => m.Uid != primary.Uid).ToList();
        var unfit = standbys.Where(m => !fit.Contains(m.Uid)).ToList();
        if (unfit.FirstOrDefault(m => IsOutdated(rollout, m) && m.Pod.NotReadyFor >= GivenUpAfter) is { } broken) return Restart(rollout, broken);
        if (unfit.Count > 0) return Waits(rollout, Reasons.WaitingForMembers, $"{string.Join(", ", unfit.Select(m => m.Name))} could not take over yet");
        if (standbys.LastOrDefault(m => IsOutdated(rollout, m) && !m.Node.IsCordoned) is { } next) return Restart(rollout, next);
        // Its successor might find no place, with a volume that is on that node.
        return standbys.FirstOrDefault(m => IsOutdated(rollout, m)) is { } stuck
            ? Waits(rollout, Reasons.DisruptionWaits, $"node {stuck.Node.Name} of {stuck.Name} is cordoned")
            : Disruption.HandOver(group, new Leaving(FailoverCause.RollingUpdate, $"{primary.Name} is the last pod that is not of revision {rollout.Revision}"),
                m => Disruption.Of(group, m) is null, "stays where it is");
    }

    /// <summary>Pods of an old revision that Kubernetes restarts by itself, the primary like all others. Null: there are none.</summary>
    public static string? Unguided(GroupObservation group) =>
        IsOrderly(group) && group.Rollout is { ByDeletion: false } rollout && group.Members.Any(m => IsOutdated(rollout, m))
            ? $"Kubernetes updates the pods to revision {rollout.Revision} whatever their role; with updateStrategy OnDelete the operator restarts the primary last"
            : null;

    /// <summary>Slots that share spares might restart all of them at once.</summary>
    private static bool IsOrderly(GroupObservation group) => Switchover.IsPossible(group.Spec) && !Slots.AreBound(group.Spec);

    private static bool IsGuided(GroupObservation group) => IsOrderly(group) && group.Spec.Disruption.OnUpdate == DisruptionAnswer.Switchover;

    private static bool IsOutdated(RolloutObservation rollout, Member member) => member.Revision is { } revision && revision != rollout.Revision;

    private static Decision.Advance Restart(RolloutObservation rollout, Member member) =>
        new(new Step.RestartMember(ProcessIdentity.ReferenceTo(member), rollout.Revision));

    private static Decision.Wait Waits(RolloutObservation rollout, string reason, string message) =>
        new(Disruption.LookAgain, reason, $"the pods are updated to revision {rollout.Revision}, which waits: {message}");
}
