using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;

namespace FailoverOperator.Simulator.ApiServers;

/// <summary>Objects by kind and name. Each kind in the order of its names, so that lists are the same in every run.</summary>
internal sealed class StoredObjects
{
    /// <summary>Their names tell most kinds apart; a record's own number is made of all that it holds, each time.</summary>
    private static readonly EqualityComparer<ResourceKind> ByName = EqualityComparer<ResourceKind>.Create((a, b) => a == b, k => k.Kind.Length);

    private readonly Dictionary<ResourceKind, OfKind> _kinds = new(ByName);

    public StoredObject? Find(ResourceKind kind, ObjectKey key) => _kinds.TryGetValue(kind, out var known) ? known.ByKey.GetValueOrDefault(key) : null;

    public IReadOnlyList<StoredObject> Of(ResourceKind kind) => _kinds.TryGetValue(kind, out var known) ? known.Listed : [];

    public void Set(ResourceKind kind, ObjectKey key, StoredObject stored)
    {
        if (!_kinds.TryGetValue(kind, out var known)) _kinds[kind] = known = new OfKind();
        known.Set(key, stored);
    }

    public StoredObject Remove(ResourceKind kind, ObjectKey key) => _kinds[kind].Remove(key);

    private sealed class OfKind
    {
        private readonly SortedList<string, StoredObject> _sorted = new(StringComparer.Ordinal);
        private StoredObject[]? _listed;

        public Dictionary<ObjectKey, StoredObject> ByKey { get; } = [];

        /// <summary>Made once for each change: what it was stays as it was told.</summary>
        public IReadOnlyList<StoredObject> Listed => _listed ??= [.. _sorted.Values];

        public void Set(ObjectKey key, StoredObject stored)
        {
            ByKey[key] = stored;
            _sorted[PathOf(key)] = stored;
            _listed = null;
        }

        public StoredObject Remove(ObjectKey key)
        {
            ByKey.Remove(key, out var last);
            _sorted.Remove(PathOf(key));
            _listed = null;
            return last!;
        }

        private static string PathOf(ObjectKey key) => $"{key.Namespace}/{key.Name}";
    }
}
