using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Simulator.ApiServers;
using FailoverOperator.Simulator.Checking;
using FailoverOperator.Simulator.Clients;
using FailoverOperator.Simulator.Cluster;
using FailoverOperator.Simulator.Engines;
using FailoverOperator.Simulator.Networking;
using FailoverOperator.Simulator.Operators;
using FailoverOperator.Simulator.Scheduling;
using FailoverOperator.Simulator.Workloads;
using k8s.Models;

namespace FailoverOperator.Simulator;

/// <summary>What a world is made of.</summary>
public sealed record WorldOptions
{
    public required int Seed { get; init; }

    public required RedundancyGroupSpec Spec { get; init; }

    public int Members { get; init; } = 3;

    public int Operators { get; init; } = 1;

    /// <summary>Nodes beside those of the members, for members that have to move.</summary>
    public int SpareNodes { get; init; }

    /// <summary>Whether they are replicas of one release, and know of each other.</summary>
    public bool OperatorsShare { get; init; }

    /// <summary>How much the clocks of the machines go wrong at most.</summary>
    public double ClockRateError { get; init; } = 0.005;

    public TimeSpan WritePause { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How long the clients wait for an answer.</summary>
    public TimeSpan WriteTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>In which zone the node of each member is. Null: in three zones, by turns.</summary>
    public IReadOnlyList<string>? Zones { get; init; }

    /// <summary>Keeps the lines of the trace.</summary>
    public bool IsRecording { get; init; }
}

/// <summary>
/// A cluster with one group, its agents, its operators and its clients, in virtual time and on one thread. The operator's and the agents' code is
/// what
/// ships; everything around it is simulated. The same options give the same world, event for event.
/// </summary>
public sealed class SimulatedWorld
{
    private readonly Random _seeds;
    private readonly Dictionary<string, Volume> _volumes = [];
    private readonly Dictionary<string, Kubelet> _kubelets = [];
    private readonly ControlPlane _controlPlane;
    private int _branches;
    private int _processes;
    private int _containers;

    public SimulatedWorld(WorldOptions options, Seams? seams = null)
    {
        (Options, Seams) = (options, seams ?? new Seams());
        _seeds = new Random(options.Seed);
        Random = new Random(NextSeed());
        Loop = new EventLoop();
        Trace = new Trace(() => Loop.Now, options.IsRecording);
        Network = new Network(Loop, new Random(NextSeed()));
        Api = new ApiServer(Loop, Network, new Random(NextSeed()));
        Cluster = new ClusterApi(Api);
        Judge = new Judge(this) { IsSynchronous = options.Spec.Targets.RpoSeconds == 0 };
        Nodes = [.. Enumerable.Range(1, options.Members + options.SpareNodes)
            .Select(n => new Node($"node-{n}", options.Zones?[n - 1] ?? FormattableString.Invariant($"zone-{((n - 1) % 3) + 1}"), Clock()))];
        Workload = Workload.Of(this);
        Seed();
        Api.Store.Changed = Stored;
        _controlPlane = new ControlPlane(this);
        foreach (var node in Nodes) _kubelets[node.Name] = new Kubelet(this, node);
        Operators = [.. Enumerable.Range(1, options.Operators).Select(n => new SimulatedOperator(this, $"operator-{n}", Clock()))];
        Clients = new Writer(this, ApiGroup.FirstSlot, options.WritePause, options.WriteTimeout);
        Workload.Begin();
        Loop.AfterEvent = Workload.AfterEvent;
    }

    public WorldOptions Options { get; }

    public Seams Seams { get; }

    public EventLoop Loop { get; }

    public Trace Trace { get; }

    /// <summary>Chance, for everything that has none of its own.</summary>
    public Random Random { get; }

    public Network Network { get; }

    public ApiServer Api { get; }

    internal ClusterApi Cluster { get; }

    public IReadOnlyList<Node> Nodes { get; }

    public Addresses Addresses { get; } = new();

    public IReadOnlyList<SimulatedOperator> Operators { get; }

    /// <summary>What the members run.</summary>
    public Workload Workload { get; }

    /// <summary>Those of the only slot, or of the first one.</summary>
    public Writer Clients { get; }

    public Judge Judge { get; }

    /// <summary>Called with its number when a failover begins; the first election does not count.</summary>
    public Action<int>? FailoverBegan { get; set; }

    /// <summary>How many have begun, the first election aside.</summary>
    public int Failovers { get; private set; }

    public bool HasHealed { get; private set; }

    /// <summary>A person writes at this instant.</summary>
    public bool IsByHand { get; set; }

    /// <summary>Until then more than the members may be out of order.</summary>
    public TimeSpan DisturbedUntil { get; set; }

    public bool IsDisturbed => Loop.Now < DisturbedUntil || Operators.Any(o => !o.IsRunning);

    public IEnumerable<PodContainer> Containers => Nodes.SelectMany(n => n.Containers);

    /// <summary>Every machine that sends or receives anything, the clients' aside.</summary>
    public IEnumerable<string> Machines => Nodes.Select(n => n.Name).Concat(Operators.Select(o => o.Machine)).Append(ApiServer.Machine);

    /// <summary>What the failover that runs is at. Null: none runs.</summary>
    public FailoverPhase? RunningPhase => Cluster.All<Failover>().Select(f => f.Status?.Phase ?? FailoverPhase.Pending)
        .Where(p => !p.IsEnd()).Cast<FailoverPhase?>().LastOrDefault();

    /// <summary>Where the volume of the member of this ordinal is.</summary>
    public Node NodeOf(int ordinal) => Nodes[ordinal] is { IsDestroyed: false } node ? node : Nodes[^1];

    public Volume VolumeOf(string member) => _volumes.TryGetValue(member, out var known) ? known : _volumes[member] = new Volume(member);

    public IEnumerable<Volume> Volumes => _volumes.Values;

    public int NextSeed() => _seeds.Next();

    public int NextBranch() => ++_branches;

    public int NextProcessId() => ++_processes;

    public string NextContainerId() => FormattableString.Invariant($"container-{++_containers}");

    public TimeSpan Milliseconds(int least, int most) => TimeSpan.FromMilliseconds(Random.Next(least, most));

    /// <summary>Lets time go on, but not beyond a broken invariant.</summary>
    public void RunUntil(TimeSpan end, Func<bool>? until = null) => Loop.RunUntil(end, () => Judge.Violation is not null || until?.Invoke() == true);

    /// <summary>Whether everything is as it should be, and the group says so.</summary>
    public bool IsSteady() => Workload.IsSteady();

    public void CutPower(Node node)
    {
        node.IsPowered = false;
        foreach (var container in node.Containers.ToList()) container.End();
    }

    /// <summary>With all that is on it; the cloud notices some time later.</summary>
    public void Destroy(Node node)
    {
        node.IsDestroyed = true;
        CutPower(node);
        for (var n = 0; n < Options.Members; n++)
            if (Nodes[n] == node) Workload.LoseDisk(FormattableString.Invariant($"{Objects.Group}-{n}"));
        Loop.After(Milliseconds(5000, 40_000), () => Cluster.Remove<V1Node>(node.Name, null));
    }

    public void RestorePower(Node node)
    {
        if (node.IsPowered || node.IsDestroyed) return;
        node.IsPowered = true;
        Loop.After(Milliseconds(2000, 8000), _kubelets[node.Name].Reboot);
    }

    /// <summary>Nothing is the matter with anything any more; what has ended is started again by whoever does that.</summary>
    public void Heal()
    {
        Trace.Write("world", "everything heals");
        HasHealed = true;
        DisturbedUntil = Max(DisturbedUntil, Loop.Now + TimeSpan.FromSeconds(15));
        Network.Heal();
        Api.Heal();
        foreach (var node in Nodes)
        {
            RestorePower(node);
            node.KubeletHangs = false;
        }
        Workload.Heal();
        foreach (var container in Containers)
        {
            container.UnkillableUntil = container.UnstartableUntil = TimeSpan.Zero;
            container.ThawAtLast();
        }
        foreach (var one in Operators)
        {
            (one.CrashAt, one.IsWanted) = (null, true);
            one.Process.ResumeAtLast();
            if (one.Process.HasEnded) one.Start();
        }
    }

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private NodeClock Clock()
    {
        var error = Options.ClockRateError * ((Random.NextDouble() * 2) - 1);
        return new NodeClock(1 + error, TimeSpan.FromSeconds(Random.Next(1, 100_000))) { WallOffset = TimeSpan.FromSeconds(Random.Next(-30, 30)) };
    }

    private void Seed()
    {
        foreach (var node in Nodes) Cluster.Create(Objects.Node(node));
        Cluster.Create(Objects.StatefulSet(Options.Members));
        foreach (var service in Workload.Services) Cluster.Create(Objects.NewService(service));
        Cluster.Create(Objects.Secret());
        Cluster.Create(Objects.RedundancyGroup(Options.Spec));
    }

    private void Stored(StoredChange change)
    {
        Trace.Write("api", Describe(change));
        Judge.Stored(change);
        Workload.Stored(change);
        _controlPlane.Notice(change);
        switch (change.Kind.Kind)
        {
            case "Pod":
                if (_kubelets.TryGetValue(change.After.As<V1Pod>().Spec.NodeName ?? "", out var kubelet)) kubelet.Notice();
                break;
            case "Failover" when change.Before is null:
                if (change.After.As<Failover>().Spec.Type == FailoverType.Failover) FailoverBegan?.Invoke(++Failovers);
                break;
            case "EndpointSlice":
                var slice = change.After.As<V1EndpointSlice>();
                Workload.Point(slice.Metadata.Name, change.Type == Runtime.Kubernetes.WatchNoticeType.Deleted ? null : slice);
                break;
        }
    }

    private static string Describe(StoredChange change)
    {
        var json = change.After.Json;
        var what = FormattableString.Invariant($"{change.Type} {change.Kind.Kind} {json["metadata"]?["name"]} {change.Version}");
        return change.Kind.Kind switch
        {
            "Lease" => $"{what}: {json["spec"]?["holderIdentity"]} term {json["spec"]?["leaseTransitions"]}",
            "Failover" => $"{what}: {json["status"]?["phase"]} {json["status"]?["reason"]}",
            _ => what,
        };
    }
}
