using FailoverOperator.Simulator.ApiServers;
using k8s.Models;

namespace FailoverOperator.Simulator.Cluster;

/// <summary>The parts of the control plane that a group needs: pods that are made again, endpoints, and the judgement over nodes.</summary>
internal sealed class ControlPlane
{
    private static readonly TimeSpan NodeCheckInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan NodeGrace = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan EvictionAfter = TimeSpan.FromSeconds(60);

    private readonly SimulatedWorld _world;
    private readonly Dictionary<string, TimeSpan> _unknownSince = [];
    private bool _arePodsDue;
    private bool _areEndpointsDue;

    public ControlPlane(SimulatedWorld world)
    {
        _world = world;
        world.Loop.Every(NodeCheckInterval, () => { CheckNodes(); return true; });
        NoticePods();
    }

    public void Notice(StoredChange change)
    {
        if (change.Kind.Kind is "Pod") NoticePods();
        if (change.Kind.Kind is "Pod" or "Service") NoticeEndpoints();
    }

    private void NoticePods()
    {
        if (_arePodsDue) return;
        _arePodsDue = true;
        _world.Loop.After(_world.Milliseconds(20, 300), MakePods);
    }

    private void NoticeEndpoints()
    {
        if (_areEndpointsDue) return;
        _areEndpointsDue = true;
        _world.Loop.After(_world.Milliseconds(10, 120), PointEndpoints);
    }

    private void MakePods()
    {
        _arePodsDue = false;
        if (!_world.Api.IsUp)
        {
            NoticePods();
            return;
        }
        if (_world.Cluster.Find<V1StatefulSet>(Objects.Group) is not { } set) return;
        for (var ordinal = 0; ordinal < set.Spec.Replicas; ordinal++)
        {
            var name = FormattableString.Invariant($"{Objects.Group}-{ordinal}");
            if (_world.Cluster.Find<V1Pod>(name) is null) _world.Cluster.Create(Objects.Pod(name, _world.NodeOf(ordinal).Name, set));
        }
    }

    private void PointEndpoints()
    {
        _areEndpointsDue = false;
        if (!_world.Api.IsUp)
        {
            NoticeEndpoints();
            return;
        }
        foreach (var service in _world.Cluster.All<V1Service>()) Point(service);
    }

    private void Point(V1Service service)
    {
        var addresses = _world.Cluster.All<V1Pod>()
            .Where(p => p.Metadata.DeletionTimestamp is null && Objects.IsReady(p)
                && service.Spec.Selector.All(s => p.Metadata.Labels.TryGetValue(s.Key, out var value) && value == s.Value))
            .Select(p => p.Status.PodIP).ToList();
        var known = _world.Cluster.Find<V1EndpointSlice>(service.Metadata.Name);
        if (known is null) _world.Cluster.Create(Objects.Slice(service.Metadata.Name, addresses));
        else if (!known.Endpoints.SelectMany(e => e.Addresses).SequenceEqual(addresses)) _world.Cluster.Change<V1EndpointSlice>(
            service.Metadata.Name, s => s.Endpoints = Objects.Slice(service.Metadata.Name, addresses).Endpoints);
    }

    private void CheckNodes()
    {
        if (!_world.Api.IsUp) return;
        CollectPods();
        foreach (var node in _world.Nodes.Where(n => !n.IsDestroyed || _world.Cluster.Find<V1Node>(n.Name, null) is not null))
        {
            var isHeard = _world.Loop.Now - node.HeartbeatAt < NodeGrace;
            if (isHeard == !_unknownSince.ContainsKey(node.Name))
            {
                if (!isHeard && _world.Loop.Now - _unknownSince[node.Name] > EvictionAfter) Evict(node);
                continue;
            }
            if (isHeard) _unknownSince.Remove(node.Name);
            else _unknownSince[node.Name] = _world.Loop.Now;
            _world.Cluster.Change<V1Node>(node.Name, n => n.Status.Conditions[0].Status = isHeard ? "True" : "Unknown", null);
            if (!isHeard) foreach (var pod in PodsOn(node)) _world.Cluster.Change<V1Pod>(pod.Metadata.Name, p => Objects.SetReady(p, false));
        }
    }

    /// <summary>
    /// Those that are to go, and whose node does not exist any more. Kubernetes collects the others as well in time; here they wait for somebody who
    /// decides.
    /// </summary>
    private void CollectPods()
    {
        foreach (var pod in _world.Cluster.All<V1Pod>().Where(p => p.Metadata.DeletionTimestamp is not null && _world.Cluster.Find<V1Node>(p.Spec.NodeName, null) is null).ToList())
            _world.Cluster.Remove<V1Pod>(pod.Metadata.Name);
    }

    /// <summary>Their deletion is asked for; only the kubelet can confirm it.</summary>
    private void Evict(Node node)
    {
        foreach (var pod in PodsOn(node).Where(p => p.Metadata.DeletionTimestamp is null)) _world.Cluster.Delete<V1Pod>(pod.Metadata.Name);
    }

    private List<V1Pod> PodsOn(Node node) => [.. _world.Cluster.All<V1Pod>().Where(p => p.Spec.NodeName == node.Name)];
}
