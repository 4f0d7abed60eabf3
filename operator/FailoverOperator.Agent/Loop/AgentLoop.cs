using FailoverOperator.Agent.Leases;
using FailoverOperator.Agent.Peers;
using FailoverOperator.Agent.Servers;
using FailoverOperator.Agent.Supervision;

namespace FailoverOperator.Agent.Loop;

/// <summary>What the agent's loop touches the world with, and nothing else.</summary>
/// <param name="StopTimeout">From the stop signal to the end; the kubelet kills a little later.</param>
/// <param name="Log">A line for people. Must not block.</param>
public sealed record AgentWorld(
    ILeaseApi Lease, IMemberServer Server, IPeers Peers, ISupervisor Supervisor, TimeProvider Time, Random Random, TimeSpan StopTimeout, Action<string> Log);

/// <summary>
/// The whole agent but for its edges. Five tasks share one <see cref="AgentState"/>: one watches the lease, one renews it, one asks
/// the peers, one writes notes, one directs the server. None ever waits for another.
/// </summary>
public sealed class AgentLoop
{
    /// <summary>A loop that has not turned for so long hangs.</summary>
    private static readonly TimeSpan LivenessBound = TimeSpan.FromSeconds(2);

    private readonly AgentState _state;
    private readonly Director _director;
    private readonly Renewer _renewer;
    private readonly FailsafeRounds _rounds;
    private readonly LeaseWatcher _watcher;
    private readonly Releaser _releaser;
    private readonly Heartbeat[] _heartbeats;

    public AgentLoop(AgentState state, AgentWorld world)
    {
        var (directing, renewing, asking) = (new Heartbeat(world.Time), new Heartbeat(world.Time), new Heartbeat(world.Time));
        _heartbeats = [directing, renewing, asking];
        _state = state;
        Status = new StatusSource(world.Server, world.Supervisor, world.Time);
        var calls = new LeaseCalls(world.Lease, world.Time);
        var runner = new DutyRunner(state, world.Server, world.Supervisor, Status, world.Random, world.Log);
        var fence = new Fence(state, world.Server, world.Supervisor, runner, directing, world.Log);
        var departure = new Departure(state, world.Server, world.Supervisor, fence, runner, directing, world.StopTimeout, world.Log);
        _director = new Director(state, runner, fence, departure, directing, world.Log);
        _renewer = new Renewer(state, calls, renewing, world.Log);
        _rounds = new FailsafeRounds(state, world.Peers, asking, world.Time, world.Log);
        _watcher = new LeaseWatcher(state, world.Lease, calls, world.Random, world.Log);
        _releaser = new Releaser(state, calls, world.Random, world.Log);
    }

    public StatusSource Status { get; }

    /// <summary>Whether all of it turns.</summary>
    public bool IsAlive => _heartbeats.All(h => h.Age < LivenessBound);

    /// <summary>The pod is being stopped.</summary>
    public void Stop() => _state.Update((m, _) => m.Stopping());

    /// <summary>Ends after <see cref="Stop"/>, when everything has been given back; throws on a defect.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var directing = _director.RunAsync(end.Token);
        Task[] tasks = [directing, _watcher.RunAsync(end.Token), _renewer.RunAsync(end.Token), _rounds.RunAsync(end.Token), _releaser.RunAsync(end.Token)];
        var first = await Task.WhenAny(tasks);
        end.Cancel();
        await first;
    }
}
