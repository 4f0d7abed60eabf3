using System.Security.Cryptography.X509Certificates;
using System.Text;
using k8s.Models;

namespace FailoverOperator.Tests.Chart;

[Trait("Category", "Helm")]
public sealed class ChartTests
{
    private const string Defaults = "{}";
    private const string Namespaced = "rbac: { scope: Namespace }";
    private const string NamespacedWithoutNodes = "rbac: { scope: Namespace, nodes: false }";

    private const string Everything = """
        fullnameOverride: guard
        image: { repository: example/failover-operator, tag: "1.2.3", pullPolicy: Always }
        imagePullSecrets: [{ name: registry }]
        watchNamespace: shop
        serviceAccount: { create: false, name: existing }
        hooks: { exec: false }
        fencing: { jobs: false, nodeTaint: true }
        logging: { level: Debug, format: text }
        resources: { limits: { memory: 1Gi } }
        livenessProbe: { failureThreshold: 7 }
        terminationGracePeriodSeconds: 1
        podAnnotations: { a: b }
        podLabels: { team: data }
        nodeSelector: { pool: system }
        affinity: { podAntiAffinity: {} }
        topologySpreadConstraints:
          - { maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway }
        priorityClassName: system-cluster-critical
        tolerations: [{ operator: Exists }]
        extraEnv: [{ name: TZ, value: UTC }]
        metrics:
          service: { port: 9090, annotations: { c: d } }
          serviceMonitor: { enabled: true, interval: 5s, labels: { release: prometheus } }
        """;

    [Fact]
    public void Lints()
    {
        var result = Helm.Lint();
        Assert.True(result.ExitCode == 0, result.Output);
    }

    [Theory]
    [InlineData(Defaults)]
    [InlineData(Namespaced)]
    [InlineData(NamespacedWithoutNodes)]
    [InlineData(Everything)]
    public void Runs_without_privileges(string values)
    {
        var manifests = Helm.Template(values);

        Assert.True(manifests.Pod.SecurityContext.RunAsNonRoot);
        Assert.Equal(65532, manifests.Pod.SecurityContext.RunAsUser);
        Assert.Equal("RuntimeDefault", manifests.Pod.SecurityContext.SeccompProfile.Type);
        Assert.True(manifests.Container.SecurityContext.ReadOnlyRootFilesystem);
        Assert.False(manifests.Container.SecurityContext.AllowPrivilegeEscalation);
        Assert.Equal(["ALL"], manifests.Container.SecurityContext.Capabilities.Drop);
        Assert.All(manifests.Container.VolumeMounts, mount => Assert.True(mount.MountPath == "/tmp" || mount.ReadOnlyProperty == true));
        Assert.Equal("0", manifests.Environment("DOTNET_EnableDiagnostics"));
    }

    [Theory]
    [InlineData(Defaults)]
    [InlineData(Namespaced)]
    [InlineData(NamespacedWithoutNodes)]
    public void May_scale_cold_standbys_and_no_other_kinds_than_it_is_told(string values)
    {
        foreach (var verb in new[] { "get", "update" })
            Assert.All(["deployments/scale", "statefulsets/scale"], resource => Assert.True(Helm.Template(values).Allows(verb, resource, "apps")));
        Assert.False(Helm.Template(values).Allows("update", "things/scale", "example.com"));
        Assert.False(Helm.Template(values).Allows("update", "deployments", "apps"));
    }

    [Theory]
    [InlineData("rbac: { scale: [{ apiGroup: example.com, resource: things }] }")]
    [InlineData("rbac: { scope: Namespace, scale: [{ apiGroup: example.com, resource: things }] }")]
    public void May_scale_other_kinds_that_it_is_told(string values) =>
        Assert.Contains(Helm.Template(values).Rules, rule => rule.ApiGroups is ["example.com"] && rule.Resources is ["things/scale"] && rule.Verbs.SequenceEqual(["get", "update"]));

    [Theory]
    [InlineData(Defaults)]
    [InlineData(Namespaced)]
    [InlineData(NamespacedWithoutNodes)]
    [InlineData(Everything)]
    public void Asks_for_no_right_with_a_wildcard_and_for_none_to_list_secrets(string values)
    {
        var manifests = Helm.Template(values);

        Assert.NotEmpty(manifests.Rules);
        Assert.All(manifests.Rules, rule => Assert.DoesNotContain("*", rule.Verbs.Concat(rule.Resources).Concat(rule.ApiGroups)));
        Assert.True(manifests.Allows("get", "secrets"));
        Assert.All(["list", "watch", "create", "update", "patch", "delete"], verb => Assert.False(manifests.Allows(verb, "secrets")));
        Assert.All(["create", "update", "delete"], verb => Assert.False(manifests.Allows(verb, "nodes")));
    }

    [Fact]
    public void One_operator_with_probes_on_its_port()
    {
        var manifests = Helm.Template(Defaults);

        Assert.Equal(1, manifests.Deployment.Spec.Replicas);
        Assert.Empty(manifests.All<V1PodDisruptionBudget>());
        Assert.Null(manifests.Pod.Affinity);
        Assert.Equal([("http", 8080), ("webhook", 8443)], manifests.Container.Ports.Select(port => (port.Name, port.ContainerPort)));
        Assert.Equal(("/healthz", "http"), Target(manifests.Container.LivenessProbe));
        Assert.Equal(("/readyz", "http"), Target(manifests.Container.ReadinessProbe));
        Assert.Equal("8080", manifests.Environment("FAILOVER_HTTP_PORT"));
        Assert.NotEmpty(manifests.Container.Resources.Requests);
        Assert.Equal("failover-operator:0.1.0", manifests.Container.Image);
    }

    [Fact]
    public void Two_operators_are_kept_apart_and_are_not_evicted_together()
    {
        var manifests = Helm.Template("replicas: 2");

        Assert.Equal(2, manifests.Deployment.Spec.Replicas);
        var budget = manifests.Single<V1PodDisruptionBudget>();
        Assert.Equal("1", budget.Spec.MaxUnavailable.Value);
        Assert.Equal(manifests.Deployment.Spec.Selector.MatchLabels, budget.Spec.Selector.MatchLabels);
        var apart = Assert.Single(manifests.Pod.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution).PodAffinityTerm;
        Assert.Equal("kubernetes.io/hostname", apart.TopologyKey);
        Assert.Equal(manifests.Deployment.Spec.Selector.MatchLabels, apart.LabelSelector.MatchLabels);
    }

    /// <summary>The old one goes only when a new one is ready, and takes part in what its replicas tell each other.</summary>
    [Theory]
    [InlineData(Defaults)]
    [InlineData(Namespaced)]
    public void An_update_leaves_no_gap_and_replicas_may_tell_each_other_that_they_live(string values)
    {
        var manifests = Helm.Template(values);

        var update = manifests.Deployment.Spec.Strategy.RollingUpdate;
        Assert.Equal(("0", "1"), (update.MaxUnavailable.Value, update.MaxSurge.Value));
        Assert.All(["POD_NAME", "POD_NAMESPACE", "POD_UID"], name => Assert.Contains(manifests.Container.Env, e => e.Name == name && e.ValueFrom.FieldRef is not null));
        Assert.All(["get", "list", "watch", "create", "update"], verb => Assert.True(manifests.Allows(verb, "leases", "coordination.k8s.io")));
    }

    [Theory]
    [InlineData(Defaults)]
    [InlineData(Namespaced)]
    public void The_operator_may_guard_members_by_budgets(string values)
    {
        var manifests = Helm.Template(values);
        Assert.All(["get", "create", "patch", "delete"], verb => Assert.True(manifests.Allows(verb, "poddisruptionbudgets", "policy")));
        Assert.False(manifests.Allows("deletecollection", "poddisruptionbudgets", "policy"));
    }

    [Fact]
    public void Cluster_scope_watches_all_namespaces()
    {
        var manifests = Helm.Template(Defaults);

        Assert.Equal("", manifests.Environment("FAILOVER_WATCH_NAMESPACE") ?? "");
        Assert.DoesNotContain("Role", manifests.Kinds);
        var binding = manifests.Single<V1ClusterRoleBinding>();
        Assert.Equal(manifests.Single<V1ClusterRole>().Name(), binding.RoleRef.Name);
        AssertBound(binding.Subjects, manifests);
        Assert.True(manifests.Allows("watch", "nodes"));
    }

    [Fact]
    public void Namespace_scope_has_nothing_cluster_wide_but_nodes()
    {
        var manifests = Helm.Template(Namespaced);

        Assert.Equal(Helm.Namespace, manifests.Environment("FAILOVER_WATCH_NAMESPACE"));
        var rule = Assert.Single(manifests.Single<V1ClusterRole>().Rules);
        Assert.Equal(["nodes"], rule.Resources);
        Assert.Equal(["get", "list", "watch"], rule.Verbs);
        Assert.Equal(Helm.Namespace, manifests.Single<V1Role>().Namespace());
        Assert.Equal(manifests.Single<V1Role>().Name(), manifests.Single<V1RoleBinding>().RoleRef.Name);
        AssertBound(manifests.Single<V1RoleBinding>().Subjects, manifests);
    }

    [Fact]
    public void Namespace_scope_without_nodes_has_nothing_cluster_wide()
    {
        var manifests = Helm.Template(NamespacedWithoutNodes);

        Assert.DoesNotContain("ClusterRole", manifests.Kinds);
        Assert.DoesNotContain("ClusterRoleBinding", manifests.Kinds);
        Assert.False(manifests.Allows("get", "nodes"));
    }

    /// <summary>An operator that asks for what it may not read is told no for ever.</summary>
    [Theory]
    [InlineData(Defaults, "true")]
    [InlineData("rbac: { nodes: false }", "false")]
    [InlineData(NamespacedWithoutNodes, "false")]
    [InlineData("rbac: { create: false, nodes: false }", "false")]
    public void The_operator_is_told_whether_it_may_read_nodes(string values, string read)
    {
        var manifests = Helm.Template(values);

        Assert.Equal(read, manifests.Environment("FAILOVER_READ_NODES"));
        if (manifests.Rules.Count > 0) Assert.All(["get", "list", "watch"], verb => Assert.Equal(read == "true", manifests.Allows(verb, "nodes")));
    }

    [Theory]
    [InlineData(Defaults, true)]
    [InlineData("hooks: { exec: false }", false)]
    public void Commands_in_pods_are_a_right_of_their_own(string values, bool allowed) =>
        Assert.Equal(allowed, Helm.Template(values).Allows("create", "pods/exec"));

    [Theory]
    [InlineData(Defaults)]
    [InlineData(Namespaced)]
    [InlineData(NamespacedWithoutNodes)]
    [InlineData(Everything)]
    public void Leases_can_be_assigned_and_not_deleted(string values)
    {
        var manifests = Helm.Template(values);
        Assert.All(["get", "list", "watch", "create", "update"], verb => Assert.True(manifests.Allows(verb, "leases", "coordination.k8s.io")));
        Assert.All(["patch", "delete"], verb => Assert.False(manifests.Allows(verb, "leases", "coordination.k8s.io")));
        Assert.All(["get", "list", "watch"], verb => Assert.True(manifests.Allows(verb, "jobs", "batch")));
    }

    [Theory]
    [InlineData(Defaults, true)]
    [InlineData("fencing: { jobs: false }", false)]
    public void Jobs_are_a_right_of_their_own(string values, bool allowed) =>
        Assert.Equal(allowed, Helm.Template(values).Allows("create", "jobs", "batch"));

    [Theory]
    [InlineData(Defaults, false)]
    [InlineData("fencing: { nodeTaint: true }", true)]
    [InlineData("rbac: { scope: Namespace }\nfencing: { nodeTaint: true }", true)]
    public void Tainting_nodes_is_a_right_that_has_to_be_asked_for(string values, bool allowed) =>
        Assert.Equal(allowed, Helm.Template(values).Allows("patch", "nodes"));

    [Theory]
    [InlineData(Defaults)]
    [InlineData(Namespaced)]
    public void The_budgets_of_primaries_can_be_kept(string values) =>
        Assert.All(["get", "list", "watch", "create", "update", "delete"], verb => Assert.True(Helm.Template(values).Allows(verb, "poddisruptionbudgets", "policy")));

    [Theory]
    [InlineData(Defaults, "")]
    [InlineData("fullnameOverride: guard", "")]
    [InlineData("watchNamespace: shop", "shop")]
    [InlineData("rbac: { scope: Namespace }\nevictionWebhook: { enabled: true }", Helm.Namespace)]
    public void The_API_server_tells_the_operator_of_evictions_and_of_nothing_else(string values, string onlyIn)
    {
        // Older ones do not label namespaces by their names.
        Assert.Null(Assert.Single(Helm.Template(values, "--kube-version", "1.20.0").Single<V1ValidatingWebhookConfiguration>().Webhooks).NamespaceSelector);
        var manifests = Helm.Template(values, "--kube-version", "1.30.0");
        var hook = Assert.Single(manifests.Single<V1ValidatingWebhookConfiguration>().Webhooks);
        Assert.Equal(("Ignore", "NoneOnDryRun", 2), (hook.FailurePolicy, hook.SideEffects, hook.TimeoutSeconds));
        var rule = Assert.Single(hook.Rules);
        Assert.Equal(("CREATE", "pods/eviction"), (Assert.Single(rule.Operations), Assert.Single(rule.Resources)));
        Assert.Equal(onlyIn, hook.NamespaceSelector?.MatchLabels["kubernetes.io/metadata.name"] ?? "");

        var secret = manifests.Single<V1Secret>();
        Assert.Equal($"/evictions/{Encoding.UTF8.GetString(secret.Data["token"])}", hook.ClientConfig.Service.Path);
        // The API server takes nothing else in the path of a webhook.
        Assert.Matches("^/evictions/[a-z0-9]{32}$", hook.ClientConfig.Service.Path);
        Assert.Equal(32, secret.Data["token"].Length);
        Assert.Equal(secret.Data["ca.crt"], hook.ClientConfig.CaBundle);
        var volume = manifests.Pod.Volumes.Single(v => v.Name == "webhook");
        Assert.Equal((secret.Name(), "/webhook", "/webhook"),
            (volume.Secret.SecretName, manifests.Container.VolumeMounts.Single(m => m.Name == "webhook").MountPath, manifests.Environment("FAILOVER_WEBHOOK_FOLDER")));

        var service = manifests.All<V1Service>().Single(s => s.Name() == hook.ClientConfig.Service.Name);
        Assert.Equal(hook.ClientConfig.Service.Port, Assert.Single(service.Spec.Ports).Port);
        Assert.Contains(manifests.Container.Ports, port => port.Name == service.Spec.Ports[0].TargetPort.Value);
        using var certificate = X509Certificate2.CreateFromPem(Encoding.UTF8.GetString(secret.Data["tls.crt"]), Encoding.UTF8.GetString(secret.Data["tls.key"]));
        Assert.True(certificate.MatchesHostname($"{service.Name()}.{Helm.Namespace}.svc"));
    }

    [Theory]
    [InlineData(Namespaced)]
    [InlineData("evictionWebhook: { enabled: false }")]
    public void Without_the_webhook_nothing_of_it_is_there(string values)
    {
        var manifests = Helm.Template(values);
        Assert.DoesNotContain("ValidatingWebhookConfiguration", manifests.Kinds);
        Assert.DoesNotContain("Secret", manifests.Kinds);
        Assert.Equal("http", Assert.Single(manifests.Container.Ports).Name);
        Assert.DoesNotContain(manifests.Container.Env, e => e.Name == "FAILOVER_WEBHOOK_FOLDER");
    }

    [Fact]
    public void No_roles_where_they_are_made_by_somebody_else() =>
        Assert.Empty(Helm.Template("rbac: { create: false }").Rules);

    [Fact]
    public void Every_value_takes_effect()
    {
        var manifests = Helm.Template(Everything);
        var pod = manifests.Pod;

        Assert.Equal("guard", manifests.Deployment.Name());
        Assert.Equal("example/failover-operator:1.2.3", manifests.Container.Image);
        Assert.Equal("Always", manifests.Container.ImagePullPolicy);
        Assert.Equal("registry", Assert.Single(pod.ImagePullSecrets).Name);
        Assert.Equal("existing", pod.ServiceAccountName);
        Assert.DoesNotContain("ServiceAccount", manifests.Kinds);
        Assert.Equal("shop", manifests.Environment("FAILOVER_WATCH_NAMESPACE"));
        Assert.Equal("Debug", manifests.Environment("FAILOVER_LOG_LEVEL"));
        Assert.Equal("text", manifests.Environment("FAILOVER_LOG_FORMAT"));
        Assert.Equal("UTC", manifests.Environment("TZ"));
        Assert.Equal("1Gi", manifests.Container.Resources.Limits["memory"].ToString());
        Assert.Equal(7, manifests.Container.LivenessProbe.FailureThreshold);
        Assert.Equal(5, manifests.Container.LivenessProbe.PeriodSeconds);
        Assert.Equal(1, pod.TerminationGracePeriodSeconds);
        Assert.Equal("b", manifests.Deployment.Spec.Template.Metadata.Annotations["a"]);
        Assert.Equal("data", manifests.Deployment.Spec.Template.Metadata.Labels["team"]);
        Assert.Equal("system", pod.NodeSelector["pool"]);
        Assert.NotNull(pod.Affinity.PodAntiAffinity);
        Assert.Single(pod.TopologySpreadConstraints);
        Assert.Equal("system-cluster-critical", pod.PriorityClassName);
        Assert.Equal("Exists", Assert.Single(pod.Tolerations).OperatorProperty);
        Assert.Equal(9090, Assert.Single(manifests.MetricsService.Spec.Ports).Port);
        Assert.Equal("d", manifests.MetricsService.Metadata.Annotations["c"]);
        Assert.Equal("prometheus", manifests.Single<ServiceMonitor>().Metadata.Labels["release"]);
        Assert.Equal("5s", Assert.Single(manifests.Single<ServiceMonitor>().Spec.Endpoints)["interval"]);
    }

    [Theory]
    [InlineData("replicas: 1", "100")]
    [InlineData("storm: { maxConcurrentFailovers: 0 }", "0")]
    [InlineData("storm: { maxConcurrentFailovers: 7 }", "7")]
    public void The_operator_is_told_how_many_failovers_may_run_at_once(string values, string expected) =>
        Assert.Equal(expected, Helm.Template(values).Environment("FAILOVER_MAX_CONCURRENT_FAILOVERS"));

    [Fact]
    public void The_monitor_selects_the_metrics_service()
    {
        var manifests = Helm.Template(Everything);
        var service = manifests.MetricsService;
        var monitor = manifests.Single<ServiceMonitor>();

        Assert.All(monitor.Spec.Selector.MatchLabels, label => Assert.Equal(label.Value, service.Metadata.Labels[label.Key]));
        Assert.Equal(Assert.Single(service.Spec.Ports).Name, Assert.Single(monitor.Spec.Endpoints)["port"]);
        Assert.All(service.Spec.Selector, label => Assert.Equal(label.Value, manifests.Deployment.Spec.Template.Metadata.Labels[label.Key]));
    }

    [Theory]
    [InlineData("replicas: two", "replicas")]
    [InlineData("replicas: 10", "replicas")]
    [InlineData("image: { repo: x }", "repo")]
    [InlineData("rbac: { scope: Galaxy }", "scope")]
    [InlineData("rbac: { nodes: 'yes' }", "nodes")]
    [InlineData("hooks: { exec: 'true' }", "exec")]
    [InlineData("fencing: { jobs: 'true' }", "jobs")]
    [InlineData("evictionWebhook: { enabled: 'yes' }", "enabled")]
    [InlineData("fencing: { nodeTaint: 1 }", "nodeTaint")]
    [InlineData("rbac: { nodes: false }\nfencing: { nodeTaint: true }", "fencing.nodeTaint")]
    [InlineData("logging: { level: loud }", "level")]
    [InlineData("storm: { maxConcurrentFailovers: -1 }", "maxConcurrentFailovers")]
    [InlineData("storm: { maxConcurrentFailovers: many }", "maxConcurrentFailovers")]
    [InlineData("metrics: { service: { port: '8080' } }", "port")]
    [InlineData("image: { tag: 1.2 }", "tag")]
    [InlineData("watchNamespace: Not_A_Name", "watchNamespace")]
    [InlineData("rbac: { scope: Namespace }\nwatchNamespace: elsewhere", "watchNamespace")]
    [InlineData("serviceAccount: { create: false }", "serviceAccount.name")]
    [InlineData("metrics: { service: { enabled: false }, serviceMonitor: { enabled: true } }", "metrics.service.enabled")]
    public void Refuses_values_that_would_not_work_and_names_them(string values, string name)
    {
        var result = Helm.TryTemplate(values);

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(name, result.Output);
    }

    private static (string, string) Target(V1Probe probe) => (probe.HttpGet.Path, probe.HttpGet.Port.Value);

    private static void AssertBound(IEnumerable<Rbacv1Subject> subjects, Manifests manifests)
    {
        var subject = Assert.Single(subjects);
        Assert.Equal(("ServiceAccount", manifests.Pod.ServiceAccountName, Helm.Namespace), (subject.Kind, subject.Name, subject.NamespaceProperty));
    }
}
