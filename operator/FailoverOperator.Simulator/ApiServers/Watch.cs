using System.Text.Json.Nodes;
using FailoverOperator.Runtime.Kubernetes;

namespace FailoverOperator.Simulator.ApiServers;

/// <summary>What a watch sends.</summary>
internal sealed record WatchEvent(WatchNoticeType Type, StoredObject Object);

/// <summary>One open watch. An object that enters the selection is added for it, one that leaves is deleted.</summary>
internal sealed class Watch(ResourceKind kind, Selector selector, Action<WatchEvent> tell, Action<ApiFailure?> end,
    Action<Watch> onClosed) : IDisposable
{
    private bool _isSilent;

    public void Offer(StoredChange change)
    {
        if (_isSilent || change.Kind != kind)
            return;
        var was = change.Before is not null && selector.Matches(change.Before.Json);
        var isIn = change.Type != WatchNoticeType.Deleted && selector.Matches(change.After.Json);
        WatchNoticeType? type = (was, isIn) switch
        {
            (false, false) => null,
            (false, true) => WatchNoticeType.Added,
            (true, true) => WatchNoticeType.Modified,
            (true, false) => WatchNoticeType.Deleted,
        };
        if (type is { } told)
            tell(new(told, change.After));
    }

    public void Bookmark(string version)
    {
        if (!_isSilent)
            tell(new(WatchNoticeType.Bookmark, new StoredObject(new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = version } })));
    }

    public void Silence() => _isSilent = true;

    public void End(ApiFailure? failure) => end(failure);

    public void Dispose() => onClosed(this);
}
