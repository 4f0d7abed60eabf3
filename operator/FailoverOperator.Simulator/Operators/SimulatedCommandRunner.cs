using FailoverOperator.Engines;
using FailoverOperator.Simulator.ApiServers;
using FailoverOperator.Simulator.Scheduling;
using FailoverOperator.Simulator.Workloads;

namespace FailoverOperator.Simulator.Operators;

/// <summary>As the exec subresource: a command reaches its container by way of the API server and of the kubelet, and so does its answer.</summary>
internal sealed class SimulatedCommandRunner(SimulatedWorld world, string machine, SimulatedProcess process) : IPodCommandRunner
{
    public async Task<PodCommandResult> RunAsync(
        MemberEndpoint member, string container, IReadOnlyList<string> command, string standardInput, int maxOutputBytes, TimeSpan timeout,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var answer = new TaskCompletionSource<PodCommandResult>();
        using var timer = process.Time.CreateTimer(
            _ => answer.TrySetResult(new PodCommandResult.TimedOut()), null, timeout, Timeout.InfiniteTimeSpan);
        using var cancelled = cancellationToken.UnsafeRegister(_ => answer.TrySetCanceled(cancellationToken), null);
        Send(machine, ApiServer.Machine, AtApiServer);
        return await answer.Task;

        void AtApiServer()
        {
            if (world.Api.Outage == Outage.Refusing) Send(ApiServer.Machine, machine, () => End(new PodCommandResult.NotRun("connection refused")));
            else if (world.Api.Outage == Outage.None && world.Addresses.Find(member.PodAddress) is { } at) Send(ApiServer.Machine, at.Machine, AtKubelet);
        }

        void AtKubelet()
        {
            if (world.Addresses.Find(member.PodAddress) is not HookedContainer at || !at.Node.IsPowered || at.Node.KubeletHangs) return;
            if (at.HasEnded) Back(at, new PodCommandResult.NotRun("the container does not run"));
            else at.Call(command, result => Back(at, new PodCommandResult.Exited(result.ExitCode, result.Output, result.Error)));
        }

        void Back(HookedContainer at, PodCommandResult result) =>
            Send(at.Machine, ApiServer.Machine, () => Send(ApiServer.Machine, machine, () => End(result)));

        void End(PodCommandResult result) => answer.TrySetResult(result);

        void Send(string from, string to, Action arrive) => world.Network.Send(from, to, arrive, () => answer.Task.IsCompleted);
    }
}
