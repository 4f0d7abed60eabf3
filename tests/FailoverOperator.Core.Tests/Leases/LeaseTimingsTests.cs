using CsCheck;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;

namespace FailoverOperator.Core.Tests.Leases;

public sealed class LeaseTimingsTests
{
    [Fact]
    public void Terms_are_told_in_durations()
    {
        var timings = LeaseTimings.Of(GivenLease.Longer);
        Assert.Equal(new LeaseTimings(Seconds(10), Seconds(2), Seconds(7), Seconds(2)), timings);
        Assert.Equal(Seconds(9.1), timings.StopTime);
        Assert.Equal(Seconds(2.5), timings.AnswerWithin);
    }

    [Theory]
    [InlineData(5, 3000, 1000, true)]
    [InlineData(5, 3000, 1800, true)]
    [InlineData(5, 3000, 1802, false)]
    [InlineData(2, 1000, 860, true)]
    [InlineData(2, 1000, 861, false)]
    // Exactly the limit: 101 s · 99/101 = 99 s.
    [InlineData(101, 98_000, 899, true)]
    [InlineData(101, 98_000, 900, false)]
    [InlineData(101, 98_000, 901, false)]
    public void Timings_are_safe_while_the_stop_leaves_slack(int durationSeconds, int stopAfterMilliseconds, int demoteMilliseconds, bool safe)
    {
        var timings = Timings(durationSeconds, stopAfterMilliseconds, demoteMilliseconds);
        Assert.Equal(safe, timings.IsSafe);
        Assert.Equal(safe, timings.Slack > TimeSpan.Zero);
        Assert.Equal(timings.Limit - timings.StopTime, timings.Slack);
    }

    /// <summary>The theorem: slow holder, fast observer, and both as far off as they may be.</summary>
    [Fact]
    public void Safe_means_that_the_slowest_holder_has_stopped_before_the_fastest_clock_has_counted_the_lease() =>
        Gen.Select(Gen.Int[2, 300], Gen.Int[200, 300_000], Gen.Int[100, 60_000]).Sample((duration, stop, demote) =>
        {
            var timings = Timings(duration, stop, demote);
            var stopsAt = timings.StopTime.Ticks * 101L;
            var expiresAt = timings.Duration.Ticks * 99L;
            return timings.IsSafe == stopsAt < expiresAt;
        });

    [Fact]
    public void The_least_duration_is_safe_and_a_second_less_is_not() =>
        Gen.Select(Gen.Int[200, 300_000], Gen.Int[100, 60_000]).Sample((stop, demote) =>
        {
            var least = Timings(0, stop, demote).LeastDurationSeconds;
            return Timings(least, stop, demote).IsSafe && !Timings(least - 1, stop, demote).IsSafe;
        }, iter: 20_000);

    [Theory]
    [InlineData(98_000, 900, 102)]
    [InlineData(98_000, 899, 101)]
    [InlineData(3000, 1000, 5)]
    [InlineData(48_000, 1400, 51)]
    public void The_least_duration_is_exact(int stopAfterMilliseconds, int demoteMilliseconds, int seconds) =>
        Assert.Equal(seconds, Timings(1, stopAfterMilliseconds, demoteMilliseconds).LeastDurationSeconds);

    [Theory]
    [InlineData(1500, true)]
    [InlineData(1501, false)]
    public void One_lost_renewal_is_borne_while_two_fit(int renewMilliseconds, bool bears) =>
        Assert.Equal(bears, LeaseTimings.Of(new LeaseTerms { RenewIntervalMilliseconds = renewMilliseconds }).BearsOneLostRenewal);

    private static LeaseTimings Timings(int durationSeconds, int stopAfterMilliseconds, int demoteMilliseconds) => LeaseTimings.Of(
        new LeaseTerms
        {
            LeaseDurationSeconds = durationSeconds,
            StopAfterMilliseconds = stopAfterMilliseconds,
            DemoteTimeoutMilliseconds = demoteMilliseconds,
        });

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
