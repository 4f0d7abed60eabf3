using FailoverOperator.Agent.Peers;
using FailoverOperator.Api.Agents;
using FailoverOperator.Simulator.Engines;

namespace FailoverOperator.Simulator.Agents;

/// <summary>The other agents, over the network. An address may have passed to another pod.</summary>
internal sealed class SimulatedPeers(Container container) : IPeers
{
    public async Task<AcknowledgeReply?> AcknowledgeAsync(LeaseMember member, AcknowledgeRequest request, CancellationToken cancellationToken)
    {
        var world = container.World;
        if (world.Addresses.Find(member.Address) is not Container other) return await NobodyAsync(cancellationToken);
        var answer = new TaskCompletionSource<AcknowledgeReply?>();
        using var cancelled = cancellationToken.UnsafeRegister(_ => answer.TrySetCanceled(cancellationToken), null);
        world.Network.Send(container.Machine, other.Machine, Ask, () => answer.Task.IsCompleted);
        return await answer.Task;

        void Ask()
        {
            // Nobody listens: the kernel says so, if there is one.
            if (!other.Node.IsPowered) return;
            if (other.HasEnded) Answer(null);
            else other.Agent.Process.Do(() => Answer(other.Agent.State.Acknowledge(request)));
        }

        void Answer(AcknowledgeReply? reply) => world.Network.Send(
            other.Machine, container.Machine, () => answer.TrySetResult(reply), () => answer.Task.IsCompleted);
    }

    /// <summary>A packet to an address of nobody is answered by nobody.</summary>
    private static async Task<AcknowledgeReply?> NobodyAsync(CancellationToken cancellationToken)
    {
        var never = new TaskCompletionSource<AcknowledgeReply?>();
        using var cancelled = cancellationToken.UnsafeRegister(_ => never.TrySetCanceled(cancellationToken), null);
        return await never.Task;
    }
}
