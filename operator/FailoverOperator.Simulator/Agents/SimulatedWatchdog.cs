using FailoverOperator.Agent.Watchdogs;
using FailoverOperator.Simulator.Engines;
using FailoverOperator.Simulator.Scheduling;

namespace FailoverOperator.Simulator.Agents;

/// <summary>A process of its own beside the agent, which goes on when that one stands still.</summary>
internal sealed class SimulatedWatchdog : IWatchdog
{
    private const int Killed = 137;

    private readonly ITimer _timer;

    public SimulatedWatchdog(Container container, NodeClock clock)
    {
        Process = new SimulatedProcess($"{container.PodName}/watchdog", container.World.Loop, clock);
        _timer = Process.Time.CreateTimer(_ => container.Server.Run?.End(Killed, "killed by the watchdog"), null, Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    public SimulatedProcess Process { get; }

    public void Guard(TimeSpan? killAt)
    {
        var left = killAt is { } at ? at - Process.Time.GetElapsedTime(0) : Timeout.InfiniteTimeSpan;
        _timer.Change(killAt is not null && left < TimeSpan.Zero ? TimeSpan.Zero : left, Timeout.InfiniteTimeSpan);
    }
}
