using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Simulator.Scheduling;

namespace FailoverOperator.Simulator.ApiServers;

/// <summary>A watch of one machine, and the connection that it tells over.</summary>
internal sealed class ServedWatch(EventLoop loop, string machine, Networking.MessageStream stream, Mailbox<WatchEvent> mailbox,
    Func<TimeSpan> lag) : IDisposable
{
    private TimeSpan _lastTold;

    public string Machine => machine;

    public Watch? Watch { get; set; }

    public Action? Closed { get; set; }

    public void Tell(WatchEvent change)
    {
        var at = loop.Now + lag();
        if (at < _lastTold) at = _lastTold;
        _lastTold = at;
        if (at <= loop.Now) stream.Send(() => mailbox.Put(change));
        else loop.At(at, () => stream.Send(() => mailbox.Put(change)));
    }

    public void End(ApiFailure? failure) =>
        stream.Send(() => mailbox.End(failure is { } why ? new KubernetesApiException(why, $"the watch ended: {why}") : null));

    /// <summary>The server ends it, and says why if the network lets it.</summary>
    public void Break(ApiFailure failure)
    {
        End(failure);
        Watch?.Dispose();
        Closed?.Invoke();
    }

    public void Silence() => Watch?.Silence();

    public void Dispose()
    {
        stream.Close();
        Watch?.Dispose();
        Closed?.Invoke();
    }
}
