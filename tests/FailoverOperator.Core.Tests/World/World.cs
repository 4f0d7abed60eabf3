using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;

namespace FailoverOperator.Core.Tests.World;

/// <summary>What may go wrong, each at any time.</summary>
internal enum Fault
{
    None,
    ProcessCrash,
    ProcessFreeze,
    ProcessThaw,
    ProbeLost,
    NodePartition,
    NodePowerCut,
    NodeBack,
    PodDelete,
    PodForceDelete,
    OperatorCrash,
    PersonMovesPrimary,
    ApiSilent,
    SwitchoverRequested,
}

/// <summary>
/// A small world: members with one log, their kubelets, an API server that shows what kubelets last reported, and an
/// operator that does what the Decider says. What is true and what the operator sees are kept apart. One tick is 500 ms.
/// </summary>
internal sealed partial class World
{
    public static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(500);

    private readonly List<Pod> _pods = [];
    private readonly List<string> _journal = [];
    private readonly RedundancyGroupSpec _spec;
    private string _lastNote = "";
    private int _processes;
    private int _incarnations;

    public World(int members, StartState startsAs, UnprovenFence whenUnproven, bool tellsInstance = true, ProtectionSpec? protection = null)
    {
        TellsInstance = tellsInstance;
        _spec = Given.Spec with
        {
            Engine = Given.Spec.Engine with { StartsAs = startsAs },
            Fencing = Given.Spec.Fencing with { WhenUnproven = whenUnproven },
            Protection = protection ?? ProtectionSpec.Off,
        };
        for (var i = 0; i < members; i++) _pods.Add(NewPod($"db-{i}", new Node($"node-{i}")));
    }

    public bool TellsInstance { get; }

    public TimeSpan Now { get; private set; }

    public long Log { get; private set; }

    /// <summary>Pods that exist in the API server, or whose processes still run although they do not.</summary>
    public IReadOnlyList<Pod> Pods => _pods;

    public string Journal => string.Join(Environment.NewLine, _journal.TakeLast(60));

    /// <summary>The processes that were made writable by a term and still are.</summary>
    public IEnumerable<Pod> Writable => _pods.Where(p => p.Process is { Alive: true, Writable: true, Term: > 0 });

    public void Note(string line)
    {
        if (line != _lastNote) _journal.Add($"{Now.TotalSeconds,6:0.0} {line}");
        _lastNote = line;
    }

    /// <summary>Time passes: the primary writes, standbys receive, kubelets restart and report.</summary>
    public void Pass()
    {
        Now += Tick;
        if (Writable.FirstOrDefault() is { Process.Frozen: false } primary) primary.Process.Position = Log += 10;
        foreach (var pod in _pods.ToList()) Kubelet(pod);
        foreach (var pod in _pods.Where(p => p.Process is { Alive: true, Frozen: false, Writable: false })) Replicate(pod);
        foreach (var name in Names.Where(name => _pods.All(p => p.Name != name || !p.Exists)))
        {
            var node = _pods.First(p => p.Name == name).Node;
            // A volume is attached to one node at a time: the pod comes back when its node does.
            if (node.Up && !_pods.Any(p => p.Name == name && p.Process.Alive)) _pods.Add(NewPod(name, node, _pods.Last(p => p.Name == name).Process.Position));
        }
        _pods.RemoveAll(p => !p.Exists && !p.Process.Alive && p.Node.Up && _pods.Any(q => q != p && q.Name == p.Name));
    }

    private IEnumerable<string> Names => _pods.Select(p => p.Name).Distinct().ToList();

    private void Kubelet(Pod pod)
    {
        if (!pod.Node.Powered) return;
        if (pod.Node.Up)
        {
            if ((pod.Terminating || !pod.Exists) && pod.Process.Alive && Now >= pod.EndsAt) pod.Process.Alive = false;
            if (pod.Terminating && !pod.Process.Alive && pod.Exists)
            {
                pod.Exists = false;
                _departures[pod.Uid] = new Seen(Confirmed: true, Now);
            }
        }
        if (!pod.Process.Alive && pod is { Terminating: false, Exists: true } && Now >= pod.RestartAt) Restart(pod);
        if (pod.Node.Up && Now >= pod.ReportAt) pod.Report();
    }

    private void Restart(Pod pod)
    {
        pod.Process = NewProcess(pod.Process.Position);
        pod.ReportAt = Now + pod.ReportLag;
        Note($"{pod.Name} restarts as server {pod.Process.Id}");
    }

    private void Replicate(Pod standby)
    {
        var primary = _pods.FirstOrDefault(p => p.Uid == standby.Process.Follows);
        var linked = primary is { Process: { Alive: true, Frozen: false }, Node.Up: true } && standby.Node.Up;
        if (linked)
        {
            standby.Process.LinkDownSince = null;
            standby.Process.Position = Math.Max(standby.Process.Position, primary!.Process.Position);
        }
        else standby.Process.LinkDownSince ??= Now;
    }

    private Pod NewPod(string name, Node node, long position = 0) => new(name, $"{name}-{++_incarnations}", node, NewProcess(position));

    private Process NewProcess(long position) => new(++_processes) { Position = position, Writable = false };

    public void Strike(Fault fault, int whom, int howLong)
    {
        var pod = _pods.Where(p => p.Exists).ElementAtOrDefault(whom % Math.Max(1, _pods.Count(p => p.Exists)));
        if (pod is null || fault == Fault.None) return;
        Note($"{fault} {pod.Name} ({howLong})");
        switch (fault)
        {
            case Fault.ProcessCrash when pod.Process.Alive:
                pod.Process.Alive = false;
                pod.RestartAt = Now + (howLong * Tick);
                pod.ReportLag = (howLong % 3) * Tick;
                pod.ReportAt = Now + pod.ReportLag;
                break;
            case Fault.ProcessFreeze: pod.Process.Frozen = true; break;
            case Fault.ProcessThaw: pod.Process.Frozen = false; break;
            case Fault.ProbeLost: pod.ProbeLostUntil = Now + (howLong * Tick); break;
            case Fault.NodePartition: pod.Node.Cut(Now); break;
            case Fault.NodePowerCut:
                pod.Node.Cut(Now);
                pod.Node.Powered = false;
                foreach (var other in _pods.Where(p => p.Node == pod.Node)) other.Process.Alive = false;
                break;
            case Fault.NodeBack: pod.Node.Mend(); break;
            case Fault.PodDelete: Terminate(pod, howLong); break;
            case Fault.PodForceDelete:
                Terminate(pod, howLong);
                pod.Exists = false;
                _departures[pod.Uid] = new Seen(Confirmed: false, Now);
                break;
            case Fault.OperatorCrash: CrashOperator(); break;
            case Fault.PersonMovesPrimary when _spec.Engine.StartsAs == StartState.ReadOnly: Move(pod); break;
            case Fault.SwitchoverRequested: AskForSwitchover(howLong); break;
            case Fault.ApiSilent: _apiSilentUntil = Now + (howLong * Tick); break;
        }
    }

    /// <summary>Everything that was broken is mended, and nothing breaks any more.</summary>
    public void StopFaults()
    {
        Note("faults stop");
        foreach (var pod in _pods)
        {
            pod.Node.Mend();
            pod.Process.Frozen = false;
            pod.ProbeLostUntil = TimeSpan.Zero;
        }
        _apiSilentUntil = TimeSpan.Zero;
    }

    private void Terminate(Pod pod, int howLong)
    {
        if (pod.Terminating) return;
        pod.Terminating = true;
        pod.EndsAt = Now + (howLong * Tick);
    }

    /// <summary>A person hands over properly: the old primary is made a standby first.</summary>
    private void Move(Pod to)
    {
        if (Writable.ToList() is not [var old] || old == to || !to.Process.Alive || to.Process.Frozen || old.Process.Frozen || !to.Node.Up || !old.Node.Up || !to.Ready) return;
        if (to.Process.Position < old.Process.Position || to.Terminating || Now < _apiSilentUntil || to.ProbeLostUntil > Now) return;
        // Against the operator's own choice, made at the same moment, nobody can guard.
        if (_failovers.Any(f => !f.IsEnded && f.Status.Phase is not (FailoverPhase.Pending or FailoverPhase.Fencing))) return;
        (old.Process.Writable, old.Process.Follows) = (false, to.Uid);
        (to.Process.Writable, to.Process.Term, to.Process.Follows) = (true, old.Process.Term, null);
        // The operator notices before the next fault: what nobody could see, nobody can guard against.
        Probe();
        for (var i = 0; i < 4; i++) Act();
    }

    internal sealed class Node(string name)
    {
        public string Name => name;

        public bool Up { get; private set; } = true;

        public bool Powered { get; set; } = true;

        public TimeSpan DownSince { get; private set; }

        public void Cut(TimeSpan now)
        {
            if (Up) DownSince = now;
            Up = false;
        }

        public void Mend()
        {
            Up = true;
            Powered = true;
        }
    }

    internal sealed class Process(int id)
    {
        public int Id => id;

        public bool Alive { get; set; } = true;

        public bool Frozen { get; set; }

        public bool Writable { get; set; }

        /// <summary>The term that made it writable; 0: none did.</summary>
        public long Term { get; set; }

        public string? Follows { get; set; }

        public TimeSpan? LinkDownSince { get; set; }

        public long Position { get; set; }
    }

    internal sealed class Pod(string name, string uid, Node node, Process process)
    {
        public string Name => name;

        public string Uid => uid;

        public string Address => $"ip-{uid}";

        public Node Node => node;

        public Process Process { get; set; } = process;

        public bool Exists { get; set; } = true;

        public bool Terminating { get; set; }

        public TimeSpan EndsAt { get; set; }

        public TimeSpan RestartAt { get; set; }

        public TimeSpan ReportAt { get; set; }

        public TimeSpan ReportLag { get; set; }

        public TimeSpan ProbeLostUntil { get; set; }

        // ---- what the API server shows of it

        public bool Ready { get; private set; } = true;

        public int ReportedRun { get; private set; } = process.Id;

        public int? EndedRun { get; private set; }

        public bool ReportedRunning { get; private set; } = true;

        public string? RoleLabel { get; set; }

        public long? TermLabel { get; set; }

        public void Report()
        {
            if (ReportedRun != Process.Id) EndedRun = ReportedRun;
            if (!Process.Alive) EndedRun = Process.Id;
            ReportedRun = Process.Id;
            ReportedRunning = Process.Alive;
            Ready = Process.Alive;
        }
    }
}
