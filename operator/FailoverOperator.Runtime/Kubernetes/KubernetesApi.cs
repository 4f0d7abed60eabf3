using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
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
            return EntityJson.Deserialize<T>(await transport.ReadAsync(ResourceKind.Of<T>().ObjectPath(namespaceName, name), $"get {Name<T>(namespaceName, name)}", cancellationToken));
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
        string? token = null;
        while (true)
        {
            var query = Query(selection, ("limit", $"{options.PageSize}"), ("continue", token));
            var body = await transport.ReadAsync(kind.CollectionPath(namespaceName) + query, $"list {kind.Plural}", cancellationToken);
            using var page = JsonDocument.Parse(body);
            foreach (var item in page.RootElement.GetProperty("items").EnumerateArray())
            {
                if (Parse<T>(kind, item) is { } entity) items.Add(entity);
            }
            var metadata = page.RootElement.GetProperty("metadata");
            token = metadata.TryGetProperty("continue", out var next) ? next.GetString() : null;
            if (string.IsNullOrEmpty(token)) return new(items, metadata.GetProperty("resourceVersion").GetString() ?? "");
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
            using var json = JsonDocument.Parse(line);
            var type = json.RootElement.GetProperty("type").GetString();
            var content = json.RootElement.GetProperty("object");
            if (type == "ERROR") throw ApiErrors.FromWatch(content, what);
            // An unknown type of line comes from a newer server and says nothing to us.
            if (!Enum.TryParse<WatchNoticeType>(type, ignoreCase: true, out var noticeType)) continue;
            if (Parse<T>(kind, content) is { } entity) yield return new(noticeType, entity);
        }
    }

    public Task<T> CreateAsync<T>(T entity, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        WriteAsync(HttpMethod.Post, ResourceKind.Of<T>().CollectionPath(entity.Namespace()), entity, "create", cancellationToken);

    public Task<T> ReplaceAsync<T>(T entity, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        WriteAsync(HttpMethod.Put, ResourceKind.Of<T>().ObjectPath(entity.Namespace(), entity.Name()), entity, "replace", cancellationToken);

    public Task<T> ReplaceStatusAsync<T>(T entity, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        WriteAsync(HttpMethod.Put, ResourceKind.Of<T>().ObjectPath(entity.Namespace(), entity.Name()) + "/status", entity, "write the status of", cancellationToken);

    public async Task<T> MergePatchAsync<T>(string? namespaceName, string name, object patch, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        // A null in a merge patch removes the key, so that nulls are written here, unlike everywhere else.
        var body = JsonSerializer.Serialize(patch);
        return EntityJson.Deserialize<T>(await transport.WriteAsync(
            HttpMethod.Patch, ResourceKind.Of<T>().ObjectPath(namespaceName, name) + ManagerQuery, Json(body, "application/merge-patch+json"), $"patch {Name<T>(namespaceName, name)}", cancellationToken));
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

    private string ManagerQuery => $"?fieldManager={Uri.EscapeDataString(options.FieldManager)}";

    private async Task<T> WriteAsync<T>(HttpMethod method, string path, T entity, string verb, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var kind = ResourceKind.Of<T>();
        // Lists leave these out of their items, and the server wants them.
        entity.ApiVersion = kind.ApiVersion;
        entity.Kind = kind.Kind;
        var answer = await transport.WriteAsync(method, path + ManagerQuery, Json(EntityJson.Serialize(entity), "application/json"), $"{verb} {Name<T>(entity.Namespace(), entity.Name())}", cancellationToken);
        return EntityJson.Deserialize<T>(answer);
    }

    private T? Parse<T>(ResourceKind kind, JsonElement json)
        where T : class
    {
        try
        {
            return EntityJson.Deserialize<T>(json);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or NotSupportedException)
        {
            // One object that somebody else wrote in a newer or broken form must not blind us to all others.
            var metadata = json.TryGetProperty("metadata", out var found) ? found : default;
            onUnreadable?.Invoke(new(kind.Kind, Text(metadata, "namespace"), Text(metadata, "name"), e.Message));
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
