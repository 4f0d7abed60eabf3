using System.Text.Json;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Runtime.Kubernetes;
using k8s;
using k8s.Models;

namespace FailoverOperator.TestBed;

/// <summary>What a server says about itself.</summary>
/// <param name="IsPrimary">It takes writes.</param>
/// <param name="IsFollowing">It replicates from a primary right now.</param>
/// <param name="Rows">What it holds of the writers' rows, in short: equal for servers with the same rows.</param>
public sealed record MemberRole(string Pod, bool IsPrimary, bool IsFollowing, string Rows);

/// <summary>A group of one of the examples, in a namespace of its own.</summary>
public abstract class MemberGroup(TestCluster cluster, TestNamespace scope)
{
    private static readonly TimeSpan ReadyDeadline = TimeSpan.FromMinutes(3);
    private static readonly string[] HealthyConditions = [ConditionTypes.Accepted, ConditionTypes.Available, ConditionTypes.Redundant, ConditionTypes.FailoverReady];

    /// <summary>Each question is a process in each member, whose time is taken from what is measured.</summary>
    private static readonly TimeSpan PauseBetweenRoles = TimeSpan.FromSeconds(1);
    private int writers;

    /// <summary>Of the group, its workload, and, with suffixes, of its Services.</summary>
    public abstract string Name { get; }

    /// <summary>The folder under examples.</summary>
    public abstract string Example { get; }

    public virtual string WriteService => $"{Name}-rw";

    public string Lease => $"{Name}-0";

    public TestNamespace Scope => scope;

    protected TestCluster Cluster => cluster;

    public async Task ApplyAsync() => await scope.Kubectl.RunAsync("apply", "-f", Repository.PathOf($"examples/{Example}"));

    /// <summary>As many failovers may follow each other as there are faults.</summary>
    public async Task UnbrakeAsync() => await scope.Kubectl.RunAsync("patch", "redundancygroup", Name, "--type", "merge", "-p",
        """{"spec":{"protection":{"cooldownSeconds":0,"maxFailoversPerHour":1000,"returnAfterSeconds":0}}}""");

    /// <summary>
    /// A kubelet of Kubernetes 1.20 on a busy machine may take a minute to tell of the end of a pod: it removes the containers before it has looked
    /// at how they ended. What the old primary may have written in such a minute counts as lost, which is not what the test is about.
    /// </summary>
    public async Task BearLateKubeletsAsync() => await scope.Kubectl.RunAsync("patch", "redundancygroup", Name, "--type", "merge", "-p", """{"spec":{"targets":{"rpoSeconds":300}}}""");

    public Task<RedundancyGroup> GetAsync(string? name = null) => ReadAsync<RedundancyGroup>("redundancygroups", name ?? Name);

    public async Task<V1Pod> PodAsync(string name) => await cluster.Client.ReadNamespacedPodAsync(name, scope.Name);

    /// <summary>All failovers, oldest term first.</summary>
    public async Task<IReadOnlyList<Failover>> FailoversAsync()
    {
        var list = await ReadAsync<EntityList<Failover>>("failovers");
        return [.. list.Items.OrderBy(failover => failover.Spec.Term)];
    }

    /// <summary>Waits until the group is available, redundant and ready to fail over.</summary>
    public Task<RedundancyGroup> WaitReadyAsync(TimeSpan? deadline = null) =>
        Poll.UntilAsync("the group to be ready", deadline ?? ReadyDeadline, async () =>
        {
            var group = await GetAsync();
            return HealthyConditions.All(type => ConditionOf(group, type)?.Status == ConditionStatus.True) && group.Status!.Slots is [{ Holder: not null }, ..] ? group : null;
        }, scope.DescribeAsync);

    public Task<Condition> WaitConditionAsync(string type, ConditionStatus status, string reason, TimeSpan deadline, string? group = null) =>
        Poll.UntilAsync($"condition {type}={status} {reason}", deadline, async () =>
        {
            var entity = await GetAsync(group);
            return ConditionOf(entity, type) is { } condition && condition.Status == status && condition.Reason == reason ? condition : null;
        }, scope.DescribeAsync);

    /// <summary>Waits for a failover of a later term than <paramref name="afterTerm"/> that fulfils a condition.</summary>
    public Task<Failover> WaitFailoverAsync(long afterTerm, string what, TimeSpan deadline, Func<Failover, bool> fulfils)
    {
        IReadOnlyList<Failover> seen = [];
        return Poll.UntilAsync($"a failover that {what}", deadline, async () =>
        {
            seen = await FailoversAsync();
            return seen.FirstOrDefault(failover => failover.Spec.Term > afterTerm && fulfils(failover));
        }, scope.DescribeAsync, () => string.Join("; ", seen.Select(f => $"{f.Metadata.Name} is {f.Status?.Phase} {f.Status?.Reason}: {f.Status?.Message}")));
    }

    public async Task<IReadOnlyList<string>> PodNamesAsync() => [.. (await PodsAsync()).Select(pod => pod.Metadata.Name)];

    /// <summary>Asks every server whose pod is ready; one on a dead node would keep the caller waiting.</summary>
    public async Task<IReadOnlyList<MemberRole>> RolesAsync()
    {
        var answers = await Task.WhenAll((await PodsAsync()).Where(IsReady).Select(pod => AskAsync(pod.Metadata.Name)));
        return [.. answers.OfType<MemberRole>()];
    }

    /// <summary>
    /// Waits until the group is ready, and exactly one of all its servers says that it is the primary, namely the holder; the
    /// others follow it.
    /// </summary>
    /// <param name="sameRows">And all have the same rows; nobody writes now.</param>
    public async Task<RedundancyGroup> WaitConsistentAsync(int members, bool sameRows = false)
    {
        var group = await WaitReadyAsync();
        await Poll.UntilAsync("exactly one primary that all others follow" + (sameRows ? ", with the same rows" : ""), ReadyDeadline, async () =>
        {
            group = await WaitReadyAsync();
            var roles = await RolesAsync();
            return roles.Count == members && roles.All(role => role.Pod == group.Status!.Slots[0].Holder ? role.IsPrimary : role is { IsPrimary: false, IsFollowing: true })
                && (!sameRows || roles.Select(role => role.Rows).Distinct().Count() == 1);
        }, async () => string.Join('\n', await RolesAsync()) + "\n" + await scope.DescribeAsync(), PauseBetweenRoles);
        return group;
    }

    /// <summary>Ends the server process without a goodbye.</summary>
    public abstract Task CrashServerAsync(string pod);

    /// <summary>Sends a signal to the first process of the member's container.</summary>
    public async Task SignalFirstProcessAsync(string pod, string signal)
    {
        var found = await PodAsync(pod);
        var nodes = cluster.Nodes ?? throw new InvalidOperationException($"nobody can send signals into containers of this cluster ({cluster.Description})");
        await using var armed = await nodes.ArmAsync(found.Spec.NodeName, found.Status.ContainerStatuses[0].ContainerID, signal);
        await armed.FireAsync();
    }

    /// <summary>A client that writes through the Service.</summary>
    /// <param name="awayFrom">A node that it must not be on, as something will happen to it.</param>
    /// <param name="deadlineMilliseconds">For a connection, and for an answer; null: so short that a failover is measured well.</param>
    public Task<Writer> StartWriterAsync(string? awayFrom = null, int? deadlineMilliseconds = null) =>
        Writer.StartAsync(cluster, scope, Plan("writer", WriteService) with { AwayFrom = awayFrom, DeadlineMilliseconds = deadlineMilliseconds });

    /// <summary>
    /// A client on a member's own node that writes to that member whatever the Service says, for as long as it takes it: whoever
    /// is cut off from the others is still served by it.
    /// </summary>
    public async Task<Writer> StartWitnessAsync(string member)
    {
        var pod = await PodAsync(member);
        return await Writer.StartAsync(cluster, scope, Plan("witness", pod.Status.PodIP) with { OnNode = pod.Spec.NodeName, IntervalMilliseconds = 50 });
    }

    public static Condition? ConditionOf(RedundancyGroup group, string type) => group.Status?.Conditions.FirstOrDefault(c => c.Type == type);

    /// <summary>Null: it cannot be asked now.</summary>
    protected abstract Task<MemberRole?> AskAsync(string pod);

    protected abstract WriterPlan Plan(string pod, string host, string readHost, string key);

    /// <summary>
    /// Kills the server that the agent, the first process, has started: the process of that name whose parent has another one.
    /// From inside: nobody but the first process is out of reach there.
    /// </summary>
    protected Task KillServerAsync(string pod, string processName) => scope.Kubectl.ExecAsync(pod, "sh", "-c", """
        for process in /proc/[0-9]*; do
            read -r name <"$process/comm" 2>/dev/null && [ "$name" = "$0" ] || continue
            read -r _ _ _ parent _ <"$process/stat"
            read -r name <"/proc/$parent/comm"
            [ "$name" = "$0" ] || { kill -s KILL "${process#/proc/}"; exit; }
        done
        echo "no such process: $0" >&2
        exit 1
        """, processName);

    private static bool IsReady(V1Pod pod) => pod.Status.Conditions?.Any(c => c is { Type: "Ready", Status: "True" }) == true;

    private WriterPlan Plan(string pod, string host) => Plan(pod, host, WriteService, $"failover-workload-{++writers}");

    private async Task<IList<V1Pod>> PodsAsync() => (await cluster.Client.ListNamespacedPodAsync(scope.Name, labelSelector: $"app={Name}")).Items;

    // Not by kubectl: it is asked some times a second, and a process each time would take its time from what is measured.
    private async Task<T> ReadAsync<T>(string plural, string? name = null)
    {
        var objects = cluster.Client.CustomObjects;
        var answer = name is null
            ? await objects.ListNamespacedCustomObjectAsync(ApiGroup.Name, ApiGroup.Version, scope.Name, plural)
            : await objects.GetNamespacedCustomObjectAsync(ApiGroup.Name, ApiGroup.Version, scope.Name, plural, name);
        return EntityJson.Deserialize<T>((JsonElement)answer);
    }

    private sealed record EntityList<T>(IReadOnlyList<T> Items);
}
