using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Simulator.ApiServers;
using k8s;
using k8s.Models;

namespace FailoverOperator.Testing;

/// <summary>A call that was made, in the order of the calls.</summary>
/// <param name="Verb">get, list, watch, create, replace, replaceStatus, patch, delete or discover.</param>
public sealed record ApiCall(string Verb, string Kind, string Namespace, string Name);

/// <summary>
/// An API server in memory, for any kind: versions and conflicts, uids and generations, the status subresource, merge
/// patches, finalizers, graceful deletion of pods, watches with history. Deterministic: all time comes from the
/// TimeProvider, uids are numbered. Give it faults with <see cref="Faults"/>.
/// </summary>
public sealed class FakeKubernetesApi : IKubernetesApi
{
    private readonly TimeProvider _time;
    private readonly ResourceStore _store;
    private readonly HashSet<string> _unserved;
    private readonly ApiHealth? _health;
    private readonly List<ApiCall> _calls = [];
    private readonly List<Watch> _watches = [];
    private bool _isCutOff;

    public FakeKubernetesApi(TimeProvider timeProvider)
        : this(timeProvider, new ResourceStore(timeProvider), [], null)
    {
    }

    private FakeKubernetesApi(TimeProvider time, ResourceStore store, HashSet<string> unserved, ApiHealth? health) =>
        (_time, _store, _unserved, _health) = (time, store, unserved, health);

    public FaultPlan Faults { get; } = new();

    /// <summary>Another client of the same server, with calls, faults and connections of its own.</summary>
    /// <param name="health">Is told of answers and failures, as by the real client.</param>
    public FakeKubernetesApi Connect(ApiHealth? health = null) => new(_time, _store, _unserved, health);

    /// <summary>This client does not reach the server: its watches break, its calls fail.</summary>
    public bool IsCutOff
    {
        get => _isCutOff;
        set
        {
            _isCutOff = value;
            if (!value) return;
            lock (_watches)
                foreach (var watch in _watches) watch.End(ApiFailure.Unreachable);
        }
    }

    /// <summary>All calls so far, also those that a fault made fail.</summary>
    public IReadOnlyList<ApiCall> Calls
    {
        get
        {
            lock (_calls)
                return [.. _calls];
        }
    }

    public async Task<T?> GetAsync<T>(string? namespaceName, string name, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        await EnterAsync(Call<T>("get", namespaceName, name), cancellationToken);
        return Peek<T>(namespaceName, name);
    }

    public async Task<ResourceList<T>> ListAsync<T>(string? namespaceName, ListOptions options, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        await EnterAsync(Call<T>("list", namespaceName, ""), cancellationToken);
        var selector = new Selector(namespaceName, options);
        var (objects, version) = _store.List(ResourceKind.Of<T>());
        var items = objects.Where(stored => selector.Matches(stored.Json)).Select(Entity<T>).ToList();
        return new(items, version);
    }

    public async IAsyncEnumerable<WatchNotice<T>> WatchAsync<T>(
        string? namespaceName, string resourceVersion, ListOptions options, TimeSpan serverTimeout,
        [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        await EnterAsync(Call<T>("watch", namespaceName, ""), cancellationToken);
        using var deadline = new CancellationTokenSource(serverTimeout, _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var queue = new WatchQueue(ResourceKind.Of<T>());
        using var watch = _store.Watch(ResourceKind.Of<T>(), resourceVersion, new Selector(namespaceName, options), queue.Tell, queue.End);
        lock (_watches) _watches.Add(watch);
        using var leave = new Leave(() =>
        {
            lock (_watches) _watches.Remove(watch);
        });
        while (true)
        {
            WatchEvent change;
            try
            {
                if (await queue.NextAsync(linked.Token) is not { } next)
                    yield break;
                change = next;
            }
            catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                yield break;
            }

            _health?.RecordSignOfLife();
            yield return new(change.Type, Entity<T>(change.Object));
        }
    }

    public Task<T> CreateAsync<T>(T entity, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        WriteAsync<T>("create", entity.Namespace(), entity.Name(), kind => _store.Create(kind, Json(entity), keepStatus: false), cancellationToken);

    public Task<T> ReplaceAsync<T>(T entity, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        WriteAsync<T>("replace", entity.Namespace(), entity.Name(), kind => _store.Replace(kind, Json(entity), status: false), cancellationToken);

    public Task<T> ReplaceStatusAsync<T>(T entity, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        WriteAsync<T>("replaceStatus", entity.Namespace(), entity.Name(), kind => _store.Replace(kind, Json(entity), status: true), cancellationToken);

    public Task<T> MergePatchAsync<T>(string? namespaceName, string name, object patch, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        // With its nulls, as the client writes it: they remove.
        var json = System.Text.Json.JsonSerializer.SerializeToNode(patch)!.AsObject();
        return WriteAsync<T>("patch", namespaceName, name, kind => _store.Patch(kind, KeyOf(namespaceName, name), json), cancellationToken);
    }

    public async Task DeleteAsync<T>(string? namespaceName, string name, DeleteOptions options, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var call = Call<T>("delete", namespaceName, name);
        await EnterAsync(call, cancellationToken);
        _store.Delete(ResourceKind.Of<T>(), KeyOf(namespaceName, name), options);
        Faults.Leave(call);
    }

    public async Task<bool> IsServedAsync(string group, string version, string plural, CancellationToken cancellationToken)
    {
        await EnterAsync(new("discover", plural, "", ""), cancellationToken);
        return !_unserved.Contains($"{group}/{version}/{plural}");
    }

    /// <summary>StatefulSets and Deployments; see <see cref="Unserve"/>, with a plural such as <c>deployments/scale</c>.</summary>
    public async Task<ResourceKind?> FindScalableAsync(string apiVersion, string kind, CancellationToken cancellationToken)
    {
        await EnterAsync(new("discover", kind, "", ""), cancellationToken);
        return new[] { ResourceKind.Of<V1StatefulSet>(), ResourceKind.Of<V1Deployment>() }
            .FirstOrDefault(k => k.Kind == kind && k.ApiVersion == apiVersion && !_unserved.Contains($"{k.ApiVersion}/{k.Plural}/scale"));
    }

    public async Task<V1Scale?> GetScaleAsync(ResourceKind kind, string namespaceName, string name, CancellationToken cancellationToken)
    {
        await EnterAsync(new("getScale", kind.Kind, namespaceName, name), cancellationToken);
        return _store.Find(kind, KeyOf(namespaceName, name)) is { } stored ? ScaleOf(stored.Json) : null;
    }

    public async Task<V1Scale> ReplaceScaleAsync(ResourceKind kind, V1Scale scale, CancellationToken cancellationToken)
    {
        var call = new ApiCall("replaceScale", kind.Kind, scale.Namespace(), scale.Name());
        await EnterAsync(call, cancellationToken);
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = scale.ResourceVersion() }, ["spec"] = new JsonObject { ["replicas"] = scale.Spec.Replicas } };
        var written = _store.Patch(kind, KeyOf(scale.Namespace(), scale.Name()), patch);
        Faults.Leave(call);
        return ScaleOf(written.Json);
    }

    private static V1Scale ScaleOf(JsonObject workload)
    {
        var labels = workload["spec"]?["selector"]?["matchLabels"]?.AsObject().Select(l => $"{l.Key}={l.Value}") ?? [];
        var metadata = workload["metadata"]!;
        return new V1Scale
        {
            Metadata = new V1ObjectMeta { Name = metadata["name"]!.ToString(), NamespaceProperty = metadata["namespace"]!.ToString(), Uid = metadata["uid"]?.ToString(), ResourceVersion = metadata["resourceVersion"]!.ToString() },
            Spec = new V1ScaleSpec { Replicas = workload["spec"]?["replicas"]?.GetValue<int>() ?? 1 },
            Status = new V1ScaleStatus { Selector = string.Join(',', labels) },
        };
    }

    /// <summary>Makes <see cref="IsServedAsync"/> say no.</summary>
    public void Unserve(string group, string version, string plural) => _unserved.Add($"{group}/{version}/{plural}");

    /// <summary>Puts an object there as it is, with its status, as the cluster's own parts would have made it.</summary>
    public T Seed<T>(T entity)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var kind = ResourceKind.Of<T>();
        return Entity<T>(_store.Create(kind, Json(kind.Stamp(entity)), keepStatus: true));
    }

    /// <summary>What is there; null: nothing. No call is recorded, and no fault hits it.</summary>
    public T? Peek<T>(string? namespaceName, string name)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        _store.Find(ResourceKind.Of<T>(), KeyOf(namespaceName, name)) is { } stored ? Entity<T>(stored) : null;

    /// <summary>Of whatever was changed last.</summary>
    public string LastVersion => _store.List(ResourceKind.Of<V1Namespace>()).Version;

    /// <summary>All objects of a kind, by namespace and name; see <see cref="Peek{T}"/>.</summary>
    public IReadOnlyList<T> PeekAll<T>()
        where T : class, IKubernetesObject<V1ObjectMeta> => [.. _store.List(ResourceKind.Of<T>()).Objects.Select(Entity<T>)];

    /// <summary>Changes an object, its status too, as the kubelet or another controller would.</summary>
    public T Change<T>(string? namespaceName, string name, Action<T> change)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var entity = Peek<T>(namespaceName, name) ?? throw new ArgumentException($"there is no {typeof(T).Name} {namespaceName}/{name}");
        change(entity);
        return Entity<T>(_store.Overwrite(ResourceKind.Of<T>(), Json(entity)));
    }

    /// <summary>Takes an object away whatever its finalizers and grace say: the end of a pod, as its kubelet confirms it.</summary>
    public void Remove<T>(string? namespaceName, string name)
        where T : class, IKubernetesObject<V1ObjectMeta> => _store.Remove(ResourceKind.Of<T>(), KeyOf(namespaceName, name));

    /// <summary>Sends a bookmark on every open watch.</summary>
    public void SendBookmarks() => _store.SendBookmarks();

    /// <summary>Ends every open watch: in order, or with the failure.</summary>
    public void EndWatches(ApiFailure? failure = null) => _store.EndWatches(failure);

    /// <summary>Open watches say nothing more, and do not end: what a dead connection looks like.</summary>
    public void SilenceWatches() => _store.SilenceWatches();

    /// <summary>Forgets the history: a watch from an older version is refused as expired.</summary>
    public void Compact() => _store.Compact();

    private async Task<T> WriteAsync<T>(
        string verb, string? namespaceName, string name, Func<ResourceKind, StoredObject> write, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var call = Call<T>(verb, namespaceName, name);
        await EnterAsync(call, cancellationToken);
        var written = write(ResourceKind.Of<T>());
        Faults.Leave(call);
        return Entity<T>(written);
    }

    private async Task EnterAsync(ApiCall call, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_calls)
            _calls.Add(call);
        var sent = _time.GetTimestamp();
        try
        {
            await Faults.EnterAsync(call, cancellationToken);
            if (IsCutOff) throw new KubernetesApiException(ApiFailure.Unreachable, $"{call.Verb} {call.Kind} {call.Namespace}/{call.Name}: cut off");
            _health?.RecordAnswer(sent);
        }
        catch (KubernetesApiException e) when (e.Failure is ApiFailure.Unreachable or ApiFailure.Unavailable)
        {
            _health?.RecordFailure();
            throw;
        }
    }

    private static ApiCall Call<T>(string verb, string? namespaceName, string name)
        where T : IKubernetesObject<V1ObjectMeta> => new(verb, ResourceKind.Of<T>().Kind, namespaceName ?? "", name);

    private static ObjectKey KeyOf(string? namespaceName, string name) => new(namespaceName ?? "", name);

    private static JsonObject Json(object entity) => JsonNode.Parse(EntityJson.Serialize(entity))!.AsObject();

    private static T Entity<T>(StoredObject stored)
        where T : class, IKubernetesObject<V1ObjectMeta> => stored.Copy<T>();

    private sealed class Leave(Action leave) : IDisposable
    {
        public void Dispose() => leave();
    }
}
