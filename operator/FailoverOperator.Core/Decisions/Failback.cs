using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Decisions;

/// <summary>
/// Gives the primary's place back to a member that is wanted more, in order and without loss. Only what a person could ask for at this moment is done,
/// and only after the member has been fit for long enough: a node that comes and goes must not take the primary with it each time.
/// </summary>
public static class Failback
{
    /// <summary>However often it has failed, it is tried again once a day.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromDays(1);

    /// <summary>The member that is wanted most, if it is wanted more than the primary. Null: nobody is.</summary>
    public static Member? Wanted(GroupObservation group) => group.Spec.Standby == StandbyTemperature.Cold ? ColdStandby.Wanted(group)
        : SlotHolder.Of(group).Holder is not { } holder ? null : group.Members
        .Where(m => Candidates.PriorityOf(group.Spec, m.Name) > Candidates.PriorityOf(group.Spec, holder.Name))
        .OrderByDescending(m => Candidates.PriorityOf(group.Spec, m.Name)).ThenBy(m => m.Name, StringComparer.Ordinal).FirstOrDefault();

    /// <summary>Whether it could take over now, without a loss.</summary>
    public static bool IsFit(GroupObservation group, Member member) => RequestCheck.Target(group, Request(member)) is not null;

    /// <summary>What is to be begun now. Null: nothing, or not yet.</summary>
    /// <param name="group">Its primary takes writes, and nothing else is to be done.</param>
    public static FailoverSpec? Due(GroupObservation group)
    {
        if (WaitsFor(group) is not { } rest || rest > TimeSpan.Zero) return null;
        var wanted = Wanted(group)!;
        return Plan.For(group, FailoverType.Failback, FailoverCause.Failback,
            [$"{wanted.Name} has been fit for {group.Spec.Failback.StabilizationSeconds} s, and is wanted more than {SlotHolder.Of(group).Holder!.Name}"]) with
        {
            Target = wanted.Name,
            DeadlineSeconds = FailoverSpec.DefaultDeadlineSeconds,
        };
    }

    /// <summary>Time until it is begun, if nothing changes. Null: it is not on its way.</summary>
    public static TimeSpan? WaitsFor(GroupObservation group)
    {
        if (group.Spec.Failback.Policy == FailbackPolicy.Never || group.Spec.Promotion.Policy != PromotionPolicy.Automatic) return null;
        if (Restraint.Of(group) is not null || Wanted(group) is not { } wanted || group.WantedFitFor is not { } fitFor) return null;
        // It would have to leave at once.
        if (wanted.Node.IsCordoned || Disruption.Of(group, wanted) is not null) return null;
        if (RequestCheck.Hindrance(group, new Detection.Diagnosis.Healthy(), Request(wanted)) is not null) return null;
        var stabilization = TimeSpan.FromSeconds(group.Spec.Failback.StabilizationSeconds);
        if (group.Spec.Failback.Policy == FailbackPolicy.Scheduled)
            return FailbackWindow.WaitsFor(group, wanted, Greater(stabilization - fitFor, Brakes.MayReturnIn(group, wanted.Name)));
        var rest = Greater(stabilization - fitFor, PauseLeft(group, wanted, stabilization));
        return rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
    }

    /// <summary>Who is waited for, and for what. Null: nobody is.</summary>
    public static string? Describe(GroupObservation group)
    {
        if (group.Spec.Failback.Policy == FailbackPolicy.Never || Wanted(group) is not { } wanted) return null;
        var condition = $"when it has been fit for {group.Spec.Failback.StabilizationSeconds} s";
        var when = group.Spec.Failback.Policy == FailbackPolicy.Scheduled ? FailbackWindow.Describe(group, wanted, condition) : condition;
        return $"{SlotHolder.Of(group).Holder!.Name} is active; {wanted.Name}, which is wanted more, takes over {when}";
    }

    /// <summary>
    /// Twice as long after each one of the last day, however it ended: a member that fails again and again after it got the place back is waited for
    /// ever longer. Nor does it get the place back before a failover might give it to it.
    /// </summary>
    private static TimeSpan PauseLeft(GroupObservation group, Member wanted, TimeSpan stabilization)
    {
        var past = group.Failovers.Where(f => f is { IsOwn: true, IsEnded: true, Spec.Type: FailoverType.Failback }
            && f.Spec.Target == wanted.Name && f.EndedFor < LongestPause).ToList();
        if (past.Count == 0) return Brakes.MayReturnIn(group, wanted.Name);
        var pause = stabilization * Math.Pow(2, Math.Min(past.Count, 20));
        return Greater((pause < LongestPause ? pause : LongestPause) - past.Min(f => f.EndedFor), Brakes.MayReturnIn(group, wanted.Name));
    }

    private static FailoverSpec Request(Member member) => new() { Type = FailoverType.Failback, Target = member.Name };

    private static TimeSpan Greater(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
