using System.Text.Json;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Engines;
using FailoverOperator.Engines.Agents;
using FailoverOperator.Simulator.Engines;
using FailoverOperator.Simulator.Scheduling;

namespace FailoverOperator.Simulator.Operators;

/// <summary>
/// As <see cref="AgentEngine"/>: asks the agents over the network, and proves by a write that a member takes writes. What an agent answers is read
/// by the same code.
/// </summary>
internal sealed class SimulatedAgentEngine(
    SimulatedWorld world, string machine, SimulatedProcess process, DetectionSpec detection, Action<string> onDisturbed) : IEngine
{
    /// <summary>One answer of so many goes through its JSON: that reading gives back what was written has tests of its own.</summary>
    private const int Written = 16;

    private readonly HashSet<Container> _watched = [];
    private readonly TimeSpan _timeout = TimeSpan.FromMilliseconds(detection.ProbeTimeoutMilliseconds);
    private bool _isDisposed;
    private int _answers;

    public async Task<EngineReply> StatusAsync(MemberEndpoint member, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var answer = new TaskCompletionSource<EngineReply>();
        bool? isConnected = null;
        using var timer = process.Time.CreateTimer(
            _ => answer.TrySetResult(new EngineReply.Silent("it did not answer in time", isConnected ?? false)), null, _timeout,
                Timeout.InfiniteTimeSpan);
        using var cancelled = cancellationToken.UnsafeRegister(_ => answer.TrySetCanceled(cancellationToken), null);
        if (world.Addresses.Find(member.PodAddress) is Container container)
            world.Network.Send(machine, container.Machine, () => Arrive(container), () => answer.Task.IsCompleted);
        return await answer.Task;

        void Arrive(Container at)
        {
            if (!at.Node.IsPowered) return;
            if (at.HasEnded)
            {
                Back(at, () => answer.TrySetResult(new EngineReply.Refused($"{member.PodName} refuses connections: no agent runs there")));
                return;
            }
            Back(at, () => isConnected = true);
            at.Agent.Process.Do(() => _ = AnswerAsync(at));
        }

        async Task AnswerAsync(Container at)
        {
            var status = await at.Agent.StatusAsync();
            var written = _answers++ % Written == 0 ? JsonSerializer.SerializeToUtf8Bytes(status, AgentJson.Default.AgentStatus) : null;
            Back(at, () =>
            {
                var reply = written is null ? AgentStatusReader.Read(member, status) : AgentStatusReader.Read(member, written);
                if (answer.TrySetResult(reply) && reply is EngineReply.Answered) Watch(at);
            });
        }

        void Back(Container at, Action arrive) => world.Network.Send(at.Machine, machine, arrive, () => answer.Task.IsCompleted);
    }

    public Task<EngineOutcome> PromoteAsync(MemberEndpoint member, EngineContext context, CancellationToken cancellationToken) =>
        NotDone("agents are not told to promote");

    public Task<EngineOutcome> FollowAsync(MemberEndpoint member, MemberEndpoint primary, EngineContext context,
        CancellationToken cancellationToken) =>
        NotDone("agents are not told whom to follow");

    public Task<EngineOutcome> DemoteAsync(MemberEndpoint member, EngineContext context, CancellationToken cancellationToken) =>
        NotDone("agents are not told to demote");

    public async Task<EngineOutcome> VerifyAsync(
        MemberEndpoint member, string address, int port, EngineContext context, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var answer = new TaskCompletionSource<EngineOutcome>();
        using var timer = process.Time.CreateTimer(
            _ => answer.TrySetResult(new EngineOutcome.NotDone("the write was not answered in time")), null, _timeout, Timeout.InfiniteTimeSpan);
        using var cancelled = cancellationToken.UnsafeRegister(_ => answer.TrySetCanceled(cancellationToken), null);
        world.Clients.Write(machine, address, Clients.Writer.Verifying, outcome =>
            answer.TrySetResult(outcome == WriteOutcome.Acknowledged
                ? new EngineOutcome.Done()
                : new EngineOutcome.NotDone($"the write was answered with {outcome}")));
        return await answer.Task;
    }

    public ValueTask DisposeAsync()
    {
        _isDisposed = true;
        return ValueTask.CompletedTask;
    }

    /// <summary>A connection that is kept tells its end at once, if there is somebody left to tell it.</summary>
    private void Watch(Container container)
    {
        if (container.HasEnded || !_watched.Add(container)) return;
        container.Ended += () =>
        {
            _watched.Remove(container);
            if (container.Node.IsPowered) world.Network.Send(
                container.Machine, machine, () => process.Do(() => Disturbed(container)), () => _isDisposed || process.HasEnded);
        };
    }

    private void Disturbed(Container container)
    {
        if (!_isDisposed) onDisturbed(container.PodUid);
    }

    private static Task<EngineOutcome> NotDone(string message) => Task.FromResult<EngineOutcome>(new EngineOutcome.NotDone(message));
}
