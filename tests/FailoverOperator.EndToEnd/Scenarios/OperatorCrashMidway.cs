using FailoverOperator.Api.Failovers;
using FailoverOperator.TestBed;

namespace FailoverOperator.EndToEnd.Scenarios;

/// <summary>
/// The operator is killed in the middle of a failover, once in each of its phases. The next operator must finish the same
/// failover. Several groups take turns, so that nobody waits for the last one to recover.
/// </summary>
public sealed class OperatorCrashMidway : Scenario
{
    private const int Groups = 3;

    private static readonly FailoverPhase[] Phases =
        [FailoverPhase.Pending, FailoverPhase.Fencing, FailoverPhase.Electing, FailoverPhase.Promoting, FailoverPhase.Repointing, FailoverPhase.Verifying];

    public override string Name => "operator-crash-midway";

    protected override Task RunAsync(Bed bed, TestNamespace scope, int runs, Action<string> report) => RunAsync(bed, scope, runs, report, Turn.Now());

    protected override async Task RunAsync(Bed bed, TestNamespace scope, int runs, Action<string> report, Turn turn)
    {
        var more = await Task.WhenAll(Enumerable.Range(1, Groups - 1).Select(_ => TestNamespace.CreateAsync(bed.Cluster, Name)));
        try
        {
            var groups = await Task.WhenAll(more.Prepend(scope).Select(place => StartGroupAsync(bed, place)));
            await turn.WaitAsync();
            foreach (var (index, phase) in Phases.Index())
            {
                var group = groups[index % Groups];
                await DescribeFailureAsync(bed, group.Scope, report, () => CrashInAsync(phase, bed, group, report));
            }
        }
        finally
        {
            foreach (var place in more) await place.DisposeAsync();
        }
    }

    private static async Task CrashInAsync(FailoverPhase phase, Bed bed, RedisGroup group, Action<string> report)
    {
        var slot = (await group.WaitConsistentAsync(Members)).Status!.Slots[0];
        var writer = await group.StartWriterAsync();
        var crashing = await bed.Release.PodAsync();
        await using var kill = await bed.Release.ArmKillAsync();
        await using var watch = await FailoverWatch.StartAsync(group.Scope);
        await group.CrashServerAsync(slot.Holder!);

        // The phase is written before it is begun. A later one may have been written by the time that the kill arrives.
        var seen = await watch.WaitAsync(slot.Term!.Value, phase, FailoverDeadline);
        await kill.FireAsync();
        // A fresh pod, as Kubernetes waits ever longer before it restarts a container that ended again and again.
        await bed.Release.RemoveAsync(crashing);
        var interrupted = (await group.FailoversAsync()).Single(fo => fo.Metadata.Name == seen);
        report($"operator killed at phase {phase}; {seen} was left at {interrupted.Status?.Phase.ToString() ?? "its creation"}");

        var ended = await group.WaitFailoverAsync(slot.Term.Value, "is completed", FailoverDeadline, fo => fo.Metadata.Name == seen && fo.Status?.Phase == FailoverPhase.Completed);
        await EndAsync(group, writer, ended, report);
        var later = (await group.FailoversAsync()).Where(fo => fo.Spec.Term > ended.Spec.Term).Select(fo => fo.Metadata.Name).ToList();
        Expect(later.Count == 0, $"no other failover than {seen}, but there are {string.Join(", ", later)}");
        Expect((await bed.Release.PodAsync()).Metadata.Uid != crashing.Metadata.Uid, "another operator finished it");
    }
}
