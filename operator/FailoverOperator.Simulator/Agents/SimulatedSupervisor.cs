using FailoverOperator.Agent.Supervision;
using FailoverOperator.Simulator.Engines;

namespace FailoverOperator.Simulator.Agents;

/// <summary>The processes of one container.</summary>
internal sealed class SimulatedSupervisor(Container container) : ISupervisor
{
    private const int Killed = 137;

    public IServerRun? Server => container.Server.Run;

    public (IServerRun? Run, string? Problem) StartServer(ProcessCommand command) =>
        throw new NotSupportedException("the simulated server starts itself");

    public Task<CommandResult> RunAsync(ProcessCommand command, TimeSpan timeout, CancellationToken cancellationToken) =>
        throw new NotSupportedException("the simulated server needs no programs");

    /// <summary>A process in the kernel's uninterruptible sleep is there until that ends.</summary>
    public async Task<bool> KillAllAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var time = container.Agent.Process.Time;
        if (container.World.Loop.Now < container.UnkillableUntil)
        {
            await Task.Delay(timeout, time, cancellationToken);
            return false;
        }
        await Task.Delay(container.Server.Milliseconds(3, 30), time, cancellationToken);
        container.Server.Run?.End(Killed);
        return true;
    }
}
