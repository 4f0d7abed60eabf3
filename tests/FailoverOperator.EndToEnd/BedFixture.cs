using FailoverOperator.EndToEnd.Scenarios;
using FailoverOperator.TestBed;

namespace FailoverOperator.EndToEnd;

/// <summary>One installation for all tests. What may run beside each other is begun together, with the first test that needs it.</summary>
public sealed class BedFixture : IAsyncLifetime
{
    private static readonly string[] BesideOthers = ["container-crash", "pod-delete", "bad-input", "redis-process-crash"];

    private readonly Dictionary<string, Run> begun = [];
    private readonly List<string> setUp = [];
    private Task<(TestNamespace Scope, FaultStage Stage)>? stage;
    private Bed? bed;

    private sealed record Run(Task Ended, List<string> Reports);

    public Bed Bed => bed ?? throw new InvalidOperationException("not initialised");

    public async ValueTask InitializeAsync() => bed = await Bed.CreateAsync();

    public async ValueTask DisposeAsync()
    {
        await OthersAsync();
        await EndStageAsync();
        if (bed is not null) await bed.DisposeAsync();
    }

    public async Task RunBesideOthersAsync(Scenario scenario, Action<string> report)
    {
        if (begun.Count == 0)
        {
            // It takes a while, and little but time.
            stage ??= SetStageAsync(Engine.Named("pg"));
            foreach (var each in Scenario.All.Where(each => BesideOthers.Contains(each.Name))) begun[each.Name] = Begin(each);
        }
        var run = begun[scenario.Name];
        try
        {
            await run.Ended;
        }
        finally
        {
            lock (run.Reports) run.Reports.ForEach(report);
        }
    }

    public async Task RunAloneAsync(Scenario scenario, Action<string> report)
    {
        await OthersAsync();
        await EndStageAsync();
        await scenario.RunAsync(Bed, runs: 1, report);
    }

    /// <summary>In a group that lives through all faults of an engine; a new one after a failure.</summary>
    public async Task StrikeAsync(Engine engine, Fault fault, Action<string> report)
    {
        await OthersAsync();
        var setting = stage ?? SetStageAsync(engine);
        stage = null;
        var set = await setting;
        try
        {
            setUp.ForEach(report);
            await Scenario.DescribeFailureAsync(Bed, set.Scope, report, () => set.Stage.RunAsync(fault, report));
            stage = setting;
        }
        finally
        {
            if (stage is null) await set.Scope.DisposeAsync();
        }
    }

    private async Task<(TestNamespace Scope, FaultStage Stage)> SetStageAsync(Engine engine)
    {
        var scope = await TestNamespace.CreateAsync(Bed.Cluster, engine.Name);
        FaultStage? set = null;
        await Scenario.DescribeFailureAsync(Bed, scope, setUp.Add, async () => set = await FaultStage.SetAsync(Bed, scope, engine));
        return (scope, set!);
    }

    private async Task EndStageAsync()
    {
        if (stage is { IsCompletedSuccessfully: true } set) await (await set).Scope.DisposeAsync();
        stage = null;
    }

    private Run Begin(Scenario scenario)
    {
        var reports = new List<string>();
        return new Run(scenario.RunAsync(Bed, runs: 1, line => { lock (reports) reports.Add(line); }), reports);
    }

    /// <summary>Ends when they have, however.</summary>
    private Task OthersAsync() => Task.WhenAll(begun.Values.Select(run => run.Ended)).ContinueWith(_ => { }, TaskScheduler.Default);
}
