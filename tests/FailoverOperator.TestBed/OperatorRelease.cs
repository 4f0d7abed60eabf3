using k8s;
using k8s.Models;

namespace FailoverOperator.TestBed;

/// <summary>The operator, installed with the chart as a user would.</summary>
public sealed class OperatorRelease(TestCluster cluster, Helm helm)
{
    public const string Namespace = "failover-system";
    private const string Name = "failover-operator";
    private const string Selector = $"app.kubernetes.io/name={Name}";

    private static readonly TimeSpan RolloutDeadline = TimeSpan.FromMinutes(2);

    /// <summary>Installs, or upgrades to the images of this checkout, and waits until it is ready.</summary>
    /// <param name="values">Values of the chart, as <c>name=value</c>.</param>
    public async Task InstallAsync(params string[] values)
    {
        // Helm installs CRDs, but never upgrades them.
        if ((await cluster.Kubectl.TryAsync("get", "-f", Repository.PathOf("crds"))).Succeeded)
            await cluster.Kubectl.ApplyCrdsAsync();
        var result = await helm.TryAsync([
            "upgrade", "--install", Name, Repository.PathOf("charts/failover-operator"), "--namespace", Namespace, "--create-namespace",
            "--set", "image.repository=failover-operator", "--set", "image.tag=local", "--set", "image.pullPolicy=IfNotPresent",
            // The tag stays the same: this is what lets a new image replace the pod.
            "--set-string", $"podAnnotations.image={await ImageIdAsync()}",
            .. values.SelectMany(value => new[] { "--set-string", value }), "--wait", "--timeout", "2m"]);
        if (!result.Succeeded) throw new CommandFailedException($"helm upgrade --install: {result.Error}\n{await DescribeAsync()}");
        await Poll.UntilAsync("the operator to be ready", RolloutDeadline, async () => await FindPodAsync() is not null, DescribeAsync);
    }

    public Task UninstallAsync() => helm.RunAsync("uninstall", Name, "--namespace", Namespace);

    /// <summary>One pod of the operator that is ready. Null: there is none.</summary>
    public async Task<V1Pod?> FindPodAsync() => (await ReadyPodsAsync()).FirstOrDefault();

    /// <summary>Its pods, once so many are ready.</summary>
    public async Task<IReadOnlyList<V1Pod>> PodsAsync(int atLeast) => await Poll.UntilAsync($"{atLeast} pods of the operator to be ready", RolloutDeadline,
        async () => await ReadyPodsAsync() is var pods && pods.Count >= atLeast ? pods : null, DescribeAsync);

    private async Task<IReadOnlyList<V1Pod>> ReadyPodsAsync()
    {
        var pods = await cluster.Client.ListNamespacedPodAsync(Namespace, labelSelector: Selector);
        return [.. pods.Items.Where(pod => pod.Metadata.DeletionTimestamp is null && pod.Status.Conditions?.Any(c => c is { Type: "Ready", Status: "True" }) == true)];
    }

    public async Task<V1Pod> PodAsync() => await Poll.UntilAsync("the operator's pod to be ready", RolloutDeadline, FindPodAsync, DescribeAsync);

    /// <summary>Gets ready to kill it without warning, so that it can neither finish a step nor write anything down.</summary>
    public async Task<IArmedSignal> ArmKillAsync(V1Pod? which = null)
    {
        var pod = which ?? await PodAsync();
        return cluster.Nodes is { } nodes
            ? await nodes.ArmAsync(pod.Spec.NodeName, pod.Status.ContainerStatuses[0].ContainerID, "KILL")
            : new ForcedDeletion(cluster.Kubectl.In(Namespace), pod.Metadata.Name);
    }

    /// <summary>Takes a pod whose process is dead out of the way, so that another one is started at once.</summary>
    public Task RemoveAsync(V1Pod pod) => cluster.Kubectl.In(Namespace).RunAsync("delete", "pod", pod.Metadata.Name, "--force", "--grace-period=0", "--wait=false");

    /// <summary>Deletes the pod and waits for another one that is ready.</summary>
    public async Task ReplacePodAsync()
    {
        var old = await PodAsync();
        await cluster.Kubectl.In(Namespace).RunAsync("delete", "pod", old.Metadata.Name, "--wait");
        await PodAsync();
    }

    /// <summary>Makes sure that it does not run on a node.</summary>
    public async Task KeepAwayAsync(string node)
    {
        if ((await PodAsync()).Spec.NodeName == node) await ReplacePodAsync(except: name => name == node);
    }

    /// <summary>Makes sure that it runs on a node.</summary>
    public async Task MoveToAsync(string node)
    {
        if ((await PodAsync()).Spec.NodeName != node) await ReplacePodAsync(except: name => name != node);
    }

    /// <summary>Ends it, and nothing starts it again before <see cref="StartAsync"/>.</summary>
    public async Task StopAsync()
    {
        await ScaleAsync(0);
        await cluster.Kubectl.In(Namespace).RunAsync("wait", "--for=delete", "pod", "--selector", Selector, "--timeout=60s");
    }

    /// <summary>Starts it, or so many of them.</summary>
    public async Task StartAsync(int replicas = 1)
    {
        await ScaleAsync(replicas);
        await cluster.Kubectl.In(Namespace).RunAsync("rollout", "status", $"deployment/{Name}", "--timeout=120s");
    }

    public async Task<int> RestartCountAsync() => (await PodAsync()).Status.ContainerStatuses.Sum(c => c.RestartCount);

    public async Task<string> DescribeAsync()
    {
        var kubectl = cluster.Kubectl.In(Namespace);
        var pods = await kubectl.TryAsync("get", "pods", "-o", "wide");
        var log = await kubectl.TryAsync("logs", $"deployment/{Name}", "--tail", "200");
        return $"--- operator\n{pods.Output}{pods.Error}{log.Output}{log.Error}";
    }

    private async Task ReplacePodAsync(Func<string, bool> except)
    {
        var nodes = (await cluster.Client.ListNodeAsync()).Items.Select(node => node.Metadata.Name).Where(except).ToArray();
        await cluster.Kubectl.RunAsync(["cordon", .. nodes]);
        try
        {
            await ReplacePodAsync();
        }
        finally
        {
            await cluster.Kubectl.RunAsync(["uncordon", .. nodes]);
        }
    }

    private Task ScaleAsync(int replicas) => cluster.Kubectl.In(Namespace).RunAsync("scale", "deployment", Name, $"--replicas={replicas}");

    private static async Task<string> ImageIdAsync()
    {
        var file = Path.Combine(Repository.Cache, "images", "failover-operator_local.tar.id");
        return File.Exists(file) ? (await File.ReadAllLinesAsync(file))[0].Replace("sha256:", "", StringComparison.Ordinal) : "given";
    }

    private sealed class ForcedDeletion(Kubectl kubectl, string pod) : IArmedSignal
    {
        public Task FireAsync() => kubectl.RunAsync("delete", "pod", pod, "--force", "--grace-period=0");

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
