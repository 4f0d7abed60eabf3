using System.Globalization;
using System.Text.RegularExpressions;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Tests.Scenarios;

/// <summary>A failover that ended well, in words: <c>db-1 to db-0, 30 s ago</c>.</summary>
internal static partial class PastFailover
{
    public static FailoverRecord Read(long term, string text)
    {
        var words = Words().Match(text);
        if (!words.Success) throw new FormatException($"write \"db-1 to db-0, 30 s ago\", not: {text}");
        var running = Given.Running(FailoverPhase.Completed, candidate: words.Groups[2].Value, phaseFor: 0, term: term);
        return running with
        {
            Spec = running.Spec with { From = Given.Reference(words.Groups[1].Value) },
            Status = running.Status with { Targets = TargetVerdict.Met, DowntimeMilliseconds = 1000 },
            EndedFor = TimeSpan.FromSeconds(double.Parse(words.Groups[3].Value, CultureInfo.InvariantCulture)),
        };
    }

    /// <summary>With what its candidate began: <c>log-1 up to 900</c>.</summary>
    public static FailoverRecord Began(FailoverRecord failover, string text)
    {
        var words = Origin().Match(text);
        if (!words.Success) throw new FormatException($"write \"log-1 up to 900\", not: {text}");
        var origin = new LogPoint { History = words.Groups[1].Value, PositionBytes = long.Parse(words.Groups[2].Value, CultureInfo.InvariantCulture) };
        return failover with { Status = failover.Status with { Origin = origin } };
    }

    [GeneratedRegex(@"^(\S+) up to (\d+)$")]
    private static partial Regex Origin();

    [GeneratedRegex(@"^(\S+) to (\S+), (\d+) s ago$")]
    private static partial Regex Words();
}
