using System.Text.Json;
using FailoverOperator.Workload;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace FailoverOperator.TestBed;

/// <summary>What a writing client does.</summary>
/// <param name="Pod">Its pod.</param>
/// <param name="Command">Of FailoverOperator.Workload.</param>
/// <param name="Host">Service or address to write to.</param>
/// <param name="ReadHost">Service to read everything back from.</param>
/// <param name="Key">What tells its rows from those of other writers.</param>
public sealed record WriterPlan(string Pod, string Command, string Host, string ReadHost, string Key)
{
    public int IntervalMilliseconds { get; init; } = 10;

    /// <summary>For a connection, and for an answer. Null: as short as the program has them.</summary>
    public int? DeadlineMilliseconds { get; init; }

    public string? OnNode { get; init; }

    public string? AwayFrom { get; init; }

    public string? PasswordVariable { get; init; }

    /// <summary>Its key <c>password</c> is the value of <see cref="PasswordVariable"/>.</summary>
    public string? PasswordSecret { get; init; }
}

/// <summary>A pod that writes and measures.</summary>
public sealed class Writer
{
    private const string Program = "/app/FailoverOperator.Workload";
    private static readonly TimeSpan LogDeadline = TimeSpan.FromSeconds(30);
    private readonly TestNamespace scope;
    private readonly string pod;

    private readonly TestCluster cluster;

    private Writer(TestCluster cluster, TestNamespace scope, string pod)
    {
        this.cluster = cluster;
        this.scope = scope;
        this.pod = pod;
    }

    /// <summary>Starts it and waits until the first write is acknowledged.</summary>
    public static async Task<Writer> StartAsync(TestCluster cluster, TestNamespace scope, WriterPlan plan)
    {
        await scope.Kubectl.RunAsync("delete", "pod", plan.Pod, "--ignore-not-found", "--wait");
        await cluster.Client.CreateNamespacedPodAsync(Manifest(plan), scope.Name);
        var writer = new Writer(cluster, scope, plan.Pod);
        await Poll.UntilAsync("the first acknowledged write", TimeSpan.FromSeconds(60),
            async () => (await writer.LogAsync()).Contains("\"Acknowledged\"", StringComparison.Ordinal), writer.LogAsync);
        return writer;
    }

    /// <summary>Waits until the last thing that happened to the client is an acknowledged write.</summary>
    public Task WaitUntilServedAsync(TimeSpan deadline) =>
        Poll.UntilAsync("writes to be acknowledged again", deadline,
            async () => (await LogAsync()).TrimEnd().Split('\n')[^1].Contains("\"Acknowledged\"", StringComparison.Ordinal), LogAsync);

    /// <summary>Ends it; it reads everything back and tells.</summary>
    public async Task<WriteSummary> StopAsync()
    {
        await scope.Kubectl.ExecAsync(pod, Program, "stop");
        var line = await Poll.UntilAsync("the writer's summary", TimeSpan.FromSeconds(60),
            async () => (await LogAsync()).Split('\n').FirstOrDefault(l => l.StartsWith("{\"summary\":", StringComparison.Ordinal)), LogAsync);
        using var document = JsonDocument.Parse(line);
        return document.RootElement.GetProperty("summary").Deserialize<WriteSummary>(JsonSerializerOptions.Web)!;
    }

    /// <summary>Empty: it cannot be read now.</summary>
    public async Task<string> LogAsync()
    {
        using var deadline = new CancellationTokenSource(LogDeadline);
        try
        {
            using var log = await cluster.Client.CoreV1.ReadNamespacedPodLogAsync(pod, scope.Name, cancellationToken: deadline.Token);
            using var reader = new StreamReader(log);
            return await reader.ReadToEndAsync(deadline.Token);
        }
        catch (Exception failure) when (failure is HttpOperationException or HttpRequestException or IOException or OperationCanceledException)
        {
            return "";
        }
    }

    private static V1Pod Manifest(WriterPlan plan) => new()
    {
        Metadata = new V1ObjectMeta { Name = plan.Pod },
        Spec = new V1PodSpec
        {
            RestartPolicy = "Never",
            TerminationGracePeriodSeconds = 0,
            // It stays on a node that Kubernetes has given up: it has things to tell later.
            Tolerations = [new V1Toleration { OperatorProperty = "Exists" }],
            NodeName = plan.OnNode,
            Affinity = plan.AwayFrom is { } node ? AwayFrom(node) : null,
            Containers =
            [
                new V1Container
                {
                    Name = plan.Pod,
                    Image = "failover-workload:local",
                    ImagePullPolicy = "IfNotPresent",
                    Args = [.. Arguments(plan)],
                    Env = plan.PasswordVariable is { } variable ? [Password(variable, plan.PasswordSecret!)] : null,
                },
            ],
        },
    };

    private static IEnumerable<string> Arguments(WriterPlan plan)
    {
        string[] arguments = [plan.Command, "--host", plan.Host, "--read-host", plan.ReadHost, "--key", plan.Key, "--interval-ms", $"{plan.IntervalMilliseconds}"];
        return plan.DeadlineMilliseconds is { } deadline ? [.. arguments, "--connect-deadline-ms", $"{deadline}", "--answer-deadline-ms", $"{deadline}"] : arguments;
    }

    private static V1EnvVar Password(string variable, string secret) =>
        new() { Name = variable, ValueFrom = new V1EnvVarSource { SecretKeyRef = new V1SecretKeySelector { Name = secret, Key = "password" } } };

    private static V1Affinity AwayFrom(string node) => new()
    {
        NodeAffinity = new V1NodeAffinity
        {
            RequiredDuringSchedulingIgnoredDuringExecution = new V1NodeSelector
            {
                NodeSelectorTerms = [new V1NodeSelectorTerm { MatchExpressions = [new V1NodeSelectorRequirement { Key = "kubernetes.io/hostname", OperatorProperty = "NotIn", Values = [node] }] }],
            },
        },
    };
}
