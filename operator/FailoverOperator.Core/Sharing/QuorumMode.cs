using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Reporting;

namespace FailoverOperator.Core.Sharing;

/// <summary>
/// Mode Quorum: the members elect, the operator leads the traffic to whom they elected, says whether a majority is there, and replaces a
/// member that is lost for good. Pure.
/// </summary>
public static class QuorumMode
{
    public static int Majority(int members) => (members / 2) + 1;

    public static SharedVerdict Decide(SharedObservation seen)
    {
        var group = seen.Group;
        var limit = TimeSpan.FromSeconds(group.Spec.Detection.UnhealthyAfterSeconds);
        IReadOnlyList<(Member Member, Membership Membership)> census = [.. group.Members.Select(m => (m, Membership.Of(m, limit)))];
        var leadership = Leadership.Of(group, census);
        var leader = leadership as Leadership.Leader;
        var placed = census.Select(c => new Placed(c.Member, Place(c.Member, c.Membership, leadership))).ToList();
        var toSpare = Math.Max(0, census.Count(c => c.Membership is Membership.Counted) - Majority(group.WorkloadReplicas));
        var steps = Steps(group, leadership);
        var lost = steps.Count == 0 && leader is not null ? Lost(group, census) : null;
        return new SharedVerdict
        {
            Members = placed,
            Available = Available(group, census, leadership),
            ToSpare = toSpare,
            Leader = leader?.Member,
            Term = leader?.Term,
            Steps = lost is null ? steps : [new Step.TerminatePod(ProcessIdentity.ReferenceTo(lost) with { ContainerId = null })],
            LookAgainIn = LookAgainIn(group, limit),
        };
    }

    private static Standing Place(Member member, Membership membership, Leadership leadership) => (membership, leadership) switch
    {
        (_, Leadership.Leader(var leader, _)) when member.Uid == leader.Uid => new Standing.Serving(),
        (_, Leadership.Nobody(_, var message)) when member.RoleLabel == RoleLabels.Active => new Standing.Serving(message),
        (Membership.Counted, _) => new Standing.Waiting(null),
        (Membership.Unknown(var why), _) => new Standing.Out(why),
        (Membership.Down(var why), _) => new Standing.Out(why),
        _ => throw new ArgumentOutOfRangeException(nameof(membership), membership, "unknown membership"),
    };

    private static IReadOnlyList<Step> Steps(GroupObservation group, Leadership leadership) => leadership switch
    {
        Leadership.Leader(var member, var term) => Repairs.Needed(group, member, term),
        Leadership.Split => [.. group.Members.Where(m => m.RoleLabel == RoleLabels.Active).Select(m => new Step.Label(m, RoleLabels.Standby, null))],
        Leadership.Nobody => [],
        _ => throw new ArgumentOutOfRangeException(nameof(leadership), leadership, "unknown leadership"),
    };

    private static ConditionFact Available(GroupObservation group, IReadOnlyList<(Member Member, Membership Membership)> census, Leadership leadership)
    {
        var (n, majority) = (group.WorkloadReplicas, Majority(group.WorkloadReplicas));
        var counted = census.Count(c => c.Membership is Membership.Counted);
        var unknown = census.Count(c => c.Membership is Membership.Unknown);
        var count = $"{counted} of {n} members answer, {majority} are a majority{(unknown > 0 ? $", of {unknown} it is unknown" : "")}{Explain(census, n)}";
        if (leadership is Leadership.Split(var split)) return Fact(ConditionStatus.False, Reasons.SplitBrainSuspected, split);
        if (counted + unknown < majority) return Fact(ConditionStatus.False, Reasons.QuorumLost, count);
        if (counted < majority) return Fact(ConditionStatus.Unknown, Reasons.MembersUnknown, count);
        return leadership switch
        {
            Leadership.Leader(var leader, _) when !leader.Pod.Ready =>
                Fact(ConditionStatus.False, Reasons.PrimaryNotServing, $"{leader.Name} leads, and its kubelet says that it is not ready; {count}"),
            Leadership.Leader(var leader, var term) => Fact(ConditionStatus.True, Reasons.PrimaryServing, $"{leader.Name} leads in term {term}; {count}"),
            Leadership.Nobody(var reason, var message) => Fact(ConditionStatus.False, reason, $"{message}; {count}"),
            _ => throw new ArgumentOutOfRangeException(nameof(leadership), leadership, "unknown leadership"),
        };
    }

    private static string Explain(IReadOnlyList<(Member Member, Membership Membership)> census, int wanted) => string.Concat(census
        .Select(c => c.Membership switch
        {
            Membership.Unknown(var why) => $"; {c.Member.Name} {why}",
            Membership.Down(var why) => $"; {c.Member.Name} {why}",
            _ => "",
        })) + (census.Count < wanted ? $"; of {wanted - census.Count} there is no pod" : "");

    /// <summary>
    /// A member that cannot come back where it is. Only one at a time, only while all others are there, and a majority answers without it: to delete
    /// a pod by mistake must cost nothing. Null: none.
    /// </summary>
    private static Member? Lost(GroupObservation group, IReadOnlyList<(Member Member, Membership Membership)> census)
    {
        if (Bound(group.Spec) is not { } bound || Restraint.Of(group) is not null) return null;
        if (group.Members.Count < group.WorkloadReplicas || group.Members.Any(m => m.Pod.Terminating)) return null;
        if (census.Count(c => c.Membership is Membership.Counted) < Majority(group.WorkloadReplicas)) return null;
        return group.Members.FirstOrDefault(m => IsOnLostNode(m) && m.Node.NotReadyFor >= bound);
    }

    private static bool IsOnLostNode(Member member) => !member.Answers && member.Node is { Name.Length: > 0, IsSeenDown: true }
        && (member.Node.State == NodeState.Absent || member.Node.OutOfService);

    /// <summary>Null: never.</summary>
    private static TimeSpan? Bound(RedundancyGroupSpec spec) => (spec.Quorum ?? new QuorumSpec()).ReplaceLostAfterSeconds switch
    {
        0 => null,
        var seconds => TimeSpan.FromSeconds(seconds),
    };

    /// <summary>When a silence, or a node's absence, will have lasted for long enough. Null: there is none.</summary>
    private static TimeSpan? LookAgainIn(GroupObservation group, TimeSpan limit)
    {
        var silent = group.Members.Where(m => m.Probe.Reply is EngineReply.Silent).Select(m => limit - m.Probe.UnansweredFor);
        var lost = group.Members.Where(IsOnLostNode).Select(m => Bound(group.Spec) - m.Node.NotReadyFor);
        return silent.Concat(lost).Where(t => t > TimeSpan.Zero).Min();
    }

    private static ConditionFact Fact(ConditionStatus status, string reason, string message) => new(ConditionTypes.Available, status, reason, message);
}
