using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Hosting;
using FailoverOperator.Testing;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Tests.Operator;

/// <summary>One operator, and many groups whose primaries end in the same moment.</summary>
public sealed class StormTests
{
    private const int Groups = 30;

    /// <summary>The last ones are the most important.</summary>
    private static int Priority(int group) => group / 10;

    [Fact]
    public void No_more_than_the_cap_fail_over_at_a_time_and_the_most_important_go_first()
    {
        using var world = new World(Groups, cap: 4, Priority);
        world.EndPrimaries();
        var (most, kept) = (0, false);
        world.Until(() =>
        {
            most = Math.Max(most, world.Running);
            kept |= world.Condition(0, "Suppressed") == "True ClusterDisruption";
            return world.Begun.Count == Groups && world.Running == 0;
        }, TimeSpan.FromMinutes(3));

        Assert.Equal((4, true), (most, kept));
        // The first places were free, and nobody knew yet who else would want one.
        Assert.All(world.Begun.Take(4), b => Assert.InRange((b.At - world.Begun[0].At).TotalSeconds, 0, 0.1));
        var later = world.Begun.Skip(4).Select(b => Priority(b.Group)).ToList();
        Assert.Equal(later.OrderDescending(), later);
        Assert.Contains("""redundancy_failovers_suppressed_total{namespace="shop",group="g00",reason="ClusterDisruption"} 1""", world.Metrics);
        world.Until(() => Enumerable.Range(0, Groups).All(g => world.Condition(g, "Suppressed") == "False NotSuppressed" && world.Holder(g) == $"g{g:00}-1"), TimeSpan.FromMinutes(1));
    }

    [Theory]
    [InlineData(Groups)]
    [InlineData(0)]
    public void Below_the_cap_or_without_one_nobody_waits(int cap)
    {
        using var world = new World(Groups, cap, Priority);
        world.EndPrimaries();
        world.Until(() => world.Begun.Count == Groups, TimeSpan.FromSeconds(30));
        Assert.InRange((world.Begun[^1].At - world.Begun[0].At).TotalSeconds, 0, 0.1);
    }

    [Fact]
    public void One_that_is_blocked_holds_no_place()
    {
        using var world = new World(groups: 3, cap: 1, Priority);
        // Its node is silent: no proof that its primary has ended ever comes.
        world.CutPower(2);
        world.Until(() => world.Begun is [(2, _)] && world.Condition(2, "Progressing") == "False FenceUnproven", TimeSpan.FromMinutes(2));
        world.EndPrimaries(except: 2);
        world.Until(() => world.Begun.Count == 3, TimeSpan.FromMinutes(1));
    }

    /// <summary>Groups of two members, without agents; the kubelet ends what is deleted.</summary>
    private sealed class World : IDisposable
    {
        private const string Namespace = "shop";

        private readonly int _groups;
        private readonly FakeTimeProvider _time = new(FakeAgents.Epoch);
        private readonly TestLoop _loop = new();
        private readonly FakeServers _servers = new();
        private readonly HashSet<string> _silent = [];
        private readonly FakeKubernetesApi _api;
        private readonly OperatorUnderTest _operator;
        private readonly System.Threading.ITimer _cluster;
        private readonly List<(int Group, TimeSpan At)> _begun = [];

        public World(int groups, int cap, Func<int, int> priority)
        {
            _groups = groups;
            _api = new FakeKubernetesApi(_time);
            foreach (var node in new[] { "node-1", "node-2" }) _api.Seed(Objects.Node(node));
            for (var group = 0; group < _groups; group++) Create(group, priority(group));
            _cluster = _time.CreateTimer(_ => RunCluster(), null, TimeSpan.Zero, TimeSpan.FromMilliseconds(100));
            _operator = new OperatorUnderTest(_api, _time, (_, _, _, _) => _servers.Engine(), new OperatorSettings { MaxConcurrentFailovers = cap });
            _ = _loop.Start(_operator.RunAsync);
            Until(() => Enumerable.Range(0, _groups).All(g => Condition(g, "Available") == "True PrimaryServing"), TimeSpan.FromMinutes(1));
        }

        /// <summary>Failovers in the order in which they began.</summary>
        public IReadOnlyList<(int Group, TimeSpan At)> Begun => _begun;

        public int Running => Failovers.Count(f => f.Status?.Phase is null or not (FailoverPhase.Completed or FailoverPhase.Failed or FailoverPhase.Aborted));

        public string Metrics => _operator.Metrics();

        private IEnumerable<Failover> Failovers => _api.PeekAll<Failover>().Where(f => f.Spec.Type == FailoverType.Failover);

        public string? Condition(int group, string type) => Group(group)?.Status?.Conditions.FirstOrDefault(c => c.Type == type) is { } found ? $"{found.Status} {found.Reason}" : null;

        public string? Holder(int group) => Group(group)?.Status?.Slots.FirstOrDefault()?.Holder;

        public void EndPrimaries(int except = -1)
        {
            for (var group = 0; group < _groups; group++)
                if (group != except) _servers[Pod($"g{group:00}-0")!.Status.PodIP].Up = false;
        }

        public void CutPower(int group)
        {
            _silent.Add($"g{group:00}-0");
            _servers[Pod($"g{group:00}-0")!.Status.PodIP].Hangs = true;
        }

        public void Until(Func<bool> condition, TimeSpan limit)
        {
            var end = _time.GetUtcNow() + limit;
            for (_loop.Settle(); Look() && !condition(); _loop.Pass(_loop.Step, _time.Advance))
            {
                Assert.True(_time.GetUtcNow() < end, "not within the limit: "
                    + string.Join(", ", Enumerable.Range(0, _groups).Select(g => $"{g} {Holder(g)} {Condition(g, "Progressing")} {Condition(g, "Suppressed")}")));
            }
        }

        public void Dispose()
        {
            _operator.Kill();
            _cluster.Dispose();
            _loop.Dispose();
        }

        private bool Look()
        {
            var known = _begun.Select(b => b.Group).ToHashSet();
            foreach (var failover in Failovers.OrderBy(f => ulong.Parse(f.Metadata.ResourceVersion)))
                if (int.Parse(failover.Spec.GroupRef.Name[1..]) is var group && known.Add(group)) _begun.Add((group, _time.GetUtcNow() - FakeAgents.Epoch));
            return true;
        }

        private RedundancyGroup? Group(int group) => _api.Peek<RedundancyGroup>(Namespace, $"g{group:00}");

        private V1Pod? Pod(string name) => _api.Peek<V1Pod>(Namespace, name);

        private void Create(int group, int priority)
        {
            var name = $"g{group:00}";
            var workload = _api.Seed(Objects.StatefulSet(Namespace, name, 2));
            var service = Objects.Service(Namespace, $"{name}-rw", name);
            _api.Seed(service);
            for (var ordinal = 0; ordinal < 2; ordinal++)
            {
                var address = $"10.0.{group}.{ordinal + 1}";
                _servers.Add(address).Instance = $"run-{address}";
                var pod = Objects.Pod(Namespace, $"{name}-{ordinal}", $"node-{ordinal + 1}", address, $"container-{address}", workload);
                pod.Metadata.Labels["app"] = name;
                _api.Seed(pod);
            }
            _api.Seed(new RedundancyGroup
            {
                Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = Namespace },
                Spec = Objects.Spec(name, $"{name}-rw") with { Spares = 1, Priority = priority },
            });
        }

        private void RunCluster()
        {
            foreach (var pod in _api.PeekAll<V1Pod>().Where(p => p.Metadata.DeletionTimestamp is not null && !_silent.Contains(p.Name())).ToList())
            {
                if (pod.Status.ContainerStatuses[0].State.Terminated is null) _api.Change<V1Pod>(Namespace, pod.Name(), p => Objects.Terminate(p));
                else _api.Remove<V1Pod>(Namespace, pod.Name());
            }
            foreach (var service in _api.PeekAll<V1Service>()) Objects.PointEndpoints(_api, service);
        }
    }
}
