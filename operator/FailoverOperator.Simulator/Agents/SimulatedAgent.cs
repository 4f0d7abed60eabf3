using FailoverOperator.Agent.Http;
using FailoverOperator.Agent.Loop;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Observations;
using FailoverOperator.Simulator.ApiServers;
using FailoverOperator.Simulator.Cluster;
using FailoverOperator.Simulator.Engines;
using FailoverOperator.Simulator.Scheduling;

namespace FailoverOperator.Simulator.Agents;

/// <summary>The agent of a container: its loop as it ships, and what the process around it answers to questions.</summary>
public sealed class SimulatedAgent
{
    // As in FailoverOperator.Agent.Http.AgentHttp and Hosting.AgentSettings.
    private static readonly TimeSpan StatusMaxAge = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ReadinessMaxAge = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(25);

    private readonly SimulatedSupervisor _supervisor;

    internal SimulatedAgent(Container container)
    {
        var world = container.World;
        var clock = world.Seams.AgentClock(container.Node.Clock);
        Process = new SimulatedProcess($"{container.PodName}/agent", world.Loop, clock);
        Watchdog = new SimulatedWatchdog(container, clock);
        _supervisor = new SimulatedSupervisor(container);
        State = new AgentState(container.Identity, world.Seams.Watchdog(Watchdog, container), Process.Time);
        var connection = new ApiConnection(world.Network, world.Api, container.Machine, Process);
        var lease = world.Seams.LeaseApi(new SimulatedLeaseApi(connection, Objects.Namespace, LeaseContract.LeaseName(Objects.Group, "0")),
            container);
        var server = world.Seams.MemberServer(new SimulatedMemberServer(container), container);
        Loop = new AgentLoop(State, new AgentWorld(
            lease, server, world.Seams.Peers(new SimulatedPeers(container), container), _supervisor, Process.Time, new Random(world.NextSeed()),
                StopTimeout,
            line => world.Trace.Write(container.PodName, line)));
    }

    public SimulatedProcess Process { get; }

    public AgentState State { get; }

    public AgentLoop Loop { get; }

    internal SimulatedWatchdog Watchdog { get; }

    public void Start(Action<Exception?> onEnd) => Process.Start(() => Loop.RunAsync(CancellationToken.None), onEnd);

    public void End()
    {
        Process.Kill();
        Watchdog.Process.Kill();
    }

    /// <summary>GET of <see cref="AgentContract.StatusPath"/>, in the agent's own process.</summary>
    internal async Task<AgentStatus> StatusAsync()
    {
        var news = await Loop.Status.GetAsync(StatusMaxAge, Patience, CancellationToken.None);
        return AgentStatusReport.Of(State, news, _supervisor.Server);
    }

    /// <summary>GET of <see cref="AgentContract.ReadinessPath"/>.</summary>
    internal async Task<bool> IsReadyAsync()
    {
        var news = await Loop.Status.GetAsync(ReadinessMaxAge, Patience, CancellationToken.None);
        return news?.Reply is EngineReply.Answered { Status.Role: EngineRole.Primary or EngineRole.Standby };
    }
}
