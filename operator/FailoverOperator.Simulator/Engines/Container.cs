using FailoverOperator.Simulator.Agents;
using FailoverOperator.Simulator.Cluster;
using FailoverOperator.Simulator.Scheduling;

namespace FailoverOperator.Simulator.Engines;

/// <summary>A container of a member's pod: the agent as its first process, its watchdog and the server. All end with the agent.</summary>
public sealed class Container : PodContainer
{
    public Container(SimulatedWorld world, Node node, Volume volume, string podUid, string address, string id, Action<PodContainer> onEnd)
        : base(world, node, volume.Member, podUid, address, id, onEnd)
    {
        Volume = volume;
        Server = new Server(this);
        Agent = new SimulatedAgent(this);
    }

    public Volume Volume { get; }

    public Server Server { get; }

    public SimulatedAgent Agent { get; }

    public override bool IsAlive => Agent.Process.IsRunning && Agent.Loop.IsAlive;

    public override SimulatedProcess? Worker => Server.Run?.Process;

    public override SimulatedProcess Supervisor => Agent.Process;

    protected override IEnumerable<SimulatedProcess> Processes => Server.Run is { } run
        ? [Agent.Watchdog.Process, Agent.Process, run.Process]
        : [Agent.Watchdog.Process, Agent.Process];

    public override void Start() => Agent.Start(_ => End());

    public override void Stop() => Agent.Process.Do(Agent.Loop.Stop);

    public override void AskReadiness(Action<bool> tell) => Agent.Process.Do(() => _ = AskAsync(tell));

    public override void Write(string slot, long number, Action<WriteOutcome> tell)
    {
        if (Server.Run is not { HasEnded: false } run) tell(WriteOutcome.Refused);
        else run.Process.Do(() => run.Primary.Write(number, tell));
    }

    public override void Crash() => Server.Run?.End(137, "crashed");

    public override void LoseVolume() => Volume.Lose();

    protected override void EndProcesses()
    {
        Agent.End();
        Server.Run?.End(137);
    }

    private async Task AskAsync(Action<bool> tell) => tell(await Agent.IsReadyAsync());
}
