using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.TestBed;

namespace FailoverOperator.EndToEnd.Scenarios;

/// <summary>
/// The primary's node loses power. Nobody can prove that the primary does not write, so that nobody may be promoted:
/// until the node is back.
/// </summary>
public class NodePowerCut : Scenario
{
    private static readonly TimeSpan BlockedDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan BlockedObserved = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan NodeReturnDeadline = TimeSpan.FromMinutes(2);

    public override string Name => "node-power-cut";

    public override bool NeedsNodePower => true;

    protected override async Task RunAsync(Bed bed, TestNamespace scope, int runs, Action<string> report)
    {
        var group = await StartGroupAsync(bed, scope);
        var slot = (await group.GetAsync()).Status!.Slots[0];
        var victim = (await group.PodAsync(slot.Holder!)).Spec.NodeName;
        await bed.Release.KeepAwayAsync(victim);
        await group.WaitConsistentAsync(Members);
        var writer = await group.StartWriterAsync(awayFrom: victim);

        await bed.Cluster.Nodes!.CutAsync(victim);
        Failover failover;
        try
        {
            failover = await group.WaitFailoverAsync(slot.Term!.Value, "is blocked because the fence is unproven", BlockedDeadline, IsBlocked);
            report($"{failover.Metadata.Name} is blocked: {failover.Status!.Message}");
            await group.WaitConditionAsync(ConditionTypes.Progressing, ConditionStatus.False, Reasons.FenceUnproven, BlockedDeadline);
            await Poll.StaysAsync("the failover stays blocked and nobody is promoted", BlockedObserved, async () =>
                (await group.FailoversAsync()).Any(IsBlocked) && (await group.RolesAsync()).All(role => !role.IsPrimary));
            failover = await ResolveAsync(bed, group, failover, slot.Holder!, victim);
        }
        finally
        {
            await bed.Cluster.Nodes.RestoreAsync(victim);
            await bed.Cluster.Kubectl.RunAsync("wait", "--for=condition=Ready", $"node/{victim}", "--timeout=60s");
        }
        await AccountAsync(group, writer, failover, report);
    }

    /// <summary>Gives the proof, and waits for the end of the failover.</summary>
    protected virtual async Task<Failover> ResolveAsync(Bed bed, RedisGroup group, Failover failover, string oldPrimary, string node)
    {
        await bed.Cluster.Nodes!.RestoreAsync(node);
        var ended = await WaitCompletedAsync(group, failover);
        Expect(ended.Status!.Fence?.Evidence is FenceEvidence.PodTerminated or FenceEvidence.ProcessEnded, $"the kubelet's proof, but it is {ended.Status.Fence?.Evidence}");
        return ended;
    }

    protected static Task<Failover> WaitCompletedAsync(RedisGroup group, Failover failover) =>
        group.WaitFailoverAsync(failover.Spec.Term - 1, $"is {failover.Metadata.Name} and completed", NodeReturnDeadline,
            fo => fo.Metadata.Name == failover.Metadata.Name && fo.Status?.Phase == FailoverPhase.Completed);

    private static bool IsBlocked(Failover failover) => failover.Status is { Phase: FailoverPhase.Fencing, Reason: Reasons.FenceUnproven };
}

/// <summary>As before, but a person has made sure that the node is off, and says so.</summary>
public sealed class NodePowerCutConfirmed : NodePowerCut
{
    public override string Name => "node-power-cut-confirmed";

    protected override async Task<Failover> ResolveAsync(Bed bed, RedisGroup group, Failover failover, string oldPrimary, string node)
    {
        // Exactly what the message tells people to do.
        var advice = failover.Status!.Message!.Split(" kubectl ");
        Expect(advice.Length == 2, "the message tells the command");
        await group.Scope.Kubectl.RunAsync(advice[1].Split(' '));
        var ended = await WaitCompletedAsync(group, failover);
        Expect(ended.Status!.Fence?.Evidence == FenceEvidence.ConfirmedByPerson, $"the person's word, but it is {ended.Status.Fence?.Evidence}");
        return ended;
    }
}
