using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Hosting;
using FailoverOperator.Testing;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Tests.Operator;

/// <summary>The whole operator over a group in mode NPlusM: <c>shards-0</c> and so on, each slot with a Service <c>data-0</c> and so on.</summary>
public sealed class SlotsWorld : IDisposable
{
    private const string Namespace = "shop";

    private readonly FakeTimeProvider _time = new(FakeAgents.Epoch);
    private readonly System.Threading.ITimer _cluster;
    private readonly List<OperatorUnderTest> _operators = [];
    private readonly TestLoop _loop = new();
    private readonly int _active;
    private readonly int _members;
    private int _pods;
    private (string Version, int Lost) _seen = ("", 0);

    public SlotsWorld(int active, int spares, Func<RedundancyGroupSpec, RedundancyGroupSpec>? change = null)
    {
        (_active, _members) = (active, active + spares);
        Api = new FakeKubernetesApi(_time);
        Api.Seed(Objects.Node("node-1"));
        Api.Seed(Objects.StatefulSet(Namespace, "db", _members));
        for (var slot = 0; slot < active; slot++) Api.Seed(Objects.Service(Namespace, $"data-{slot}"));
        var spec = Objects.Spec("db", "data") with
        {
            Mode = RedundancyMode.NPlusM,
            Active = active,
            Spares = spares,
            Protection = ProtectionSpec.Off,
            Engine = new EngineSpec { Type = EngineType.Hooks, StartsAs = StartState.ReadOnly, Hooks = Hooks },
        };
        Api.Seed(new RedundancyGroup { Metadata = new V1ObjectMeta { Name = "db", NamespaceProperty = Namespace }, Spec = change?.Invoke(spec) ?? spec });
        _cluster = _time.CreateTimer(_ => RunCluster(), null, TimeSpan.Zero, TimeSpan.FromMilliseconds(20));
    }

    /// <summary>They are never called: the engine is a fake.</summary>
    private static HooksEngineSpec Hooks => new()
    {
        Status = new HookSpec { Exec = new ExecHookSpec { Command = ["status"] } },
        Promote = new HookSpec { Exec = new ExecHookSpec { Command = ["promote"] } },
        Follow = new HookSpec { Exec = new ExecHookSpec { Command = ["follow"] } },
    };

    public FakeKubernetesApi Api { get; }

    public FakeShards Shards { get; } = new();

    /// <summary>Pods that are not made anew once they are gone.</summary>
    public HashSet<string> Lost { get; } = [];

    public TimeSpan Now => _time.GetUtcNow() - FakeAgents.Epoch;

    public RedundancyGroup Group => Api.Peek<RedundancyGroup>(Namespace, "db")!;

    public IReadOnlyList<Failover> Failovers => [.. Api.PeekAll<Failover>().OrderBy(f => f.Spec.Slot, StringComparer.Ordinal).ThenBy(f => f.Spec.Term)];

    public V1Pod? Pod(string name) => Api.Peek<V1Pod>(Namespace, name);

    public V1Service Service(int slot) => Api.Peek<V1Service>(Namespace, $"data-{slot}")!;

    public string? Condition(string type) => Group.Status?.Conditions.FirstOrDefault(c => c.Type == type) is { } found ? $"{found.Status} {found.Reason}" : null;

    /// <summary>By the group's status. Null: nobody.</summary>
    public string? Holder(int slot) => Group.Status?.Slots.FirstOrDefault(s => s.Name == $"{slot}")?.Holder;

    /// <summary>By the slot's Service, and by the pods' own word.</summary>
    public bool Serves(int slot) => Shards.Primaries(slot) is [var only] && Addresses(Service(slot)) is [var address] && Pod(only)?.Status.PodIP == address;

    public bool AllServe => Enumerable.Range(0, _active).All(Serves);

    public void StartOperator(OperatorSettings? settings = null)
    {
        var started = new OperatorUnderTest(Api, _time, (_, slot, _, _) => Shards.Engine(slot), settings);
        _operators.Add(started);
        _ = _loop.Start(started.RunAsync);
    }

    public IReadOnlyList<OperatorUnderTest> Operators => _operators;

    /// <summary>Every call to the API server takes up to so long.</summary>
    public void SlowDown(int milliseconds, int seed)
    {
        var random = new Random(seed);
        foreach (var one in _operators) one.Api.Faults.Before = (_, token) => Task.Delay(TimeSpan.FromMilliseconds(random.Next(milliseconds + 1)), _time, token);
    }

    public void Crash(string pod) => Shards[Pod(pod)!.Status.PodIP].Up = false;

    /// <summary>Server and container end, and are started again by the kubelet.</summary>
    public void RestartContainer(string name)
    {
        var pod = Api.Change<V1Pod>(Namespace, name, p => Objects.Restart(p, $"container-{++_pods}"));
        Shards[pod.Status.PodIP].Restart($"run-{_pods}");
    }

    public void Delete(string pod) => Api.Change<V1Pod>(Namespace, pod, p => p.Metadata.DeletionTimestamp = _time.GetUtcNow().UtcDateTime);

    public void Until(Func<bool> condition, string what, TimeSpan? limit = null)
    {
        var end = Now + (limit ?? TimeSpan.FromMinutes(2));
        for (_loop.Settle(); !condition(); _loop.Pass(_loop.Step, _time.Advance))
        {
            Assert.True(Now < end, $"not within the limit: {what}{Account()}");
            Check();
        }
    }

    public void Pass(TimeSpan duration)
    {
        _loop.Pass(duration, _time.Advance);
        Check();
    }

    public void UntilAllServe(string what) => Until(() => AllServe && Condition("Available") == "True PrimaryServing" && Condition("Redundant") == "True EnoughSpares", what);

    public void Dispose()
    {
        foreach (var one in _operators) one.Kill();
        _cluster.Dispose();
        _loop.Dispose();
    }

    private void Check()
    {
        Assert.True(Shards.Violations.Count == 0, string.Join("\n", Shards.Violations) + Account());
        for (var slot = 0; slot < _active; slot++) Assert.True(Shards.Primaries(slot).Count <= 1, $"I1: slot {slot} is written by {string.Join(" and ", Shards.Primaries(slot))}{Account()}");
    }

    public string Account() => string.Concat(Failovers.Select(f => $"\n{f.Name()} {f.Spec.Type} {f.Spec.Cause} {f.Status?.Phase} {f.Status?.Reason} {f.Status?.Candidate?.Name}: {f.Status?.Message}"))
        + string.Concat((Group.Status?.Conditions ?? []).Select(c => $"\n{c.Type} {c.Status} {c.Reason}: {c.Message}"))
        + string.Concat(Api.PeekAll<V1Pod>().Select(p => $"\n{p.Name()} {string.Join(", ", p.Metadata.Labels.Where(l => l.Key.StartsWith(ApiGroup.Name, StringComparison.Ordinal)).Select(l => $"{l.Key[(ApiGroup.Name.Length + 1)..]}={l.Value}"))}"));

    private void RunCluster()
    {
        // Most of the time nothing has happened since it was looked at last.
        if (_seen != (_seen = (Api.LastVersion, Lost.Count))) RunPods();
        Shards.Write();
    }

    private void RunPods()
    {
        foreach (var ordinal in Enumerable.Range(0, _members))
        {
            var pod = Api.Peek<V1Pod>(Namespace, $"db-{ordinal}");
            if (pod is null && !Lost.Contains($"db-{ordinal}")) Create(ordinal);
            else if (pod?.Metadata.DeletionTimestamp is not null) End(pod);
        }
        for (var slot = 0; slot < _active; slot++) PointEndpoints(Service(slot));
    }

    private void Create(int ordinal)
    {
        var address = $"10.0.0.{++_pods}";
        Shards.Add($"db-{ordinal}", address, _active).Instance = $"run-{_pods}";
        Api.Seed(Objects.Pod(Namespace, $"db-{ordinal}", "node-1", address, $"container-{_pods}", Api.Peek<V1StatefulSet>(Namespace, "db")!));
    }

    private void End(V1Pod pod)
    {
        if (pod.Status.ContainerStatuses[0].State.Terminated is not null)
        {
            Shards.Remove(pod.Status.PodIP);
            Api.Remove<V1Pod>(Namespace, pod.Name());
            return;
        }
        Shards[pod.Status.PodIP].Up = false;
        Api.Change<V1Pod>(Namespace, pod.Name(), p => Objects.Terminate(p));
    }

    private List<string> Addresses(V1Service service) =>
        [.. Api.PeekAll<V1Pod>().Where(p => p.Metadata.DeletionTimestamp is null && Objects.IsReady(p) && service.Spec.Selector.All(s => p.Metadata.Labels.TryGetValue(s.Key, out var v) && v == s.Value)).Select(p => p.Status.PodIP)];

    private void PointEndpoints(V1Service service)
    {
        var addresses = Addresses(service);
        var slice = Objects.Slice(Namespace, service.Name(), addresses);
        var known = Api.Peek<V1EndpointSlice>(Namespace, service.Name());
        if (known is null) Api.Seed(slice);
        else if (!known.Endpoints.SelectMany(e => e.Addresses).SequenceEqual(addresses)) Api.Change<V1EndpointSlice>(Namespace, service.Name(), s => s.Endpoints = slice.Endpoints);
    }
}
