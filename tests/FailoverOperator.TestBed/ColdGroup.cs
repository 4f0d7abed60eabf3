using k8s;

namespace FailoverOperator.TestBed;

/// <summary>The group of examples/cold-standby: a Redis server of a StatefulSet, and a Deployment without replicas that works on the same volume.</summary>
public sealed class ColdGroup(TestCluster cluster, TestNamespace scope) : MemberGroup(cluster, scope)
{
    public const string Standby = "ledger-standby";

    public override string Name => "ledger";

    public override string Example => "cold-standby";

    /// <summary>That the standby's Deployment is to have, and that it has pods of.</summary>
    public async Task<(int Replicas, int Pods)> StandbyAsync()
    {
        var deployment = await Cluster.Client.ReadNamespacedDeploymentAsync(Standby, Scope.Name);
        return (deployment.Spec.Replicas ?? 1, (await PodNamesAsync()).Count(pod => pod.StartsWith(Standby, StringComparison.Ordinal)));
    }

    /// <summary>The pods, by the word of their servers, that take writes.</summary>
    public async Task<IReadOnlyList<string>> PrimariesAsync() => [.. (await RolesAsync()).Where(role => role.IsPrimary).Select(role => role.Pod)];

    /// <summary>From now on no pod of the StatefulSet can run; the one that does is ended for it.</summary>
    public Task BreakAsync() => Scope.Kubectl.RunAsync("set", "image", $"statefulset/{Name}", $"{Name}=redis:no-such-version");

    /// <summary>A StatefulSet does not replace a pod that never became ready by itself.</summary>
    public async Task RepairAsync()
    {
        await Scope.Kubectl.RunAsync("set", "image", $"statefulset/{Name}", $"{Name}=redis:7-bookworm");
        await Scope.Kubectl.RunAsync("delete", "pod", $"{Name}-0", "--wait=false");
    }

    public override Task CrashServerAsync(string pod) => KillServerAsync(pod, "redis-server");

    protected override async Task<MemberRole?> AskAsync(string pod)
    {
        var result = await Scope.Kubectl.TryAsync("exec", pod, "--", "/hooks/ledger", "status", "0");
        return result.Succeeded ? new MemberRole(pod, result.Output.Contains("\"writable\":true", StringComparison.Ordinal), false, "") : null;
    }

    protected override WriterPlan Plan(string pod, string host, string readHost, string key) => new(pod, "redis-writer", host, readHost, key);
}
