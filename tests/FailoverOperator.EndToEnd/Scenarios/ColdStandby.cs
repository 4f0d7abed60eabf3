using FailoverOperator.Api.Failovers;
using FailoverOperator.TestBed;

namespace FailoverOperator.EndToEnd.Scenarios;

/// <summary>A bad image takes the primary away for good: the standby is started and promoted, and rests again when the workload can run.</summary>
public sealed class ColdStandby : Scenario
{
    /// <summary>A standby has to be placed and started, and a failback waits for 30 s first.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(150);

    /// <summary>The server is at rest, and the operator knows which run of it is the primary.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(12);

    public override string Name => "cold-standby";

    protected override async Task RunAsync(Bed bed, TestNamespace scope, int runs, Action<string> report)
    {
        var group = new ColdGroup(bed.Cluster, scope);
        await group.ApplyAsync();
        await group.UnbrakeAsync();
        var (away, back) = (new List<FailoverAccount>(), new List<FailoverAccount>());
        for (var run = 0; run < runs; run++)
        {
            away.Add(await FailAsync(group, report));
            back.Add(await ReturnAsync(group, report));
        }
        if (runs > 1) report($"failover downtime_ms {Figures.Of(away.Select(a => a.Client.DowntimeMilliseconds))}, failback downtime_ms {Figures.Of(back.Select(a => a.Client.DowntimeMilliseconds))}");
    }

    private static async Task<FailoverAccount> FailAsync(ColdGroup group, Action<string> report)
    {
        var before = (await group.WaitReadyAsync()).Status!.Slots[0];
        Expect(before.Holder == $"{group.Name}-0" && await group.StandbyAsync() == (0, 0), $"{group.Name}-0 is the primary, and the standby does not run, but {before.Holder} is, and it has {await group.StandbyAsync()}");
        var writer = await group.StartWriterAsync();
        await Task.Delay(Rest, TimeProvider.System);
        await group.BreakAsync();
        var failover = await WaitCompletedAsync(group, before.Term!.Value, FailoverType.Failover);
        Expect(failover.Status!.Phases.Any(phase => phase.Name == TimedPhase.Start), "the standby had to be started");
        return await EndAsync(group, writer, failover, $"{ColdGroup.Standby}-", (1, 1), report);
    }

    private static async Task<FailoverAccount> ReturnAsync(ColdGroup group, Action<string> report)
    {
        var before = (await group.GetAsync()).Status!.Slots[0];
        var writer = await group.StartWriterAsync();
        await group.RepairAsync();
        var failback = await WaitCompletedAsync(group, before.Term!.Value, FailoverType.Failback);
        return await EndAsync(group, writer, failback, $"{group.Name}-0", (0, 0), report);
    }

    private static Task<Failover> WaitCompletedAsync(ColdGroup group, long afterTerm, FailoverType type) =>
        group.WaitFailoverAsync(afterTerm, $"is a {type}, and completed", Deadline, failover => failover.Spec.Type == type && failover.Status?.Phase == FailoverPhase.Completed);

    private static async Task<FailoverAccount> EndAsync(ColdGroup group, Writer writer, Failover failover, string holder, (int, int) standby, Action<string> report)
    {
        var account = await EndAsync(group, writer, failover, report);
        Expect(account is { LostWrites: 0, DualWrites: 0 }, $"nothing is lost, and no two write, but {account.LostWrites} writes were and {account.DualWrites} did");
        var primaries = await group.PrimariesAsync();
        Expect(primaries is [var only] && only.StartsWith(holder, StringComparison.Ordinal) && only == failover.Status!.Candidate!.Name, $"{holder}… alone takes writes, but it is {string.Join(", ", primaries)}");
        Expect(await group.StandbyAsync() == standby, $"the standby has {standby} replicas and pods, but it has {await group.StandbyAsync()}");
        return account;
    }
}
