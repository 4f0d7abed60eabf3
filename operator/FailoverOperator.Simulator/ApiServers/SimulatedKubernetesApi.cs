using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using k8s;
using k8s.Models;

namespace FailoverOperator.Simulator.ApiServers;

/// <summary>The API as the operator's code sees it, over the simulated network, with the real client's timeouts and retries.</summary>
public sealed class SimulatedKubernetesApi(ApiConnection connection, ApiHealth health, Random random) : IKubernetesApi
{
    private readonly KubernetesApiOptions _options = new();

    private TimeProvider Time => connection.Process.Time;

    private ResourceStore Store => connection.Server.Store;

    public Task<T?> GetAsync<T>(string? namespaceName, string name, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        CallAsync(Request<T>("get", namespaceName, name), kind => Store.Find(kind, KeyOf(namespaceName, name))?.As<T>(), cancellationToken);

    public Task<ResourceList<T>> ListAsync<T>(string? namespaceName, ListOptions options, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var selector = new Selector(namespaceName, options);
        return CallAsync(Request<T>("list", namespaceName, ""), kind =>
        {
            var (objects, version) = Store.List(kind);
            return new ResourceList<T>([.. objects.Where(o => selector.Matches(o.Json)).Select(o => o.As<T>())], version);
        }, cancellationToken);
    }

    public async IAsyncEnumerable<WatchNotice<T>> WatchAsync<T>(
        string? namespaceName, string resourceVersion, ListOptions options, TimeSpan serverTimeout,
        [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var mailbox = new Mailbox<WatchEvent>();
        using var watch = await AttemptAsync(Request<T>("watch", namespaceName, ""), _options.CallTimeout, kind =>
            connection.Server.Open(connection.Machine, kind, resourceVersion, new Selector(namespaceName, options), mailbox), cancellationToken);
        using var timer = Time.CreateTimer(_ => mailbox.End(null), null, serverTimeout, Timeout.InfiniteTimeSpan);
        while (await mailbox.TakeAsync(cancellationToken) is (true, var change))
        {
            health.RecordSignOfLife();
            yield return new(change.Type, change.Object.As<T>());
        }
    }

    public Task<T> CreateAsync<T>(T entity, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        WriteAsync<T>("create", entity.Namespace(), entity.Name(), Json(entity), (kind, json) => Store.Create(kind, json, keepStatus: false),
            cancellationToken);

    public Task<T> ReplaceAsync<T>(T entity, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        WriteAsync<T>("replace", entity.Namespace(), entity.Name(), Json(entity), (kind, json) => Store.Replace(kind, json, status: false),
            cancellationToken);

    public Task<T> ReplaceStatusAsync<T>(T entity, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        WriteAsync<T>("replaceStatus", entity.Namespace(), entity.Name(), Json(entity), (kind, json) => Store.Replace(kind, json, status: true),
            cancellationToken);

    public Task<T> MergePatchAsync<T>(string? namespaceName, string name, object patch, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        // With its nulls, as the client writes it: they remove.
        WriteAsync<T>("patch", namespaceName, name, JsonSerializer.SerializeToNode(patch)!.AsObject(),
            (kind, json) => Store.Patch(kind, KeyOf(namespaceName, name), json), cancellationToken);

    public Task DeleteAsync<T>(string? namespaceName, string name, DeleteOptions options, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        CallAsync(Request<T>("delete", namespaceName, name), kind =>
        {
            Store.Delete(kind, KeyOf(namespaceName, name), options);
            return true;
        }, cancellationToken);

    public Task<bool> IsServedAsync(string group, string version, string plural, CancellationToken cancellationToken) =>
        CallAsync(new ApiRequest("discover", plural, "", ""), () => true, cancellationToken);

    /// <summary>Nothing of this cluster can be scaled.</summary>
    public Task<ResourceKind?> FindScalableAsync(string apiVersion, string kind, CancellationToken cancellationToken) =>
        CallAsync<ResourceKind?>(new ApiRequest("discover", kind, "", ""), () => null, cancellationToken);

    public Task<V1Scale?> GetScaleAsync(ResourceKind kind, string namespaceName, string name, CancellationToken cancellationToken) =>
        CallAsync<V1Scale?>(new ApiRequest("get", kind.Kind, namespaceName, name), () => null, cancellationToken);

    public Task<V1Scale> ReplaceScaleAsync(ResourceKind kind, V1Scale scale, CancellationToken cancellationToken) =>
        CallAsync<V1Scale>(new ApiRequest("replace", kind.Kind, scale.Namespace(), scale.Name()),
            () => throw new KubernetesApiException(ApiFailure.NotFound, $"{kind.Kind} {scale.Name()} cannot be scaled"), cancellationToken);

    private Task<T> WriteAsync<T>(
        string verb, string? namespaceName, string name, JsonObject json, Func<ResourceKind, JsonObject, StoredObject> write,
            CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        CallAsync(Request<T>(verb, namespaceName, name), kind => write(kind, json).As<T>(), cancellationToken);

    private Task<TResult> CallAsync<TResult>((ApiRequest Request, ResourceKind Kind) call, Func<ResourceKind, TResult> carryOut,
        CancellationToken cancellationToken) =>
        CallAsync(call.Request, () => carryOut(call.Kind), cancellationToken);

    /// <summary>Reads are tried again after anything that may pass, writes only where the server surely did nothing.</summary>
    private async Task<TResult> CallAsync<TResult>(ApiRequest request, Func<TResult> carryOut, CancellationToken cancellationToken)
    {
        var begun = Time.GetTimestamp();
        for (var retries = 0; ; retries++)
        {
            var left = _options.CallTimeout - Time.GetElapsedTime(begun);
            try
            {
                return await AttemptAsync(request, request.IsWrite
                    || left < _options.ReadAttemptTimeout ? left : _options.ReadAttemptTimeout, carryOut, cancellationToken);
            }
            catch (KubernetesApiException e) when (retries < _options.MaxRetries
                && (e.Failure == ApiFailure.Unavailable || (e.Failure == ApiFailure.Unreachable && !request.IsWrite)))
            {
                var pause = Pause(retries);
                if (Time.GetElapsedTime(begun) + pause >= _options.CallTimeout) throw;
                await Task.Delay(pause, Time, cancellationToken);
            }
        }
    }

    private Task<TResult> AttemptAsync<TResult>(
        (ApiRequest Request, ResourceKind Kind) call, TimeSpan timeout, Func<ResourceKind, TResult> carryOut, CancellationToken cancellationToken) =>
        AttemptAsync(call.Request, timeout, () => carryOut(call.Kind), cancellationToken);

    private async Task<TResult> AttemptAsync<TResult>(
        ApiRequest request, TimeSpan timeout, Func<TResult> carryOut, CancellationToken cancellationToken)
    {
        var sent = Time.GetTimestamp();
        try
        {
            var result = await connection.CallAsync(request, timeout, carryOut, cancellationToken);
            health.RecordAnswer(sent);
            return result;
        }
        catch (KubernetesApiException e) when (e.Failure is ApiFailure.Unreachable or ApiFailure.Unavailable)
        {
            health.RecordFailure();
            throw;
        }
        catch (KubernetesApiException)
        {
            health.RecordAnswer(sent);
            throw;
        }
    }

    private TimeSpan Pause(int retries)
    {
        var full = _options.RetryBaseDelay * Math.Pow(2, retries);
        return (full < _options.RetryMaxDelay ? full : _options.RetryMaxDelay) * (0.5 + (random.NextDouble() / 2));
    }

    private static (ApiRequest Request, ResourceKind Kind) Request<T>(string verb, string? namespaceName, string name)
        where T : IKubernetesObject<V1ObjectMeta> => (new(verb, ResourceKind.Of<T>().Kind, namespaceName ?? "", name), ResourceKind.Of<T>());

    private static ObjectKey KeyOf(string? namespaceName, string name) => new(namespaceName ?? "", name);

    private static JsonObject Json<T>(T entity)
        where T : IKubernetesObject<V1ObjectMeta> => JsonSerializer.SerializeToNode(ResourceKind.Of<T>().Stamp(entity), EntityJson.Options)!.AsObject();
}
