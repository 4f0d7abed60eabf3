namespace FailoverOperator.Runtime.Kubernetes;

/// <summary>
/// What the calls tell about the API server: any answer, also a refusal below 500, is a sign of life.
/// Use it to doubt oneself: an operator whose API is silent or slow must accuse nobody.
/// </summary>
public sealed class ApiHealth(TimeProvider timeProvider)
{
    /// <summary>
    /// Answers that are further apart, the time that they usually take aside, are not without a pause. <see cref="ApiHealthMonitor"/>
    /// asks much more often.
    /// </summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    /// <summary>
    /// A silence after which watches are likely to hang on dead connections: shorter ones are bridged by TCP itself.
    /// </summary>
    public static readonly TimeSpan Outage = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private long? _lastAnswerTimestamp;
    private long _answeringSinceTimestamp;
    private TimeSpan _lastLatency;
    private int _failuresInARow;

    /// <summary>
    /// The server answers again after an <see cref="Outage"/>. Called on the thread of whoever heard the answer; must be quick and must not throw.
    /// </summary>
    public event Action? Resumed;

    /// <summary>Time since the server last answered a call; <see cref="TimeSpan.MaxValue"/> before the first answer.</summary>
    public TimeSpan SinceLastAnswer
    {
        get
        {
            lock (_gate)
                return _lastAnswerTimestamp is { } timestamp ? timeProvider.GetElapsedTime(timestamp) : TimeSpan.MaxValue;
        }
    }

    /// <summary>
    /// For how long it has answered without a pause, up to now; zero while it is silent. What could have been seen only in a pause
    /// has not been observed.
    /// </summary>
    public TimeSpan AnsweringFor
    {
        get
        {
            lock (_gate)
                return IsPaused() ? TimeSpan.Zero : timeProvider.GetElapsedTime(_answeringSinceTimestamp);
        }
    }

    /// <summary>How long the last answered attempt took, from sending to the end of the answer.</summary>
    public TimeSpan LastLatency
    {
        get
        {
            lock (_gate)
                return _lastLatency;
        }
    }

    /// <summary>Attempts since the last answer that got none, or a 5xx.</summary>
    public int FailuresInARow
    {
        get
        {
            lock (_gate)
                return _failuresInARow;
        }
    }

    /// <param name="sentTimestamp"><see cref="TimeProvider.GetTimestamp"/> of the sending.</param>
    public void RecordAnswer(long sentTimestamp)
    {
        bool wasAway;
        lock (_gate)
        {
            wasAway = Heard();
            _lastLatency = timeProvider.GetElapsedTime(sentTimestamp);
            _failuresInARow = 0;
        }
        if (wasAway) Resumed?.Invoke();
    }

    /// <summary>The server said something unasked, such as a line of a watch: it lives; how fast it answers is not known from this.</summary>
    public void RecordSignOfLife()
    {
        bool wasAway;
        lock (_gate)
            wasAway = Heard();
        if (wasAway) Resumed?.Invoke();
    }

    public void RecordFailure()
    {
        lock (_gate)
            _failuresInARow++;
    }

    /// <returns>Whether this ends an outage.</returns>
    private bool Heard()
    {
        var wasAway = _lastAnswerTimestamp is { } last && timeProvider.GetElapsedTime(last) > Outage;
        if (IsPaused()) _answeringSinceTimestamp = timeProvider.GetTimestamp();
        _lastAnswerTimestamp = timeProvider.GetTimestamp();
        return wasAway;
    }

    /// <summary>A server that has been slow for long is not silent; one that is slow all of a sudden may be.</summary>
    private bool IsPaused() => _lastAnswerTimestamp is not { } last || timeProvider.GetElapsedTime(last) > LongestPause + _lastLatency;
}
