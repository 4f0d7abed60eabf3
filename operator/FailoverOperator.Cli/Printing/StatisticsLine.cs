using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.Views;

namespace FailoverOperator.Cli.Printing;

/// <summary>What failures have cost, in a line; each mean with the number of its values.</summary>
internal static class StatisticsLine
{
    public static string Of(GroupStatistics statistics)
    {
        var since = Moments.Parse(statistics.Since) is { } time ? Words.At(time) : Words.Unknown;
        var facts = new List<string> { Count(statistics.Failovers, "failover") };
        if (statistics.FailedFailovers > 0) facts.Add($"{Words.Number(statistics.FailedFailovers)} failed");
        if (statistics.MeanTimeBetweenFailuresSeconds is { } between) facts.Add($"one in {Words.Duration(TimeSpan.FromSeconds(between))}");
        if (statistics.MeanTimeToRecoveryMilliseconds is { } recovery) facts.Add(FormattableString.Invariant($"recovery {recovery} ms (mean of {statistics.Recoveries})"));
        if (statistics.MeanTimeToDetectionMilliseconds is { } detection) facts.Add(FormattableString.Invariant($"detection {detection} ms (mean of {statistics.Detections})"));
        if (statistics.Availability is { } availability) facts.Add($"availability {availability} %");
        if (statistics.PlannedChanges > 0)
            facts.Add(FormattableString.Invariant($"{Count(statistics.PlannedChanges, "planned change")} with {statistics.PlannedDowntimeMilliseconds} ms in all"));
        return $"since {since}: {string.Join(", ", facts)}";
    }

    private static string Count(int number, string what) => FormattableString.Invariant($"{number} {what}{(number == 1 ? "" : "s")}");
}
