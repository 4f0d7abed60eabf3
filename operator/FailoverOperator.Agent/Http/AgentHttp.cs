using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FailoverOperator.Agent.Loop;
using FailoverOperator.Agent.Supervision;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Observations;
using Microsoft.AspNetCore.Http;

namespace FailoverOperator.Agent.Http;

/// <summary>
/// Answers the operator, the other agents and the kubelet; <see cref="AgentContract"/> says what. Nothing here waits for a server
/// that hangs, or decides anything.
/// </summary>
internal sealed class AgentHttp(AgentLoop loop, AgentState state, ISupervisor supervisor, string token)
{
    private const int MaxRequestBytes = 16 * 1024;
    private const string Scheme = "Bearer ";

    /// <summary>Several who ask at the same time share one question to the server.</summary>
    private static readonly TimeSpan StatusMaxAge = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ReadinessMaxAge = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private readonly byte[] _authorization = SHA256.HashData(Encoding.UTF8.GetBytes(Scheme + token));

    public Task AnswerAsync(HttpContext context) => (context.Request.Method, context.Request.Path.Value) switch
    {
        ("GET", AgentContract.LivenessPath) => SayAsync(context, loop.IsAlive ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, loop.IsAlive ? "ok" : "the agent's loop does not turn"),
        ("GET", AgentContract.ReadinessPath) => AnswerReadinessAsync(context),
        _ when !IsAuthorized(context) => SayAsync(context, StatusCodes.Status401Unauthorized, "the token is not the agent's"),
        ("GET", AgentContract.StatusPath) => AnswerStatusAsync(context),
        ("GET", AgentContract.MetricsPath) => SayAsync(context, StatusCodes.Status200OK, AgentMetrics.Of(state, loop.Status.Last), AgentMetrics.ContentType),
        ("POST", AgentContract.AcknowledgePath) => AcknowledgeAsync(context),
        _ => SayAsync(context, StatusCodes.Status404NotFound, "there is nothing here"),
    };

    private async Task AnswerStatusAsync(HttpContext context)
    {
        var news = await loop.Status.GetAsync(StatusMaxAge, Patience, context.RequestAborted);
        await WriteAsync(context, JsonSerializer.SerializeToUtf8Bytes(AgentStatusReport.Of(state, news, supervisor.Server), AgentJson.Default.AgentStatus));
    }

    private async Task AnswerReadinessAsync(HttpContext context)
    {
        var news = await loop.Status.GetAsync(ReadinessMaxAge, Patience, context.RequestAborted);
        var isReady = news?.Reply is EngineReply.Answered { Status.Role: EngineRole.Primary or EngineRole.Standby };
        await SayAsync(context, isReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, isReady ? "ok" : EngineReply.Describe(news?.Reply));
    }

    private async Task AcknowledgeAsync(HttpContext context)
    {
        try
        {
            if (context.Request.ContentLength is not (>= 0 and <= MaxRequestBytes))
            {
                await SayAsync(context, StatusCodes.Status413PayloadTooLarge, $"a request has a Content-Length of at most {MaxRequestBytes} bytes");
                return;
            }
            var request = await JsonSerializer.DeserializeAsync(context.Request.Body, AgentJson.Default.AcknowledgeRequest, context.RequestAborted);
            if (request is { Holder: not null, Member: not null })
            {
                await WriteAsync(context, JsonSerializer.SerializeToUtf8Bytes(state.Acknowledge(request), AgentJson.Default.AcknowledgeReply));
                return;
            }
        }
        catch (JsonException)
        {
            // The same answer as for what is missing.
        }
        await SayAsync(context, StatusCodes.Status400BadRequest, "this is no question of a holder");
    }

    /// <summary>Hashes are compared, so that neither the time nor the length tells anything of the token.</summary>
    private bool IsAuthorized(HttpContext context) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(context.Request.Headers.Authorization.ToString())), _authorization);

    private static Task SayAsync(HttpContext context, int code, string text, string contentType = "text/plain")
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = contentType;
        return context.Response.WriteAsync(text, context.RequestAborted);
    }

    private static Task WriteAsync(HttpContext context, byte[] json)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        return context.Response.Body.WriteAsync(json, context.RequestAborted).AsTask();
    }
}
