namespace FailoverOperator.Simulator.Scheduling;

/// <summary>The clocks of a machine: a monotonic one of its own rate and beginning, and one on the wall that is wrong by an offset.</summary>
/// <param name="rate">Its seconds for each second of the world.</param>
/// <param name="beginning">What the monotonic clock showed when the world began.</param>
public sealed class NodeClock(double rate, TimeSpan beginning)
{
    private static readonly DateTimeOffset Epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>How wrong the wall clock is. It may be set at any time.</summary>
    public TimeSpan WallOffset { get; set; }

    /// <summary>One that goes so many times as fast, from the same beginning.</summary>
    public NodeClock Times(double factor) => new(rate * factor, beginning) { WallOffset = WallOffset };

    public long TicksAt(TimeSpan worldTime) => beginning.Ticks + (long)(worldTime.Ticks * rate);

    public DateTimeOffset WallAt(TimeSpan worldTime) => Epoch + new TimeSpan((long)(worldTime.Ticks * rate)) + WallOffset;

    /// <summary>The first moment of the world at which this clock shows so much.</summary>
    public TimeSpan WorldTimeOf(long ticks)
    {
        var moment = new TimeSpan((long)((ticks - beginning.Ticks) / rate));
        while (TicksAt(moment) < ticks) moment += TimeSpan.FromTicks(1);
        return moment;
    }
}

/// <summary>Time as one process sees it.</summary>
internal sealed class SimulatedTime(NodeClock clock, EventLoop loop, SimulatedProcess process) : TimeProvider
{
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long GetTimestamp() => clock.TicksAt(loop.Now);

    public override DateTimeOffset GetUtcNow() => clock.WallAt(loop.Now);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        _ = timer.Change(dueTime, period);
        return timer;
    }

    private sealed class Timer(SimulatedTime time, TimerCallback callback, object? state) : ITimer
    {
        private ScheduledEvent? _next;
        private TimeSpan _period;
        private int _setting;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _next?.Cancel();
            _next = null;
            _setting++;
            _period = period;
            if (dueTime != Timeout.InfiniteTimeSpan) Schedule(dueTime);
            return true;
        }

        public void Dispose()
        {
            _next?.Cancel();
            _next = null;
            _setting++;
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Schedule(TimeSpan dueTime) =>
            _next = time.Loop.At(time.Clock.WorldTimeOf(time.GetTimestamp() + Math.Max(0, dueTime.Ticks)), Ring);

        /// <summary>In the process's own turn, so that one that stands still hears it when it goes on.</summary>
        private void Ring()
        {
            var setting = _setting;
            _next = null;
            time.Process.Do(() =>
            {
                if (setting != _setting) return;
                if (_period > TimeSpan.Zero) Schedule(_period);
                callback(state);
            });
        }
    }

    private EventLoop Loop => loop;

    private NodeClock Clock => clock;

    private SimulatedProcess Process => process;
}
