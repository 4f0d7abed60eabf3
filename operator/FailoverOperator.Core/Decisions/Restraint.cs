using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Decisions;

/// <summary>What keeps the operator from beginning a failover by itself.</summary>
/// <param name="Reason">CamelCase, see <see cref="Reasons"/>.</param>
/// <param name="Message">A sentence that says what a person can do.</param>
/// <param name="LiftedIn">When it will be over by itself. Null: a person lifts it.</param>
public sealed record Restraint(string Reason, string Message, TimeSpan? LiftedIn = null)
{
    private Restraint(string reason, Explanation why)
        : this(reason, why.Message) => Loss = why.Loss;

    /// <summary>As <see cref="Decision.Loss"/>.</summary>
    private AwaitedLoss? Loss { get; init; }

    /// <summary>Whatever happens to the group, nothing is begun. Null: something would be.</summary>
    public static Restraint? Of(GroupObservation group) => group.SuspendedUntil switch
    {
        null or Schedule.At { DueIn.Ticks: <= 0 } => null,
        Schedule.At => Suspended(group, $"until {group.Spec.Suspended?.Until}"),
        Schedule.AtOnce => Suspended(group, "until spec.suspended is removed"),
        // A person wanted rest; what he wrote beside that says nothing.
        Schedule.Unreadable => Suspended(group, $"until spec.suspended is removed or its time is one: {group.Spec.Suspended?.Until}"),
        var schedule => throw new ArgumentOutOfRangeException(nameof(group), schedule, "unknown schedule"),
    };

    /// <summary>As before, for a failover that is needed. Null: it begins.</summary>
    /// <param name="group">Its primary has failed.</param>
    public static Restraint? OnFailure(GroupObservation group) =>
        Of(group) ?? (group.Spec.Promotion.Policy == PromotionPolicy.Manual ? Manual(group) : null);

    /// <summary>A failover that has begun, and in which nothing has been done yet, waits for a person. Null: it goes on.</summary>
    public static Restraint? OnStart(GroupObservation group, FailoverRecord failover) =>
        group.Spec.Promotion.Policy == PromotionPolicy.ApprovalRequired && failover is { Spec: { Type: FailoverType.Failover, RequestRef: null }, IsApproved: false }
            ? new(Reasons.ApprovalRequired,
                Cost(group, failover).Within(cost => $"waits for approval (promotion.policy: ApprovalRequired); {cost}; to approve, run: "
                    + $"kubectl annotate fo {failover.Name} {ApiGroup.ApprovedAnnotation}=true"))
            : null;

    /// <summary>What a decision keeps a needed failover back for. Null: it does not.</summary>
    public static Restraint? Keeping(Decision decision) => decision switch
    {
        Decision.Blocked(var reason, var message) when IsReason(reason) => new(reason, message),
        Decision.Wait(var left, var reason, var message) when IsReason(reason) => new(reason, message, left),
        _ => null,
    };

    private static bool IsReason(string reason) =>
        reason is Reasons.ClusterDisruption or Reasons.WaitingForDependency or Reasons.Suspended or Reasons.ApprovalRequired or Reasons.ManualOnly || Brakes.AllReasons.Contains(reason);

    public Decision ToDecision(IEnumerable<string> evidence)
    {
        var why = new Explanation(Message, Loss).Within(message => $"{string.Join(", ", evidence)}; {message}");
        return LiftedIn is { } left ? new Decision.Wait(left, Reason, why) : new Decision.Blocked(Reason, why);
    }

    private static Restraint Suspended(GroupObservation group, string until)
    {
        var why = group.Spec.Suspended?.Reason is { Length: > 0 } reason ? $": {reason}" : "";
        return new(Reasons.Suspended, $"the group is suspended {until}{why}");
    }

    private static Restraint Manual(GroupObservation group) => new(Reasons.ManualOnly,
        "promotion.policy is Manual, so a person decides: apply a Failover with "
        + $"spec: {{ groupRef: {{ name: {group.Name} }}, type: Failover }}");

    /// <summary>What the failover would lose, as it looks now.</summary>
    private static Explanation Cost(GroupObservation group, FailoverRecord failover)
    {
        var benchmark = Benchmark.Of(failover.Spec);
        var chosen = group.HasAgents ? LeaseElections.Prospect(group, benchmark) : Best(group, benchmark);
        return chosen switch
        {
            Choice.Candidate(var member, var lag) => new($"{member.Name} would take over, {(lag is { } bytes ? $"{bytes} bytes would be lost" : "what would be lost is not known")}", null),
            Choice.Nobody when ColdStandby.IsHoped(group) => new($"{ColdStandby.Name(group.Spec)} would be started, and what would be lost is not known", null),
            Choice.Nobody nobody => nobody.Why,
            _ => throw new ArgumentOutOfRangeException(nameof(group), chosen, "unknown choice"),
        };
    }

    private static Choice Best(GroupObservation group, Benchmark benchmark)
    {
        var candidates = Candidates.Of(group, benchmark, FailoverProcedure.ReadinessBound(group.Spec));
        return (Choice?)Choice.Candidate.BestOf(candidates, group.Members) ?? Elections.Nobody(candidates, group);
    }
}
