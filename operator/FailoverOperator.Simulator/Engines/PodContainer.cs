using FailoverOperator.Api.Agents;
using FailoverOperator.Simulator.Cluster;
using FailoverOperator.Simulator.Scheduling;

namespace FailoverOperator.Simulator.Engines;

/// <summary>One run of the container of a member's pod, whatever it is that runs in it.</summary>
public abstract class PodContainer(SimulatedWorld world, Node node, string podName, string podUid, string address, string id, Action<PodContainer> onEnd)
{
    public SimulatedWorld World => world;

    public Node Node => node;

    public string Machine => node.Name;

    public string PodName => podName;

    public string PodUid => podUid;

    public string Identity => LeaseContract.Identity(podName, podUid);

    public string Address => address;

    public string Id => id;

    public bool HasEnded { get; private set; }

    /// <summary>Its server sleeps in the kernel until then.</summary>
    public TimeSpan UnkillableUntil { get; set; }

    /// <summary>Its server ends when it is started, until then.</summary>
    public virtual TimeSpan UnstartableUntil { get; set; }

    /// <summary>Called when it has ended, by whoever has a connection to it.</summary>
    public event Action? Ended;

    public abstract void Start();

    /// <summary>The kubelet asks it to end.</summary>
    public abstract void Stop();

    /// <summary>What the kubelet's liveness probe finds.</summary>
    public abstract bool IsAlive { get; }

    /// <summary>What its readiness probe finds, if it finds anything.</summary>
    public abstract void AskReadiness(Action<bool> tell);

    /// <summary>A client's write for a slot has arrived.</summary>
    public abstract void Write(string slot, long number, Action<WriteOutcome> tell);

    /// <summary>What does the work, without what looks after it. Null: it does not run.</summary>
    public abstract SimulatedProcess? Worker { get; }

    /// <summary>What looks after it.</summary>
    public abstract SimulatedProcess Supervisor { get; }

    protected abstract IEnumerable<SimulatedProcess> Processes { get; }

    /// <summary>The server ends by itself.</summary>
    public abstract void Crash();

    /// <summary>It does not do its work for a while, and says so: to whom is one way or another.</summary>
    public virtual void FallSick(TimeSpan length, int way)
    {
    }

    /// <summary>Its disk is replaced by an empty one.</summary>
    public abstract void LoseVolume();

    /// <summary>All of it stands still.</summary>
    public void Freeze()
    {
        foreach (var process in Processes) process.Pause();
    }

    /// <summary>It goes on: a watchdog, whose time may be over, comes first.</summary>
    public void Thaw()
    {
        foreach (var process in Processes) process.Resume();
    }

    public void ThawAtLast()
    {
        foreach (var process in Processes) process.ResumeAtLast();
    }

    /// <summary>As by SIGKILL to its first process, or by the loss of power.</summary>
    public void End()
    {
        if (HasEnded) return;
        HasEnded = true;
        EndProcesses();
        onEnd(this);
        Ended?.Invoke();
    }

    protected abstract void EndProcesses();
}
