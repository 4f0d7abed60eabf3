using FailoverOperator.Api.Agents;
using FailoverOperator.Api.RedundancyGroups;

namespace FailoverOperator.Core.Leases;

/// <summary>
/// The durations of the lease protocol, and the condition under which at most one member is writable at any instant.
/// Theorem: with monotonic clocks whose rates differ by at most ρ, the holder counts from <em>sending</em> its last acknowledged
/// renewal and is surely not writable after <see cref="StopTime"/>; the operator counts <see cref="Duration"/> from
/// <em>observing</em> the last change, which is later than the sending. So nobody else is made writable too early if and only if
/// <c>StopTime &lt; Duration · (1−ρ)/(1+ρ)</c>.
/// </summary>
/// <param name="Duration">D: the lease duration.</param>
/// <param name="RenewInterval">From one renewal to the next.</param>
/// <param name="StopAfter">From sending the last acknowledged renewal to the beginning of the demotion.</param>
/// <param name="DemoteBound">From the beginning of the demotion to being surely not writable.</param>
public sealed record LeaseTimings(TimeSpan Duration, TimeSpan RenewInterval, TimeSpan StopAfter, TimeSpan DemoteBound)
{
    /// <summary>ρ: clocks of two machines may differ in rate by at most 1 %; quartz is a hundred times better.</summary>
    public const double RateError = 0.01;

    /// <summary>How late a timer may fire, the time to kill a process group included.</summary>
    public static readonly TimeSpan TimerGranularity = TimeSpan.FromMilliseconds(100);

    /// <summary>T_stop: from sending the last acknowledged renewal to being surely not writable, on the holder's clock.</summary>
    public TimeSpan StopTime => StopAfter + DemoteBound + TimerGranularity;

    /// <summary>What <see cref="StopTime"/> must stay below.</summary>
    public TimeSpan Limit => Duration * ((1 - RateError) / (1 + RateError));

    /// <summary>What is left; not positive: two members could be writable.</summary>
    public TimeSpan Slack => Limit - StopTime;

    public bool IsSafe => Slack > TimeSpan.Zero;

    /// <summary>One renewal may be lost without the primary being demoted.</summary>
    public bool BearsOneLostRenewal => RenewInterval * 2 <= StopAfter;

    /// <summary>
    /// A renewal that is not answered within this counts as failed: half of what is left then until the demotion, so that as much
    /// remains for asking the other members.
    /// </summary>
    public TimeSpan AnswerWithin => (StopAfter - RenewInterval) / 2;

    public static LeaseTimings Of(LeaseTerms terms) => new(
        TimeSpan.FromSeconds(terms.LeaseDurationSeconds),
        TimeSpan.FromMilliseconds(terms.RenewIntervalMilliseconds),
        TimeSpan.FromMilliseconds(terms.StopAfterMilliseconds),
        TimeSpan.FromMilliseconds(terms.DemoteTimeoutMilliseconds));

    public static LeaseTimings Of(RedundancyGroupSpec spec) => new(
        TimeSpan.FromSeconds(spec.Detection.LeaseDurationSeconds),
        TimeSpan.FromMilliseconds(spec.Detection.RenewIntervalMilliseconds),
        TimeSpan.FromMilliseconds(spec.Fencing.StopAfterMilliseconds),
        TimeSpan.FromMilliseconds(spec.Fencing.DemoteTimeoutMilliseconds));

    /// <summary>The least whole number of seconds that D must be for these other timings.</summary>
    public int LeastDurationSeconds => (int)Math.Floor(StopTime.TotalSeconds * (1 + RateError) / (1 - RateError)) + 1;
}
