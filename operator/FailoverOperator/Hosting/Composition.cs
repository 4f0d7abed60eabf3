using FailoverOperator.Acting;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Controllers;
using FailoverOperator.Engines;
using FailoverOperator.Observing;
using FailoverOperator.Recording;
using FailoverOperator.Runtime.Controllers;
using FailoverOperator.Runtime.Events;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Runtime.Queueing;
using k8s;
using k8s.Models;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Prometheus;

namespace FailoverOperator.Hosting;

/// <summary>Puts the process together. No decisions, no I/O but to ask once what the API server serves.</summary>
public static class Composition
{
    public static WebApplication Build(OperatorSettings settings, TimeProvider time, int seed)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Listen(kestrel, settings));
        // A part that is missing is found when the process is put together, not at the first failover.
        builder.Host.UseDefaultServiceProvider(provider => (provider.ValidateOnBuild, provider.ValidateScopes) = (true, true));
        Log(builder.Logging, settings);
        var services = builder.Services;
        services.AddSingleton(settings).AddSingleton(time).AddSingleton(new KubernetesApiOptions()).AddSingleton(Metrics.NewCustomRegistry());
        AddApi(services, seed);
        AddOperator(services, settings, seed);

        var app = builder.Build();
        var registry = app.Services.GetRequiredService<CollectorRegistry>();
        app.MapMetrics("/metrics", registry);
        app.MapGet("/healthz", (OperatorProcess process) => process.IsAlive ? Results.Text("ok") : Results.Text("the workers have ended", statusCode: 503));
        app.MapGet("/readyz", (OperatorProcess process) => process.IsReady ? Results.Text("ok") : Results.Text("not every watch has delivered its first list yet", statusCode: 503));
        if (settings.WebhookFolder is { } folder) app.Services.GetRequiredService<EvictionWebhook>().Map(app, folder);
        return app;
    }

    private static void Listen(KestrelServerOptions kestrel, OperatorSettings settings)
    {
        kestrel.ListenAnyIP(settings.HttpPort);
        if (settings.WebhookFolder is not { } folder) return;
        var certificate = new WebhookCertificate(folder, kestrel.ApplicationServices.GetRequiredService<OperatorClock>());
        kestrel.ListenAnyIP(settings.WebhookPort, listen => listen.UseHttps(https => https.ServerCertificateSelector = (_, _) => certificate.Current));
    }

    private static void Log(ILoggingBuilder logging, OperatorSettings settings)
    {
        logging.ClearProviders().SetMinimumLevel(settings.LogLevel).AddFilter("Microsoft", LogLevel.Warning);
        if (settings.LogJson) logging.AddJsonConsole(console => console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fffK");
        else logging.AddSimpleConsole(console => { console.SingleLine = true; console.TimestampFormat = "HH:mm:ss.fff "; });
    }

    private static void AddApi(IServiceCollection services, int seed)
    {
        services.AddSingleton(_ => ApiServerConnections.Connect());
        services.AddSingleton<IKubernetes>(s => s.GetRequiredService<Kubernetes>());
        services.AddSingleton<ApiHealth>();
        services.AddSingleton(s => new ApiTransport(
            ApiServerConnections.Of(s.GetRequiredService<Kubernetes>()), s.GetRequiredService<KubernetesApiOptions>(), s.GetRequiredService<ApiHealth>(), s.GetRequiredService<TimeProvider>(), new Random(seed)));
        services.AddSingleton<IKubernetesApi>(s =>
        {
            var logger = s.GetRequiredService<ILogger<KubernetesApi>>();
            return new KubernetesApi(s.GetRequiredService<ApiTransport>(), s.GetRequiredService<KubernetesApiOptions>(),
                unreadable => logger.LogWarning("{Kind} {Namespace}/{Name} cannot be read and is left out: {Problem}", unreadable.Kind, unreadable.Namespace, unreadable.Name, unreadable.Problem));
        });
        services.AddSingleton<ApiHealthMonitor>();
    }

    /// <summary>
    /// Everything but the connection to the API server: whoever calls this provides <see cref="IKubernetesApi"/>,
    /// <see cref="ApiHealth"/>, <see cref="TimeProvider"/> and a <see cref="CollectorRegistry"/>.
    /// </summary>
    public static void AddOperator(IServiceCollection services, OperatorSettings settings, int seed)
    {
        AddCluster(services, settings, seed);
        AddWork(services, settings, seed);
    }

    /// <summary>A cluster has many leases and Jobs; only those that the operator made concern it.</summary>
    private static readonly ListOptions OfGroups = new(LabelSelector: ApiGroup.GroupLabel);

    private static void AddCluster(IServiceCollection services, OperatorSettings settings, int seed)
    {
        services.AddSingleton<OperatorClock>();
        services.AddSingleton<IServiceEndpoints>(s => new ServedEndpoints(s.GetRequiredService<IKubernetesApi>(),
            slices: () => new EndpointSliceReader(Follow<V1EndpointSlice>(s, settings.WatchNamespace, seed)),
            endpoints: () => new EndpointsReader(Follow<V1Endpoints>(s, settings.WatchNamespace, seed)), s.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IDisruptionBudgets>(s => new ServedBudgets(s.GetRequiredService<IKubernetesApi>(),
            newer: () => Budgets<V1PodDisruptionBudget>(s, settings, seed), older: () => Budgets<V1Beta1PodDisruptionBudget>(s, settings, seed), s.GetRequiredService<OperatorClock>()));
        services.AddSingleton(s => new ClusterView
        {
            Groups = Follow<RedundancyGroup>(s, settings.WatchNamespace, seed),
            Failovers = Follow<Failover>(s, settings.WatchNamespace, seed),
            Pods = Follow<V1Pod>(s, settings.WatchNamespace, seed),
            Nodes = Nodes(s, settings, seed),
            Services = Follow<V1Service>(s, settings.WatchNamespace, seed),
            Workloads = Follow<V1StatefulSet>(s, settings.WatchNamespace, seed),
            Leases = Follow<V1Lease>(s, settings.WatchNamespace, seed, OfGroups),
            Jobs = Follow<V1Job>(s, settings.WatchNamespace, seed, OfGroups),
            Endpoints = s.GetRequiredService<IServiceEndpoints>(),
            Budgets = s.GetRequiredService<IDisruptionBudgets>(),
        }.Indexed());
        services.AddSingleton<IWorkQueue<ObjectKey>>(s => new WorkQueue<ObjectKey>(new WorkQueueOptions(), s.GetRequiredService<TimeProvider>(), new Random(seed)));
    }

    private static void AddWork(IServiceCollection services, OperatorSettings settings, int seed)
    {
        services.AddSingleton<ISelfObservation, SelfObservation>().AddSingleton(new EvictionSight(settings.WebhookFolder is not null));
        services.AddSingleton(s => new DepartureLog(s.GetRequiredService<ClusterView>().Pods, s.GetRequiredService<OperatorClock>()));
        services.AddSingleton(s => new LeaseLog(s.GetRequiredService<ClusterView>().Leases, s.GetRequiredService<IKubernetesApi>(), s.GetRequiredService<ApiHealth>(),
            s.GetRequiredService<OperatorClock>(), s.GetRequiredService<ILogger<LeaseLog>>()));
        services.AddSingleton(s => new ReplicaLog(
            settings.Namespace is { } own ? Follow<V1Lease>(s, own, seed, new ListOptions(LabelSelector: ReplicaLease.Selector(settings.WatchNamespace))) : null,
            settings.Instance, s.GetRequiredService<ApiHealth>(), s.GetRequiredService<OperatorClock>()));
        services.AddSingleton(s => new Heartbeat(s.GetRequiredService<IKubernetesApi>(), settings, s.GetRequiredService<OperatorClock>())).AddSingleton<Duties>().AddSingleton<SlotRuns>();
        services.AddSingleton(s => new StormLog(settings, s.GetRequiredService<OperatorClock>(), s.GetRequiredService<Action<ObjectKey>>()));
        services.AddSingleton<ScaleLog>().AddSingleton<ScaleWriter>();
        services.AddSingleton<RestingGroups>().AddSingleton<AcceptanceObserver>().AddSingleton<CredentialReader>().AddSingleton<GroupObserver>();
        services.AddSingleton<IPodCommandRunner, KubernetesPodCommandRunner>().AddSingleton<EngineFactory>();
        services.AddSingleton<EngineMaker>(s => s.GetRequiredService<EngineFactory>().Make);
        services.AddSingleton<GroupSessions>();
        services.AddSingleton<OperatorMetrics>().AddSingleton<FailoverNews>().AddSingleton<EventOutbox>();
        services.AddSingleton<FailoverRecorder>().AddSingleton<GroupStatusWriter>().AddSingleton<GroupRecorder>().AddSingleton<LeaseWriter>().AddSingleton<FencingTools>().AddSingleton<DisruptionTools>().AddSingleton<StepExecutor>();
        services.AddSingleton<SharedMemory>().AddSingleton<SharedNews>().AddSingleton<SharedGroupController>();
        services.AddSingleton<EventPublisher>(s => new KubernetesEventPublisher(
            s.GetRequiredService<IKubernetesApi>(), "failover-operator.io/operator", settings.Instance, s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<KubernetesEventPublisher>>()).PublishAsync);
        services.AddSingleton<Action<ObjectKey>>(s => key => s.GetRequiredService<IWorkQueue<ObjectKey>>().Enqueue(key));
        services.AddSingleton<IEntityController<RedundancyGroup>, RedundancyGroupController>();
        services.AddSingleton(Host);
        services.AddSingleton<OperatorProcess>();
        services.AddSingleton<EvictionNotes>().AddSingleton<EvictionWebhook>();
        services.AddHostedService(s => s.GetRequiredService<OperatorProcess>());
    }

    /// <summary>They wait for answers most of the time: when many groups fail at once, fewer would let most of these wait for a few.</summary>
    private const int Workers = 32;

    private static ControllerHost<RedundancyGroup> Host(IServiceProvider services)
    {
        var cluster = services.GetRequiredService<ClusterView>();
        var queue = services.GetRequiredService<IWorkQueue<ObjectKey>>();
        // Before the watches start, so that no departure and no change of a lease is missed; and before the controller is told of it.
        _ = services.GetRequiredService<DepartureLog>();
        _ = services.GetRequiredService<LeaseLog>();
        cluster.Endpoints.Subscribe((namespaceName, service) =>
        {
            foreach (var key in cluster.GroupsOfService(namespaceName, service)) queue.Enqueue(key);
        });
        cluster.Budgets.Subscribe((namespaceName, group) =>
        {
            foreach (var key in cluster.GroupsOfBudget(namespaceName, group)) queue.Enqueue(key);
        });
        return new ControllerHost<RedundancyGroup>(cluster.Groups, queue, services.GetRequiredService<IEntityController<RedundancyGroup>>(), services.GetRequiredService<IKubernetesApi>(),
                new ControllerOptions { Workers = Workers }, services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<ControllerHost<RedundancyGroup>>>())
            .WatchOwn()
            .Watch(cluster.Groups, g => DependencyReader.Dependents(g, cluster), (_, change) => DependencyReader.IsNews(change))
            .Watch(cluster.Failovers, f => [new ObjectKey(f.Namespace(), f.Spec.GroupRef.Name)])
            .Watch(cluster.Failovers, f => cluster.DependentsOf(f.Namespace(), f.Spec.GroupRef.Name), (_, change) => DependencyReader.IsNews(change))
            .Watch(cluster.Pods, cluster.GroupsOf)
            .Watch(cluster.Nodes, cluster.GroupsOf)
            .Watch(cluster.Services, s => cluster.GroupsOfService(s.Namespace(), s.Name()))
            .Watch(cluster.Workloads, cluster.GroupsOf)
            .Watch(cluster.Leases, cluster.GroupsOf, services.GetRequiredService<RestingGroups>().IsConcerned)
            .Watch(cluster.Jobs, cluster.GroupsOf);
    }

    /// <summary>They can be done without: what is then lost is said by docs/reference.md.</summary>
    private static IInformer<V1Node> Nodes(IServiceProvider services, OperatorSettings settings, int seed)
    {
        if (settings.ReadNodes) return Follow<V1Node>(services, new InformerOptions { MayBeForbidden = true }, seed);
        services.GetRequiredService<ILogger<ClusterView>>().LogWarning(
            "nodes are not read (FAILOVER_READ_NODES, rbac.nodes of the chart): a lost node is noticed only by its silent pods, and none can be fenced by its state");
        return new ForbiddenInformer<V1Node>(services.GetRequiredService<TimeProvider>());
    }

    private static BudgetReader<T> Budgets<T>(IServiceProvider services, OperatorSettings settings, int seed)
        where T : V1PodDisruptionBudget, new() =>
        new(Follow<T>(services, new InformerOptions { Namespace = settings.WatchNamespace, MayBeForbidden = true }, seed), services.GetRequiredService<IKubernetesApi>());

    private static Informer<T> Follow<T>(IServiceProvider services, string? namespaceName, int seed, ListOptions? selection = null)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        Follow<T>(services, new InformerOptions { Namespace = namespaceName, Selection = selection ?? ListOptions.All }, seed);

    private static Informer<T> Follow<T>(IServiceProvider services, InformerOptions options, int seed)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var informer = new Informer<T>(
            services.GetRequiredService<IKubernetesApi>(), options,
            services.GetRequiredService<TimeProvider>(), new Random(seed), services.GetRequiredService<ILogger<Informer<T>>>());
        services.GetRequiredService<ApiHealth>().Resumed += informer.Relist;
        return informer;
    }
}
