using System.Reflection;
using k8s;
using k8s.Models;

namespace FailoverOperator.Runtime.Kubernetes;

/// <summary>Group, version, kind and plural of an entity type, and the URLs that follow from them.</summary>
public sealed record ResourceKind(string Group, string Version, string Kind, string Plural)
{
    /// <summary><c>v1</c> for the core group, <c>group/version</c> for others.</summary>
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>Path of the API group, relative to the server's root.</summary>
    public string GroupPath => Group.Length == 0 ? $"api/{Version}" : $"apis/{Group}/{Version}";

    public static ResourceKind Of<T>()
        where T : IKubernetesObject<V1ObjectMeta> => Cache<T>.Kind;

    /// <inheritdoc cref="Of{T}"/>
    /// <exception cref="ArgumentException">The type carries no <see cref="KubernetesEntityAttribute"/>.</exception>
    public static ResourceKind Of(Type type)
    {
        var attribute = type.GetCustomAttribute<KubernetesEntityAttribute>()
            ?? throw new ArgumentException($"{type.Name} has no [KubernetesEntity]", nameof(type));
        return new(attribute.Group ?? "", attribute.ApiVersion, attribute.Kind, attribute.PluralName);
    }

    /// <summary>Path of the collection; of all namespaces, or of a cluster-wide kind, when <paramref name="namespaceName"/> is null.</summary>
    public string CollectionPath(string? namespaceName) =>
        string.IsNullOrEmpty(namespaceName)
            ? $"{GroupPath}/{Plural}"
            : $"{GroupPath}/namespaces/{Uri.EscapeDataString(namespaceName)}/{Plural}";

    public string ObjectPath(string? namespaceName, string name) =>
        name.Length > 0
            ? $"{CollectionPath(namespaceName)}/{Uri.EscapeDataString(name)}"
            : throw new ArgumentException("an object needs a name", nameof(name));

    /// <summary>Items of lists come without their kind: fills it in.</summary>
    public T Stamp<T>(T entity)
        where T : IKubernetesObject<V1ObjectMeta>
    {
        entity.ApiVersion = ApiVersion;
        entity.Kind = Kind;
        return entity;
    }

    private static class Cache<T>
    {
        public static ResourceKind Kind { get; } = Of(typeof(T));
    }
}
