using FailoverOperator.TestBed;

namespace FailoverOperator.EndToEnd.Scenarios;

/// <summary>Whoever deletes a group keeps the workload, the Services and the data.</summary>
public sealed class GroupDeletion : Scenario
{
    private static readonly TimeSpan Observed = TimeSpan.FromSeconds(3);

    public override string Name => "group-deletion";

    protected override async Task RunAsync(Bed bed, TestNamespace scope, int runs, Action<string> report)
    {
        var group = await StartGroupAsync(bed, scope);
        var pods = await UidsAsync(scope);
        var writer = await group.StartWriterAsync(deadlineMilliseconds: PatienceMilliseconds);
        await scope.Kubectl.RunAsync("delete", "redundancygroup", RedisGroup.GroupName, "--wait", "--timeout=60s");
        await Poll.StaysAsync("the pods stay", Observed, async () => await UidsAsync(scope) == pods);
        await writer.WaitUntilServedAsync(FailoverDeadline);
        var summary = await writer.StopAsync();
        report($"group deleted: downtime_ms={summary.DowntimeMilliseconds} lost_writes={summary.LostWrites}");
        Expect(summary is { ServedAtTheEnd: true, LostWrites: 0, Refused: 0, Unknown: 0 }, $"the client notices nothing, but it saw {summary}");
        Expect((await group.FailoversAsync()).Count == 0, "the group's failovers go with it");
    }

    private static Task<string> UidsAsync(TestNamespace scope) =>
        scope.Kubectl.RunAsync("get", "pods", "-l", "app=redis", "-o", "jsonpath={range .items[*]}{.metadata.uid}:{.status.containerStatuses[0].restartCount} {end}");
}
