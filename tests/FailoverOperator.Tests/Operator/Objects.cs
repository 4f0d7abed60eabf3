using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Testing;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>Kubernetes objects as the cluster makes them.</summary>
internal static class Objects
{
    public static RedundancyGroupSpec Spec(string workload, string service) => new()
    {
        WorkloadRef = new WorkloadReference { Name = workload },
        Spares = 2,
        Engine = new EngineSpec { Type = EngineType.Redis, StartsAs = StartState.ReadOnly },
        Traffic = new TrafficSpec { Services = [new ServiceReference { Name = service, Role = TrafficRole.Active }] },
    };

    public static V1Node Node(string name) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, Labels = new Dictionary<string, string> { ["topology.kubernetes.io/zone"] = name.Replace("node", "zone") } },
        Status = new V1NodeStatus { Conditions = [new V1NodeCondition { Type = "Ready", Status = "True" }] },
    };

    public static V1StatefulSet StatefulSet(string namespaceName, string name, int replicas) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = namespaceName },
        Spec = new V1StatefulSetSpec
        {
            Replicas = replicas,
            Template = new V1PodTemplateSpec { Metadata = new V1ObjectMeta { Labels = new Dictionary<string, string> { ["app"] = name } } },
        },
    };

    public static V1Service Service(string namespaceName, string name, string app = "db") => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = namespaceName },
        Spec = new V1ServiceSpec { Selector = new Dictionary<string, string> { ["app"] = app } },
    };

    public static V1Pod Pod(string namespaceName, string name, string node, string address, string container, V1StatefulSet owner) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = name,
            NamespaceProperty = namespaceName,
            Labels = Labels(name, owner),
            OwnerReferences = [new V1OwnerReference { ApiVersion = "apps/v1", Kind = "StatefulSet", Name = owner.Name(), Uid = owner.Uid(), Controller = true }],
        },
        Spec = new V1PodSpec { NodeName = node, Containers = [new V1Container { Name = "server" }] },
        Status = new V1PodStatus
        {
            Phase = "Running",
            PodIP = address,
            Conditions = [new V1PodCondition { Type = "Ready", Status = "True" }],
            ContainerStatuses = [new V1ContainerStatus { Name = "server", ContainerID = container, State = new V1ContainerState { Running = new V1ContainerStateRunning() } }],
        },
    };

    private static Dictionary<string, string> Labels(string name, V1StatefulSet owner)
    {
        var labels = new Dictionary<string, string> { ["app"] = owner.Spec?.Template.Metadata.Labels["app"] ?? "db", [ApiGroup.PodNameLabel] = name };
        if (owner.Status?.UpdateRevision is { } revision) labels["controller-revision-hash"] = revision;
        return labels;
    }

    /// <summary>The kubelet reports the end of the container.</summary>
    public static void Terminate(V1Pod pod)
    {
        var status = pod.Status.ContainerStatuses[0];
        status.State = new V1ContainerState { Terminated = new V1ContainerStateTerminated { ContainerID = status.ContainerID, ExitCode = 0 } };
        pod.Status.Conditions[0].Status = "False";
    }

    /// <summary>The kubelet starts the container again.</summary>
    public static void Restart(V1Pod pod, string container)
    {
        var status = pod.Status.ContainerStatuses[0];
        status.LastState = new V1ContainerState { Terminated = new V1ContainerStateTerminated { ContainerID = status.ContainerID, ExitCode = 137 } };
        status.ContainerID = container;
        status.State = new V1ContainerState { Running = new V1ContainerStateRunning() };
    }

    public static bool IsReady(V1Pod pod) => pod.Status.Conditions[0].Status == "True";

    public static V1EndpointSlice Slice(string namespaceName, string service, IReadOnlyList<string> addresses) => new()
    {
        AddressType = "IPv4",
        Metadata = new V1ObjectMeta { Name = service, NamespaceProperty = namespaceName, Labels = new Dictionary<string, string> { ["kubernetes.io/service-name"] = service } },
        Endpoints = [.. addresses.Select(a => new V1Endpoint { Addresses = [a], Conditions = new V1EndpointConditions { Ready = true } })],
        Ports = [new Discoveryv1EndpointPort { Port = 6379 }],
    };

    /// <summary>What a Service leads to, as its controller keeps it.</summary>
    public static void PointEndpoints(FakeKubernetesApi api, V1Service service)
    {
        var (namespaceName, name) = (service.Namespace(), service.Name());
        var addresses = api.PeekAll<V1Pod>().Where(p => p.Metadata.DeletionTimestamp is null && IsReady(p)
                && service.Spec.Selector.All(s => p.Metadata.Labels.TryGetValue(s.Key, out var value) && value == s.Value))
            .Select(p => p.Status.PodIP).ToList();
        var slice = Slice(namespaceName, name, addresses);
        var known = api.Peek<V1EndpointSlice>(namespaceName, name);
        if (known is null) api.Seed(slice);
        else if (!known.Endpoints.SelectMany(e => e.Addresses).SequenceEqual(addresses)) api.Change<V1EndpointSlice>(namespaceName, name, s => s.Endpoints = slice.Endpoints);
    }
}
