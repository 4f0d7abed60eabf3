using System.Globalization;
using System.Text.Json.Nodes;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;

namespace FailoverOperator.Simulator.ApiServers;

/// <summary>A change of an object, with its state before (null: it was not there).</summary>
internal sealed record StoredChange(long Version, ResourceKind Kind, WatchNoticeType Type, StoredObject? Before, StoredObject After);

/// <summary>The objects of an API server, and the rules by which writes change them. What is stored is never changed, only replaced.</summary>
internal sealed class ResourceStore(TimeProvider timeProvider)
{
    private static readonly string[] Kept = ["uid", "creationTimestamp", "resourceVersion", "generation"];
    private static readonly string[] Guarded = ["resourceVersion", "uid"];

    private readonly Lock _gate = new();
    private readonly StoredObjects _objects = new();
    private readonly List<StoredChange> _history = [];
    private readonly List<Watch> _watches = [];
    private long _version = 1;
    private long _oldestVersion;
    private long _uids;

    public StoredObject? Find(ResourceKind kind, ObjectKey key)
    {
        lock (_gate)
            return _objects.Find(kind, key);
    }

    public (IReadOnlyList<StoredObject> Objects, string Version) List(ResourceKind kind)
    {
        lock (_gate)
            return (_objects.Of(kind), Text(_version));
    }

    public StoredObject Create(ResourceKind kind, JsonObject json, bool keepStatus)
    {
        lock (_gate)
        {
            var created = Copy(json);
            var key = KeyOf(created);
            if (_objects.Find(kind, key) is not null)
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

    public StoredObject Replace(ResourceKind kind, JsonObject json, bool status)
    {
        lock (_gate)
        {
            var key = KeyOf(json);
            var current = Current(kind, key);
            Guard(kind, key, current.Json, json, versionIsNeeded: true);
            return Update(kind, key, current, status ? WithStatus(current.Json, json) : WithoutStatus(current.Json, json));
        }
    }

    public StoredObject Patch(ResourceKind kind, ObjectKey key, JsonObject patch)
    {
        lock (_gate)
        {
            var current = Current(kind, key);
            Guard(kind, key, current.Json, patch, versionIsNeeded: false);
            var patched = Copy(current.Json);
            Merge(patched, patch);
            return Update(kind, key, current, patch.ContainsKey("status") || IsDeletion(patch) ? WithoutStatus(current.Json, patched) : patched);
        }
    }

    /// <summary>Replaces everything, the status too, whatever the version.</summary>
    public StoredObject Overwrite(ResourceKind kind, JsonObject json)
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
            if (options.Uid is { } uid && uid != Metadata(current.Json)["uid"]?.GetValue<string>())
                throw Failure(ApiFailure.Conflict, kind, key, "has another uid");
            var graceSeconds = GraceSeconds(kind, current.Json, options);
            if (graceSeconds == 0 && !HasFinalizers(current.Json))
            {
                RemoveLocked(kind, key);
                return;
            }

            var deleting = Copy(current.Json);
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

    /// <param name="tell">Called with each event from the version on, the first before this returns.</param>
    /// <param name="end">Called when the server ends the watch: in order, or with a failure.</param>
    public Watch Watch(ResourceKind kind, string resourceVersion, Selector selector, Action<WatchEvent> tell, Action<ApiFailure?> end)
    {
        lock (_gate)
        {
            var from = long.Parse(resourceVersion, CultureInfo.InvariantCulture);
            if (from < _oldestVersion)
                throw new KubernetesApiException(ApiFailure.Expired, $"watch {kind.Plural}: too old resource version: {from} ({_oldestVersion})");
            var watch = new Watch(kind, selector, tell, end, Forget);
            foreach (var change in _history.Where(change => change.Version > from))
                watch.Offer(change);
            _watches.Add(watch);
            return watch;
        }
    }

    /// <summary>Called with every change, at once.</summary>
    public Action<StoredChange>? Changed { get; set; }

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

    private StoredObject Update(ResourceKind kind, ObjectKey key, StoredObject stored, JsonObject after)
    {
        var before = stored.Json;
        var (old, metadata) = (Metadata(before), Metadata(after));
        foreach (var name in Kept)
        {
            if (!JsonNode.DeepEquals(metadata[name], old[name])) metadata[name] = old[name]?.DeepClone();
        }
        if (JsonNode.DeepEquals(before, after))
            return stored;
        if (!JsonNode.DeepEquals(before["spec"], after["spec"]) || (old["deletionTimestamp"] is null && metadata["deletionTimestamp"] is not null))
            metadata["generation"] = (old["generation"]?.GetValue<long>() ?? 0) + 1;
        var updated = Store(kind, key, stored, after);
        if (metadata["deletionTimestamp"] is not null && !HasFinalizers(after) && metadata["deletionGracePeriodSeconds"]?.GetValue<long>() is 0)
            RemoveLocked(kind, key);
        return updated;
    }

    private StoredObject Store(ResourceKind kind, ObjectKey key, StoredObject? before, JsonObject after)
    {
        Metadata(after)["resourceVersion"] = Text(++_version);
        var stored = new StoredObject(after);
        _objects.Set(kind, key, stored);
        Publish(new(_version, kind, before is null ? WatchNoticeType.Added : WatchNoticeType.Modified, before, stored));
        return stored;
    }

    private void RemoveLocked(ResourceKind kind, ObjectKey key)
    {
        var last = _objects.Remove(kind, key);
        var gone = Copy(last.Json);
        Metadata(gone)["resourceVersion"] = Text(++_version);
        Publish(new(_version, kind, WatchNoticeType.Deleted, last, new StoredObject(gone)));
    }

    private void Publish(StoredChange change)
    {
        _history.Add(change);
        foreach (var watch in _watches)
            watch.Offer(change);
        Changed?.Invoke(change);
    }

    private StoredObject Current(ResourceKind kind, ObjectKey key) =>
        _objects.Find(kind, key) ?? throw Failure(ApiFailure.NotFound, kind, key, "not found");

    private static void Guard(ResourceKind kind, ObjectKey key, JsonObject current, JsonObject wanted, bool versionIsNeeded)
    {
        var (actual, expected) = (Metadata(current), wanted["metadata"] as JsonObject);
        if (versionIsNeeded && expected?["resourceVersion"] is null)
            throw Failure(ApiFailure.Invalid, kind, key, "metadata.resourceVersion is missing");
        foreach (var name in Guarded)
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

    private static bool IsDeletion(JsonObject patch) =>
        patch["metadata"] is JsonObject metadata && (metadata.ContainsKey("deletionTimestamp") || metadata.ContainsKey("deletionGracePeriodSeconds"));

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

    private static KubernetesApiException Failure(ApiFailure failure, ResourceKind kind, ObjectKey key, string problem) =>
        new(failure, $"{kind.Plural} {key}: {problem}");

    private string Now() => Text(timeProvider.GetUtcNow());

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static JsonObject Copy(JsonObject json) => json.DeepClone().AsObject();
}
