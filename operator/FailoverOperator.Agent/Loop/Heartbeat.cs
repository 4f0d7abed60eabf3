namespace FailoverOperator.Agent.Loop;

/// <summary>Shows that a task turns, for the liveness probe.</summary>
internal sealed class Heartbeat(TimeProvider time)
{
    /// <summary>At least so often a task beats that has nothing to do.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private long _last = time.GetTimestamp();

    /// <summary>Since the last beat.</summary>
    public TimeSpan Age => time.GetElapsedTime(Interlocked.Read(ref _last));

    public void Beat() => Interlocked.Exchange(ref _last, time.GetTimestamp());

    /// <summary>The moment, but not later than the next beat is due.</summary>
    public TimeSpan Before(TimeSpan? moment)
    {
        var beat = time.GetElapsedTime(0) + Interval;
        return moment < beat ? moment.Value : beat;
    }
}
