using System.Collections.Concurrent;
using FailoverOperator.Runtime.Kubernetes;
using k8s;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>
/// What the API server answered to writes of our own, until the watch has caught up: the next decision is made at once, and must not do
/// again what has just been done. Only of objects that the cache has, so that nothing outlives its deletion here.
/// </summary>
public sealed class WriteMemory<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly ConcurrentDictionary<string, T> _written = new();

    public void Wrote(T entity) => _written[entity.Uid()] = entity;

    /// <summary>The newer of the cached object and what was written last.</summary>
    public T Newest(T cached)
    {
        if (!_written.TryGetValue(cached.Uid(), out var written)) return cached;
        if (Version(written) > Version(cached)) return written;
        _written.TryRemove(cached.Uid(), out _);
        return cached;
    }

    /// <summary>Forgets objects that are gone.</summary>
    public void Keep(IReadOnlyCollection<string> uids) => _written.KeepOnly(uids);

    private static ulong Version(T entity) => ResourceVersions.Number(entity.ResourceVersion());
}
