using System.Diagnostics.CodeAnalysis;
using k8s;
using k8s.Models;

namespace FailoverOperator.Runtime.Informers;

/// <summary>What happened to an object in an informer's cache.</summary>
public enum CacheChange
{
    Added,
    Updated,

    /// <summary>The watch said so: the object's state is its last one.</summary>
    Deleted,

    /// <summary>A new list no longer has it: what happened in between, and its last state, are unknown.</summary>
    DeletedUnseen,
}

/// <summary>A change and the object's state before and after; for deletions <paramref name="Current"/> is the last state known.</summary>
public sealed record CacheEvent<T>(CacheChange Change, T? Previous, T Current);

/// <summary>Name of an object. <paramref name="Namespace"/> is empty for cluster-wide kinds.</summary>
public readonly record struct ObjectKey(string Namespace, string Name)
{
    public override string ToString() => Namespace.Length == 0 ? Name : $"{Namespace}/{Name}";
}

/// <summary>Something that follows the API server.</summary>
public interface IWatched
{
    /// <summary>Whether the first list has been read. Before, an absent object means nothing.</summary>
    bool IsSynced { get; }

    /// <summary>Ends when <see cref="IsSynced"/> becomes true.</summary>
    Task WaitForSyncAsync(CancellationToken cancellationToken);

    /// <summary>Lists and watches until cancelled. Failures are retried with jittered backoff, never thrown.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}

/// <summary>
/// A cache of all objects of one kind that follows the API server by list and watch.
/// Invariant: the cache never goes back in time within one list generation, and a delete that the watch missed is
/// synthesised by the next list.
/// </summary>
public interface IInformer<T> : IWatched
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>
    /// Time since the server last said anything on this watch (list, event, bookmark, or an orderly end).
    /// The cache is at most this old.
    /// </summary>
    TimeSpan Staleness { get; }

    /// <summary>
    /// Nobody lets us read these objects, and they are done without: synced, and empty. An object that is not there may well exist.
    /// Whoever found one missing asks for this afterwards.
    /// </summary>
    bool IsForbidden { get; }

    /// <summary>
    /// Everything up to this version is in the cache. So, if this is asked first and the cache afterwards: an object that was written no
    /// later and is not there was deleted. 0: unknown.
    /// </summary>
    ulong Version { get; }

    bool TryGet(ObjectKey key, [NotNullWhen(true)] out T? entity);

    /// <summary>All cached objects, ordered by namespace and name.</summary>
    IReadOnlyList<T> Items();

    /// <summary>Objects that the named index maps to <paramref name="value"/>, ordered by namespace and name.</summary>
    IReadOnlyList<T> ByIndex(string indexName, string value);

    /// <summary>Adds an index before the informer is started; the function gives the values that an object is found by.</summary>
    void AddIndex(string indexName, Func<T, IEnumerable<string>> values);

    /// <summary>
    /// Called after the cache has changed, in order, one at a time. Must be quick and must not throw.
    /// Subscribers that come before the start see every object as Added.
    /// </summary>
    void Subscribe(Action<CacheEvent<T>> handler);
}
