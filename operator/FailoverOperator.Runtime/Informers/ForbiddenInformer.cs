using System.Diagnostics.CodeAnalysis;
using k8s;
using k8s.Models;

namespace FailoverOperator.Runtime.Informers;

/// <summary>For objects that are not to be asked for at all, because the right to read them is known to be missing.</summary>
public sealed class ForbiddenInformer<T>(TimeProvider time) : IInformer<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    public bool IsSynced => true;

    public bool IsForbidden => true;

    public TimeSpan Staleness => TimeSpan.Zero;

    public ulong Version => 0;

    public Task WaitForSyncAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task RunAsync(CancellationToken cancellationToken) => Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);

    public bool TryGet(ObjectKey key, [NotNullWhen(true)] out T? entity)
    {
        entity = null;
        return false;
    }

    public IReadOnlyList<T> Items() => [];

    public IReadOnlyList<T> ByIndex(string indexName, string value) => [];

    public void AddIndex(string indexName, Func<T, IEnumerable<string>> values)
    {
        // There will never be anything to find.
    }

    public void Subscribe(Action<CacheEvent<T>> handler)
    {
        // Nothing will ever change.
    }
}
