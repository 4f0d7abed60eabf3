using k8s;
using k8s.Models;

namespace FailoverOperator.Runtime.Kubernetes;

/// <summary>
/// The Kubernetes API, by kind: a type that carries its group, version and plural in
/// a <see cref="KubernetesEntityAttribute"/>. Every call ends within the client's own timeout, or with the token.
/// All failures are <see cref="KubernetesApiException"/>; a missing object is null for <see cref="GetAsync{T}"/> only.
/// </summary>
public interface IKubernetesApi
{
    /// <summary>Reads one object from etcd; null: it does not exist. <paramref name="namespaceName"/> is null for cluster-wide kinds.</summary>
    Task<T?> GetAsync<T>(string? namespaceName, string name, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Reads all objects (all pages) of one namespace, or of all when it is null.</summary>
    Task<ResourceList<T>> ListAsync<T>(string? namespaceName, ListOptions options, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>
    /// Changes after <paramref name="resourceVersion"/>, until the server ends the watch (no error), the token is cancelled,
    /// or an exception. An expired version is a <see cref="KubernetesApiException"/> of kind <see cref="ApiFailure.Expired"/>.
    /// </summary>
    IAsyncEnumerable<WatchNotice<T>> WatchAsync<T>(
        string? namespaceName, string resourceVersion, ListOptions options, TimeSpan serverTimeout, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Creates; <see cref="ApiFailure.AlreadyExists"/> when the name is taken.</summary>
    Task<T> CreateAsync<T>(T entity, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Replaces the object; <see cref="ApiFailure.Conflict"/> unless its resourceVersion is the current one.</summary>
    Task<T> ReplaceAsync<T>(T entity, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Replaces the status subresource only; <see cref="ApiFailure.Conflict"/> as for <see cref="ReplaceAsync{T}"/>.</summary>
    Task<T> ReplaceStatusAsync<T>(T entity, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>
    /// Applies a JSON merge patch. Put <c>metadata.resourceVersion</c> (or <c>metadata.uid</c>) into it to guard it:
    /// a mismatch is <see cref="ApiFailure.Conflict"/>.
    /// </summary>
    Task<T> MergePatchAsync<T>(string? namespaceName, string name, object patch, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Asks for the deletion; <see cref="ApiFailure.NotFound"/> when it is gone, <see cref="ApiFailure.Conflict"/> on a precondition.</summary>
    Task DeleteAsync<T>(string? namespaceName, string name, DeleteOptions options, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Whether the server serves this group, version and plural.</summary>
    Task<bool> IsServedAsync(string group, string version, string plural, CancellationToken cancellationToken);

    /// <summary>How the server serves a kind that can be scaled. Null: not at all, or without the subresource scale.</summary>
    /// <param name="apiVersion">Such as <c>apps/v1</c>.</param>
    Task<ResourceKind?> FindScalableAsync(string apiVersion, string kind, CancellationToken cancellationToken);

    /// <summary>Reads the subresource scale of one object; null: there is no such object.</summary>
    Task<V1Scale?> GetScaleAsync(ResourceKind kind, string namespaceName, string name, CancellationToken cancellationToken);

    /// <summary>Replaces it; <see cref="ApiFailure.Conflict"/> unless its resourceVersion is the object's current one.</summary>
    Task<V1Scale> ReplaceScaleAsync(ResourceKind kind, V1Scale scale, CancellationToken cancellationToken);
}

/// <summary>What to select. Null: everything.</summary>
public sealed record ListOptions(string? LabelSelector = null, string? FieldSelector = null)
{
    public static ListOptions All { get; } = new();
}

/// <summary>A consistent list and the version to watch from.</summary>
public sealed record ResourceList<T>(IReadOnlyList<T> Items, string ResourceVersion)
{
    /// <summary>Objects that are there but cannot be read: neither in <see cref="Items"/> nor gone.</summary>
    public IReadOnlyList<Informers.ObjectKey> Unreadable { get; init; } = [];
}

/// <summary>Conditions and manner of a deletion.</summary>
/// <param name="Uid">Delete only this incarnation.</param>
/// <param name="GracePeriodSeconds">Null: what the object says.</param>
public sealed record DeleteOptions(string? Uid = null, long? GracePeriodSeconds = null);

/// <summary>What a watch says.</summary>
public enum WatchNoticeType
{
    Added,
    Modified,
    Deleted,

    /// <summary>Carries a resourceVersion only: everything up to it has been sent.</summary>
    Bookmark,
}

/// <summary>One line of a watch. <paramref name="Entity"/> is the object's last state for <see cref="WatchNoticeType.Deleted"/>.</summary>
public sealed record WatchNotice<T>(WatchNoticeType Type, T Entity);

/// <summary>Why a call failed, as far as the caller's next move depends on it.</summary>
public enum ApiFailure
{
    /// <summary>No answer, or none in time: the call may or may not have been carried out.</summary>
    Unreachable,

    /// <summary>5xx or 429, after the client's own retries.</summary>
    Unavailable,
    NotFound,
    AlreadyExists,

    /// <summary>The object has changed since it was read: read again, decide again.</summary>
    Conflict,

    /// <summary>410: the resourceVersion is too old. List again.</summary>
    Expired,

    /// <summary>401 or 403.</summary>
    Forbidden,

    /// <summary>400 or 422: the request can never succeed as it is.</summary>
    Invalid,
}

/// <summary>A failed call; the message is fit for a person.</summary>
public sealed class KubernetesApiException(ApiFailure failure, string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    public ApiFailure Failure => failure;
}
