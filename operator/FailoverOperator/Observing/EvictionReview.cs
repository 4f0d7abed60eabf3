using System.Text.Json;
using FailoverOperator.Runtime.Informers;

namespace FailoverOperator.Observing;

/// <summary>An AdmissionReview (<c>admission.k8s.io/v1</c>) of the eviction of a pod.</summary>
public sealed record EvictionReview(string Uid, ObjectKey Pod, bool IsDryRun)
{
    /// <summary>Null: it is none.</summary>
    public static EvictionReview? Read(JsonElement json)
    {
        if (Member(json, "request") is not { ValueKind: JsonValueKind.Object } request) return null;
        if (Text(Member(request, "subResource")) != "eviction" || Text(Member(request, "uid")) is not { } uid || Text(Member(request, "namespace")) is not { } space) return null;
        var name = Text(Member(request, "name")) ?? Text(Member(Member(Member(request, "object"), "metadata"), "name"));
        return name is null ? null : new(uid, new ObjectKey(space, name), Member(request, "dryRun") is { ValueKind: JsonValueKind.True });
    }

    /// <summary>Yes.</summary>
    public string Answer() => JsonSerializer.Serialize(new { apiVersion = "admission.k8s.io/v1", kind = "AdmissionReview", response = new { uid = Uid, allowed = true } });

    private static JsonElement? Member(JsonElement? json, string name) =>
        json is { ValueKind: JsonValueKind.Object } parent && parent.TryGetProperty(name, out var found) ? found : null;

    private static string? Text(JsonElement? json) => json is { ValueKind: JsonValueKind.String } text && text.GetString() is { Length: > 0 } value ? value : null;
}
