using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Tests;

/// <summary>Groups that a group depends on.</summary>
internal static class GivenDependencies
{
    public static DateTimeOffset Since { get; } = new(2026, 11, 28, 2, 30, 0, TimeSpan.Zero);

    public static DependencyObservation Observation(string name, string how) => how switch
    {
        "available" => new(name, null, Available(ConditionStatus.True, Reasons.PrimaryServing)),
        "fails over" => new(name, $"{name}-0-7", Available(ConditionStatus.True, Reasons.PrimaryServing)),
        "down" => new(name, null, Available(ConditionStatus.False, Reasons.PrimaryNotServing)),
        "unknown" => new(name, null, Available(ConditionStatus.Unknown, Reasons.FailureSuspected)),
        "not reported" => new(name, null, null),
        _ => throw new FormatException($"a group is available, fails over, is down, unknown, or not reported, and not: {how}"),
    };

    private static Condition Available(ConditionStatus status, string reason) =>
        new() { Type = ConditionTypes.Available, Status = status, Reason = reason, Message = "so it is" };
}
