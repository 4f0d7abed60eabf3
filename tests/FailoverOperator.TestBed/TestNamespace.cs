using k8s;
using k8s.Models;

namespace FailoverOperator.TestBed;

/// <summary>A namespace for one test; goes with it.</summary>
public sealed class TestNamespace : IAsyncDisposable
{
    private static int count;
    private readonly TestCluster cluster;

    private TestNamespace(TestCluster cluster, string name)
    {
        this.cluster = cluster;
        Name = name;
        Kubectl = cluster.Kubectl.In(name);
    }

    public string Name { get; }

    public Kubectl Kubectl { get; }

    public static async Task<TestNamespace> CreateAsync(TestCluster cluster, string prefix)
    {
        var name = $"{prefix}-{Environment.ProcessId}-{Interlocked.Increment(ref count)}";
        await cluster.Client.CreateNamespaceAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = name } });
        var created = new TestNamespace(cluster, name);
        await Poll.UntilAsync("the default service account", TimeSpan.FromSeconds(30),
            async () => (await created.Kubectl.TryAsync("get", "serviceaccount", "default")).Succeeded);
        return created;
    }

    /// <summary>What a person would look at first: the objects, the events and the pods.</summary>
    public async Task<string> DescribeAsync()
    {
        var parts = new List<string>();
        foreach (var arguments in (string[][])[["get", "pods", "-o", "wide", "--show-labels"], ["get", "redundancygroups,failovers,leases,endpoints", "-o", "yaml"], ["get", "events.events.k8s.io"]])
        {
            var result = await Kubectl.TryAsync(arguments);
            parts.Add($"--- kubectl {string.Join(' ', arguments)}\n{result.Output}{result.Error}");
        }
        foreach (var pod in (await Kubectl.TryAsync("get", "pods", "-o", "name")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var log = await Kubectl.TryAsync("logs", pod, "--tail", "60");
            parts.Add($"--- {pod}\n{log.Output}{log.Error}");
        }
        return string.Join('\n', parts);
    }

    public async ValueTask DisposeAsync()
    {
        // A node that is off never confirms the end of its pods; nobody waits for it.
        await cluster.Kubectl.TryAsync("delete", "namespace", Name, "--wait=false");
    }
}
