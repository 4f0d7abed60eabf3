using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Hosting;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Testing;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Tests.Operator;

/// <summary>
/// The whole operator, unchanged, over an API server in memory, with the little of a cluster that it needs: pods that are
/// made, started and ended, and Services' endpoints. One thread, virtual time.
/// </summary>
public sealed class OperatorWorld : IDisposable
{
    private const string Namespace = "shop";

    private static readonly TimeSpan RestartTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan HandOverTime = TimeSpan.FromMilliseconds(200);

    private readonly FakeTimeProvider _time = new(FakeAgents.Epoch);
    private readonly System.Threading.ITimer _cluster;
    private readonly List<OperatorUnderTest> _operators = [];
    private readonly Dictionary<string, TimeSpan> _restarts = [];
    private readonly Dictionary<string, TimeSpan> _stops = [];
    private int _pods;
    private (string Version, int DeadNodes) _seen = ("", 0);
    private bool _isHandingOver;

    private readonly List<string> _workloads = ["db"];

    /// <param name="below">Of a second group, of that name. Null: there is none.</param>
    public OperatorWorld(Func<RedundancyGroupSpec, RedundancyGroupSpec>? change = null, Func<RedundancyGroupSpec, RedundancyGroupSpec>? below = null)
    {
        Api = new FakeKubernetesApi(_time);
        foreach (var node in new[] { "node-1", "node-2", "node-3" }) Api.Seed(Objects.Node(node));
        Api.Seed(Objects.Service(Namespace, "db-rw"));
        var spec = Objects.Spec("db", "db-rw");
        Api.Seed(new RedundancyGroup { Metadata = new V1ObjectMeta { Name = "db", NamespaceProperty = Namespace }, Spec = change?.Invoke(spec) ?? spec });
        if (below is not null) AddGroup("below", below);
        Api.Seed(Objects.StatefulSet(Namespace, "db", Group.Spec.Cold is null ? 3 : 1));
        Api.Seed(new V1Secret { Metadata = new V1ObjectMeta { Name = "agent", NamespaceProperty = Namespace }, Data = new Dictionary<string, byte[]> { ["token"] = "open-sesame"u8.ToArray() } });
        Servers.StartWritable = Group.Spec.Mode == RedundancyMode.ActiveActive;
        if (Group.Spec.Cold is { } cold) Cold = new ColdWorkload(Api, Servers, () => Now, cold.WorkloadRef);
        Agents = new FakeAgents(Api, Servers, () => Now);
        _cluster = _time.CreateTimer(_ => RunCluster(), null, TimeSpan.Zero, TimeSpan.FromMilliseconds(20));
    }

    /// <summary>Another group of three, without agents.</summary>
    public void AddGroup(string name, Func<RedundancyGroupSpec, RedundancyGroupSpec> change)
    {
        Api.Seed(Objects.StatefulSet(Namespace, name, 3));
        Api.Seed(Objects.Service(Namespace, $"{name}-rw", app: name));
        Api.Seed(new RedundancyGroup { Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = Namespace }, Spec = change(Objects.Spec(name, $"{name}-rw")) });
        _workloads.Add(name);
    }

    public FakeKubernetesApi Api { get; }

    /// <summary>The workload of the group's cold standby.</summary>
    public ColdWorkload? Cold { get; }

    private readonly TestLoop _loop = new();

    public FakeServers Servers { get; } = new();

    /// <summary>Those of the operators that are started.</summary>
    public OperatorSettings Settings { get; init; } = new();

    /// <summary>Pods that are made from now on never become ready.</summary>
    public bool NewPodsAreBroken { get; set; }

    /// <summary>Operators are refused whatever they ask of nodes.</summary>
    public bool NodesAreForbidden { get; set; }

    /// <summary>A kind that operators have no right to. Null: none.</summary>
    public string? Forbidden { get; set; }

    /// <summary>Those of a group with agents.</summary>
    public FakeAgents Agents { get; }

    /// <summary>Nodes whose kubelets do nothing and tell nothing.</summary>
    public HashSet<string> DeadNodes { get; } = [];

    /// <summary>The one that was started last.</summary>
    public OperatorUnderTest Operator => _operators[^1];

    public IReadOnlyList<OperatorUnderTest> Replicas => _operators;

    public bool OperatorRuns => Operator.Runs;

    public TimeSpan Now => _time.GetUtcNow() - FakeAgents.Epoch;

    public RedundancyGroup Group => Api.Peek<RedundancyGroup>(Namespace, "db")!;

    public IReadOnlyList<Failover> Failovers => FailoversOf("db");

    public IReadOnlyList<Failover> FailoversOf(string group) => [.. Api.PeekAll<Failover>().Where(f => f.Spec.GroupRef.Name == group).OrderBy(f => f.Spec.Term)];

    public V1Pod Pod(string name) => Api.Peek<V1Pod>(Namespace, name)!;

    public FakeServer Server(string pod) => Servers[Pod(pod).Status.PodIP];

    public FakeAgent Agent(string pod) => Agents.Of(Pod(pod));

    public V1Lease? Lease => Api.Peek<V1Lease>(Namespace, "db-0");

    public string? Condition(string type) => ConditionOf("db", type);

    public string? ConditionOf(string group, string type) => Api.Peek<RedundancyGroup>(Namespace, group)!.Status?.Conditions.FirstOrDefault(c => c.Type == type) is { } found ? $"{found.Status} {found.Reason}" : null;

    /// <summary>Where the Service leads.</summary>
    public IReadOnlyList<string> Traffic => [.. Api.Peek<V1EndpointSlice>(Namespace, "db-rw")!.Endpoints.SelectMany(e => e.Addresses)
        .Select(address => Api.PeekAll<V1Pod>().First(p => p.Status.PodIP == address).Name()).Order(StringComparer.Ordinal)];

    /// <summary>A new operator process, with nothing in memory; another one may run beside it.</summary>
    public void StartOperator() => StartOperator(Settings);

    private void StartOperator(OperatorSettings settings)
    {
        var started = new OperatorUnderTest(Api, _time, (group, slot, _, _) => group.Spec.Agent is null ? Servers.Engine() : Agents.Engine(), settings);
        started.Api.Faults.FailNext(ApiFailure.Forbidden, call => (NodesAreForbidden && call.Kind == "Node") || call.Kind == Forbidden, times: int.MaxValue);
        _operators.Add(started);
        _ = _loop.Start(started.RunAsync);
    }

    /// <summary>Replicas of one release, which know of each other.</summary>
    public IReadOnlyList<OperatorUnderTest> StartReplicas(int count) => [.. Enumerable.Range(0, count).Select(i => StartReplica($"operator-{i}"))];

    public OperatorUnderTest StartReplica(string name)
    {
        StartOperator(Settings with { Instance = name, Namespace = "failover-system" });
        return Operator;
    }

    /// <summary>The API server asks the operator, if that is there, before it evicts the pod.</summary>
    public void AskBeforeEviction(string pod)
    {
        var review = System.Text.Json.JsonSerializer.SerializeToElement(new { request = new { uid = "1", subResource = "eviction", @namespace = Namespace, name = pod } });
        if (OperatorRuns) Assert.Contains("\"allowed\":true", _loop.Finish(Operator.Webhook.AnswerAsync(review, CancellationToken.None)));
    }

    /// <summary>As by SIGKILL: nothing more is done or written.</summary>
    public void KillOperator() => Operator.Kill();

    /// <summary>Its next call after it has written that the failover of this term is at this phase is the first that it does not make any more.</summary>
    public void KillOperatorAfter(FailoverPhase phase, long term) => Operator.Api.Faults.Before = (_, _) =>
    {
        var running = Failovers.SingleOrDefault(f => f.Name() == $"db-0-{term}");
        if (OperatorRuns && running is not null && (running.Status?.Phase ?? FailoverPhase.Pending) == phase) KillOperator();
        return Task.CompletedTask;
    };

    /// <summary>As by SIGTERM: it hands over.</summary>
    public void StopOperator(OperatorUnderTest one) => _loop.Finish(one.StopAsync());

    /// <summary>Lets time pass until the condition holds; fails when it does not within the limit.</summary>
    public void Until(Func<bool> condition, string what, TimeSpan? limit = null)
    {
        var end = _time.GetUtcNow() + (limit ?? TimeSpan.FromMinutes(2));
        for (_loop.Settle(); !condition(); _loop.Pass(_loop.Step, _time.Advance))
        {
            Assert.True(_time.GetUtcNow() < end, $"not within the limit: {what}{Account()}");
            Assert.Empty(Agents.DualWriters);
        }
    }

    public void Pass(TimeSpan duration)
    {
        _loop.Pass(duration, _time.Advance);
        Assert.Empty(Agents.DualWriters);
    }

    public void UntilSteady(string holder, string? what = null) => Until(
        () => Group.Status?.Slots.FirstOrDefault()?.Holder == holder && Condition("Available") == "True PrimaryServing" && Condition("Redundant") == "True EnoughSpares",
        what ?? $"{holder} is active and the group redundant");

    public void Dispose()
    {
        foreach (var one in _operators) one.Kill();
        _cluster.Dispose();
        _loop.Dispose();
    }

    private void RunCluster()
    {
        RestartContainers();
        // Most of the time nothing has happened since it was looked at last.
        if (_seen != (_seen = (Api.LastVersion, DeadNodes.Count)) || _isHandingOver) RunPods();
        Agents.Tick();
        Cold?.Tick();
    }

    private void RunPods()
    {
        _isHandingOver = false;
        foreach (var (workload, ordinal) in _workloads.SelectMany(w => Enumerable.Range(0, Api.Peek<V1StatefulSet>(Namespace, w)?.Spec.Replicas ?? 3).Select(n => (w, n))))
        {
            var pod = Api.Peek<V1Pod>(Namespace, $"{workload}-{ordinal}");
            if (pod is null) Create(workload, ordinal);
            else if (!DeadNodes.Contains(pod.Spec.NodeName) && pod.Metadata.DeletionTimestamp is not null) End(pod);
        }
        foreach (var service in _workloads.Select(w => Api.Peek<V1Service>(Namespace, $"{w}-rw")).OfType<V1Service>()) Objects.PointEndpoints(Api, service);
    }

    /// <summary>Everything on the node ends, and nobody tells.</summary>
    public void CutPower(string node)
    {
        DeadNodes.Add(node);
        foreach (var pod in Api.PeekAll<V1Pod>().Where(p => p.Spec.NodeName == node))
        {
            Servers[pod.Status.PodIP].Hangs = true;
            if (HasAgents) Agents.Of(pod).Kill(isLost: true);
        }
    }

    /// <summary>Agent and server end; the kubelet starts them again, a while later.</summary>
    public void KillContainer(string name)
    {
        Agent(name).Kill();
        _restarts[name] = Now + RestartTime;
    }

    /// <summary>From now on time goes on millisecond by millisecond, and every call takes some: to measure.</summary>
    public void LookClosely(TimeSpan latency)
    {
        _loop.Step = TimeSpan.FromMilliseconds(1);
        SlowDown(latency);
    }

    /// <summary>The API server is away, for everybody, or back.</summary>
    public void CutOffAll(bool away)
    {
        foreach (var client in Clients) client.IsCutOff = away;
    }

    /// <summary>The servers take so long to answer a question.</summary>
    public void SlowDownServers(TimeSpan latency) => Servers.Before = token => Task.Delay(latency, _time, token);

    /// <summary>Every call takes so long, everybody's.</summary>
    public void SlowDown(TimeSpan latency)
    {
        foreach (var client in Clients) client.Faults.Before = latency > TimeSpan.Zero ? (_, token) => Task.Delay(latency, _time, token) : null;
    }

    /// <summary>How things are, for whoever has to find out why they are not as expected.</summary>
    private string Account() => string.Concat(Failovers.Select(f => $"\n{f.Name()} {f.Spec.Type} {f.Spec.Cause} {f.Status?.Phase} {f.Status?.Reason} {f.Status?.Fence?.Evidence} {f.Status?.Candidate?.Name}: {f.Status?.Message}"))
        + string.Concat((Group.Status?.Conditions ?? []).Select(c => $"\n{c.Type} {c.Status} {c.Reason}: {c.Message}"))
        + (Lease is { } lease ? $"\nlease {LeaseCodec.Read(lease).Record}" : "\nno lease");

    private IEnumerable<FakeKubernetesApi> Clients => _operators.Select(o => o.Api).Concat(Agents.All.Select(a => a.Api));

    private void RestartContainers()
    {
        foreach (var (name, at) in _restarts.Where(r => r.Value <= Now).ToList())
        {
            _restarts.Remove(name);
            var pod = Api.Change<V1Pod>(Namespace, name, p => Objects.Restart(p, $"container-{++_pods}"));
            var server = Servers[pod.Status.PodIP];
            (server.Up, server.Hangs, server.Instance) = (true, false, $"run-{_pods}");
            Agents.Start(pod, server);
        }
    }

    private void Create(string workload, int ordinal)
    {
        var address = $"10.0.0.{++_pods}";
        var server = Servers.Add(address);
        server.Instance = $"run-{_pods}";
        var made = Objects.Pod(Namespace, $"{workload}-{ordinal}", $"node-{ordinal + 1}", address, $"container-{_pods}", Api.Peek<V1StatefulSet>(Namespace, workload)!);
        if (NewPodsAreBroken) (made.Status.Conditions[0].Status, server.Up) = ("False", false);
        var pod = Api.Seed(made);
        if (HasAgents) Agents.Start(pod, server);
    }

    /// <summary>First the status with every container ended, a while later the object goes.</summary>
    private void End(V1Pod pod)
    {
        if (pod.Status.ContainerStatuses[0].State.Terminated is not null)
        {
            Servers.Remove(pod.Status.PodIP);
            Api.Remove<V1Pod>(Namespace, pod.Name());
            return;
        }
        if (HasAgents && IsHandingOver(pod))
        {
            _isHandingOver = true;
            return;
        }
        Servers[pod.Status.PodIP].Up = false;
        Servers[pod.Status.PodIP].IsPrimary = false;
        if (HasAgents) Agents.Of(pod).Kill();
        Api.Change<V1Pod>(Namespace, pod.Name(), p => Objects.Terminate(p));
    }

    private bool HasAgents => Api.Peek<RedundancyGroup>(Namespace, "db") is not { Spec.Agent: null };

    /// <summary>An agent that is asked to end gets time to hand over.</summary>
    private bool IsHandingOver(V1Pod pod)
    {
        if (_stops.TryAdd(pod.Uid(), Now + HandOverTime)) Agents.Of(pod).Stop();
        return Now < _stops[pod.Uid()];
    }
}
