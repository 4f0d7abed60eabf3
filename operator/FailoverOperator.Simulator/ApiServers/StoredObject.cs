using System.Text.Json;
using System.Text.Json.Nodes;
using FailoverOperator.Runtime.Kubernetes;
using k8s;
using k8s.Models;

namespace FailoverOperator.Simulator.ApiServers;

/// <summary>One version of an object. It is never changed, so that whoever is told of it can be given the same.</summary>
internal sealed class StoredObject(JsonObject json)
{
    private object? _entity;
    private object? _reading;

    public JsonObject Json => json;

    /// <summary>For who does not change it. It is read once, whoever asks how often.</summary>
    public T As<T>()
        where T : class, IKubernetesObject<V1ObjectMeta> => (_entity as T) ?? Read<T>();

    /// <summary>As somebody else reads it who has a reader of his own. There is one such reader for each kind.</summary>
    public T As<T>(Func<JsonObject, T> read)
        where T : class => (T)(_reading ??= read(json));

    /// <summary>For who changes it.</summary>
    public T Copy<T>()
        where T : class, IKubernetesObject<V1ObjectMeta> => ResourceKind.Of<T>().Stamp(json.Deserialize<T>(EntityJson.Options)!);

    private T Read<T>()
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var entity = Copy<T>();
        _entity = entity;
        return entity;
    }
}
