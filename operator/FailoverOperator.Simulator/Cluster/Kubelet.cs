using FailoverOperator.Simulator.ApiServers;
using FailoverOperator.Simulator.Engines;
using k8s.Models;

namespace FailoverOperator.Simulator.Cluster;

/// <summary>
/// Starts the pods of its node, looks after them, and tells the API server: about a restart, about readiness, about the end. It can do that only
/// while
/// the two reach each other; what runs goes on meanwhile.
/// </summary>
internal sealed class Kubelet
{
    private static readonly TimeSpan SyncInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(20);

    private readonly SimulatedWorld _world;
    private readonly Node _node;
    private readonly Dictionary<string, PodWork> _pods = [];
    private bool _isSyncDue;

    public Kubelet(SimulatedWorld world, Node node)
    {
        (_world, _node) = (world, node);
        world.Loop.After(world.Milliseconds(1, 1000), () =>
        {
            Sync();
            world.Loop.Every(SyncInterval, () => { Sync(); return true; });
        });
        world.Loop.Every(HeartbeatInterval, () => { Beat(); return true; });
    }

    private bool Works => _node is { IsPowered: true, KubeletHangs: false };

    private bool ReachesApi =>
        _world.Api.IsUp && _world.Network.IsOpen(_node.Name, ApiServer.Machine) && _world.Network.IsOpen(ApiServer.Machine, _node.Name);

    /// <summary>A pod of this node has changed.</summary>
    public void Notice()
    {
        if (_isSyncDue) return;
        _isSyncDue = true;
        _world.Loop.After(_world.Milliseconds(5, 80), () =>
        {
            _isSyncDue = false;
            Sync();
        });
    }

    /// <summary>The machine starts again: nothing runs on it, and its pods get new addresses.</summary>
    public void Reboot()
    {
        _pods.Clear();
        Notice();
    }

    private void Beat()
    {
        if (Works && ReachesApi) _node.HeartbeatAt = _world.Loop.Now;
    }

    private void Sync()
    {
        if (!Works) return;
        if (ReachesApi)
        {
            var known = _world.Cluster.All<V1Pod>().Where(p => p.Spec.NodeName == _node.Name).ToList();
            foreach (var pod in known) Serve(pod);
            foreach (var gone in _node.Containers.Where(c => known.All(p => p.Metadata.Uid != c.PodUid)).ToList()) gone.End();
            foreach (var uid in _pods.Keys.Where(uid => known.All(p => p.Metadata.Uid != uid)).ToList()) _pods.Remove(uid);
        }
        foreach (var container in _node.Containers.ToList()) Probe(container);
    }

    private void Serve(V1Pod pod)
    {
        if (!_pods.TryGetValue(pod.Metadata.Uid, out var work)) _pods[pod.Metadata.Uid] = work = new PodWork();
        var container = _node.Containers.Find(c => c.PodUid == pod.Metadata.Uid);
        if (pod.Metadata.DeletionTimestamp is not null) Stop(pod, work, container);
        else if (container is null) Start(pod, work);
        else if (pod.Status.ContainerStatuses?.FirstOrDefault()?.ContainerID != container.Id) Tell(
            pod, p => Objects.Run(p, container.Address, container.Id));
        else if (Objects.IsReady(pod) != work.IsReady) Tell(pod, p => Objects.SetReady(p, work.IsReady));
    }

    /// <summary>Not beside one of the same name that has not ended.</summary>
    private void Start(V1Pod pod, PodWork work)
    {
        if (pod.Status.ContainerStatuses?.FirstOrDefault() is { State.Running: not null } running
            && _node.Containers.TrueForAll(c => c.Id != running.ContainerID))
            Tell(pod, Objects.Terminate);
        if (_world.Loop.Now < work.StartAt || _node.Containers.Exists(c => c.PodName == pod.Metadata.Name)) return;
        work.Starts++;
        work.IsReady = false;
        var backoff = TimeSpan.FromSeconds(Math.Pow(2, Math.Min(work.Starts, 5)));
        work.StartAt = _world.Loop.Now + (backoff < LongestBackoff ? backoff : LongestBackoff);
        work.Address ??= _world.Addresses.Next();
        var container = _world.Workload.NewContainer(
            _node, pod.Metadata.Name, pod.Metadata.Uid, work.Address, _world.NextContainerId(), c => Ended(c, work));
        _world.Addresses.Set(container);
        _node.Containers.Add(container);
        _world.Trace.Write(_node.Name, $"starts {container.Identity} as {container.Id}");
        container.Start();
        Tell(pod, p => Objects.Run(p, container.Address, container.Id));
    }

    private void Ended(PodContainer container, PodWork work)
    {
        _node.Containers.Remove(container);
        _world.Trace.Write(_node.Name, $"{container.Id} of {container.Identity} has ended");
        work.IsReady = false;
        Notice();
    }

    private void Stop(V1Pod pod, PodWork work, PodContainer? container)
    {
        if (container is null)
        {
            // First the status with every container ended, a while later the object goes.
            if (pod.Status.ContainerStatuses?.FirstOrDefault() is { State.Terminated: null }) Tell(pod, Objects.Terminate);
            else if (work.GoneAt is null) work.GoneAt = _world.Loop.Now + _world.Milliseconds(50, 800);
            else if (_world.Loop.Now >= work.GoneAt) _world.Cluster.Remove<V1Pod>(pod.Metadata.Name);
            return;
        }
        if (work.KillAt is null)
        {
            work.KillAt = _world.Loop.Now + Grace;
            container.Stop();
        }
        else if (_world.Loop.Now >= work.KillAt)
        {
            container.End();
        }
    }

    /// <summary>Liveness and readiness, every second: a process that stands still answers neither.</summary>
    private void Probe(PodContainer container)
    {
        if (!_pods.TryGetValue(container.PodUid, out var work)) return;
        var isAlive = container.IsAlive;
        work.LivenessFailures = isAlive ? 0 : work.LivenessFailures + 1;
        if (work.LivenessFailures == 3) work.KillAt ??= _world.Loop.Now + Grace;
        if (work.KillAt <= _world.Loop.Now && work.LivenessFailures >= 3) container.End();
        if (!isAlive) Note(work, false);
        else container.AskReadiness(isReady =>
        {
            if (!container.HasEnded) Note(work, isReady);
        });
    }

    /// <summary>Once is enough to be ready, twice not to be.</summary>
    private static void Note(PodWork work, bool isReady)
    {
        work.ReadinessFailures = isReady ? 0 : work.ReadinessFailures + 1;
        if (isReady) work.IsReady = true;
        else if (work.ReadinessFailures >= 2) work.IsReady = false;
    }

    private void Tell(V1Pod pod, Action<V1Pod> change)
    {
        if (_world.Cluster.Find<V1Pod>(pod.Metadata.Name)?.Metadata.Uid == pod.Metadata.Uid) _world.Cluster.Change(pod.Metadata.Name, change);
    }

    private sealed class PodWork
    {
        public string? Address { get; set; }

        public int Starts { get; set; }

        public TimeSpan StartAt { get; set; }

        public TimeSpan? KillAt { get; set; }

        public TimeSpan? GoneAt { get; set; }

        public bool IsReady { get; set; }

        public int ReadinessFailures { get; set; }

        public int LivenessFailures { get; set; }
    }
}
