using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using k8s.Models;

namespace FailoverOperator.Simulator.Cluster;

/// <summary>Kubernetes objects as people and the cluster make them.</summary>
internal static class Objects
{
    public const string Namespace = "shop";
    public const string Group = "db";
    public const string Service = "db-rw";
    public const string EngineContainer = "server";

    public static RedundancyGroup RedundancyGroup(RedundancyGroupSpec spec) => new() { Metadata = Metadata(Group), Spec = spec };

    public static V1Secret Secret() =>
        new() { Metadata = Metadata("agent"), Data = new Dictionary<string, byte[]> { ["token"] = "open-sesame"u8.ToArray() } };

    public static V1Node Node(Node node) => new()
    {
        Metadata = new V1ObjectMeta { Name = node.Name, Labels = new Dictionary<string, string> { ["topology.kubernetes.io/zone"] = node.Zone } },
        Status = new V1NodeStatus { Conditions = [new V1NodeCondition { Type = "Ready", Status = "True" }] },
    };

    public static V1StatefulSet StatefulSet(int replicas) => new()
    {
        Metadata = Metadata(Group),
        Spec = new V1StatefulSetSpec
        {
            Replicas = replicas,
            Template = new V1PodTemplateSpec { Metadata = new V1ObjectMeta { Labels = new Dictionary<string, string> { ["app"] = Group } } },
        },
    };

    public static V1Service NewService(string name) => new()
    {
        Metadata = Metadata(name),
        Spec = new V1ServiceSpec { Selector = new Dictionary<string, string> { ["app"] = Group } },
    };

    /// <summary>As the StatefulSet's controller creates it, and the scheduler binds it to where its volume is.</summary>
    public static V1Pod Pod(string name, string node, V1StatefulSet owner) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = name,
            NamespaceProperty = Namespace,
            Labels = new Dictionary<string, string> { ["app"] = Group, [ApiGroup.PodNameLabel] = name },
            OwnerReferences = [new V1OwnerReference { ApiVersion = "apps/v1", Kind = "StatefulSet", Name = owner.Metadata.Name,
                Uid = owner.Metadata.Uid, Controller = true }],
        },
        Spec = new V1PodSpec { NodeName = node, TerminationGracePeriodSeconds = 30, Containers = [new V1Container { Name = EngineContainer }] },
        Status = new V1PodStatus { Phase = "Pending" },
    };

    /// <summary>The kubelet has started its container.</summary>
    public static void Run(V1Pod pod, string address, string containerId)
    {
        var before = pod.Status.ContainerStatuses?.FirstOrDefault();
        pod.Status.Phase = "Running";
        pod.Status.PodIP = address;
        pod.Status.Conditions = [new V1PodCondition { Type = "Ready", Status = "False" }];
        pod.Status.ContainerStatuses =
        [
            new V1ContainerStatus
            {
                Name = EngineContainer,
                ContainerID = containerId,
                State = new V1ContainerState { Running = new V1ContainerStateRunning() },
                LastState = before?.ContainerID is { } last ? Ended(last) : null,
            },
        ];
    }

    /// <summary>The kubelet reports the end of its container, which it may start again.</summary>
    public static void Terminate(V1Pod pod)
    {
        if (pod.Status.ContainerStatuses?.FirstOrDefault() is not { } status) return;
        status.State = Ended(status.ContainerID);
        SetReady(pod, false);
    }

    public static bool IsReady(V1Pod pod) => pod.Status?.Conditions?.FirstOrDefault(c => c.Type == "Ready")?.Status == "True";

    public static void SetReady(V1Pod pod, bool isReady) =>
        pod.Status.Conditions = [new V1PodCondition { Type = "Ready", Status = isReady ? "True" : "False" }];

    public static V1EndpointSlice Slice(string service, IReadOnlyList<string> addresses) => new()
    {
        AddressType = "IPv4",
        Metadata = new V1ObjectMeta
        {
            Name = service,
            NamespaceProperty = Namespace,
            Labels = new Dictionary<string, string> { ["kubernetes.io/service-name"] = service },
        },
        Endpoints = [.. addresses.Select(a => new V1Endpoint { Addresses = [a], Conditions = new V1EndpointConditions { Ready = true } })],
        Ports = [new Discoveryv1EndpointPort { Port = 5432 }],
    };

    private static V1ContainerState Ended(string id) => new() { Terminated = new V1ContainerStateTerminated { ContainerID = id, ExitCode = 137 } };

    private static V1ObjectMeta Metadata(string name) => new() { Name = name, NamespaceProperty = Namespace };
}
