using System.Net;
using System.Text.Json;
using k8s.Models;

namespace FailoverOperator.Runtime.Kubernetes;

/// <summary>From the server's answers and the transport's failures to <see cref="KubernetesApiException"/>.</summary>
internal static class ApiErrors
{
    public static KubernetesApiException FromAnswer(HttpStatusCode code, string body, string what)
    {
        var (reason, message) = ReadStatus(body);
        var failure = IsOtherUid(body) ? ApiFailure.Conflict : Classify((int)code, reason);
        return new(failure, $"{what}: {message ?? $"the API server answered {(int)code}"}");
    }

    /// <summary>An ERROR line of a watch: its object is a metav1.Status.</summary>
    public static KubernetesApiException FromWatch(JsonElement status, string what)
    {
        var code = status.ValueKind == JsonValueKind.Object && status.TryGetProperty("code", out var number)
            && number.TryGetInt32(out var value) ? value : 500;
        return FromAnswer((HttpStatusCode)code, status.GetRawText(), what);
    }

    public static KubernetesApiException NoAnswer(string what, string why, Exception inner) =>
        new(ApiFailure.Unreachable, $"{what}: {why}", inner);

    private static ApiFailure Classify(int code, string? reason) => code switch
    {
        404 => ApiFailure.NotFound,
        409 when reason == "AlreadyExists" => ApiFailure.AlreadyExists,
        409 => ApiFailure.Conflict,
        410 => ApiFailure.Expired,
        401 or 403 => ApiFailure.Forbidden,
        408 or 429 or >= 500 => ApiFailure.Unavailable,
        _ => ApiFailure.Invalid,
    };

    /// <summary>
    /// A patch that names another uid is refused as if it wanted to change it (422); what it means is that the object is
    /// not the one that was read.
    /// </summary>
    private static bool IsOtherUid(string body)
    {
        try
        {
            var status = EntityJson.Deserialize<V1Status>(body);
            return status.Code == 422 && status.Details?.Causes?.Any(cause => cause.Field == "metadata.uid") == true;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or NotSupportedException)
        {
            return false;
        }
    }

    private static (string? Reason, string? Message) ReadStatus(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? (Text(document.RootElement, "reason"), Text(document.RootElement, "message"))
                : (null, null);
        }
        catch (JsonException)
        {
            // Proxies and an API server that is starting answer in plain text.
            var text = body.Trim();
            return (null, text.Length is > 0 and <= 300 ? text : null);
        }
    }

    private static string? Text(JsonElement json, string property) =>
        json.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
