using FailoverOperator.EndToEnd.Scenarios;
using FailoverOperator.TestBed;

namespace FailoverOperator.EndToEnd;

/// <summary>
/// One installation for all tests. What may run beside each other is begun together, with the first test of those. When they have
/// ended, those that will run alone get their groups ready, which takes little but time, while another one has its turn.
/// </summary>
public sealed class BedFixture : IAsyncLifetime
{
    private static readonly string[] BesideOthers = ["container-crash", "pod-delete", "bad-input", "redis-process-crash", "group-deletion"];
    private static readonly string[] TakesNothingAway = ["nplusm-shards"];
    private static readonly string[] Prepared = ["operator-crash-midway", "node-power-cut"];

    private readonly Dictionary<string, Run> begun = [];
    private readonly List<string> setUp = [];
    private Task<(TestNamespace Scope, FaultStage Stage)>? stage;
    private Bed? bed;

    private sealed record Run(Task Ended, List<string> Reports, Turn Turn)
    {
        public bool IsAlone { get; init; }
    }

    public Bed Bed => bed ?? throw new InvalidOperationException("not initialised");

    public async ValueTask InitializeAsync() => bed = await Bed.CreateAsync();

    public async ValueTask DisposeAsync()
    {
        // Those that were not asked for.
        foreach (var run in begun.Values) run.Turn.Cancel();
        await AllAsync(begun.Values);
        if (stage is not null) await EndStageAsync(stage);
        if (bed is not null) await bed.DisposeAsync();
    }

    public async Task RunAsync(Scenario scenario, Action<string> report)
    {
        if (BesideOthers.Contains(scenario.Name)) BeginOthers();
        else await OthersAsync(isMild: TakesNothingAway.Contains(scenario.Name));
        if (!begun.TryGetValue(scenario.Name, out var run)) begun[scenario.Name] = run = Begin(scenario, isAlone: true);
        run.Turn.Begin();
        try
        {
            await run.Ended;
        }
        finally
        {
            lock (run.Reports) run.Reports.ForEach(report);
        }
    }

    /// <summary>In a group that lives through all faults of an engine; a new one after a failure.</summary>
    public async Task StrikeAsync(Engine engine, Fault fault, Action<string> report)
    {
        await OthersAsync(isMild: !fault.NeedsNodePower);
        // They are not to be struck unawares.
        if (!fault.KillsNode) Prepare();
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

    private void BeginOthers()
    {
        if (begun.Count > 0) return;
        stage ??= SetStageAsync(Engine.Named("pg"));
        foreach (var scenario in Scenario.All.Where(scenario => BesideOthers.Contains(scenario.Name))) begun[scenario.Name] = Begin(scenario, isAlone: false);
    }

    private void Prepare()
    {
        foreach (var scenario in Scenario.All.Where(scenario => Prepared.Contains(scenario.Name) && (Bed.Cluster.Nodes is not null || !scenario.NeedsNodePower)))
            if (!begun.ContainsKey(scenario.Name)) begun[scenario.Name] = Begin(scenario, isAlone: true);
    }

    private async Task<(TestNamespace Scope, FaultStage Stage)> SetStageAsync(Engine engine)
    {
        var scope = await TestNamespace.CreateAsync(Bed.Cluster, engine.Name);
        FaultStage? set = null;
        await Scenario.DescribeFailureAsync(Bed, scope, setUp.Add, async () => set = await FaultStage.SetAsync(Bed, scope, engine));
        return (scope, set!);
    }

    /// <summary>One that could not be set is the failure of the test that needed it.</summary>
    private static async Task EndStageAsync(Task<(TestNamespace Scope, FaultStage Stage)> setting)
    {
        if (setting.IsCompletedSuccessfully) await (await setting).Scope.DisposeAsync();
    }

    private Run Begin(Scenario scenario, bool isAlone)
    {
        var reports = new List<string>();
        var turn = isAlone ? new Turn() : Turn.Now();
        return new Run(scenario.RunAsync(Bed, runs: 1, line => { lock (reports) reports.Add(line); }, turn), reports, turn) { IsAlone = isAlone };
    }

    /// <summary>
    /// Ends when those that run beside each other have, however, and when those that get ready are. Somebody mild disturbs nobody who does, nor one
    /// that still waits for a kubelet to tell the end of a pod, which may be long.
    /// </summary>
    private async Task OthersAsync(bool isMild)
    {
        while (Running() is var running && running.Count > (isMild ? 1 : 0)) await Task.WhenAny(running);
        if (!isMild) await Task.WhenAll(begun.Values.Where(run => run.IsAlone).Select(run => Task.WhenAny(run.Turn.Ready, run.Ended)));
    }

    private List<Task> Running() => [.. begun.Values.Where(run => !run.IsAlone && !run.Ended.IsCompleted).Select(run => run.Ended)];

    private static Task AllAsync(IEnumerable<Run> runs) => Task.WhenAll(runs.Select(run => run.Ended)).ContinueWith(_ => { }, TaskScheduler.Default);
}
