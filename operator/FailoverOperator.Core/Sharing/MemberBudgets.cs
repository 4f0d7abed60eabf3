using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Sharing;

/// <summary>
/// The PodDisruptionBudget that keeps drains and other evictions from taking more members than a group can do without, in which nobody is promoted. Beside
/// somebody else's for the same pods it would do harm: of two the API server obeys neither, and evicts nobody.
/// </summary>
public static class MemberBudgets
{
    public static string NameOf(string group) => $"{group}-members";

    public static IReadOnlyList<Step> Needed(GroupObservation group) => group.Budgets switch
    {
        BudgetObservation.Seen { Members.IsGoing: true } => [],
        BudgetObservation.Seen { Members: { IsOurs: true } own } seen when Rival(group, seen) is not null => [new Step.RemoveBudget(own.Name)],
        BudgetObservation.Seen { Members: null } seen when Rival(group, seen) is null => [Keep(group, null)],
        BudgetObservation.Seen { Members: { IsOurs: true } own } when own.LeastMembers != SharedDecider.LeastMembers(group) => [Keep(group, own.Version)],
        _ => [],
    };

    /// <summary>What an earlier mode of the group has left behind.</summary>
    public static IReadOnlyList<Step> Superfluous(GroupObservation group) =>
        group.Budgets is BudgetObservation.Seen { Members: { IsOurs: true, IsGoing: false } own } ? [new Step.RemoveBudget(own.Name)] : [];

    /// <summary>Why the operator does not guard the members; what a person can do. Null: it does.</summary>
    public static string? Complaint(GroupObservation group) => group.Budgets switch
    {
        BudgetObservation.Unobserved(var why) => $"evictions are not bounded: {why}",
        BudgetObservation.Seen seen when Rival(group, seen) is { } rival =>
            $"evictions are bounded by PodDisruptionBudget {rival} alone, which selects members, too; delete it, and the operator makes one",
        BudgetObservation.Seen { Members: { IsOurs: false } other } => $"evictions are not bounded by the operator: PodDisruptionBudget {other.Name} is somebody else's",
        _ => null,
    };

    private static Step.KeepBudget Keep(GroupObservation group, string? readVersion) =>
        new(NameOf(group.Name), readVersion) { LeastMembers = SharedDecider.LeastMembers(group) };

    /// <summary>Another one that selects members. Null: there is none.</summary>
    private static string? Rival(GroupObservation group, BudgetObservation.Seen seen) => seen.Others.FirstOrDefault(name => name != NameOf(group.Name));
}
