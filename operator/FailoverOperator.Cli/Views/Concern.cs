using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;

namespace FailoverOperator.Cli.Views;

/// <summary>Something that is not as wished.</summary>
/// <param name="About">Type of the condition, or what else it is about.</param>
/// <param name="Status">Null: it is not a condition.</param>
public sealed record Concern(string About, ConditionStatus? Status, string Reason, string Message, DateTimeOffset? Since);

/// <summary>Knows how each condition is wished to be.</summary>
internal static class Concerns
{
    /// <summary>A group whose status says nothing, or speaks of an older spec, is a concern itself.</summary>
    public static IReadOnlyList<Concern> Of(RedundancyGroup group)
    {
        if (group.Status is not { Conditions.Count: > 0 } status)
            return [new("Status", null, "NotReported",
                "the operator has said nothing about this group yet; see whether it runs, and watches this namespace", null)];
        // Suppressed aside, which an older operator does not know.
        var missing = ConditionTypes.All.Where(type => type != ConditionTypes.Suppressed && status.Conditions.All(c => c.Type != type))
            .Select(type => new Concern(type, ConditionStatus.Unknown, "NotReported", "the operator has not reported it", null));
        return [.. Outdated(group, status), .. status.Conditions.Where(c => !IsAsWished(c)).Select(Of), .. missing];
    }

    /// <summary>A type that this version does not know is shown by nobody: it cannot be told which way it is wished.</summary>
    public static bool IsAsWished(Condition condition) => condition.Type switch
    {
        ConditionTypes.Progressing => condition is { Status: ConditionStatus.False, Reason: Reasons.Steady },
        ConditionTypes.Suppressed => condition.Status == ConditionStatus.False,
        ConditionTypes.TargetsMet => condition is { Status: ConditionStatus.True } or { Reason: Reasons.NoFailoverYet },
        _ => condition.Status == ConditionStatus.True || !ConditionTypes.All.Contains(condition.Type),
    };

    private static Concern Of(Condition condition) =>
        new(condition.Type, condition.Status, condition.Reason, condition.Message, Moments.Parse(condition.LastTransitionTime));

    private static IEnumerable<Concern> Outdated(RedundancyGroup group, RedundancyGroupStatus status)
    {
        if (status.ObservedGeneration is { } observed && group.Metadata.Generation is { } present && observed < present)
            yield return new("Status", null, "Outdated",
                FormattableString.Invariant($"it speaks of generation {observed} of the spec, the present one is {present}; see whether the operator runs"), null);
    }
}
