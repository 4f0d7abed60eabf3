using System.Globalization;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Observing;

namespace FailoverOperator.Tests.Operator;

/// <summary>When a schedule is due, over the changes of the clocks.</summary>
public class FailbackCalendarTests
{
    [Theory]
    // In winter and in summer.
    [InlineData("30 2 * * 6", "Europe/Berlin", "2026-11-27T12:00:00Z", "2026-11-21T02:30:00+01:00", "2026-11-28T02:30:00+01:00")]
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-07-01T00:30:00Z", "2026-07-01T02:30:00+02:00", "2026-07-02T02:30:00+02:00")]
    [InlineData("0 9 1 1 *", null, "2026-06-01T00:00:00Z", "2026-01-01T09:00:00+00:00", "2027-01-01T09:00:00+00:00")]
    [InlineData("*/5 * * * *", null, "2026-06-01T00:02:00Z", "2026-06-01T00:00:00+00:00", "2026-06-01T00:05:00+00:00")]
    // The hour from 2 to 3 does not exist: due at its end.
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00")]
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00")]
    // The hour from 2 to 3 comes twice: due in the first one only.
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-24T02:30:00+02:00", "2026-10-25T02:30:00+02:00")]
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-10-25T01:15:00Z", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00")]
    public void It_is_due(string schedule, string? zone, string now, string last, string next)
    {
        var times = new FailbackCalendar().Observe(Spec(schedule, zone), Time(now))!;
        Assert.Equal((last, next), (times.Last?.Time, times.Next?.Time));
        Assert.Equal((Time(now) - Time(last), Time(next) - Time(now)), (times.Last!.Distance, times.Next!.Distance));
    }

    [Fact]
    public void What_is_remembered_is_what_would_be_reckoned_anew_whichever_way_the_clock_goes()
    {
        var calendar = new FailbackCalendar();
        var (spec, at) = (Spec("7,40 */3 * * *", "America/St_Johns"), Time("2026-10-31T00:00:00Z"));
        foreach (var minutes in Enumerable.Range(0, 400).Select(n => n * 7 % 3000))
            Assert.Equal(new FailbackCalendar().Observe(spec, at.AddMinutes(minutes)), calendar.Observe(spec, at.AddMinutes(minutes)));
        Assert.Equal(new FailbackCalendar().Observe(spec with { TimeZone = null }, at), calendar.Observe(spec with { TimeZone = null }, at));
    }

    [Theory]
    [InlineData("30 2 * * 6", null, null)]
    [InlineData("0-30/10,45 1,2 1-7 */2 0,7", "America/Argentina/Buenos_Aires", null)]
    [InlineData("30 2 * * 6", "Europe/Berln", "there is no time zone Europe/Berln (failback.timeZone); write an IANA name such as Europe/Berlin, or remove it for UTC")]
    [InlineData("30 2 31 2 *", null, "failback.schedule '30 2 31 2 *' names a day that no year has; correct its day of the month, or its month")]
    [InlineData("*/90 2 * * *", null, "failback.schedule '*/90 2 * * *' is no cron expression of five fields, such as 30 2 * * 6")]
    public void What_is_wrong_is_said(string schedule, string? zone, string? problem)
    {
        var now = Time("2026-11-27T12:00:00Z");
        Assert.Matches($"^{CronPattern.FiveFields[1..^1]}$", schedule);
        Assert.Equal(problem, FailbackCalendar.ProblemOf(Spec(schedule, zone), now));
        Assert.Equal(problem is null, new FailbackCalendar().Observe(Spec(schedule, zone), now)?.Next is not null);
    }

    [Fact]
    public void Without_a_schedule_there_is_nothing_to_say()
    {
        Assert.Null(FailbackCalendar.ProblemOf(new FailbackSpec(), default));
        Assert.Null(new FailbackCalendar().Observe(new FailbackSpec(), default));
    }

    private static FailbackSpec Spec(string schedule, string? zone) => new() { Policy = FailbackPolicy.Scheduled, Schedule = schedule, TimeZone = zone };

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
