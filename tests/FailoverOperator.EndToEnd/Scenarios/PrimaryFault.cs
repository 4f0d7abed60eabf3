using FailoverOperator.Api.Failovers;
using FailoverOperator.TestBed;

namespace FailoverOperator.EndToEnd.Scenarios;

/// <summary>The primary is lost at one stroke, and a standby takes over.</summary>
public abstract class PrimaryFault : Scenario
{
    /// <summary>What the client may see at most in the median of ten runs.</summary>
    private static readonly TimeSpan MedianLimit = TimeSpan.FromSeconds(3);
    private const int RunsForMedian = 10;

    /// <summary>
    /// What is measured is a primary at rest. One that was started less than ten seconds ago may still be known to the
    /// operator by its last run's container, whose end then proves nothing: the end of the whole pod has to be awaited.
    /// </summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(12);

    protected abstract IReadOnlyList<FailoverCause> Causes { get; }

    protected abstract Task StrikeAsync(RedisGroup group, string primary);

    protected override async Task RunAsync(Bed bed, TestNamespace scope, int runs, Action<string> report)
    {
        var group = await StartGroupAsync(bed, scope);
        var accounts = new List<FailoverAccount>();
        for (var run = 0; run < runs; run++) accounts.Add(await FailOnceAsync(bed, scope, group, report));
        if (runs == 1) return;

        var figures = Figures.Of(accounts.Select(account => account.Client.DowntimeMilliseconds));
        report($"downtime_ms {figures}");
        if (runs >= RunsForMedian) Expect(figures.Median <= MedianLimit.TotalMilliseconds, $"a median of at most {MedianLimit.TotalMilliseconds} ms");
    }

    private async Task<FailoverAccount> FailOnceAsync(Bed bed, TestNamespace scope, RedisGroup group, Action<string> report)
    {
        var slot = (await group.WaitConsistentAsync(Members)).Status!.Slots[0];
        var writer = await group.StartWriterAsync();
        await Task.Delay(Rest, TimeProvider.System);
        await StrikeAsync(group, slot.Holder!);
        var failover = await group.WaitFailoverAsync(slot.Term!.Value, "is completed", FailoverDeadline, fo => fo.Status?.Phase == FailoverPhase.Completed);
        Expect(Causes.Contains(failover.Spec.Cause), $"cause {string.Join(" or ", Causes)}, but it is {failover.Spec.Cause}");
        Expect(failover.Spec.From?.Name == slot.Holder, $"from {slot.Holder}, but it is {failover.Spec.From?.Name}");
        return await AccountAsync(group, writer, failover, report);
    }
}

/// <summary>SIGKILL to the server process.</summary>
public sealed class ContainerCrash : PrimaryFault
{
    public override string Name => "container-crash";

    protected override IReadOnlyList<FailoverCause> Causes => [FailoverCause.PrimaryProcessDown];

    protected override Task StrikeAsync(RedisGroup group, string primary) => group.CrashServerAsync(primary);
}

/// <summary>Somebody deletes the primary's pod.</summary>
public sealed class PodDelete : PrimaryFault
{
    public override string Name => "pod-delete";

    // Whether the pod's deletion or the end of its process is seen first is up to the race between them.
    protected override IReadOnlyList<FailoverCause> Causes => [FailoverCause.PrimaryPodGone, FailoverCause.PrimaryProcessDown];

    protected override Task StrikeAsync(RedisGroup group, string primary) => group.Scope.Kubectl.RunAsync("delete", "pod", primary, "--wait=false");
}
