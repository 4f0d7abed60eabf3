using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Runtime.Kubernetes;
using k8s;
using k8s.Models;

namespace FailoverOperator.TestBed;

/// <summary>What a Redis server says about itself.</summary>
public sealed record RedisRole(string Pod, string Role, string MasterHost, string LinkStatus);

/// <summary>The group of examples/redis-active-passive, in a namespace of its own.</summary>
public sealed class RedisGroup(TestCluster cluster, TestNamespace scope)
{
    public const string Name = "redis";
    public const string WriteService = "redis-rw";
    private static readonly TimeSpan ReadyDeadline = TimeSpan.FromMinutes(2);
    private static readonly string[] HealthyConditions = [ConditionTypes.Accepted, ConditionTypes.Available, ConditionTypes.Redundant, ConditionTypes.FailoverReady];

    public TestNamespace Scope => scope;

    public async Task ApplyAsync() =>
        await scope.Kubectl.RunAsync("apply", "-f", Repository.PathOf("examples/redis-active-passive"));

    public Task<RedundancyGroup> GetAsync(string name = Name) => Read<RedundancyGroup>("redundancygroup", name);

    public async Task<V1Pod> PodAsync(string name) => await cluster.Client.ReadNamespacedPodAsync(name, scope.Name);

    /// <summary>All failovers, oldest term first.</summary>
    public async Task<IReadOnlyList<Failover>> FailoversAsync()
    {
        var list = await Read<EntityList<Failover>>("failovers");
        return [.. list.Items.OrderBy(failover => failover.Spec.Term)];
    }

    /// <summary>Waits until the group is available, redundant and ready to fail over.</summary>
    public Task<RedundancyGroup> WaitReadyAsync(TimeSpan? deadline = null) =>
        Poll.UntilAsync("the group to be ready", deadline ?? ReadyDeadline, async () =>
        {
            var group = await GetAsync();
            return HealthyConditions.All(type => ConditionOf(group, type)?.Status == ConditionStatus.True) && group.Status!.Slots is [{ Holder: not null }, ..] ? group : null;
        }, scope.DescribeAsync);

    public Task<Condition> WaitConditionAsync(string type, ConditionStatus status, string reason, TimeSpan deadline, string group = Name) =>
        Poll.UntilAsync($"condition {type}={status} {reason}", deadline, async () =>
        {
            var entity = await GetAsync(group);
            return ConditionOf(entity, type) is { } condition && condition.Status == status && condition.Reason == reason ? condition : null;
        }, scope.DescribeAsync);

    /// <summary>Waits for a failover of a later term than <paramref name="afterTerm"/> that fulfils a condition.</summary>
    public Task<Failover> WaitFailoverAsync(long afterTerm, string what, TimeSpan deadline, Func<Failover, bool> fulfils) =>
        Poll.UntilAsync($"a failover that {what}", deadline,
            async () => (await FailoversAsync()).FirstOrDefault(failover => failover.Spec.Term > afterTerm && fulfils(failover)), scope.DescribeAsync);

    public async Task<IReadOnlyList<string>> PodNamesAsync() => [.. (await PodsAsync()).Select(pod => pod.Metadata.Name)];

    /// <summary>Asks every Redis server whose pod is ready; one on a dead node would keep the caller waiting.</summary>
    public async Task<IReadOnlyList<RedisRole>> RolesAsync()
    {
        var answers = await Task.WhenAll((await PodsAsync()).Where(IsReady).Select(pod => AskAsync(pod.Metadata.Name)));
        return [.. answers.OfType<RedisRole>()];
    }

    /// <summary>
    /// Waits until the group is ready, and exactly one of all its servers says that it is the primary, namely the holder; the
    /// others follow it.
    /// </summary>
    public async Task<RedundancyGroup> WaitConsistentAsync(int members, TimeSpan? deadline = null)
    {
        var group = await WaitReadyAsync(deadline);
        await Poll.UntilAsync("exactly one primary that all others follow", deadline ?? ReadyDeadline, async () =>
        {
            group = await WaitReadyAsync(deadline);
            var roles = await RolesAsync();
            return roles.Count == members && roles.Single(r => r.Pod == group.Status!.Slots[0].Holder) is { Role: "master" }
                && roles.Where(r => r.Pod != group.Status!.Slots[0].Holder).All(r => r is { Role: "slave", LinkStatus: "up" });
        }, async () => string.Join('\n', await RolesAsync()) + "\n" + await scope.DescribeAsync());
        return group;
    }

    /// <summary>Ends the server process without a goodbye.</summary>
    public async Task CrashServerAsync(string podName)
    {
        var pod = await PodAsync(podName);
        if (cluster.Nodes is not { } nodes)
        {
            // Nobody can kill the first process of a container from inside. The connection ends with the server, which is no failure here.
            await scope.Kubectl.TryAsync("exec", podName, "--", "redis-cli", "SHUTDOWN", "NOSAVE", "NOW", "FORCE");
            return;
        }
        await using var kill = await nodes.ArmKillAsync(pod.Spec.NodeName, pod.Status.ContainerStatuses[0].ContainerID);
        await kill.FireAsync();
    }

    public static Condition? ConditionOf(RedundancyGroup group, string type) => group.Status?.Conditions.FirstOrDefault(c => c.Type == type);

    private async Task<IList<V1Pod>> PodsAsync() => (await cluster.Client.ListNamespacedPodAsync(scope.Name, labelSelector: "app=redis")).Items;

    private static bool IsReady(V1Pod pod) => pod.Status.Conditions?.Any(c => c is { Type: "Ready", Status: "True" }) == true;

    private async Task<RedisRole?> AskAsync(string pod)
    {
        var result = await scope.Kubectl.TryAsync("exec", pod, "--", "redis-cli", "INFO", "replication");
        if (!result.Succeeded) return null;
        var fields = result.Output.Split('\n').Select(line => line.Trim().Split(':', 2)).Where(pair => pair.Length == 2).ToDictionary(pair => pair[0], pair => pair[1]);
        return new RedisRole(pod, fields["role"], fields.GetValueOrDefault("master_host", ""), fields.GetValueOrDefault("master_link_status", ""));
    }

    private async Task<T> Read<T>(params string[] what) => EntityJson.Deserialize<T>(await scope.Kubectl.RunAsync(["get", .. what, "-o", "json"]));

    private sealed record EntityList<T>(IReadOnlyList<T> Items);
}
