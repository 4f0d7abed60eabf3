using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.TestBed;

namespace FailoverOperator.EndToEnd.Scenarios;

/// <summary>Three slots and two spares: two primaries are lost at the same moment, and each slot gets a spare of its own.</summary>
public sealed class NPlusMShards : Scenario
{
    private static readonly string[] Lost = ["1", "2"];

    /// <summary>The servers are at rest, and the operator knows which runs of them are the primaries.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(12);

    public override string Name => "nplusm-shards";

    protected override async Task RunAsync(Bed bed, TestNamespace scope, int runs, Action<string> report)
    {
        var group = new ShardsGroup(bed.Cluster, scope);
        await group.ApplyAsync();
        await group.UnbrakeAsync();
        await group.BearLateKubeletsAsync();
        var accounts = new List<FailoverAccount>();
        for (var run = 0; run < runs; run++) accounts.Add(await LoseTwoAsync(group, report));
        if (runs > 1) report($"downtime_ms {Figures.Of(accounts.Select(account => account.Client.DowntimeMilliseconds))}");
    }

    private static async Task<FailoverAccount> LoseTwoAsync(ShardsGroup group, Action<string> report)
    {
        var before = await WaitServedAsync(group);
        var writer = await group.StartWriterAsync();
        await Task.Delay(Rest, TimeProvider.System);
        await group.Scope.Kubectl.RunAsync(["delete", "pod", "--wait=false", .. Lost.Select(slot => before[slot].Holder!)]);
        var failovers = new List<Failover>();
        foreach (var slot in Lost)
        {
            failovers.Add(await group.WaitFailoverAsync(before[slot].Term!.Value, $"gives slot {slot} to another member", FailoverDeadline,
                failover => failover.Spec.Slot == slot && failover.Status?.Phase == FailoverPhase.Completed));
        }
        var account = await EndAsync(group, writer, failovers[0], report);
        Expect(account.DualWrites == 0, $"no two primaries at the same time, but {account.DualWrites} writes say so");

        var after = await WaitServedAsync(group);
        Expect(after["0"] == before["0"], $"slot 0 stays where it is, {before["0"]}, but it is {after["0"]}");
        foreach (var slot in Lost) Expect(after[slot].Holder != before[slot].Holder, $"another primary of slot {slot} than {before[slot].Holder}");
        return account;
    }

    /// <summary>Waits until every slot has one primary, a member of its own, by the group's status and by the servers' own word.</summary>
    private static async Task<Dictionary<string, SlotStatus>> WaitServedAsync(ShardsGroup group)
    {
        var status = (await group.WaitReadyAsync()).Status!;
        Expect(status.Slots.Select(slot => slot.Holder).Distinct().Count() == ShardsGroup.Slots, $"a member for each slot, but there are {string.Join(", ", status.Slots)}");
        foreach (var slot in Enumerable.Range(0, ShardsGroup.Slots))
        {
            var primaries = await group.PrimariesAsync(slot);
            Expect(primaries is [var only] && only == status.Slots[slot].Holder, $"{status.Slots[slot].Holder} alone is the primary of slot {slot}, but it is {string.Join(", ", primaries)}");
        }
        return status.Slots.ToDictionary(slot => slot.Name);
    }
}
