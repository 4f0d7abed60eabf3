using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Benchmarks;

/// <summary>Groups with their pods and Services, as a cluster's own controllers and kubelets would have made them.</summary>
internal sealed class Fixture(IKubernetesApi api, Members members)
{
    public const string Namespace = "bench";
    public const int MembersPerGroup = 3;
    private const int AtOnce = 16;

    public static string GroupName(int index) => $"db-{index}";

    public async Task CreateAsync(int from, int to)
    {
        if (from == 0) await CreateNamespaceAsync();
        await Parallel.ForEachAsync(Enumerable.Range(from, to - from), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, token) => await CreateGroupAsync(i, token));
    }

    private async Task CreateNamespaceAsync()
    {
        await api.CreateAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = Namespace } }, CancellationToken.None);
        await api.CreateAsync(new V1Secret { Metadata = Named("agent"), Data = new Dictionary<string, byte[]> { ["token"] = "bench"u8.ToArray() } }, CancellationToken.None);
        foreach (var ordinal in Enumerable.Range(0, MembersPerGroup))
        {
            var node = await api.CreateAsync(new V1Node { Metadata = new V1ObjectMeta { Name = $"node-{ordinal}", Labels = new Dictionary<string, string> { ["topology.kubernetes.io/zone"] = $"zone-{ordinal}" } } }, CancellationToken.None);
            node.Status = new V1NodeStatus { Conditions = [new V1NodeCondition { Type = "Ready", Status = "True" }] };
            await api.ReplaceStatusAsync(node, CancellationToken.None);
        }
    }

    private async Task CreateGroupAsync(int index, CancellationToken token)
    {
        var name = GroupName(index);
        var labels = new Dictionary<string, string> { ["app"] = name };
        var template = new V1PodTemplateSpec { Metadata = new V1ObjectMeta { Labels = labels }, Spec = Containers(null) };
        var workload = await api.CreateAsync(new V1StatefulSet
        {
            Metadata = Named(name),
            Spec = new V1StatefulSetSpec { ServiceName = name, Replicas = MembersPerGroup, Selector = new V1LabelSelector { MatchLabels = labels }, Template = template },
        }, token);
        // Headless: the range of cluster addresses of the API server is small.
        await api.CreateAsync(new V1Service
        {
            Metadata = Named($"{name}-rw"),
            Spec = new V1ServiceSpec { ClusterIP = "None", Selector = labels, Ports = [new V1ServicePort { Port = 5432 }] },
        }, token);
        foreach (var ordinal in Enumerable.Range(0, MembersPerGroup)) await CreatePodAsync(workload, index, ordinal, token);
        await api.CreateAsync(new RedundancyGroup
        {
            Metadata = Named(name),
            Spec = new RedundancyGroupSpec
            {
                WorkloadRef = new WorkloadReference { Name = name },
                Spares = MembersPerGroup - 1,
                Engine = new EngineSpec { Type = EngineType.PostgreSQL },
                Agent = new AgentSpec { TokenSecretRef = new SecretKeyReference { Name = "agent", Key = "token" } },
                Fencing = new FencingSpec { Policy = [FencingMethod.SelfFence, FencingMethod.PodTermination] },
                Traffic = new TrafficSpec { Services = [new ServiceReference { Name = $"{name}-rw", Role = TrafficRole.Active }] },
            },
        }, token);
    }

    private async Task CreatePodAsync(V1StatefulSet workload, int index, int ordinal, CancellationToken token)
    {
        var (name, number) = ($"{workload.Name()}-{ordinal}", (index * MembersPerGroup) + ordinal);
        var pod = new V1Pod { Metadata = Named(name), Spec = Containers($"node-{ordinal}") };
        pod.Metadata.Labels = new Dictionary<string, string> { ["app"] = workload.Name(), [ApiGroup.PodNameLabel] = name };
        pod.Metadata.OwnerReferences = [new V1OwnerReference { ApiVersion = "apps/v1", Kind = "StatefulSet", Name = workload.Name(), Uid = workload.Uid(), Controller = true }];
        pod = await api.CreateAsync(pod, token);
        var address = $"10.77.{number / 250}.{(number % 250) + 1}";
        members.Add(new Member(workload.Name(), name, pod.Uid(), address));
        pod.Status = new V1PodStatus
        {
            Phase = "Running",
            PodIP = address,
            PodIPs = [new V1PodIP { Ip = address }],
            Conditions = [new V1PodCondition { Type = "Ready", Status = "True" }],
            ContainerStatuses = [new V1ContainerStatus { Name = "server", Image = "server", ImageID = "server", ContainerID = $"fake://{pod.Uid()}", Ready = true, State = new V1ContainerState { Running = new V1ContainerStateRunning() } }],
        };
        await api.ReplaceStatusAsync(pod, token);
    }

    private static V1PodSpec Containers(string? node) => new() { NodeName = node, Containers = [new V1Container { Name = "server", Image = "server" }] };

    private static V1ObjectMeta Named(string name) => new() { Name = name, NamespaceProperty = Namespace };
}
