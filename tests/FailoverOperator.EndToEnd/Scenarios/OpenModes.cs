using System.Diagnostics;
using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.TestBed;

namespace FailoverOperator.EndToEnd.Scenarios;

/// <summary>A web server that does not want traffic any more gets none, and the others go on; it comes back by and by.</summary>
public sealed class ActiveActiveWeb : Scenario
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(90);

    public override string Name => "active-active-web";

    protected override async Task RunAsync(Bed bed, TestNamespace scope, int runs, Action<string> report)
    {
        var group = new WebGroup(bed.Cluster, scope);
        await group.ApplyAsync();
        await group.WaitConditionAsync(ConditionTypes.Available, ConditionStatus.True, Reasons.EnoughActive, Deadline);
        await UntilActiveAsync(group, "web-0", "web-1", "web-2", "web-3");

        await scope.Kubectl.ExecAsync("web-1", "busybox", "rm", "/www/healthz");
        var sick = Stopwatch.StartNew();
        await UntilActiveAsync(group, "web-0", "web-2", "web-3");
        report($"web-1 takes no traffic any more {sick.ElapsedMilliseconds} ms after it said so (its kubelet asks every second)");
        Expect(MemberGroup.ConditionOf(await group.GetAsync(), ConditionTypes.Available) is { Status: ConditionStatus.True }, "three of four are enough");

        await scope.Kubectl.ExecAsync("web-2", "busybox", "rm", "/www/healthz");
        await scope.Kubectl.ExecAsync("web-3", "busybox", "rm", "/www/healthz");
        report((await group.WaitConditionAsync(ConditionTypes.Available, ConditionStatus.False, Reasons.TooFewActive, Deadline)).Message);

        foreach (var pod in new[] { "web-1", "web-2", "web-3" }) await scope.Kubectl.ExecAsync(pod, "busybox", "touch", "/www/healthz");
        await UntilActiveAsync(group, "web-0", "web-1", "web-2", "web-3");
        await group.WaitConditionAsync(ConditionTypes.Available, ConditionStatus.True, Reasons.EnoughActive, Deadline);
    }

    private static Task UntilActiveAsync(OpenGroup group, params string[] pods) => Poll.UntilAsync($"traffic to {string.Join(", ", pods)} alone", Deadline,
        async () => (await group.ActiveAsync()).SequenceEqual(pods) ? pods : null, group.Scope.DescribeAsync);
}

/// <summary>The leader of an etcd is lost, the others elect another one, and the Service leads to it.</summary>
public sealed class QuorumEtcd : Scenario
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    public override string Name => "quorum-etcd";

    protected override async Task RunAsync(Bed bed, TestNamespace scope, int runs, Action<string> report)
    {
        var group = new EtcdGroup(bed.Cluster, scope);
        await group.ApplyAsync();
        for (var run = 0; run < runs; run++) await LoseLeaderAsync(group, run, report);
    }

    private static async Task LoseLeaderAsync(EtcdGroup group, int run, Action<string> report)
    {
        await group.WaitConditionAsync(ConditionTypes.Redundant, ConditionStatus.True, Reasons.EnoughSpares, Deadline);
        var before = (await group.GetAsync()).Status!.Slots[0];
        var other = (await group.PodNamesAsync()).First(pod => pod != before.Holder);
        await Poll.UntilAsync("a write through the Service", Deadline, async () => await group.PutAsync(other, $"run-{run}", "before") ? "done" : null, group.Scope.DescribeAsync);

        await group.CrashServerAsync(before.Holder!);
        var lost = Stopwatch.StartNew();
        await Poll.UntilAsync("a write through the Service to the next leader", Deadline, async () =>
            (await group.GetAsync()).Status!.Slots[0] is { } now && now.Holder != before.Holder && now.Term > before.Term && await group.PutAsync(other, $"run-{run}-after", "after") ? "done" : null,
            group.Scope.DescribeAsync);
        var after = (await group.GetAsync()).Status!.Slots[0];
        report($"leader {before.Holder} (term {before.Term}) lost; {after.Holder} leads in term {after.Term}, a write through the Service succeeded after {lost.ElapsedMilliseconds} ms");
        Expect(await group.GetAsync(other, $"run-{run}") == "before", "what was written before is there");
    }
}
