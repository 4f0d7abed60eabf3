using System.Globalization;
using Cronos;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Observing;

/// <summary>
/// Reckons when <c>failback.schedule</c> is due, in its time zone. A time that a change to summer time leaves out is due at its end; one that a change to
/// winter time repeats is due once. Remembers what it reckoned until the next time.
/// </summary>
public sealed class FailbackCalendar
{
    /// <summary>Who was due longer ago is told as never.</summary>
    private static readonly TimeSpan LongestLookBack = TimeSpan.FromDays(366);

    private volatile Reckoned? _last;

    /// <summary>Why it is never due. Null: it is, or there is no schedule.</summary>
    public static string? ProblemOf(FailbackSpec failback, DateTimeOffset now)
    {
        if (failback.Schedule is not { } schedule) return null;
        if (Zone(failback) is not { } zone)
            return $"there is no time zone {failback.TimeZone} (failback.timeZone); write an IANA name such as Europe/Berlin, or remove it for UTC";
        if (!CronExpression.TryParse(schedule, out var expression))
            return $"failback.schedule '{schedule}' is no cron expression of five fields, such as 30 2 * * 6";
        return expression.GetNextOccurrence(now, zone) is null
            ? $"failback.schedule '{schedule}' names a day that no year has; correct its day of the month, or its month"
            : null;
    }

    /// <summary>Null: there is no schedule, or it is never due.</summary>
    public FailbackTimes? Observe(FailbackSpec failback, DateTimeOffset now)
    {
        if (failback.Schedule is null) return null;
        if (_last is not { } known || known.Schedule != failback.Schedule || known.TimeZone != failback.TimeZone || now < known.From || now >= known.Next)
            _last = known = Reckon(failback, now);
        return known.Next is not null ? new(Due(known.Last, now), Due(known.Next, now)) : null;
    }

    private static Reckoned Reckon(FailbackSpec failback, DateTimeOffset now)
    {
        var never = new Reckoned(failback.Schedule!, failback.TimeZone, now, null, null);
        if (Zone(failback) is not { } zone || !CronExpression.TryParse(failback.Schedule!, out var expression)) return never;
        return never with { Last = Last(expression, zone, now), Next = expression.GetNextOccurrence(now, zone) };
    }

    /// <summary>Ever further back, so that of a schedule that is often due few times are looked at.</summary>
    private static DateTimeOffset? Last(CronExpression expression, TimeZoneInfo zone, DateTimeOffset now)
    {
        for (var back = TimeSpan.FromMinutes(2); ; back *= 4)
        {
            var times = expression.GetOccurrences(now - back, now, zone, fromInclusive: true, toInclusive: true).ToList();
            if (times is [.., var last]) return last;
            if (back > LongestLookBack) return null;
        }
    }

    private static TimeZoneInfo? Zone(FailbackSpec failback) =>
        failback.TimeZone is not { } name ? TimeZoneInfo.Utc
        : TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) ? zone
        : null;

    private static DueTime? Due(DateTimeOffset? time, DateTimeOffset now) => time is { } at
        ? new((at - now).Duration(), at.ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture))
        : null;

    private sealed record Reckoned(string Schedule, string? TimeZone, DateTimeOffset From, DateTimeOffset? Last, DateTimeOffset? Next);
}
