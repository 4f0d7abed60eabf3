using System.Text.Json;
using System.Text.Json.Nodes;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Simulator.ApiServers;
using k8s;
using k8s.Models;

namespace FailoverOperator.Simulator.Cluster;

/// <summary>The objects as the cluster's own parts read and write them, status and all, without a way over the network.</summary>
internal sealed class ClusterApi(ApiServer server)
{
    /// <summary>Not to be changed. Null: there is none.</summary>
    public T? Find<T>(string name, string? namespaceName = Objects.Namespace)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
            server.Store.Find(ResourceKind.Of<T>(), new ObjectKey(namespaceName ?? "", name))?.As<T>();

    /// <summary>Not to be changed.</summary>
    public IEnumerable<T> All<T>()
        where T : class, IKubernetesObject<V1ObjectMeta> => server.Store.List(ResourceKind.Of<T>()).Objects.Select(o => o.As<T>());

    public T Create<T>(T entity)
        where T : class, IKubernetesObject<V1ObjectMeta> => server.Store.Create(ResourceKind.Of<T>(), Json(entity), keepStatus: true).As<T>();

    /// <summary>Does nothing where there is no such object any more.</summary>
    public void Change<T>(string name, Action<T> change, string? namespaceName = Objects.Namespace)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (server.Store.Find(ResourceKind.Of<T>(), new ObjectKey(namespaceName ?? "", name)) is not { } stored) return;
        var copy = stored.Copy<T>();
        change(copy);
        server.Store.Overwrite(ResourceKind.Of<T>(), Json(copy));
    }

    public void Delete<T>(string name, long? graceSeconds = null)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (Find<T>(name) is not null) server.Store.Delete(
            ResourceKind.Of<T>(), new ObjectKey(Objects.Namespace, name), new DeleteOptions(GracePeriodSeconds: graceSeconds));
    }

    public void Remove<T>(string name, string? namespaceName = Objects.Namespace)
        where T : class, IKubernetesObject<V1ObjectMeta> => server.Store.Remove(ResourceKind.Of<T>(), new ObjectKey(namespaceName ?? "", name));

    private static JsonObject Json<T>(T entity)
        where T : IKubernetesObject<V1ObjectMeta> => JsonSerializer.SerializeToNode(ResourceKind.Of<T>().Stamp(entity), EntityJson.Options)!.AsObject();
}
