using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Runtime.Informers;
using k8s;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>Where a Service leads: one address and port.</summary>
public sealed record ServiceEndpoint(string Address, int Port);

/// <summary>The watched kinds, and the ways to find one's objects from another.</summary>
public sealed class ClusterView
{
    private const string ByOwner = "owner";
    private const string ByGroup = "group";
    private const string ByWorkload = "workload";
    private const string ByService = "service";
    private const string ByLease = "lease";
    private const string ByDependency = "dependency";
    private const string ByNamespace = "namespace";
    private const string ByColdNamespace = "namespace of a cold standby";
    private const string ByCold = "cold standby";

    public required IInformer<RedundancyGroup> Groups { get; init; }

    public required IInformer<Failover> Failovers { get; init; }

    public required IInformer<V1Pod> Pods { get; init; }

    public required IInformer<V1Node> Nodes { get; init; }

    public required IInformer<V1Service> Services { get; init; }

    public required IInformer<V1StatefulSet> Workloads { get; init; }

    /// <summary>Those that carry the label of a group: no others are watched.</summary>
    public required IInformer<V1Lease> Leases { get; init; }

    /// <summary>Those that carry the label of a group.</summary>
    public required IInformer<V1Job> Jobs { get; init; }

    public required IServiceEndpoints Endpoints { get; init; }

    public required IDisruptionBudgets Budgets { get; init; }

    public bool IsSynced => Watches.All(w => w.IsSynced);

    /// <summary>All that is watched, to be run and waited for.</summary>
    public IReadOnlyList<IWatched> Watches => [Groups, Failovers, Pods, Nodes, Services, Workloads, Leases, Jobs, Endpoints, Budgets];

    /// <summary>Call once, before the informers are started.</summary>
    public ClusterView Indexed()
    {
        Pods.AddIndex(ByOwner, pod => OwnerUids(pod));
        Pods.AddIndex(ByNamespace, pod => [pod.Namespace()]);
        Groups.AddIndex(ByColdNamespace, group => ScaleLog.Concerns(group) ? [group.Namespace()] : []);
        Groups.AddIndex(ByCold, group => ColdKey(group) is { } key ? [key] : []);
        Failovers.AddIndex(ByGroup, failover => [Key(failover.Namespace(), failover.Spec.GroupRef.Name)]);
        Groups.AddIndex(ByWorkload, group => [Key(group.Namespace(), group.Spec.WorkloadRef.Name)]);
        Groups.AddIndex(ByService, group => Slots.Services(group.Spec).Select(s => Key(group.Namespace(), s.Name)));
        Groups.AddIndex(ByDependency, group => group.Spec.DependsOn.Select(d => Key(group.Namespace(), d.Name)));
        Groups.AddIndex(ByLease, group => group.Spec.Agent is null ? [] : [LeaseLog.KeyOf(group).ToString()]);
        return this;
    }

    public RedundancyGroup? Group(string namespaceName, string name) => Groups.TryGet(new ObjectKey(namespaceName, name), out var group) ? group : null;

    /// <summary>The groups that name this one in <c>dependsOn</c>.</summary>
    public IEnumerable<ObjectKey> DependentsOf(string namespaceName, string name) => Groups.ByIndex(ByDependency, Key(namespaceName, name)).Select(KeyOf);

    public V1StatefulSet? WorkloadOf(RedundancyGroup group) =>
        Workloads.TryGet(new ObjectKey(group.Namespace(), group.Spec.WorkloadRef.Name), out var workload) ? workload : null;

    public IReadOnlyList<V1Pod> PodsOf(V1StatefulSet workload) => Pods.ByIndex(ByOwner, workload.Uid());

    /// <summary>Those of a workload of any kind, as its scale selects them; never the members of the group's own.</summary>
    public IEnumerable<V1Pod> PodsOf(RedundancyGroup group, PodSelector cold, V1StatefulSet workload) => cold.Labels.Count == 0 ? []
        : Pods.ByIndex(ByNamespace, group.Namespace()).Where(pod => cold.Matches(pod) && !OwnerUids(pod).Contains(workload.Uid()));

    public IReadOnlyList<Failover> FailoversOf(RedundancyGroup group) => Failovers.ByIndex(ByGroup, Key(group.Namespace(), group.Name()));

    public V1Service? Service(string namespaceName, string name) =>
        Services.TryGet(new ObjectKey(namespaceName, name), out var service) ? service : null;

    public V1Job? FencingJobOf(Failover failover) =>
        Jobs.TryGet(new ObjectKey(failover.Namespace(), FencingJobReader.NameOf(failover.Name())), out var job) ? job : null;

    public NodeObservation Node(string name)
    {
        var wasForbidden = Nodes.IsForbidden;
        var node = Nodes.TryGet(new ObjectKey("", name), out var found) ? found : null;
        // Before and after: a node that is missing while the right is lost or granted is not absent.
        return wasForbidden || Nodes.IsForbidden ? NodeReader.Unobserved(name) : NodeReader.Read(name, node);
    }

    public FailureDomains Domains()
    {
        if (Nodes.IsForbidden) return FailureDomains.Unknown;
        var nodes = Nodes.Items();
        return new FailureDomains(nodes.Count, nodes.Select(NodeReader.ZoneOf).OfType<string>().Distinct().Count());
    }

    /// <summary>The older of all groups that name this workload, if it is another one than <paramref name="group"/>. Null: none.</summary>
    public string? OlderClaimOnWorkload(RedundancyGroup group) =>
        OlderClaim(group, Groups.ByIndex(ByWorkload, Key(group.Namespace(), group.Spec.WorkloadRef.Name)));

    /// <summary>The same for the workload of its cold standby, as another one's cold standby or as its members.</summary>
    public string? OlderClaimOnCold(RedundancyGroup group) => ColdKey(group) is not { } key ? null : OlderClaim(group,
        [.. Groups.ByIndex(ByCold, key), .. group.Spec.Cold!.WorkloadRef.Kind == V1StatefulSet.KubeKind ? Groups.ByIndex(ByWorkload, Key(group.Namespace(), group.Spec.Cold.WorkloadRef.Name)) : []]);

    /// <summary>The same for one of its Services.</summary>
    public string? OlderClaimOnService(RedundancyGroup group, string service) =>
        OlderClaim(group, Groups.ByIndex(ByService, Key(group.Namespace(), service)));

    /// <summary>The groups that have to be looked at when this pod changes.</summary>
    public IEnumerable<ObjectKey> GroupsOf(V1Pod pod) => pod.Metadata.OwnerReferences is not { } owners ? [] : owners
        .Where(o => o.Kind == V1StatefulSet.KubeKind)
        .SelectMany(o => Groups.ByIndex(ByWorkload, Key(pod.Namespace(), o.Name)))
        // Whose pods a cold standby's are is not told by their owner.
        .Concat(Groups.ByIndex(ByColdNamespace, pod.Namespace())).Select(KeyOf).Distinct();

    public IEnumerable<ObjectKey> GroupsOf(V1StatefulSet workload) =>
        Groups.ByIndex(ByWorkload, Key(workload.Namespace(), workload.Name())).Select(KeyOf);

    public IEnumerable<ObjectKey> GroupsOfService(string namespaceName, string name) =>
        Groups.ByIndex(ByService, Key(namespaceName, name)).Select(KeyOf);

    /// <param name="group">Null: any of the namespace.</param>
    public IEnumerable<ObjectKey> GroupsOfBudget(string namespaceName, string? group) =>
        group is not null ? [new ObjectKey(namespaceName, group)] : Groups.Items().Where(g => g.Namespace() == namespaceName).Select(KeyOf);

    public IEnumerable<ObjectKey> GroupsOf(V1Lease lease) => Groups.ByIndex(ByLease, Key(lease.Namespace(), lease.Name())).Select(KeyOf);

    public IEnumerable<ObjectKey> GroupsOf(V1Job job) =>
        job.Metadata.Labels?.TryGetValue(ApiGroup.GroupLabel, out var group) == true ? [new ObjectKey(job.Namespace(), group)] : [];

    public IEnumerable<ObjectKey> GroupsOf(V1Node node) => Pods.Items().Where(p => p.Spec?.NodeName == node.Name()).SelectMany(GroupsOf).Distinct();

    private static string? ColdKey(RedundancyGroup group) =>
        ScaleLog.Concerns(group) && group.Spec.Cold!.WorkloadRef is var cold ? $"{group.Namespace()}/{cold.ApiVersion}/{cold.Kind}/{cold.Name}" : null;

    private static string? OlderClaim(RedundancyGroup group, IReadOnlyList<RedundancyGroup> claimants)
    {
        var oldest = claimants.OrderBy(g => g.Metadata.CreationTimestamp).ThenBy(g => g.Name(), StringComparer.Ordinal).FirstOrDefault();
        return oldest is null || oldest.Uid() == group.Uid() ? null : oldest.Name();
    }

    private static IEnumerable<string> OwnerUids(V1Pod pod) =>
        pod.Metadata.OwnerReferences?.Where(o => o.Controller == true).Select(o => o.Uid) ?? [];

    private static ObjectKey KeyOf(IKubernetesObject<V1ObjectMeta> entity) => new(entity.Namespace(), entity.Name());

    private static string Key(string namespaceName, string name) => $"{namespaceName}/{name}";
}
