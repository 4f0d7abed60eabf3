using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Runtime.Queueing;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace FailoverOperator.Runtime.Controllers;

/// <summary>Bounds of a controller.</summary>
public sealed record ControllerOptions
{
    /// <summary>Entities that are worked on at the same time.</summary>
    public int Workers { get; init; } = 8;

    /// <summary>A reconciliation that takes longer is cancelled and tried again.</summary>
    public TimeSpan ReconcileTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Name of the finalizer, if one is registered.</summary>
    public string FinalizerName { get; init; } = "failover-operator.io/finalizer";
}

/// <summary>
/// Runs a controller: takes names from the queue, never one twice at the same time, calls the controller with what the
/// cache has, and asks again as the result says. Cached objects are shared: controllers must not change them.
/// </summary>
public sealed partial class ControllerHost<TEntity>(
    IInformer<TEntity> informer,
    IWorkQueue<ObjectKey> queue,
    IEntityController<TEntity> controller,
    IKubernetesApi api,
    ControllerOptions options,
    TimeProvider time,
    ILogger logger,
    IEntityFinalizer<TEntity>? finalizer = null)
    where TEntity : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<ObjectKey, TEntity> _known = new();
    private int _runningWorkers;

    /// <summary>Whether all workers run.</summary>
    public bool IsAlive => Volatile.Read(ref _runningWorkers) == options.Workers;

    /// <summary>Looks at the entity whenever it changes. Call once, before the informers are started.</summary>
    public ControllerHost<TEntity> WatchOwn()
    {
        informer.Subscribe(change => queue.Enqueue(KeyOf(change.Current)));
        return this;
    }

    /// <summary>Looks at the entities that <paramref name="map"/> names whenever the other object changes.</summary>
    /// <param name="concerns">Whether a change is worth a look. Null: each is.</param>
    public ControllerHost<TEntity> Watch<TOther>(
        IInformer<TOther> other, Func<TOther, IEnumerable<ObjectKey>> map, Func<ObjectKey, CacheEvent<TOther>, bool>? concerns = null)
        where TOther : class, IKubernetesObject<V1ObjectMeta>
    {
        other.Subscribe(change =>
        {
            // Before and after: an object that has left an entity concerns it as much as one that has come.
            var keys = change.Previous is null ? map(change.Current) : map(change.Current).Concat(map(change.Previous));
            foreach (var key in keys.Distinct())
                if (concerns is null || concerns(key, change)) queue.Enqueue(key);
        });
        return this;
    }

    /// <summary>Works until cancelled. The token is also the leadership: when it is cancelled, nothing more is begun or finished.</summary>
    public Task RunAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(Enumerable.Range(0, options.Workers).Select(_ => WorkAsync(cancellationToken)));

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _runningWorkers);
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                var key = await queue.TakeAsync(cancellationToken);
                try
                {
                    await ProcessAsync(key, cancellationToken);
                }
                finally
                {
                    queue.Done(key);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Asked to stop.
        }
        finally
        {
            Interlocked.Decrement(ref _runningWorkers);
        }
    }

    private async Task ProcessAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(options.ReconcileTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            Requeue(key, await DispatchAsync(key, both.Token));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException)
        {
            LogFailure(key, $"took longer than {options.ReconcileTimeout.TotalSeconds:0} s", null);
            queue.EnqueueAfterFailure(key);
        }
        catch (KubernetesApiException e)
        {
            // Expected in a cluster's life; the message says all, a stack trace would only frighten.
            LogFailure(key, e.Message, null);
            queue.EnqueueAfterFailure(key);
        }
        catch (Exception e)
        {
            // One entity's trouble must not stop the others' failovers.
            LogFailure(key, e.Message, e);
            queue.EnqueueAfterFailure(key);
        }
    }

    /// <returns>Null: nothing more to do.</returns>
    private async Task<ReconciliationResult<TEntity>?> DispatchAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (!informer.TryGet(key, out var entity))
        {
            if (!_known.TryGetValue(key, out var last)) return null;
            var forgotten = await controller.DeletedAsync(last, cancellationToken);
            // Only now: one that failed is tried again.
            if (forgotten.IsSuccess) _known.TryRemove(key, out _);
            return forgotten;
        }
        // The same name with another UID: its predecessor's memory must not be taken for its own.
        if (_known.TryGetValue(key, out var known) && known.Uid() != entity.Uid())
        {
            var forgotten = await controller.DeletedAsync(known, cancellationToken);
            if (!forgotten.IsSuccess) return forgotten;
        }
        _known[key] = entity;
        if (finalizer is null) return entity.Metadata.DeletionTimestamp is null ? await controller.ReconcileAsync(entity, cancellationToken) : null;
        if (entity.Metadata.DeletionTimestamp is not null) return await FinalizeAsync(finalizer, entity, cancellationToken);
        if (!HasFinalizer(entity)) entity = await SetFinalizersAsync(entity, [.. entity.Metadata.Finalizers ?? [], options.FinalizerName], cancellationToken);
        return await controller.ReconcileAsync(entity, cancellationToken);
    }

    private async Task<ReconciliationResult<TEntity>?> FinalizeAsync(IEntityFinalizer<TEntity> cleaner, TEntity entity, CancellationToken cancellationToken)
    {
        if (!HasFinalizer(entity)) return null;
        var result = await cleaner.FinalizeAsync(entity, cancellationToken);
        if (result.IsSuccess) await SetFinalizersAsync(entity, [.. entity.Metadata.Finalizers.Where(f => f != options.FinalizerName)], cancellationToken);
        return result;
    }

    private bool HasFinalizer(TEntity entity) => entity.Metadata.Finalizers?.Contains(options.FinalizerName) == true;

    private Task<TEntity> SetFinalizersAsync(TEntity entity, IReadOnlyList<string> finalizers, CancellationToken cancellationToken) =>
        api.MergePatchAsync<TEntity>(entity.Namespace(), entity.Name(), new { metadata = new { resourceVersion = entity.ResourceVersion(), finalizers } }, cancellationToken);

    private void Requeue(ObjectKey key, ReconciliationResult<TEntity>? result)
    {
        switch (result)
        {
            case null:
                queue.Forget(key);
                break;
            case { IsSuccess: true }:
                queue.Forget(key);
                if (result.RequeueAfter is { } pause) queue.EnqueueAfter(key, pause);
                break;
            default:
                LogFailure(key, result.ErrorMessage ?? "failed", result.Error);
                if (result.RequeueAfter is { } delay) queue.EnqueueAfter(key, delay);
                else queue.EnqueueAfterFailure(key);
                break;
        }
    }

    private static ObjectKey KeyOf(TEntity entity) => new(entity.Namespace() ?? "", entity.Name());

    private void LogFailure(ObjectKey key, string reason, Exception? exception) => LogReconcileFailure(typeof(TEntity).Name, key, reason, exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Kind} {Key} could not be reconciled and is tried again: {Reason}")]
    private partial void LogReconcileFailure(string kind, ObjectKey key, string reason, Exception? exception);
}
