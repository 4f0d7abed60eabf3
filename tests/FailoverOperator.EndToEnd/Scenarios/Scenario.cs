using FailoverOperator.Api.Failovers;
using FailoverOperator.TestBed;

namespace FailoverOperator.EndToEnd.Scenarios;

/// <summary>Something that happens to a real group, and what must come of it.</summary>
public abstract class Scenario
{
    internal const int Members = 3;

    /// <summary>Of a client that is to notice nothing: a refusal or a broken connection is a failure, a busy machine is none.</summary>
    internal const int PatienceMilliseconds = 5000;

    /// <summary>How fast it must be is measured; this is for <see cref="MemberGroup.BearLateKubeletsAsync">late kubelets</see>.</summary>
    protected static readonly TimeSpan FailoverDeadline = TimeSpan.FromSeconds(150);

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new ContainerCrash(), new PodDelete(), new NodePowerCut(), new OperatorCrashMidway(),
        new GroupDeletion(), new BadInput(), new HelmUninstall(), new NPlusMShards(), new ActiveActiveWeb(), new QuorumEtcd(), new ColdStandby(),
        .. Engine.All.SelectMany(engine => Fault.All.Select(fault => new AgentFault(engine, fault))),
    ];

    public abstract string Name { get; }

    /// <summary>Whether it switches nodes off.</summary>
    public virtual bool NeedsNodePower => false;

    /// <summary>Throws with what was seen unless all is as it must be. Says what it measures.</summary>
    /// <param name="turn">When it may begin; it may get ready before.</param>
    public async Task RunAsync(Bed bed, int runs, Action<string> report, Turn turn)
    {
        await using var scope = await TestNamespace.CreateAsync(bed.Cluster, Name);
        await DescribeFailureAsync(bed, scope, report, () => RunAsync(bed, scope, runs, report, turn));
    }

    internal static async Task DescribeFailureAsync(Bed bed, TestNamespace scope, Action<string> report, Func<Task> action)
    {
        try
        {
            await action();
        }
        catch
        {
            report(await scope.DescribeAsync());
            report(await bed.Release.DescribeAsync());
            throw;
        }
    }

    /// <summary>Who gets ready before its turn overrides this one.</summary>
    protected virtual async Task RunAsync(Bed bed, TestNamespace scope, int runs, Action<string> report, Turn turn)
    {
        await turn.WaitAsync();
        await RunAsync(bed, scope, runs, report);
    }

    protected abstract Task RunAsync(Bed bed, TestNamespace scope, int runs, Action<string> report);

    /// <summary>A group of three Redis servers, ready.</summary>
    protected static async Task<RedisGroup> StartGroupAsync(Bed bed, TestNamespace scope)
    {
        var group = new RedisGroup(bed.Cluster, scope);
        await group.ApplyAsync();
        await group.UnbrakeAsync();
        await group.BearLateKubeletsAsync();
        await group.WaitConsistentAsync(Members);
        return group;
    }

    internal static void Expect(bool condition, string what)
    {
        if (!condition) throw new ScenarioFailedException($"expected: {what}");
    }

    /// <summary>Ends the writer and checks what holds after every failover.</summary>
    protected static async Task<FailoverAccount> AccountAsync(MemberGroup group, Writer writer, Failover failover, Action<string> report)
    {
        var account = await EndAsync(group, writer, failover, report);
        var state = await group.WaitConsistentAsync(Members);
        Expect(state.Status!.Slots[0].Term >= failover.Spec.Term, $"the term is {failover.Spec.Term} or later, but it is {state.Status.Slots[0].Term}");
        return account;
    }

    /// <summary>As before, but nobody waits for the group to be whole again.</summary>
    protected static async Task<FailoverAccount> EndAsync(MemberGroup group, Writer writer, Failover failover, Action<string> report)
    {
        await writer.WaitUntilServedAsync(FailoverDeadline);
        var summary = await writer.StopAsync();
        var account = new FailoverAccount(failover, summary);
        report(account.Phases);
        report(account.ToString());
        Expect(summary.ServedAtTheEnd, "writes are acknowledged after the failover");
        Expect(summary.LostWrites is not null, "the writes can be read back");
        return account;
    }
}

/// <summary>The world is not as it must be.</summary>
public sealed class ScenarioFailedException(string message) : Exception(message);
