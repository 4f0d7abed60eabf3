using System.Threading.Channels;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Simulator.ApiServers;

namespace FailoverOperator.Testing;

/// <summary>What an open watch has told and nobody has read yet.</summary>
internal sealed class WatchQueue(ResourceKind kind)
{
    private readonly Channel<WatchEvent> _events = Channel.CreateUnbounded<WatchEvent>();

    public void Tell(WatchEvent change) => _events.Writer.TryWrite(change);

    public void End(ApiFailure? failure) =>
        _events.Writer.TryComplete(failure is { } why ? new KubernetesApiException(why, $"watch {kind.Plural}: injected {why}") : null);

    /// <summary>Null: the server has ended the watch.</summary>
    public async ValueTask<WatchEvent?> NextAsync(CancellationToken cancellationToken)
    {
        while (await _events.Reader.WaitToReadAsync(cancellationToken))
        {
            if (_events.Reader.TryRead(out var next))
                return next;
        }

        return null;
    }
}
