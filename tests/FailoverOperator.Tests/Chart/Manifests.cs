using k8s;
using k8s.Models;

namespace FailoverOperator.Tests.Chart;

/// <summary>What the chart renders to. Kinds that the client does not know are counted by <see cref="Kinds"/> only.</summary>
public sealed class Manifests
{
    private static readonly Dictionary<string, Type> KnownTypes = new()
    {
        ["v1/Service"] = typeof(V1Service),
        ["v1/Secret"] = typeof(V1Secret),
        ["admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration"] = typeof(V1ValidatingWebhookConfiguration),
        ["v1/ServiceAccount"] = typeof(V1ServiceAccount),
        ["apps/v1/Deployment"] = typeof(V1Deployment),
        ["policy/v1/PodDisruptionBudget"] = typeof(V1PodDisruptionBudget),
        // As old API servers call it; what is used of it is the same.
        ["policy/v1beta1/PodDisruptionBudget"] = typeof(V1PodDisruptionBudget),
        ["rbac.authorization.k8s.io/v1/Role"] = typeof(V1Role),
        ["rbac.authorization.k8s.io/v1/RoleBinding"] = typeof(V1RoleBinding),
        ["rbac.authorization.k8s.io/v1/ClusterRole"] = typeof(V1ClusterRole),
        ["rbac.authorization.k8s.io/v1/ClusterRoleBinding"] = typeof(V1ClusterRoleBinding),
        ["monitoring.coreos.com/v1/ServiceMonitor"] = typeof(ServiceMonitor),
    };

    private readonly IReadOnlyList<object> _objects;

    private Manifests(IReadOnlyList<object> objects) => _objects = objects;

    public IEnumerable<string> Kinds => _objects.Cast<IKubernetesObject>().Select(o => o.Kind);

    public V1Deployment Deployment => Single<V1Deployment>();

    public V1PodSpec Pod => Deployment.Spec.Template.Spec;

    public V1Container Container => Assert.Single(Pod.Containers);

    /// <summary>The rules of all roles.</summary>
    public IReadOnlyList<V1PolicyRule> Rules =>
        [.. _objects.OfType<V1ClusterRole>().SelectMany(r => r.Rules), .. _objects.OfType<V1Role>().SelectMany(r => r.Rules)];

    public static Manifests Parse(string yaml) => new(KubernetesYaml.LoadAllFromString(yaml, KnownTypes));

    public IEnumerable<T> All<T>() => _objects.OfType<T>();

    public V1Service MetricsService => All<V1Service>().Single(s => s.Name().EndsWith("-metrics", StringComparison.Ordinal));

    public T Single<T>() => Assert.Single(_objects.OfType<T>());

    public string? Environment(string name) => Container.Env.Single(e => e.Name == name).Value;

    /// <summary>Whether some role allows this.</summary>
    public bool Allows(string verb, string resource, string apiGroup = "") =>
        Rules.Any(r => r.ApiGroups.Contains(apiGroup) && r.Resources.Contains(resource) && r.Verbs.Contains(verb));
}

/// <summary>As much of the Prometheus operator's kind as the tests look at.</summary>
public sealed class ServiceMonitor : IKubernetesObject<V1ObjectMeta>
{
    public string ApiVersion { get; set; } = "";

    public string Kind { get; set; } = "";

    public V1ObjectMeta Metadata { get; set; } = new();

    public ServiceMonitorSpec Spec { get; set; } = new();
}

/// <inheritdoc cref="ServiceMonitor"/>
public sealed class ServiceMonitorSpec
{
    public V1LabelSelector Selector { get; set; } = new();

    public List<Dictionary<string, string>> Endpoints { get; set; } = [];
}
