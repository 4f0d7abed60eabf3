using FailoverOperator.Api.Agents;
using FailoverOperator.Simulator.Agents;
using FailoverOperator.Simulator.Cluster;
using FailoverOperator.Simulator.Scheduling;

namespace FailoverOperator.Simulator.Engines;

/// <summary>A container of a member's pod: the agent as its first process, its watchdog and the server. All end with the agent.</summary>
public sealed class Container
{
    private readonly Action<Container> _onEnd;

    public Container(SimulatedWorld world, Node node, Volume volume, string podUid, string address, string id, Action<Container> onEnd)
    {
        (World, Node, Volume, PodUid, Address, Id, _onEnd) = (world, node, volume, podUid, address, id, onEnd);
        Server = new Server(this);
        Agent = new SimulatedAgent(this);
    }

    public SimulatedWorld World { get; }

    public Node Node { get; }

    public string Machine => Node.Name;

    public Volume Volume { get; }

    public string PodName => Volume.Member;

    public string PodUid { get; }

    public string Identity => LeaseContract.Identity(PodName, PodUid);

    public string Address { get; }

    public string Id { get; }

    public Server Server { get; }

    public SimulatedAgent Agent { get; }

    public bool HasEnded { get; private set; }

    /// <summary>Its server sleeps in the kernel until then.</summary>
    public TimeSpan UnkillableUntil { get; set; }

    /// <summary>Its server ends when it is started, until then.</summary>
    public TimeSpan UnstartableUntil { get; set; }

    /// <summary>Called when it has ended, by whoever has a connection to it.</summary>
    public event Action? Ended;

    public void Start() => Agent.Start(_ => End());

    /// <summary>The kubelet asks it to end.</summary>
    public void Stop() => Agent.Process.Do(Agent.Loop.Stop);

    /// <summary>All of it stands still.</summary>
    public void Freeze()
    {
        foreach (var process in Processes) process.Pause();
    }

    /// <summary>It goes on: the watchdog, whose time may be over, comes first.</summary>
    public void Thaw()
    {
        foreach (var process in Processes) process.Resume();
    }

    public void ThawAtLast()
    {
        foreach (var process in Processes) process.ResumeAtLast();
    }

    private IEnumerable<SimulatedProcess> Processes => Server.Run is { } run
        ? [Agent.Watchdog.Process, Agent.Process, run.Process]
        : [Agent.Watchdog.Process, Agent.Process];

    /// <summary>As by SIGKILL to its first process, or by the loss of power.</summary>
    public void End()
    {
        if (HasEnded) return;
        HasEnded = true;
        Agent.End();
        Server.Run?.End(137);
        _onEnd(this);
        Ended?.Invoke();
    }
}
