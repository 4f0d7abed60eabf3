using FailoverOperator.Api.Failovers;
using FailoverOperator.TestBed;

namespace FailoverOperator.EndToEnd.Scenarios;

/// <summary>
/// The operator is killed in the middle of a failover, once in each of its phases. The next operator must finish the same
/// failover.
/// </summary>
public sealed class OperatorCrashMidway : Scenario
{
    private static readonly FailoverPhase[] Phases =
        [FailoverPhase.Pending, FailoverPhase.Fencing, FailoverPhase.Electing, FailoverPhase.Promoting, FailoverPhase.Repointing, FailoverPhase.Verifying];

    public override string Name => "operator-crash-midway";

    protected override async Task RunAsync(Bed bed, TestNamespace scope, int runs, Action<string> report)
    {
        var group = await StartGroupAsync(bed, scope);
        foreach (var phase in Phases)
        {
            await CrashInAsync(phase, bed, scope, group, report);
            // A fresh pod, as Kubernetes waits ever longer before it restarts a container that ended again and again.
            await bed.Release.ReplacePodAsync();
        }
    }

    private static async Task CrashInAsync(FailoverPhase phase, Bed bed, TestNamespace scope, RedisGroup group, Action<string> report)
    {
        var slot = (await group.WaitConsistentAsync(Members)).Status!.Slots[0];
        var writer = await group.StartWriterAsync();
        var restarts = await bed.Release.RestartCountAsync();
        await using var kill = await bed.Release.ArmKillAsync();
        await using var watch = await FailoverWatch.StartAsync(scope);
        await group.CrashServerAsync(slot.Holder!);

        // The phase is written before it is begun. A later one may have been written by the time that the kill arrives.
        var seen = await watch.WaitAsync(slot.Term!.Value, phase, FailoverDeadline);
        await kill.FireAsync();
        var interrupted = (await group.FailoversAsync()).Single(fo => fo.Metadata.Name == seen);
        report($"operator killed at phase {phase}; {seen} was left at {interrupted.Status?.Phase.ToString() ?? "its creation"}");

        var ended = await group.WaitFailoverAsync(slot.Term.Value, "is completed", FailoverDeadline, fo => fo.Metadata.Name == seen && fo.Status?.Phase == FailoverPhase.Completed);
        await AccountAsync(group, writer, ended, report);
        var later = (await group.FailoversAsync()).Where(fo => fo.Spec.Term > ended.Spec.Term).Select(fo => fo.Metadata.Name).ToList();
        Expect(later.Count == 0, $"no other failover than {seen}, but there are {string.Join(", ", later)}");
        if (bed.Cluster.Nodes is not null) Expect(await bed.Release.RestartCountAsync() == restarts + 1, "the operator was restarted once");
    }
}
