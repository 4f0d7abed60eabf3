using FailoverOperator.TestBed;

namespace FailoverOperator.EndToEnd.Scenarios;

/// <summary>Without the operator nothing changes for clients; installed again, it goes on with what it finds.</summary>
public sealed class HelmUninstall : Scenario
{
    public override string Name => "helm-uninstall";

    protected override async Task RunAsync(Bed bed, TestNamespace scope, int runs, Action<string> report)
    {
        var group = await StartGroupAsync(bed, scope);
        var before = (await group.GetAsync()).Status!.Slots[0];
        var writer = await group.StartWriterAsync(deadlineMilliseconds: PatienceMilliseconds);
        try
        {
            await bed.Release.UninstallAsync();
            await Poll.UntilAsync("the operator to be gone", FailoverDeadline, async () => await bed.Release.FindPodAsync() is null);
        }
        finally
        {
            await bed.Release.InstallAsync();
        }
        var after = (await group.WaitConsistentAsync(Members)).Status!.Slots[0];
        var summary = await writer.StopAsync();
        report($"operator uninstalled and installed: downtime_ms={summary.DowntimeMilliseconds} lost_writes={summary.LostWrites}");
        Expect(summary is { ServedAtTheEnd: true, LostWrites: 0, Refused: 0, Unknown: 0 }, $"the client notices nothing, but it saw {summary}");
        Expect(after.Holder == before.Holder && after.Term == before.Term, $"still {before}, but it is {after}");
    }
}
