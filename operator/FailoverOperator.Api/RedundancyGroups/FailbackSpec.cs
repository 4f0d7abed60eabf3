using FailoverOperator.Api.Attributes;

namespace FailoverOperator.Api.RedundancyGroups;

/// <summary>Who decides that the primary's place is given back.</summary>
public enum FailbackPolicy
{
    /// <summary>Where it is it stays, until something happens or a person asks.</summary>
    Never,

    /// <summary>The operator, once the wanted member has been fit for long enough.</summary>
    Automatic,

    /// <summary>As Automatic, but only at the times of a schedule.</summary>
    Scheduled,
}

/// <summary>Return of the primary's place to the member that is wanted most, see <c>promotion.priorities</c>. Always a switchover.</summary>
public sealed record FailbackSpec
{
    [Description("Never: the place stays where it is. Automatic: the operator hands it over to a member of higher priority than the primary's. Scheduled: so, too, but only in the windows that failback.schedule opens.")]
    public FailbackPolicy Policy { get; init; } = FailbackPolicy.Never;

    [Description("With policy Automatic or Scheduled: for so long that member must have been fit to take over, without a break.")]
    [RangeMinimum(1)]
    [RangeMaximum(86400)]
    public int StabilizationSeconds { get; init; } = 600;

    [Description("With policy Scheduled: when a window opens, as a cron expression of five fields: minute, hour, day of the month, month, day of the week. For example 30 2 * * 6.")]
    [Pattern(CronPattern.FiveFields)]
    [Length(9, 100)]
    public string? Schedule { get; init; }

    [Description("With policy Scheduled: the time zone of the schedule by its IANA name, for example Europe/Berlin. Absent: UTC.")]
    [Pattern(CronPattern.TimeZone)]
    [Length(1, 64)]
    public string? TimeZone { get; init; }

    [Description("With policy Scheduled: for so long a window stays open. In each one the place is handed over at most once, as soon as the member is fit.")]
    [RangeMinimum(60)]
    [RangeMaximum(86400)]
    public int WindowSeconds { get; init; } = 3600;
}

/// <summary>What a schedule in a spec must look like. That its day exists, and its time zone, is for the operator to say.</summary>
public static class CronPattern
{
    public const string FiveFields = "^" + Minutes + " " + Hours + " " + Days + " " + Months + " " + Weekdays + "$";

    public const string TimeZone = "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$";

    private const string Minute = "[0-5]?[0-9]";
    private const string Hour = "([01]?[0-9]|2[0-3])";
    private const string Day = "(0?[1-9]|[12][0-9]|3[01])";
    private const string Month = "(0?[1-9]|1[0-2])";
    private const string Weekday = "[0-7]";

    /// <summary>After any number or range: every so many.</summary>
    private const string Every = "(/[1-9][0-9]?)?";

    private const string AMinute = @"(\*|" + Minute + "(-" + Minute + ")?)" + Every;
    private const string AnHour = @"(\*|" + Hour + "(-" + Hour + ")?)" + Every;
    private const string ADay = @"(\*|" + Day + "(-" + Day + ")?)" + Every;
    private const string AMonth = @"(\*|" + Month + "(-" + Month + ")?)" + Every;
    private const string AWeekday = @"(\*|" + Weekday + "(-" + Weekday + ")?)" + Every;

    private const string Minutes = AMinute + "(," + AMinute + ")*";
    private const string Hours = AnHour + "(," + AnHour + ")*";
    private const string Days = ADay + "(," + ADay + ")*";
    private const string Months = AMonth + "(," + AMonth + ")*";
    private const string Weekdays = AWeekday + "(," + AWeekday + ")*";
}
