namespace FailoverOperator.Core.Observations;

/// <summary>What is known of the PodDisruptionBudgets that concern a group. Closed: nested types only.</summary>
public abstract record BudgetObservation
{
    private BudgetObservation()
    {
    }

    /// <param name="Why">For people: what is missing.</param>
    public sealed record Unobserved(string Why) : BudgetObservation;

    /// <param name="Own">The one that the operator keeps. Null: there is none.</param>
    /// <param name="Others">Names of others that select the primary: of two that do, the API server obeys neither, and refuses every eviction.</param>
    /// <param name="EvictionsAreSeen">The operator is told of evictions that are tried, by its webhook.</param>
    public sealed record Seen(BudgetFacts? Own, IReadOnlyList<string> Others, bool EvictionsAreSeen) : BudgetObservation
    {
        /// <summary>That of all members, which the operator keeps where it promotes nobody. Null: there is none. If there is, it is among the others, too.</summary>
        public BudgetFacts? Members { get; init; }
    }
}

/// <summary>A PodDisruptionBudget of the name that the operator's has.</summary>
/// <param name="IsOurs">The operator made it for this group; else somebody else's has its name.</param>
/// <param name="HoldsPrimary">Its spec is as it should be: it selects the primary, and lets no pod go.</param>
public sealed record BudgetFacts(string Name, string Version, bool IsOurs, bool HoldsPrimary)
{
    /// <summary>It selects all pods of the workload, and no others, and so many must stay. Null: it is not such a one.</summary>
    public int? LeastMembers { get; init; }

    /// <summary>Its deletion has been asked for, and somebody's finalizer holds it: nothing is to be done about it any more.</summary>
    public bool IsGoing { get; init; }
}

/// <summary>How the workload is updated.</summary>
/// <param name="Revision">The revision that every pod is to have in the end.</param>
/// <param name="ByDeletion">Its <c>updateStrategy</c> is <c>OnDelete</c>: a pod is renewed when somebody deletes it. Else Kubernetes restarts them, whatever their role.</param>
public sealed record RolloutObservation(string Revision, bool ByDeletion);
