using FailoverOperator.Acting;
using FailoverOperator.Hosting;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace FailoverOperator.Tests.Operator;

/// <summary>One operator process, unchanged, with a connection to the API server of its own.</summary>
public sealed class OperatorUnderTest
{
    private readonly CancellationTokenSource _life = new();
    private readonly CollectorRegistry _registry = Prometheus.Metrics.NewCustomRegistry();
    private readonly OperatorProcess _process;
    private readonly Heartbeat _heartbeat;

    public OperatorUnderTest(FakeKubernetesApi server, TimeProvider time, EngineMaker engines, OperatorSettings? settings = null)
    {
        var health = new ApiHealth(time);
        Api = server.Connect(health);
        var services = new ServiceCollection();
        services.AddSingleton(time).AddSingleton<IKubernetesApi>(Api).AddSingleton(health).AddSingleton(_registry);
        services.AddLogging(logging => logging.ClearProviders());
        services.AddSingleton<ApiHealthMonitor>();
        Composition.AddOperator(services, settings ?? new OperatorSettings(), seed: 1);
        services.AddSingleton(engines);
        Name = settings?.Instance ?? "";
        var provider = services.BuildServiceProvider();
        _process = provider.GetRequiredService<OperatorProcess>();
        Webhook = provider.GetRequiredService<EvictionWebhook>();
        _heartbeat = provider.GetRequiredService<Heartbeat>();
    }

    /// <summary>What it calls the API server with: its own faults, its own break.</summary>
    public FakeKubernetesApi Api { get; }

    public string Name { get; }

    /// <summary>What the API server asks before an eviction.</summary>
    public EvictionWebhook Webhook { get; }

    public bool Runs => !_life.IsCancellationRequested;

    /// <summary>The calls that it makes from now on.</summary>
    public IReadOnlyList<(TimeSpan At, ApiCall Call)> Record(Func<TimeSpan> now)
    {
        var calls = new List<(TimeSpan, ApiCall)>();
        var before = Api.Faults.Before;
        Api.Faults.Before = (call, token) =>
        {
            calls.Add((now(), call));
            return before?.Invoke(call, token) ?? Task.CompletedTask;
        };
        return calls;
    }

    /// <summary>As /metrics shows them.</summary>
    public string Metrics()
    {
        using var text = new MemoryStream();
        _registry.CollectAndExportAsTextAsync(text).GetAwaiter().GetResult();
        return System.Text.Encoding.UTF8.GetString(text.ToArray());
    }

    public void Kill() => _life.Cancel();

    /// <summary>What the host does on SIGTERM, one after the other.</summary>
    public Task StopAsync()
    {
        Kill();
        return _heartbeat.LeaveAsync();
    }

    public async Task RunAsync()
    {
        try
        {
            await _process.RunAsync(_life.Token);
        }
        catch (OperationCanceledException) when (_life.IsCancellationRequested)
        {
            // Killed.
        }
    }
}
