using FailoverOperator.Hosting;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Simulator.ApiServers;
using FailoverOperator.Simulator.Scheduling;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace FailoverOperator.Simulator.Operators;

/// <summary>One operator process as it ships, on a machine of its own. When it ends, however, it is started again.</summary>
public sealed class SimulatedOperator
{
    private readonly SimulatedWorld _world;
    private readonly NodeClock _clock;

    public SimulatedOperator(SimulatedWorld world, string machine, NodeClock clock)
    {
        (_world, Machine, _clock) = (world, machine, world.Seams.OperatorClock(clock));
        Start();
    }

    public string Machine { get; }

    public SimulatedProcess Process { get; private set; } = null!;

    public bool IsRunning => Process.IsRunning;

    /// <summary>It ends before (true) or after (false) so many writes from now.</summary>
    public (int Writes, bool Before)? CrashAt { get; set; }

    /// <summary>Whether it is started again when it has ended.</summary>
    public bool IsWanted { get; set; } = true;

    public void Kill()
    {
        if (Process.HasEnded) return;
        _world.Trace.Write(Machine, "the operator ends");
        if (_world.RunningPhase is { } phase) _world.Judge.Happened($"operator crash in {phase}");
        var ended = Process;
        ended.Kill();
        _world.Loop.After(TimeSpan.FromMilliseconds(_world.Random.Next(300, 3000)), () =>
        {
            if (IsWanted && Process == ended) Start();
        });
    }

    public void Start()
    {
        Process = new SimulatedProcess($"{Machine}/operator", _world.Loop, _clock);
        _world.Trace.Write(Machine, "the operator starts");
        var process = Process;
        process.Start(() => Compose(process).RunAsync(CancellationToken.None), defect =>
        {
            _world.Trace.Write(Machine, $"the operator ended by itself: {defect}");
            Kill();
        });
    }

    private OperatorProcess Compose(SimulatedProcess process)
    {
        var health = new ApiHealth(process.Time);
        var connection = new ApiConnection(_world.Network, _world.Api, Machine, process)
        {
            Sending = _ => Count(before: true),
            CarriedOut = request =>
            {
                if (request is { Verb: "delete", Kind: "Pod" } && _world.Cluster.Find<V1Pod>(request.Name) is { } pod) _world.Workload.PodDeletedByOperator(pod);
                Count(before: false);
            },
        };
        var api = _world.Seams.KubernetesApi(new SimulatedKubernetesApi(connection, health, new Random(_world.NextSeed())), health);
        var services = new ServiceCollection();
        services.AddSingleton(process.Time).AddSingleton(api).AddSingleton(health).AddSingleton(Metrics.NewCustomRegistry());
        services.AddLogging(logging => logging.ClearProviders().AddProvider(new TraceLogging(_world, Machine)));
        services.AddSingleton<ApiHealthMonitor>();
        Composition.AddOperator(services, Settings(), _world.NextSeed());
        _world.Workload.AddEngine(services, Machine, process);
        return services.BuildServiceProvider().GetRequiredService<OperatorProcess>();
    }

    /// <summary>Replicas that know of each other share the work; those that do not both do all of it, and race.</summary>
    private OperatorSettings Settings() => _world.Options.OperatorsShare ? new OperatorSettings { Instance = Machine, Namespace = "failover-system" } : new OperatorSettings();

    private void Count(bool before)
    {
        if (CrashAt is not { } crash || crash.Before != before) return;
        CrashAt = crash.Writes > 1 ? (crash.Writes - 1, before) : null;
        if (CrashAt is null) Kill();
    }
}
