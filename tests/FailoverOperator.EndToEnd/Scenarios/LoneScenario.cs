using FailoverOperator.TestBed;

namespace FailoverOperator.EndToEnd.Scenarios;

/// <summary>
/// It takes the operator or a node away, or its client may notice nothing: nothing else is tested meanwhile. Its groups can be set up while others still run.
/// </summary>
public abstract class LoneScenario : Scenario
{
    /// <summary>So many groups of three Redis servers it needs.</summary>
    protected virtual int Groups => 1;

    /// <summary>In a namespace of its own each. Ends when they are ready.</summary>
    public async Task<LoneStage> SetAsync(Bed bed, Action<string> report)
    {
        var scopes = await Task.WhenAll(Enumerable.Range(0, Groups).Select(_ => TestNamespace.CreateAsync(bed.Cluster, Name)));
        var groups = scopes.Select(scope => new RedisGroup(bed.Cluster, scope)).ToList();
        await Task.WhenAll(groups.Select(group => DescribeFailureAsync(bed, group.Scope, report, () => StartAsync(group))));
        return new LoneStage(groups);
    }

    /// <summary>Whatever has happened to the groups since they were set up.</summary>
    public async Task RunAsync(Bed bed, LoneStage stage, Action<string> report)
    {
        foreach (var group in stage.Groups) await group.WaitConsistentAsync(Members);
        await DescribeFailureAsync(bed, stage.Groups[0].Scope, report, () => RunAsync(bed, stage.Groups, report));
    }

    public sealed override async Task RunAsync(Bed bed, int runs, Action<string> report)
    {
        await using var stage = await SetAsync(bed, report);
        await RunAsync(bed, stage, report);
    }

    protected abstract Task RunAsync(Bed bed, IReadOnlyList<RedisGroup> groups, Action<string> report);
}

/// <summary>The groups of one such scenario. They go with it.</summary>
public sealed record LoneStage(IReadOnlyList<RedisGroup> Groups) : IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        foreach (var group in Groups) await group.Scope.DisposeAsync();
    }
}
