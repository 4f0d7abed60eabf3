using System.Globalization;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Decisions;

/// <summary>Why a member will not be where it is for long.</summary>
/// <param name="Why">For people.</param>
public sealed record Leaving(FailoverCause Cause, string Why);

/// <summary>
/// Disruptions that somebody plans: the primary hands over before its pod goes, to a member that stays. Only what a person could ask for at this
/// moment is done, and what is not possible yet is waited for: the eviction waits, too, see <see cref="Budgets"/>.
/// </summary>
public static class Disruption
{
    /// <summary>Drains try again every few seconds: who has not asked for so long has given up, or has not been held.</summary>
    public static readonly TimeSpan RequestHolds = TimeSpan.FromMinutes(1);

    /// <summary>What is waited for shows itself by a change; this is for what does not.</summary>
    internal static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Memory = TimeSpan.FromHours(1);

    /// <summary>Null: as far as is known it stays.</summary>
    public static Leaving? Of(GroupObservation group, Member member)
    {
        if (!Switchover.IsPossible(group.Spec)) return null;
        var (spec, node) = (group.Spec.Disruption, member.Node);
        if (spec.OnEviction == DisruptionAnswer.Switchover)
        {
            if (node.DrainedBy is { } taint) return new(FailoverCause.NodeDrain, $"node {node.Name} of {member.Name} has the taint {taint}: its pods are to go");
            // A drain evicts all pods of the node, though it cannot evict all at once.
            if (node.IsCordoned && group.Members.Any(m => m.Node.Name == node.Name && IsToBeEvicted(m)))
                return new(FailoverCause.NodeDrain, $"node {node.Name} of {member.Name} is drained");
            if (IsToBeEvicted(member)) return new(FailoverCause.PodEviction, $"somebody wants to evict {member.Name}");
        }
        return spec.OnCordon == DisruptionAnswer.Switchover && node.IsCordoned
            ? new(FailoverCause.NodeCordon, $"node {node.Name} of {member.Name} is cordoned")
            : null;
    }

    /// <summary>Names of the members that do not stay: whoever chooses chooses them last.</summary>
    public static IReadOnlySet<string> NamesOfLeaving(GroupObservation group) =>
        group.Members.Where(m => Of(group, m) is not null).Select(m => m.Name).ToHashSet();

    /// <summary>What is to be done for a primary that is to go. Null: it stays.</summary>
    /// <param name="group">Its primary takes writes, and nothing else is to be done.</param>
    public static Decision? Next(GroupObservation group) =>
        SlotHolder.Of(group).MemberIn(group) is { } primary && Of(group, primary) is { } leaving
            ? HandOver(group, leaving, m => Of(group, m) is null, "stays where it is")
            : null;

    /// <summary>A switchover to the best of the standbys that will do, or what it waits for.</summary>
    internal static Decision HandOver(GroupObservation group, Leaving leaving, Func<Member, bool> willDo, string wanted)
    {
        if (Keeping(group) is { } restraint) return Waits(restraint.Reason, leaving, restraint.Message);
        if (RequestCheck.Hindrance(group, new Diagnosis.Healthy(), new FailoverSpec { Type = FailoverType.Switchover }) is { } hindrance)
            return Waits(Reasons.DisruptionWaits, leaving, hindrance.Message);
        if (RequestCheck.Ready(group).Where(willDo).OrderBy(m => m.Node.IsCordoned).FirstOrDefault() is not { } target)
            return Waits(Reasons.DisruptionWaits, leaving, $"of the standbys that could take over none {wanted}");
        if (PauseLeft(group, leaving.Cause) is var pause && pause > TimeSpan.Zero)
            return new Decision.Wait(pause, Reasons.DisruptionWaits, Message(leaving, string.Create(CultureInfo.InvariantCulture, $"the last attempt was given up; the next one begins in {pause.TotalSeconds:0} s")));
        return new Decision.Begin(Plan.For(group, FailoverType.Switchover, leaving.Cause, [leaving.Why]) with
        {
            Target = target.Name,
            DeadlineSeconds = FailoverSpec.DefaultDeadlineSeconds,
        });
    }

    /// <summary>Whether the operator may move the primary by itself. Null: it may.</summary>
    private static Restraint? Keeping(GroupObservation group) => Restraint.Of(group) ?? group.Spec.Promotion.Policy switch
    {
        PromotionPolicy.Automatic => null,
        var policy => new Restraint(Reasons.ManualOnly, $"promotion.policy is {policy}, so a person decides: apply a Failover with "
            + $"spec: {{ groupRef: {{ name: {group.Name} }}, type: Switchover }}"),
    };

    /// <summary>Each attempt that led nowhere cost a pause in the writes: the next one is put off for longer each time.</summary>
    private static TimeSpan PauseLeft(GroupObservation group, FailoverCause cause)
    {
        var futile = group.Failovers.Where(f => f is { IsOwn: true, Spec.Type: FailoverType.Switchover, Status.Phase: FailoverPhase.Aborted or FailoverPhase.Failed }
            && f.Spec.Cause == cause && f.EndedFor < Memory).ToList();
        if (futile.Count == 0) return TimeSpan.Zero;
        var pause = FirstPause * Math.Pow(2, Math.Min(futile.Count - 1, 10));
        return (pause < LongestPause ? pause : LongestPause) - futile.Min(f => f.EndedFor);
    }

    private static bool IsToBeEvicted(Member member) => member.EvictionRequestedAgo < RequestHolds;

    private static Decision.Wait Waits(string reason, Leaving leaving, string message) => new(LookAgain, reason, Message(leaving, message));

    private static string Message(Leaving leaving, string message) => $"{leaving.Why}; the primary is to hand over first, and waits: {message}";
}
