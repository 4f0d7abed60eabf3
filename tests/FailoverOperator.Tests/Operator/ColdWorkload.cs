using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Testing;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>A Deployment or StatefulSet that begins with no replicas, and makes and ends its pods as it is scaled.</summary>
public sealed class ColdWorkload
{
    private const string Namespace = "shop";

    private static readonly Dictionary<string, string> Selector = new() { ["tier"] = "cold" };

    private readonly FakeKubernetesApi _api;
    private readonly FakeServers _servers;
    private readonly Func<TimeSpan> _now;
    private readonly ScalableReference _reference;
    private TimeSpan? _begun;
    private int _made;

    public ColdWorkload(FakeKubernetesApi api, FakeServers servers, Func<TimeSpan> now, ScalableReference reference)
    {
        (_api, _servers, _now, _reference) = (api, servers, now, reference);
        var metadata = new V1ObjectMeta { Name = reference.Name, NamespaceProperty = Namespace };
        var template = new V1PodTemplateSpec { Metadata = new V1ObjectMeta { Labels = new Dictionary<string, string>(Selector) { ["app"] = "db" } } };
        var selector = new V1LabelSelector { MatchLabels = Selector };
        if (IsDeployment) api.Seed(new V1Deployment { Metadata = metadata, Spec = new V1DeploymentSpec { Replicas = 0, Selector = selector, Template = template } });
        else api.Seed(new V1StatefulSet { Metadata = metadata, Spec = new V1StatefulSetSpec { Replicas = 0, Selector = selector, Template = template } });
    }

    /// <summary>Until a pod is there and ready.</summary>
    public TimeSpan StartTime { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Pods that are made from now on never become ready.</summary>
    public bool IsBroken { get; set; }

    /// <summary>Of its storage.</summary>
    public long Position { get; set; }

    public int Replicas => (IsDeployment ? _api.Peek<V1Deployment>(Namespace, _reference.Name)!.Spec.Replicas : _api.Peek<V1StatefulSet>(Namespace, _reference.Name)!.Spec.Replicas) ?? 1;

    public IReadOnlyList<V1Pod> Pods => [.. _api.PeekAll<V1Pod>().Where(p => Selector.All(s => p.Metadata.Labels.TryGetValue(s.Key, out var value) && value == s.Value))];

    /// <summary>Somebody has deleted it.</summary>
    private bool IsGone => IsDeployment ? _api.Peek<V1Deployment>(Namespace, _reference.Name) is null : _api.Peek<V1StatefulSet>(Namespace, _reference.Name) is null;

    private bool IsDeployment => _reference.Kind == "Deployment";

    public void Tick()
    {
        if (IsGone) return;
        foreach (var pod in Pods.Where(p => p.Metadata.DeletionTimestamp is not null)) End(pod);
        var alive = Pods.Where(p => p.Metadata.DeletionTimestamp is null).ToList();
        foreach (var surplus in alive.Skip(Replicas)) _api.Change<V1Pod>(Namespace, surplus.Name(), p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch);
        // A StatefulSet's next pod has the name of the last one.
        if (alive.Count >= Replicas || (!IsDeployment && Pods.Count > 0)) _begun = null;
        else if (_now() - (_begun ??= _now()) >= StartTime) Create();
    }

    /// <summary>A pod that was broken is well.</summary>
    public void Heal(V1Pod pod)
    {
        _servers[pod.Status.PodIP].Up = true;
        _api.Change<V1Pod>(Namespace, pod.Name(), p => p.Status.Conditions[0].Status = "True");
    }

    private void Create()
    {
        _begun = null;
        var (name, address) = ($"{_reference.Name}-{(IsDeployment ? $"5d9c-{_made}" : "0")}", $"10.0.1.{++_made}");
        var server = _servers.Add(address);
        (server.Instance, server.Position) = ($"cold-run-{_made}", Position);
        var pod = Objects.Pod(Namespace, name, "node-2", address, $"cold-container-{_made}", new V1StatefulSet { Metadata = new V1ObjectMeta { Name = _reference.Name, Uid = "of-the-cold-one" } });
        foreach (var label in Selector) pod.Metadata.Labels[label.Key] = label.Value;
        if (IsDeployment)
        {
            pod.Metadata.Labels.Remove(Api.ApiGroup.PodNameLabel);
            (pod.Metadata.OwnerReferences[0].Kind, pod.Metadata.OwnerReferences[0].Name) = ("ReplicaSet", $"{_reference.Name}-5d9c");
        }
        if (IsBroken) (pod.Status.Conditions[0].Status, server.Up) = ("False", false);
        _api.Seed(pod);
    }

    private void End(V1Pod pod)
    {
        if (pod.Status.ContainerStatuses[0].State.Terminated is not null)
        {
            _servers.Remove(pod.Status.PodIP);
            _api.Remove<V1Pod>(Namespace, pod.Name());
            return;
        }
        (_servers[pod.Status.PodIP].Up, _servers[pod.Status.PodIP].IsPrimary) = (false, false);
        _api.Change<V1Pod>(Namespace, pod.Name(), p => Objects.Terminate(p));
    }
}
