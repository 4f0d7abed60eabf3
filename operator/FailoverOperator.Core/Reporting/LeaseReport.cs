using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Reporting;

/// <summary>
/// Says what of a group's lease cannot be read, what follows from it, and what to do. Somebody else than the operator and the agents wrote it:
/// most of it they write again by themselves, and removing the wrong part would say what is not true.
/// </summary>
public static class LeaseReport
{
    /// <summary>Adds it to what is said of the group's readiness. Whether a failover would work is judged elsewhere, by what could be read.</summary>
    public static FailoverReadiness Amend(FailoverReadiness readiness, GroupObservation group) => group.Lease is { Unreadable: [_, ..] unreadable }
        ? readiness with { Reason = Reasons.LeaseUnreadable, Message = $"{readiness.Message}; {Describe(group.Name, unreadable)}" }
        : readiness;

    private static string Describe(string group, IReadOnlyList<string> unreadable)
    {
        var lease = LeaseContract.LeaseName(group, ApiGroup.FirstSlot);
        return $"somebody wrote into Lease {lease} what cannot be read: {string.Join("; ", unreadable.Select(a => Consequence(lease, a)))}. "
            + $"Find out who, and take away the right: kubectl get lease {lease} -o yaml --show-managed-fields";
    }

    private static string Consequence(string lease, string annotation) => annotation switch
    {
        LeaseContract.TermsAnnotation =>
            $"{annotation}, which the operator writes again as the holder accepted it, or with the next holder",
        LeaseContract.AcceptedAnnotation =>
            $"{annotation}, so that nobody can be promoted when the lease runs out; "
            + "do not remove it, the holder's agent writes it again with its next renewal",
        LeaseContract.PledgedAnnotation =>
            $"{annotation}, so that nobody can be promoted if the lease runs out before its holder has renewed it; "
            + "do not remove it, the operator does with the next holder",
        LeaseContract.ReleaseAnnotation =>
            $"{annotation}, so that the release counts for nothing and the lease has to run out; "
            + $"remove it: kubectl annotate lease {lease} {annotation}-",
        _ => throw new ArgumentOutOfRangeException(nameof(annotation), annotation, "unknown annotation"),
    };
}
