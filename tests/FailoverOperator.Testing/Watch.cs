using System.Text.Json.Nodes;
using System.Threading.Channels;
using FailoverOperator.Runtime.Kubernetes;

namespace FailoverOperator.Testing;

/// <summary>What a watch sends.</summary>
internal sealed record WatchEvent(WatchNoticeType Type, JsonObject Object);

/// <summary>One open watch. An object that enters the selection is added for it, one that leaves is deleted.</summary>
internal sealed class Watch(ResourceKind kind, Selector selector, Action<Watch> onClosed) : IDisposable
{
    private readonly Channel<WatchEvent> _events = Channel.CreateUnbounded<WatchEvent>();
    private bool _isSilent;

    public void Offer(StoredChange change)
    {
        if (_isSilent || change.Kind != kind)
            return;
        var was = change.Before is not null && selector.Matches(change.Before);
        var isIn = change.Type != WatchNoticeType.Deleted && selector.Matches(change.After);
        WatchNoticeType? type = (was, isIn) switch
        {
            (false, false) => null,
            (false, true) => WatchNoticeType.Added,
            (true, true) => WatchNoticeType.Modified,
            (true, false) => WatchNoticeType.Deleted,
        };
        if (type is { } told)
            _ = _events.Writer.TryWrite(new(told, change.After.DeepClone().AsObject()));
    }

    public void Bookmark(string version)
    {
        if (!_isSilent)
            _ = _events.Writer.TryWrite(new(WatchNoticeType.Bookmark, new() { ["metadata"] = new JsonObject { ["resourceVersion"] = version } }));
    }

    public void Silence() => _isSilent = true;

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

    public void Dispose() => onClosed(this);
}
