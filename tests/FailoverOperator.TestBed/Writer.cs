using System.Text.Json;
using k8s;
using k8s.Models;

namespace FailoverOperator.TestBed;

/// <summary>What the writing client saw; the shape is FailoverOperator.Workload's.</summary>
/// <param name="DowntimeMilliseconds">The longest gap between two acknowledged writes.</param>
/// <param name="LostWrites">Acknowledged writes that were not there in the end. Null: could not be read back.</param>
public sealed record WriterSummary(
    long Attempted, long Acknowledged, long Refused, long Unknown, long DowntimeMilliseconds,
    long? LastAcknowledgedMilliseconds, long StoppedMilliseconds, long? LostWrites)
{
    /// <summary>Writes were acknowledged up to the end: whatever the outage was, it is over.</summary>
    public bool ServedAtTheEnd => LastAcknowledgedMilliseconds is { } last && StoppedMilliseconds - last < 1000;
}

/// <summary>A pod that writes through a Service and measures.</summary>
public sealed class Writer
{
    private const string Pod = "writer";
    private const string Program = "/app/FailoverOperator.Workload";
    private readonly TestCluster cluster;
    private readonly TestNamespace scope;

    private Writer(TestCluster cluster, TestNamespace scope)
    {
        this.cluster = cluster;
        this.scope = scope;
    }

    /// <summary>Starts it and waits until the first write is acknowledged.</summary>
    /// <param name="awayFrom">A node that it must not be on, as it will lose power.</param>
    public static async Task<Writer> StartAsync(TestCluster cluster, TestNamespace scope, string service, string? awayFrom = null)
    {
        await scope.Kubectl.RunAsync("delete", "pod", Pod, "--ignore-not-found", "--wait");
        await cluster.Client.CreateNamespacedPodAsync(Manifest(service, awayFrom), scope.Name);
        var writer = new Writer(cluster, scope);
        await Poll.UntilAsync("the first acknowledged write", TimeSpan.FromSeconds(60),
            async () => (await writer.LogAsync()).Contains("\"Acknowledged\"", StringComparison.Ordinal), writer.LogAsync);
        return writer;
    }

    /// <summary>Waits until the last thing that happened to the client is an acknowledged write.</summary>
    public Task WaitUntilServedAsync(TimeSpan deadline) =>
        Poll.UntilAsync("writes to be acknowledged again", deadline,
            async () => (await LogAsync()).TrimEnd().Split('\n')[^1].Contains("\"Acknowledged\"", StringComparison.Ordinal), LogAsync);

    /// <summary>Ends it; it reads everything back and tells.</summary>
    public async Task<WriterSummary> StopAsync()
    {
        await scope.Kubectl.ExecAsync(Pod, Program, "stop");
        var line = await Poll.UntilAsync("the writer's summary", TimeSpan.FromSeconds(30),
            async () => (await LogAsync()).Split('\n').FirstOrDefault(l => l.StartsWith("{\"summary\":", StringComparison.Ordinal)), LogAsync);
        using var document = JsonDocument.Parse(line);
        return document.RootElement.GetProperty("summary").Deserialize<WriterSummary>(JsonSerializerOptions.Web)!;
    }

    public async Task<string> LogAsync() => (await scope.Kubectl.TryAsync("logs", Pod)) is var result ? result.Output : "";

    private static V1Pod Manifest(string service, string? awayFrom) => new()
    {
        Metadata = new V1ObjectMeta { Name = Pod },
        Spec = new V1PodSpec
        {
            RestartPolicy = "Never",
            TerminationGracePeriodSeconds = 0,
            Affinity = awayFrom is null ? null : new V1Affinity
            {
                NodeAffinity = new V1NodeAffinity
                {
                    RequiredDuringSchedulingIgnoredDuringExecution = new V1NodeSelector
                    {
                        NodeSelectorTerms = [new V1NodeSelectorTerm { MatchExpressions = [new V1NodeSelectorRequirement { Key = "kubernetes.io/hostname", OperatorProperty = "NotIn", Values = [awayFrom] }] }],
                    },
                },
            },
            Containers =
            [
                new V1Container { Name = Pod, Image = "failover-workload:local", ImagePullPolicy = "IfNotPresent", Args = ["redis-writer", "--host", service] },
            ],
        },
    };
}
