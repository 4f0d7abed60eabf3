using System.Diagnostics.CodeAnalysis;
using k8s;
using k8s.Models;

namespace FailoverOperator.Runtime.Informers;

/// <summary>
/// Objects by name, with indexes and subscribers. Subscribers are called one at a time, in the order of the changes,
/// after the cache and all its indexes have changed.
/// </summary>
internal sealed class ObjectCache<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private static readonly Comparer<ObjectKey> ByName = Comparer<ObjectKey>.Create((a, b) =>
        string.CompareOrdinal(a.Namespace, b.Namespace) is not 0 and var order ? order : string.CompareOrdinal(a.Name, b.Name));

    private readonly Lock _gate = new();
    private readonly SortedDictionary<ObjectKey, T> _objects = new(ByName);
    private readonly Dictionary<string, Index> _indexes = [];
    private readonly List<Action<CacheEvent<T>>> _subscribers = [];

    /// <summary>As last asked for, until something changes: it is asked for far more often. Null: not since.</summary>
    private T[]? _items;

    public bool TryGet(ObjectKey key, [NotNullWhen(true)] out T? entity)
    {
        lock (_gate) return _objects.TryGetValue(key, out entity);
    }

    public IReadOnlyList<T> Items()
    {
        lock (_gate) return _items ??= [.. _objects.Values];
    }

    public IReadOnlyList<T> ByIndex(string indexName, string value)
    {
        lock (_gate)
        {
            return _indexes[indexName].Of(value, _objects);
        }
    }

    public void AddIndex(string indexName, Func<T, IEnumerable<string>> values)
    {
        lock (_gate)
        {
            if (_objects.Count > 0) throw new InvalidOperationException("indexes are added before the informer is started");
            _indexes.Add(indexName, new Index(values));
        }
    }

    public void Subscribe(Action<CacheEvent<T>> handler)
    {
        lock (_gate) _subscribers.Add(handler);
    }

    public void Set(T entity)
    {
        lock (_gate)
        {
            var previous = Store(entity);
            Publish(new(previous is null ? CacheChange.Added : CacheChange.Updated, previous, entity));
        }
    }

    public void Remove(T lastState)
    {
        lock (_gate)
        {
            var previous = Drop(KeyOf(lastState));
            Publish(new(CacheChange.Deleted, previous, lastState));
        }
    }

    /// <summary>
    /// Takes a new list for the truth: what it lacks has been deleted while nobody watched. What is in
    /// <paramref name="unreadable"/> is there, in a state that is not known: the last known one stays.
    /// </summary>
    public void ReplaceAll(IReadOnlyList<T> items, IReadOnlyList<ObjectKey> unreadable)
    {
        lock (_gate)
        {
            var listed = items.ToDictionary(KeyOf);
            var events = new List<CacheEvent<T>>();
            foreach (var key in _objects.Keys.Except(unreadable).ToList())
            {
                // The same name with another UID: the old one went, and nobody saw it go.
                if (listed.TryGetValue(key, out var successor) && successor.Uid() == _objects[key].Uid()) continue;
                var gone = Drop(key)!;
                events.Add(new(CacheChange.DeletedUnseen, gone, gone));
            }
            foreach (var item in items)
            {
                var previous = Store(item);
                if (previous?.ResourceVersion() is { } version && version == item.ResourceVersion()) continue;
                events.Add(new(previous is null ? CacheChange.Added : CacheChange.Updated, previous, item));
            }
            foreach (var change in events) Publish(change);
        }
    }

    private T? Store(T entity)
    {
        var key = KeyOf(entity);
        var previous = Drop(key);
        (_objects[key], _items) = (entity, null);
        foreach (var index in _indexes.Values) index.Add(key, entity);
        return previous;
    }

    private T? Drop(ObjectKey key)
    {
        if (!_objects.Remove(key, out var previous)) return null;
        _items = null;
        foreach (var index in _indexes.Values) index.Remove(key, previous);
        return previous;
    }

    private void Publish(CacheEvent<T> change)
    {
        foreach (var subscriber in _subscribers) subscriber(change);
    }

    private static ObjectKey KeyOf(T entity) => new(entity.Namespace() ?? "", entity.Name());

    private sealed class Index(Func<T, IEnumerable<string>> values)
    {
        private readonly Dictionary<string, Found> _found = [];

        public IReadOnlyList<T> Of(string value, SortedDictionary<ObjectKey, T> objects) =>
            _found.TryGetValue(value, out var found) ? found.Items ??= [.. found.Keys.Select(key => objects[key])] : [];

        public void Add(ObjectKey key, T entity)
        {
            foreach (var value in values(entity).Distinct())
            {
                if (!_found.TryGetValue(value, out var found)) _found[value] = found = new Found();
                found.Keys.Add(key);
                found.Items = null;
            }
        }

        public void Remove(ObjectKey key, T entity)
        {
            foreach (var value in values(entity).Distinct())
            {
                if (!_found.TryGetValue(value, out var found)) continue;
                found.Keys.Remove(key);
                found.Items = null;
                if (found.Keys.Count == 0) _found.Remove(value);
            }
        }

        /// <summary>What one value leads to. The items are those of the keys, or are yet to be looked up.</summary>
        private sealed class Found
        {
            public SortedSet<ObjectKey> Keys { get; } = new(ByName);

            public T[]? Items { get; set; }
        }
    }
}
