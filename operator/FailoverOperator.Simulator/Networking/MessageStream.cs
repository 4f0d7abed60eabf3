using FailoverOperator.Simulator.Scheduling;

namespace FailoverOperator.Simulator.Networking;

/// <summary>One direction of a connection: what is sent arrives in order, or not at all.</summary>
public sealed class MessageStream(EventLoop loop, Network network, string from, string to)
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(300);

    private readonly Queue<Action> _unsent = new();
    private TimeSpan _lastArrival;
    private bool _isRetrying;

    public bool IsClosed { get; private set; }

    /// <summary>What is under way does not arrive any more.</summary>
    public void Close()
    {
        IsClosed = true;
        _unsent.Clear();
    }

    public void Send(Action arrive)
    {
        if (IsClosed) return;
        _unsent.Enqueue(arrive);
        Flush();
    }

    private void Flush()
    {
        if (IsClosed || _isRetrying) return;
        if (!network.IsOpen(from, to))
        {
            _isRetrying = true;
            loop.After(Retry, () =>
            {
                _isRetrying = false;
                Flush();
            });
            return;
        }
        while (_unsent.TryDequeue(out var arrive))
        {
            var arrival = loop.Now + network.Delay(from, to);
            if (arrival < _lastArrival) arrival = _lastArrival;
            _lastArrival = arrival;
            loop.At(arrival, () =>
            {
                if (!IsClosed) arrive();
            });
        }
    }
}
