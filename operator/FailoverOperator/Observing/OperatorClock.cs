namespace FailoverOperator.Observing;

/// <summary>
/// Monotonic time for durations, and a wall clock for records that runs on with it: a step of the machine's clock
/// does not change how long a phase seems to have taken.
/// </summary>
public sealed class OperatorClock(TimeProvider time)
{
    private readonly long _startTimestamp = time.GetTimestamp();
    private readonly DateTimeOffset _startWall = time.GetUtcNow();

    public TimeProvider TimeProvider => time;

    /// <summary>Time since the process started, monotonic.</summary>
    public TimeSpan Now => time.GetElapsedTime(_startTimestamp);

    /// <summary>The wall clock's time for a moment of <see cref="Now"/>.</summary>
    public DateTimeOffset WallAt(TimeSpan moment) => _startWall + moment;

    public DateTimeOffset WallNow => WallAt(Now);

    /// <summary>For whoever reckons with times of the day: its wall clock runs on with monotonic time and never steps.</summary>
    public TimeProvider Steady => field ??= new SteadyTime(this);

    private sealed class SteadyTime(OperatorClock clock) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => clock.WallNow;

        public override long GetTimestamp() => clock.TimeProvider.GetTimestamp();

        public override long TimestampFrequency => clock.TimeProvider.TimestampFrequency;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            clock.TimeProvider.CreateTimer(callback, state, dueTime, period);
    }
}
