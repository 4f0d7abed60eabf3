using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using FailoverOperator.Agent.Tests.Leases;
using FailoverOperator.Api.Agents;
using Microsoft.AspNetCore.Http;

namespace FailoverOperator.Agent.Tests.Binary;

/// <summary>As much of an API server as an agent needs, over real HTTPS: one lease to get, list, watch and patch.</summary>
internal sealed class LeaseServer : IAsyncDisposable
{
    private readonly LoopbackApiServer server;
    private readonly Lock gate = new();
    private JsonObject? lease;
    private int version = 1;
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private LeaseServer(LoopbackApiServer server) => this.server = server;

    public Agent.Leases.ServiceAccount Account => server.Account;

    /// <summary>Calls are received and never answered.</summary>
    public bool IsSilent { get; set; }

    /// <summary>When renewals came, by the monotonic clock.</summary>
    public List<long> Renewals { get; } = [];

    /// <summary>When the first request came.</summary>
    public long? FirstRequest { get; private set; }

    public string? Holder => Read(l => (string?)l["spec"]!["holderIdentity"]);

    public ReleaseNote? Release => Read(l => (string?)l["metadata"]!["annotations"]![LeaseContract.ReleaseAnnotation]) is { } text
        ? JsonSerializer.Deserialize(text, AgentJson.Default.ReleaseNote)
        : null;

    public static async Task<LeaseServer> StartAsync()
    {
        var host = new LeaseServer(await LoopbackApiServer.StartAsync());
        host.server.Answer = host.AnswerAsync;
        return host;
    }

    public void Assign(string holder, int term, LeaseTerms terms)
    {
        lock (gate)
        {
            lease = new JsonObject
            {
                ["metadata"] = new JsonObject
                {
                    ["name"] = "redis-0",
                    ["annotations"] = new JsonObject
                    {
                        [LeaseContract.AssignmentAnnotation] = LeaseContract.Assignment(holder, term),
                        [LeaseContract.TermsAnnotation] = JsonSerializer.Serialize(terms, AgentJson.Default.LeaseTerms),
                        [LeaseContract.ReleaseAnnotation] = JsonSerializer.Serialize(new ReleaseNote("x/y", term - 1, ReleaseReason.HandOver, null, null), AgentJson.Default.ReleaseNote),
                    },
                },
                ["spec"] = new JsonObject { ["holderIdentity"] = holder, ["leaseTransitions"] = term, ["leaseDurationSeconds"] = terms.LeaseDurationSeconds },
            };
            Changed();
        }
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private T? Read<T>(Func<JsonObject, T?> part)
    {
        lock (gate) return lease is null ? default : part(lease);
    }

    private void Changed()
    {
        lease!["metadata"]!["resourceVersion"] = (++version).ToString(CultureInfo.InvariantCulture);
        var before = changed;
        changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        before.SetResult();
    }

    private async Task AnswerAsync(Asked asked, HttpContext context)
    {
        FirstRequest ??= RealClock.Instance.GetTimestamp();
        if (IsSilent) await Task.Delay(Timeout.InfiniteTimeSpan, RealClock.Instance, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        else if (asked.Path.Contains("watch=true")) await WatchAsync(context);
        else await context.Response.WriteAsync(Answer(asked, context));
    }

    private string Answer(Asked asked, HttpContext context)
    {
        lock (gate)
        {
            if (asked.Path.Contains("fieldSelector")) return $$"""{"metadata":{"resourceVersion":"{{version}}"},"items":[{{lease?.ToJsonString()}}]}""";
            if (lease is null)
            {
                context.Response.StatusCode = 404;
                return """{"reason":"NotFound","details":{"name":"redis-0","kind":"leases"}}""";
            }
            if (asked.Method == "PATCH")
            {
                var patch = JsonNode.Parse(asked.Body)!.AsObject();
                if ((string?)patch["metadata"]!["resourceVersion"] != version.ToString(CultureInfo.InvariantCulture))
                {
                    context.Response.StatusCode = 409;
                    return "{}";
                }
                if (patch["spec"]!["renewTime"] is not null) Renewals.Add(RealClock.Instance.GetTimestamp());
                Merge(lease, patch);
                Changed();
            }
            return lease.ToJsonString();
        }
    }

    private async Task WatchAsync(HttpContext context)
    {
        var seen = context.Request.Query["resourceVersion"].ToString();
        while (!context.RequestAborted.IsCancellationRequested)
        {
            Task next;
            string? text = null;
            lock (gate)
            {
                next = changed.Task;
                if (lease is not null && (string?)lease["metadata"]!["resourceVersion"] is { } now && now != seen) (seen, text) = (now, $$"""{"type":"MODIFIED","object":{{lease.ToJsonString()}}}""" + "\n");
            }
            if (text is not null && !IsSilent) await context.Response.WriteAsync(text, context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await next.WaitAsync(context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static void Merge(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch.ToList())
            if (value is null) target.Remove(name);
            else if (value is JsonObject inner && target[name] is JsonObject existing) Merge(existing, inner);
            else target[name] = value.DeepClone();
    }
}
