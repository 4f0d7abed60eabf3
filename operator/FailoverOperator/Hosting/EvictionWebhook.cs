using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FailoverOperator.Acting;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Kubernetes;

namespace FailoverOperator.Hosting;

/// <summary>
/// What the API server asks before it tries an eviction. The answer is always yes, for the PodDisruptionBudget decides; to have been asked is what
/// counts. Whoever else calls does not know the path.
/// </summary>
public sealed partial class EvictionWebhook(EvictionNotes notes, OperatorClock clock, ILogger<EvictionWebhook> logger)
{
    private const int MaxBodyBytes = 1 << 20;

    /// <summary>The API server waits for 2 s, and without an answer goes on.</summary>
    private static readonly TimeSpan NoteTimeout = TimeSpan.FromMilliseconds(1500);

    public void Map(WebApplication app, string folder) => app.MapPost("/evictions/{token}", async (string token, HttpContext context) =>
    {
        if (!context.Request.IsHttps || !IsToken(token, await File.ReadAllTextAsync(Path.Combine(folder, "token"), context.RequestAborted))) return Results.NotFound();
        if (context.Request.ContentLength is > MaxBodyBytes) return Results.StatusCode(StatusCodes.Status413PayloadTooLarge);
        return await ReadAsync(context) is { } body && await AnswerAsync(body, context.RequestAborted) is { } answer
            ? Results.Text(answer, "application/json") : Results.BadRequest();
    });

    /// <summary>Null: it is not JSON.</summary>
    private static async Task<JsonElement?> ReadAsync(HttpContext context)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync<JsonElement>(context.Request.Body, cancellationToken: context.RequestAborted);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Null: it is no review of an eviction.</summary>
    public async Task<string?> AnswerAsync(JsonElement json, CancellationToken cancellationToken)
    {
        if (EvictionReview.Read(json) is not { } review) return null;
        if (review.IsDryRun) return review.Answer();
        using var deadline = new CancellationTokenSource(NoteTimeout, clock.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            await notes.NoteAsync(review.Pod, either.Token);
        }
        catch (Exception e) when (e is KubernetesApiException or OperationCanceledException)
        {
            // A drain asks again.
            LogNotNoted(review.Pod.ToString(), e.Message);
        }
        return review.Answer();
    }

    private static bool IsToken(string token, string expected) =>
        expected.Trim() is { Length: >= 16 } secret && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(token), Encoding.UTF8.GetBytes(secret));

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Pod}: its eviction is asked for, which could not be written down: {Problem}")]
    private partial void LogNotNoted(string pod, string problem);
}
