using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Sharing;

namespace FailoverOperator.Core.Decisions;

/// <summary>
/// The PodDisruptionBudget that holds every eviction of the primary, by its role: as soon as the pod is a standby its eviction passes. There is
/// one only where the operator learns of the eviction and can hand over; else it would hold a drain for ever.
/// </summary>
public static class Budgets
{
    public static string NameOf(string group) => $"{group}-primary";

    /// <summary>One budget holds the primaries of all slots, so that one slot looks after it.</summary>
    public static IReadOnlyList<Step> Needed(GroupObservation group) => group.Slot != Slots.Names(group.Spec)[0] ? [] : [.. MemberBudgets.Superfluous(group), .. OfPrimary(group)];

    private static IReadOnlyList<Step> OfPrimary(GroupObservation group) => group.Budgets switch
    {
        BudgetObservation.Seen { Own.IsGoing: true } => [],
        BudgetObservation.Seen { Own: { IsOurs: true } own } when WhyNone(group) is not null => [new Step.RemoveBudget(own.Name)],
        BudgetObservation.Seen { Own: null } when WhyNone(group) is null => [new Step.KeepBudget(NameOf(group.Name), null)],
        BudgetObservation.Seen { Own: { IsOurs: true, HoldsPrimary: false } own } => [new Step.KeepBudget(own.Name, own.Version)],
        _ => [],
    };

    /// <summary>Why evictions of the primary are not held, though that is wanted; what a person can do. Null: they are, or it is not.</summary>
    public static string? Complaint(GroupObservation group) =>
        Switchover.IsPossible(group.Spec) && group.Spec.Disruption.OnEviction == DisruptionAnswer.Switchover && WhyNone(group) is { } why
            ? $"evictions of the primary are not held until it has handed over: {why}"
            : null;

    /// <summary>Null: there is to be one.</summary>
    private static string? WhyNone(GroupObservation group)
    {
        if (!Switchover.IsPossible(group.Spec)) return OrderlyStop.WhyNot(group.Spec);
        if (group.Spec.Disruption.OnEviction == DisruptionAnswer.Ignore) return "disruption.onEviction is Ignore";
        return group.Budgets switch
        {
            BudgetObservation.Unobserved(var why) => why,
            BudgetObservation.Seen { Own: { IsOurs: false } own } => $"PodDisruptionBudget {own.Name} is somebody else's; delete it",
            BudgetObservation.Seen { Others: [var other, ..] } =>
                $"PodDisruptionBudget {other} selects the primary, too, and of two that do the API server obeys neither; "
                + $"let {other} select the standbys only, or delete it",
            BudgetObservation.Seen { EvictionsAreSeen: false } when group.Spec.Disruption.OnCordon == DisruptionAnswer.Ignore =>
                "the operator is not told of evictions; install the chart with evictionWebhook.enabled: true, or write disruption.onCordon: Switchover",
            _ => null,
        };
    }
}
