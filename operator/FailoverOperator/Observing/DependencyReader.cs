using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Runtime.Informers;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>What is known of the groups that a group depends on, and who has to be looked at when one of them changes. From the API server alone.</summary>
public static class DependencyReader
{
    public static IReadOnlyList<DependencyObservation> Read(RedundancyGroup group, ClusterView cluster) =>
        [.. group.Spec.DependsOn.Select(d => cluster.Group(group.Namespace(), d.Name)).OfType<RedundancyGroup>().Select(other => Describe(other, cluster))];

    /// <summary>All that can be reached from the group.</summary>
    public static DependencyGraph Graph(RedundancyGroup group, ClusterView cluster)
    {
        if (group.Spec.DependsOn.Count == 0) return DependencyGraph.None;
        var edges = new Dictionary<string, IReadOnlyList<string>>();
        var next = new Queue<RedundancyGroup>([group]);
        while (next.TryDequeue(out var at))
        {
            if (!edges.TryAdd(at.Name(), [.. at.Spec.DependsOn.Select(d => d.Name)])) continue;
            foreach (var other in at.Spec.DependsOn.Select(d => cluster.Group(group.Namespace(), d.Name)).OfType<RedundancyGroup>()) next.Enqueue(other);
        }
        return new(group.Name(), edges);
    }

    /// <summary>Groups that have to be looked at when this one changes: who depends on it, or on one that does, as a circle may be closed.</summary>
    public static IEnumerable<ObjectKey> Dependents(RedundancyGroup group, ClusterView cluster)
    {
        var seen = new HashSet<ObjectKey>();
        var next = new Queue<ObjectKey>(cluster.DependentsOf(group.Namespace(), group.Name()));
        while (next.TryDequeue(out var at))
        {
            if (!seen.Add(at)) continue;
            foreach (var further in cluster.DependentsOf(at.Namespace, at.Name)) next.Enqueue(further);
        }
        return seen;
    }

    /// <summary>Its lag, its lease and the like change all the time and concern nobody else.</summary>
    public static bool IsNews(CacheEvent<RedundancyGroup> change) =>
        change is not { Change: CacheChange.Updated, Previous: { } before }
        || !before.Spec.DependsOn.SequenceEqual(change.Current.Spec.DependsOn)
        || Available(before)?.Status != Available(change.Current)?.Status;

    /// <inheritdoc cref="IsNews(CacheEvent{RedundancyGroup})"/>
    public static bool IsNews(CacheEvent<Failover> change) =>
        change is not { Change: CacheChange.Updated, Previous: { } before } || IsRunning(before) != IsRunning(change.Current);

    private static DependencyObservation Describe(RedundancyGroup other, ClusterView cluster)
    {
        var running = cluster.FailoversOf(other).Where(f => IsRunning(f) && GroupOwnership.Owns(other, f.Metadata));
        return new(other.Name(), running.MaxBy(f => f.Spec.Term)?.Name(), Available(other));
    }

    /// <summary>To adopt a primary that is at work takes nothing from anybody.</summary>
    private static bool IsRunning(Failover failover) => failover.Spec.Type != FailoverType.Adoption && failover.Status?.Phase.IsEnd() != true;

    private static Condition? Available(RedundancyGroup group) => group.Status?.Conditions.FirstOrDefault(c => c.Type == Api.ConditionTypes.Available);
}
