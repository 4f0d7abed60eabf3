using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using FailoverOperator.Runtime.Informers;
using k8s;
using k8s.Models;

namespace FailoverOperator.Runtime.Kubernetes;

/// <summary>
/// <see cref="IKubernetesApi"/> over HTTP. Thin: what to retry is in <see cref="ApiTransport"/>, what a failure means
/// in <see cref="ApiErrors"/>.
/// </summary>
public sealed class KubernetesApi(ApiTransport transport, KubernetesApiOptions options, Action<UnreadableObject>? onUnreadable = null) : IKubernetesApi
{
    public async Task<T?> GetAsync<T>(string? namespaceName, string name, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            var what = $"get {Name<T>(namespaceName, name)}";
            return Entity<T>(await transport.ReadAsync(ResourceKind.Of<T>().ObjectPath(namespaceName, name), what, cancellationToken), what);
        }
        catch (KubernetesApiException e) when (e.Failure == ApiFailure.NotFound)
        {
            return null;
        }
    }

    public async Task<ResourceList<T>> ListAsync<T>(string? namespaceName, ListOptions selection, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var kind = ResourceKind.Of<T>();
        var items = new List<T>();
        var unreadable = new List<ObjectKey>();
        string? token = null;
        while (true)
        {
            var query = Query(selection, ("limit", $"{options.PageSize}"), ("continue", token));
            var body = await transport.ReadAsync(kind.CollectionPath(namespaceName) + query, $"list {kind.Plural}", cancellationToken);
            using var page = Document(body, $"list {kind.Plural}", ApiFailure.Invalid);
            foreach (var item in page.RootElement.GetProperty("items").EnumerateArray())
            {
                if (Parse<T>(kind, item) is { } entity) items.Add(entity);
                else unreadable.Add(KeyOf(item));
            }
            var metadata = page.RootElement.GetProperty("metadata");
            token = metadata.TryGetProperty("continue", out var next) ? next.GetString() : null;
            if (string.IsNullOrEmpty(token)) return new(items, metadata.GetProperty("resourceVersion").GetString() ?? "") { Unreadable = unreadable };
        }
    }

    public async IAsyncEnumerable<WatchNotice<T>> WatchAsync<T>(
        string? namespaceName, string resourceVersion, ListOptions selection, TimeSpan serverTimeout, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var kind = ResourceKind.Of<T>();
        var what = $"watch {kind.Plural}";
        var query = Query(selection, ("watch", "true"), ("allowWatchBookmarks", "true"), ("resourceVersion", resourceVersion), ("timeoutSeconds", $"{(int)serverTimeout.TotalSeconds}"));
        using var response = await transport.OpenAsync(kind.CollectionPath(namespaceName) + query, what, cancellationToken);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        while (await transport.ReadLineAsync(reader, what, cancellationToken) is { } line)
        {
            if (line.Length == 0) continue;
            // Half a line, or a proxy's page: what it told is lost, so that only a new list helps.
            using var json = Document(line, what, ApiFailure.Expired);
            var type = json.RootElement.GetProperty("type").GetString();
            var content = json.RootElement.GetProperty("object");
            if (type == "ERROR") throw ApiErrors.FromWatch(content, what);
            // An unknown type of line comes from a newer server and says nothing to us.
            if (!Enum.TryParse<WatchNoticeType>(type, ignoreCase: true, out var noticeType)) continue;
            if (Parse<T>(kind, content) is { } entity) yield return new(noticeType, entity);
            else if (noticeType == WatchNoticeType.Deleted) throw new KubernetesApiException(ApiFailure.Expired, $"{what}: a deletion could not be read");
        }
    }

    public Task<T> CreateAsync<T>(T entity, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        WriteAsync(HttpMethod.Post, ResourceKind.Of<T>().CollectionPath(entity.Namespace()), entity, "create", cancellationToken);

    public Task<T> ReplaceAsync<T>(T entity, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        PutAsync(entity, "", "replace", cancellationToken);

    public Task<T> ReplaceStatusAsync<T>(T entity, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        PutAsync(entity, "/status", "write the status of", cancellationToken);

    public async Task<T> MergePatchAsync<T>(string? namespaceName, string name, object patch, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        // A null in a merge patch removes the key, so that nulls are written here, unlike everywhere else.
        var body = JsonSerializer.Serialize(patch);
        var what = $"patch {Name<T>(namespaceName, name)}";
        return Entity<T>(await transport.WriteAsync(
            HttpMethod.Patch, ResourceKind.Of<T>().ObjectPath(namespaceName, name) + ManagerQuery, Json(body, "application/merge-patch+json"), what, cancellationToken), what);
    }

    public Task DeleteAsync<T>(string? namespaceName, string name, DeleteOptions deletion, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var body = new V1DeleteOptions
        {
            ApiVersion = "v1",
            Kind = "DeleteOptions",
            GracePeriodSeconds = deletion.GracePeriodSeconds,
            Preconditions = deletion.Uid is null ? null : new V1Preconditions { Uid = deletion.Uid },
        };
        return transport.WriteAsync(HttpMethod.Delete, ResourceKind.Of<T>().ObjectPath(namespaceName, name), Json(EntityJson.Serialize(body), "application/json"), $"delete {Name<T>(namespaceName, name)}", cancellationToken);
    }

    public async Task<bool> IsServedAsync(string group, string version, string plural, CancellationToken cancellationToken)
    {
        var path = group.Length == 0 ? $"api/{version}" : $"apis/{group}/{version}";
        try
        {
            using var found = JsonDocument.Parse(await transport.ReadAsync(path, $"discover {group}/{version}", cancellationToken));
            return found.RootElement.GetProperty("resources").EnumerateArray().Any(r => r.GetProperty("name").GetString() == plural);
        }
        catch (KubernetesApiException e) when (e.Failure == ApiFailure.NotFound)
        {
            return false;
        }
    }

    public async Task<ResourceKind?> FindScalableAsync(string apiVersion, string kind, CancellationToken cancellationToken)
    {
        var (group, version) = apiVersion.Split('/') is [var first, var second] ? (first, second) : ("", apiVersion);
        var found = new ResourceKind(group, version, kind, "");
        try
        {
            using var served = Document(await transport.ReadAsync(found.GroupPath, $"discover {apiVersion}", cancellationToken), $"discover {apiVersion}", ApiFailure.Invalid);
            var resources = served.RootElement.GetProperty("resources").EnumerateArray().Select(r => (Name: Text(r, "name"), Kind: Text(r, "kind"))).ToList();
            var plural = resources.FirstOrDefault(r => r.Kind == kind && !r.Name.Contains('/', StringComparison.Ordinal)).Name;
            return plural is not null && resources.Any(r => r.Name == $"{plural}/scale") ? found with { Plural = plural } : null;
        }
        catch (KubernetesApiException e) when (e.Failure == ApiFailure.NotFound)
        {
            return null;
        }
    }

    public async Task<V1Scale?> GetScaleAsync(ResourceKind kind, string namespaceName, string name, CancellationToken cancellationToken)
    {
        var what = $"get the scale of {kind.Kind} {namespaceName}/{name}";
        try
        {
            return Entity<V1Scale>(await transport.ReadAsync($"{kind.ObjectPath(namespaceName, name)}/scale", what, cancellationToken), what);
        }
        catch (KubernetesApiException e) when (e.Failure == ApiFailure.NotFound)
        {
            return null;
        }
    }

    public async Task<V1Scale> ReplaceScaleAsync(ResourceKind kind, V1Scale scale, CancellationToken cancellationToken)
    {
        var what = $"scale {kind.Kind} {scale.Namespace()}/{scale.Name()}";
        var path = $"{kind.ObjectPath(scale.Namespace(), scale.Name())}/scale{ManagerQuery}";
        return Entity<V1Scale>(await transport.WriteAsync(HttpMethod.Put, path, Json(EntityJson.Serialize(scale), "application/json"), what, cancellationToken), what);
    }

    private string ManagerQuery => $"?fieldManager={Uri.EscapeDataString(options.FieldManager)}";

    private async Task<T> WriteAsync<T>(HttpMethod method, string path, T entity, string verb, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var kind = ResourceKind.Of<T>();
        // Lists leave these out of their items, and the server wants them.
        entity.ApiVersion = kind.ApiVersion;
        entity.Kind = kind.Kind;
        var what = $"{verb} {Name<T>(entity.Namespace(), entity.Name())}";
        return Entity<T>(await transport.WriteAsync(method, path + ManagerQuery, Json(EntityJson.Serialize(entity), "application/json"), what, cancellationToken), what);
    }

    private Task<T> PutAsync<T>(T entity, string subresource, string verb, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        // Without a version the server would let it overwrite what others have written since.
        if (string.IsNullOrEmpty(entity.ResourceVersion()))
            throw new KubernetesApiException(ApiFailure.Invalid, $"{verb} {Name<T>(entity.Namespace(), entity.Name())}: metadata.resourceVersion is missing; read the object first");
        return WriteAsync(HttpMethod.Put, ResourceKind.Of<T>().ObjectPath(entity.Namespace(), entity.Name()) + subresource, entity, verb, cancellationToken);
    }

    private static T Entity<T>(string body, string what)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        using var json = Document(body, what, ApiFailure.Invalid);
        try
        {
            return ResourceKind.Of<T>().Stamp(EntityJson.Deserialize<T>(json.RootElement));
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            throw new KubernetesApiException(ApiFailure.Invalid, $"{what}: the answer cannot be read: {e.Message}", e);
        }
    }

    private static JsonDocument Document(string text, string what, ApiFailure failure)
    {
        try
        {
            return JsonDocument.Parse(text);
        }
        catch (JsonException e)
        {
            throw new KubernetesApiException(failure, $"{what}: the answer is not JSON: {e.Message}", e);
        }
    }

    private static bool IsUnreadable(Exception error) => error is JsonException or FormatException or InvalidOperationException or NotSupportedException;

    private static ObjectKey KeyOf(JsonElement json)
    {
        var metadata = json.ValueKind == JsonValueKind.Object && json.TryGetProperty("metadata", out var found) ? found : default;
        return new(Text(metadata, "namespace"), Text(metadata, "name"));
    }

    private T? Parse<T>(ResourceKind kind, JsonElement json)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            return kind.Stamp(EntityJson.Deserialize<T>(json));
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            // One object that somebody else wrote in a newer or broken form must not blind us to all others.
            var key = KeyOf(json);
            onUnreadable?.Invoke(new(kind.Kind, key.Namespace, key.Name, e.Message));
            return null;
        }
    }

    private static string Text(JsonElement json, string property) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(property, out var value) ? value.GetString() ?? "" : "";

    private static StringContent Json(string body, string mediaType) => new(body, Encoding.UTF8, mediaType);

    private static string Name<T>(string? namespaceName, string name)
        where T : IKubernetesObject<V1ObjectMeta> => string.IsNullOrEmpty(namespaceName) ? $"{ResourceKind.Of<T>().Kind} {name}" : $"{ResourceKind.Of<T>().Kind} {namespaceName}/{name}";

    private static string Query(ListOptions selection, params (string Name, string? Value)[] more)
    {
        var pairs = more.Append(("labelSelector", selection.LabelSelector)).Append(("fieldSelector", selection.FieldSelector)).Where(p => !string.IsNullOrEmpty(p.Item2));
        return "?" + string.Join('&', pairs.Select(p => $"{p.Item1}={Uri.EscapeDataString(p.Item2!)}"));
    }
}
