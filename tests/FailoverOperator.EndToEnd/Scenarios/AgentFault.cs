using System.Diagnostics;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.TestBed;
using FailoverOperator.Workload;

namespace FailoverOperator.EndToEnd.Scenarios;

/// <summary>A fault in a group in whose containers agents run.</summary>
public sealed class AgentFault(Engine engine, Fault fault) : Scenario
{
    public override string Name => $"{engine.Name}-{fault.Name}";

    public override bool NeedsNodePower => fault.NeedsNodePower;

    protected override async Task RunAsync(Bed bed, TestNamespace scope, int runs, Action<string> report)
    {
        var stage = await FaultStage.SetAsync(bed, scope, engine);
        var accounts = new List<FailoverAccount>();
        for (var run = 0; run < runs; run++) accounts.Add(await stage.RunAsync(fault, report));
        if (runs > 1) report(Measures.Of(Name, accounts).ToMarkdown());
    }
}

/// <summary>A group in which faults happen, one after the other.</summary>
public sealed class FaultStage
{
    private static readonly TimeSpan FailoverDeadline = TimeSpan.FromSeconds(90);

    /// <summary>The client writes for a while before the strike.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(3);

    private readonly Bed bed;
    private readonly Engine engine;
    private readonly MemberGroup group;

    private FaultStage(Bed bed, Engine engine, MemberGroup group)
    {
        this.bed = bed;
        this.engine = engine;
        this.group = group;
    }

    public static async Task<FaultStage> SetAsync(Bed bed, TestNamespace scope, Engine engine)
    {
        var group = engine.Group(bed.Cluster, scope);
        await group.ApplyAsync();
        await group.UnbrakeAsync();
        await group.WaitConsistentAsync(Scenario.Members);
        return new FaultStage(bed, engine, group);
    }

    /// <summary>Throws with what was seen unless all is as it must be.</summary>
    public async Task<FailoverAccount> RunAsync(Fault fault, Action<string> report)
    {
        var before = (await group.WaitConsistentAsync(Scenario.Members)).Status!.Slots[0];
        var scene = new Scene(bed, group, before.Holder!, (await group.PodAsync(before.Holder!)).Spec.NodeName);
        await fault.Prepare(scene);
        await group.WaitConsistentAsync(Scenario.Members);
        var client = await group.StartWriterAsync(awayFrom: scene.Node, fault.Expected == Expected.Nothing ? Scenario.PatienceMilliseconds : null);
        var witness = bed.Cluster.Nodes is null || fault.KillsNode ? null : await group.StartWitnessAsync(scene.Primary);
        await Task.Delay(Rest, TimeProvider.System);

        var failover = await StrikeAndHealAsync(fault, scene, before.Term!.Value);
        await client.WaitUntilServedAsync(FailoverDeadline);
        var after = await group.WaitConsistentAsync(Scenario.Members);
        var account = new FailoverAccount(failover, await client.StopAsync(), witness is null ? null : await witness.StopAsync());
        report(account.Phases);
        report(account.ToString());
        await group.WaitConsistentAsync(Scenario.Members, sameRows: true);
        Check(fault, account, before, after.Status!.Slots[0], await group.FailoversAsync());
        return account;
    }

    /// <summary>Returns the failover that it led to. Null: there is none.</summary>
    private async Task<Failover?> StrikeAndHealAsync(Fault fault, Scene scene, long term)
    {
        var since = Stopwatch.StartNew();
        try
        {
            await fault.Strike(scene);
            if (fault.Relief is { } relief)
            {
                await UntilAsync(since, relief.After);
                await relief.Do(scene);
            }
            await fault.Meanwhile(scene);
            var failover = fault.Expected == Expected.Failover
                ? await group.WaitFailoverAsync(term, "is completed", FailoverDeadline, fo => fo.Status?.Phase == FailoverPhase.Completed)
                : null;
            await UntilAsync(since, fault.Lasts);
            return failover;
        }
        finally
        {
            await fault.Heal(scene);
        }
    }

    private static Task UntilAsync(Stopwatch since, TimeSpan time) => time - since.Elapsed is var rest && rest > TimeSpan.Zero ? Task.Delay(rest) : Task.CompletedTask;

    private void Check(Fault fault, FailoverAccount account, SlotStatus before, SlotStatus after, IReadOnlyList<Failover> failovers)
    {
        Scenario.Expect(account.Client.ServedAtTheEnd, "writes are acknowledged in the end");
        Scenario.Expect(account.LostWrites is not null, "the writes can be read back");
        Scenario.Expect(!engine.LosesNothing || account.LostWrites == 0, $"no acknowledged write is lost, but {account.LostWrites} are: {Lost(account.Client)} {Lost(account.Witness)}");
        Scenario.Expect(account.DualWrites == 0, $"no two primaries at the same time, but {account.DualWrites} writes say so");
        var later = failovers.Where(failover => failover.Spec.Term > before.Term).ToList();
        switch (fault.Expected)
        {
            case Expected.Failover:
                Scenario.Expect(later.Count == 1, $"one failover, but there are {string.Join(", ", later.Select(failover => failover.Metadata.Name))}");
                Scenario.Expect(after.Holder != before.Holder, $"another primary than {before.Holder}");
                var evidence = later[0].Status?.Fence?.Evidence;
                Scenario.Expect(fault.Evidence.Count == 0 || fault.Evidence.Any(proof => proof == evidence), $"proof {string.Join(" or ", fault.Evidence)}, but it is {evidence}");
                break;
            case Expected.Nothing:
                Scenario.Expect(later.Count == 0 && after == before, $"still {before}, but it is {after}");
                Scenario.Expect(account.Client is { Refused: 0, Unknown: 0 }, $"no failed write, but {account.Client.Refused} were refused, {account.Client.Unknown} without answer");
                break;
            case Expected.Either:
                Scenario.Expect(later.All(failover => failover.Status?.EndedAt is not null), "every failover has ended");
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(fault), fault.Expected, "unknown expectation");
        }
    }

    private static string Lost(WriteSummary? summary) => summary is null ? "" : string.Join(' ', summary.LostNumbers);
}
