using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.TestBed;

namespace FailoverOperator.EndToEnd.Scenarios;

/// <summary>
/// The node of two primaries loses power. Nobody can prove that they do not write, so that nobody may be promoted. For the
/// one a person makes sure that the node is off, and says so; the other is replaced when the node is back.
/// </summary>
public sealed class NodePowerCut : Scenario
{
    private static readonly TimeSpan BlockedDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan BlockedObserved = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan NodeReturnDeadline = TimeSpan.FromMinutes(2);

    public override string Name => "node-power-cut";

    public override bool NeedsNodePower => true;

    protected override Task RunAsync(Bed bed, TestNamespace scope, int runs, Action<string> report) => RunAsync(bed, scope, runs, report, Turn.Now());

    protected override async Task RunAsync(Bed bed, TestNamespace scope, int runs, Action<string> report, Turn turn)
    {
        await using var other = await TestNamespace.CreateAsync(bed.Cluster, $"{Name}-confirmed");
        await DescribeFailureAsync(bed, other, report, async () =>
        {
            var groups = await Task.WhenAll(StartGroupAsync(bed, scope), StartGroupAsync(bed, other));
            await MovePrimaryAsync(groups[1], await NodeOfPrimaryAsync(groups[0]));
            await turn.WaitAsync();
            await CutAsync(bed, groups, report);
        });
    }

    private static async Task CutAsync(Bed bed, RedisGroup[] groups, Action<string> report)
    {
        var (waiting, confirmed) = (groups[0], groups[1]);
        foreach (var group in groups) await group.WaitConsistentAsync(Members);
        var victim = await NodeOfPrimaryAsync(waiting);
        // It may have moved since.
        await MovePrimaryAsync(confirmed, victim);
        await bed.Release.KeepAwayAsync(victim);
        foreach (var group in groups) await group.WaitConsistentAsync(Members);
        var writers = await Task.WhenAll(groups.Select(group => group.StartWriterAsync(awayFrom: victim)));
        var terms = await Task.WhenAll(groups.Select(async group => (await group.GetAsync()).Status!.Slots[0].Term!.Value));

        await bed.Cluster.Nodes!.CutAsync(victim);
        Failover[] ended;
        try
        {
            var blocked = await Task.WhenAll(groups.Zip(terms, WaitBlockedAsync));
            foreach (var failover in blocked) report($"{failover.Metadata.Name} is blocked: {failover.Status!.Message}");
            await Poll.StaysAsync("both failovers stay blocked and nobody is promoted", BlockedObserved, async () => await IsBlockedAsync(waiting) && await IsBlockedAsync(confirmed),
                pause: TimeSpan.FromSeconds(1));

            var afterWord = await ConfirmAsync(confirmed, blocked[1]);
            Expect(await IsBlockedAsync(waiting), "a person's word is for one failover alone");
            await bed.Cluster.Nodes.RestoreAsync(victim);
            ended = [await WaitCompletedAsync(waiting, blocked[0]), afterWord];
        }
        finally
        {
            await bed.Cluster.Nodes.RestoreAsync(victim);
            await bed.Cluster.Kubectl.RunAsync("wait", "--for=condition=Ready", $"node/{victim}", "--timeout=60s");
        }
        Expect(ended[0].Status!.Fence?.Evidence is FenceEvidence.PodTerminated or FenceEvidence.ProcessEnded, $"the kubelet's proof, but it is {ended[0].Status!.Fence?.Evidence}");
        Expect(ended[1].Status!.Fence?.Evidence == FenceEvidence.ConfirmedByPerson, $"the person's word, but it is {ended[1].Status!.Fence?.Evidence}");
        foreach (var (group, writer, failover) in groups.Zip(writers, ended)) await AccountAsync(group, writer, failover, report);
    }

    private static async Task<string> NodeOfPrimaryAsync(RedisGroup group) => (await group.PodAsync((await group.GetAsync()).Status!.Slots[0].Holder!)).Spec.NodeName;

    /// <summary>Lets the group's member on a node become its primary, as a person would.</summary>
    private static async Task MovePrimaryAsync(RedisGroup group, string node)
    {
        if (await NodeOfPrimaryAsync(group) == node) return;
        var pods = await Task.WhenAll((await group.PodNamesAsync()).Select(group.PodAsync));
        var term = (await group.GetAsync()).Status!.Slots[0].Term!.Value;
        await group.Scope.Kubectl.ApplyAsync($$"""
            apiVersion: failover-operator.io/v1alpha1
            kind: Failover
            metadata: { name: move-{{term}} }
            spec: { groupRef: { name: {{group.Name}} }, type: Failover, target: {{pods.Single(pod => pod.Spec.NodeName == node).Metadata.Name}}, reason: a test }
            """);
        await group.WaitFailoverAsync(term, "is completed", FailoverDeadline, failover => failover.Status?.Phase == FailoverPhase.Completed);
    }

    private static async Task<Failover> WaitBlockedAsync(RedisGroup group, long term)
    {
        var blocked = await group.WaitFailoverAsync(term, "is blocked because the fence is unproven", BlockedDeadline, IsBlocked);
        await group.WaitConditionAsync(ConditionTypes.Progressing, ConditionStatus.False, Reasons.FenceUnproven, BlockedDeadline);
        return blocked;
    }

    private static async Task<bool> IsBlockedAsync(RedisGroup group) => (await group.FailoversAsync()).Any(IsBlocked) && (await group.RolesAsync()).All(role => !role.IsPrimary);

    private static bool IsBlocked(Failover failover) => failover.Status is { Phase: FailoverPhase.Fencing, Reason: Reasons.FenceUnproven };

    /// <summary>Exactly what the message tells people to do.</summary>
    private static async Task<Failover> ConfirmAsync(RedisGroup group, Failover failover)
    {
        var advice = failover.Status!.Message!.Split(" kubectl ");
        Expect(advice.Length == 2, "the message tells the command");
        await group.Scope.Kubectl.RunAsync(advice[1].Split(' '));
        return await WaitCompletedAsync(group, failover);
    }

    private static Task<Failover> WaitCompletedAsync(RedisGroup group, Failover failover) =>
        group.WaitFailoverAsync(failover.Spec.Term - 1, $"is {failover.Metadata.Name} and completed", NodeReturnDeadline,
            fo => fo.Metadata.Name == failover.Metadata.Name && fo.Status?.Phase == FailoverPhase.Completed);
}
