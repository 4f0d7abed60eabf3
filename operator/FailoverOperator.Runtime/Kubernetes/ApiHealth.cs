namespace FailoverOperator.Runtime.Kubernetes;

/// <summary>
/// What the calls tell about the API server: any answer, also a refusal below 500, is a sign of life.
/// Use it to doubt oneself: an operator whose API is silent or slow must accuse nobody.
/// </summary>
public sealed class ApiHealth(TimeProvider timeProvider)
{
    private readonly Lock _gate = new();
    private long? _lastAnswerTimestamp;
    private TimeSpan _lastLatency;
    private int _failuresInARow;

    /// <summary>Time since the server last answered a call; <see cref="TimeSpan.MaxValue"/> before the first answer.</summary>
    public TimeSpan SinceLastAnswer
    {
        get
        {
            lock (_gate)
                return _lastAnswerTimestamp is { } timestamp ? timeProvider.GetElapsedTime(timestamp) : TimeSpan.MaxValue;
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
        lock (_gate)
        {
            _lastAnswerTimestamp = timeProvider.GetTimestamp();
            _lastLatency = timeProvider.GetElapsedTime(sentTimestamp, _lastAnswerTimestamp.Value);
            _failuresInARow = 0;
        }
    }

    /// <summary>The server said something unasked, such as a line of a watch: it lives; how fast it answers is not known from this.</summary>
    public void RecordSignOfLife()
    {
        lock (_gate)
            _lastAnswerTimestamp = timeProvider.GetTimestamp();
    }

    public void RecordFailure()
    {
        lock (_gate)
            _failuresInARow++;
    }
}
