using System.Globalization;
using System.Text.Json.Nodes;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;

namespace FailoverOperator.Testing;

/// <summary>A change of an object, with its state before (null: it was not there).</summary>
internal sealed record StoredChange(long Version, ResourceKind Kind, WatchNoticeType Type, JsonObject? Before, JsonObject After);

/// <summary>The objects of the fake API server, and the rules by which writes change them.</summary>
internal sealed class ResourceStore(TimeProvider timeProvider)
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, JsonObject> _objects = new(StringComparer.Ordinal);
    private readonly List<StoredChange> _history = [];
    private readonly List<Watch> _watches = [];
    private long _version = 1;
    private long _oldestVersion;
    private long _uids;

    public JsonObject? Find(ResourceKind kind, ObjectKey key)
    {
        lock (_gate)
            return _objects.GetValueOrDefault(PathOf(kind, key)) is { } json ? Copy(json) : null;
    }

    public (IReadOnlyList<JsonObject> Objects, string Version) List(ResourceKind kind)
    {
        lock (_gate)
        {
            var prefix = PathOf(kind, null);
            return ([.. _objects.Where(o => o.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(o => Copy(o.Value))], Text(_version));
        }
    }

    public JsonObject Create(ResourceKind kind, JsonObject json, bool keepStatus)
    {
        lock (_gate)
        {
            var created = Copy(json);
            var key = KeyOf(created);
            if (_objects.ContainsKey(PathOf(kind, key)))
                throw Failure(ApiFailure.AlreadyExists, kind, key, "already exists");
            if (!keepStatus)
                _ = created.Remove("status");
            var metadata = Metadata(created);
            metadata["uid"] ??= string.Create(CultureInfo.InvariantCulture, $"00000000-0000-0000-0000-{++_uids:d12}");
            metadata["creationTimestamp"] ??= Now();
            metadata["generation"] ??= 1L;
            return Store(kind, key, null, created);
        }
    }

    public JsonObject Replace(ResourceKind kind, JsonObject json, bool status)
    {
        lock (_gate)
        {
            var key = KeyOf(json);
            var current = Current(kind, key);
            Guard(kind, key, current, json, versionIsNeeded: true);
            return Update(kind, key, current, status ? WithStatus(current, json) : WithoutStatus(current, json));
        }
    }

    public JsonObject Patch(ResourceKind kind, ObjectKey key, JsonObject patch)
    {
        lock (_gate)
        {
            var current = Current(kind, key);
            Guard(kind, key, current, patch, versionIsNeeded: false);
            var patched = Copy(current);
            Merge(patched, patch);
            return Update(kind, key, current, WithoutStatus(current, patched));
        }
    }

    /// <summary>Replaces everything, the status too, whatever the version.</summary>
    public JsonObject Overwrite(ResourceKind kind, JsonObject json)
    {
        lock (_gate)
        {
            var key = KeyOf(json);
            return Update(kind, key, Current(kind, key), Copy(json));
        }
    }

    public void Delete(ResourceKind kind, ObjectKey key, DeleteOptions options)
    {
        lock (_gate)
        {
            var current = Current(kind, key);
            if (options.Uid is { } uid && uid != Metadata(current)["uid"]?.GetValue<string>())
                throw Failure(ApiFailure.Conflict, kind, key, "has another uid");
            var graceSeconds = GraceSeconds(kind, current, options);
            if (graceSeconds == 0 && !HasFinalizers(current))
            {
                RemoveLocked(kind, key);
                return;
            }

            var deleting = Copy(current);
            var metadata = Metadata(deleting);
            metadata["deletionTimestamp"] ??= Text(timeProvider.GetUtcNow().AddSeconds(graceSeconds));
            metadata["deletionGracePeriodSeconds"] = graceSeconds;
            _ = Update(kind, key, current, deleting);
        }
    }

    public void Remove(ResourceKind kind, ObjectKey key)
    {
        lock (_gate)
        {
            _ = Current(kind, key);
            RemoveLocked(kind, key);
        }
    }

    public Watch Watch(ResourceKind kind, string resourceVersion, Selector selector)
    {
        lock (_gate)
        {
            var from = long.Parse(resourceVersion, CultureInfo.InvariantCulture);
            if (from < _oldestVersion)
                throw new KubernetesApiException(ApiFailure.Expired, $"watch {kind.Plural}: too old resource version: {from} ({_oldestVersion})");
            var watch = new Watch(kind, selector, Forget);
            foreach (var change in _history.Where(change => change.Version > from))
                watch.Offer(change);
            _watches.Add(watch);
            return watch;
        }
    }

    public void SendBookmarks() => ForEachWatch(watch => watch.Bookmark(Text(_version)));

    public void SilenceWatches() => ForEachWatch(watch => watch.Silence());

    public void EndWatches(ApiFailure? failure) => ForEachWatch(watch => watch.End(failure));

    public void Compact()
    {
        lock (_gate)
        {
            // Even a version that is current now is too old after it: else only writes would make one expire.
            _oldestVersion = ++_version;
            _history.Clear();
        }
    }

    private void ForEachWatch(Action<Watch> action)
    {
        lock (_gate)
        {
            foreach (var watch in _watches.ToList())
                action(watch);
        }
    }

    private void Forget(Watch watch)
    {
        lock (_gate)
            _ = _watches.Remove(watch);
    }

    private JsonObject Update(ResourceKind kind, ObjectKey key, JsonObject before, JsonObject after)
    {
        var (old, metadata) = (Metadata(before), Metadata(after));
        foreach (var name in new[] { "uid", "creationTimestamp", "resourceVersion", "generation" })
            metadata[name] = old[name]?.DeepClone();
        if (JsonNode.DeepEquals(before, after))
            return Copy(before);
        if (!JsonNode.DeepEquals(before["spec"], after["spec"]) || (old["deletionTimestamp"] is null && metadata["deletionTimestamp"] is not null))
            metadata["generation"] = (old["generation"]?.GetValue<long>() ?? 0) + 1;
        var stored = Store(kind, key, before, after);
        if (metadata["deletionTimestamp"] is not null && !HasFinalizers(after) && metadata["deletionGracePeriodSeconds"]?.GetValue<long>() is 0)
            RemoveLocked(kind, key);
        return stored;
    }

    private JsonObject Store(ResourceKind kind, ObjectKey key, JsonObject? before, JsonObject after)
    {
        Metadata(after)["resourceVersion"] = Text(++_version);
        _objects[PathOf(kind, key)] = after;
        Publish(new(_version, kind, before is null ? WatchNoticeType.Added : WatchNoticeType.Modified, before, Copy(after)));
        return Copy(after);
    }

    private void RemoveLocked(ResourceKind kind, ObjectKey key)
    {
        _ = _objects.Remove(PathOf(kind, key), out var last);
        Metadata(last!)["resourceVersion"] = Text(++_version);
        Publish(new(_version, kind, WatchNoticeType.Deleted, last, last!));
    }

    private void Publish(StoredChange change)
    {
        _history.Add(change);
        foreach (var watch in _watches)
            watch.Offer(change);
    }

    private JsonObject Current(ResourceKind kind, ObjectKey key) =>
        _objects.GetValueOrDefault(PathOf(kind, key)) ?? throw Failure(ApiFailure.NotFound, kind, key, "not found");

    private static void Guard(ResourceKind kind, ObjectKey key, JsonObject current, JsonObject wanted, bool versionIsNeeded)
    {
        var (actual, expected) = (Metadata(current), wanted["metadata"] as JsonObject);
        if (versionIsNeeded && expected?["resourceVersion"] is null)
            throw Failure(ApiFailure.Invalid, kind, key, "metadata.resourceVersion is missing");
        foreach (var name in new[] { "resourceVersion", "uid" })
        {
            if (expected?[name] is { } value && !JsonNode.DeepEquals(value, actual[name]))
                throw Failure(ApiFailure.Conflict, kind, key, "the object has been modified");
        }
    }

    private static JsonObject WithStatus(JsonObject current, JsonObject wanted)
    {
        var result = Copy(current);
        _ = result.Remove("status");
        if (wanted["status"] is { } status)
            result["status"] = status.DeepClone();
        return result;
    }

    private static JsonObject WithoutStatus(JsonObject current, JsonObject wanted)
    {
        var result = WithStatus(wanted, current);

        // Only a deletion sets these, and nothing takes them back.
        foreach (var name in new[] { "deletionTimestamp", "deletionGracePeriodSeconds" })
        {
            _ = Metadata(result).Remove(name);
            if (Metadata(current)[name] is { } value)
                Metadata(result)[name] = value.DeepClone();
        }

        return result;
    }

    /// <summary>RFC 7386.</summary>
    private static void Merge(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is null)
            {
                _ = target.Remove(name);
            }
            else if (value is JsonObject inner)
            {
                if (target[name] is not JsonObject)
                    target[name] = new JsonObject();
                Merge(target[name]!.AsObject(), inner);
            }
            else
            {
                target[name] = value.DeepClone();
            }
        }
    }

    /// <summary>Only a pod on a node ends gracefully: its kubelet has to confirm it.</summary>
    private static long GraceSeconds(ResourceKind kind, JsonObject current, DeleteOptions options) =>
        kind is not { Group: "", Kind: "Pod" } || current["spec"]?["nodeName"] is null ? 0
        : options.GracePeriodSeconds ?? current["spec"]?["terminationGracePeriodSeconds"]?.GetValue<long>() ?? 30;

    private static bool HasFinalizers(JsonObject json) => Metadata(json)["finalizers"] is JsonArray { Count: > 0 };

    private static JsonObject Metadata(JsonObject json) => json["metadata"]!.AsObject();

    private static ObjectKey KeyOf(JsonObject json) =>
        new(Metadata(json)["namespace"]?.GetValue<string>() ?? "", Metadata(json)["name"]!.GetValue<string>());

    private static string PathOf(ResourceKind kind, ObjectKey? key) =>
        $"{kind.GroupPath}/{kind.Plural}/{(key is { } known ? $"{known.Namespace}/{known.Name}" : "")}";

    private static KubernetesApiException Failure(ApiFailure failure, ResourceKind kind, ObjectKey key, string problem) =>
        new(failure, $"{kind.Plural} {key}: {problem}");

    private string Now() => Text(timeProvider.GetUtcNow());

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static JsonObject Copy(JsonObject json) => json.DeepClone().AsObject();
}
