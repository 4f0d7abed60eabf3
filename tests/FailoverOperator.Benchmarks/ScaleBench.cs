using System.Diagnostics;
using System.Globalization;
using FailoverOperator.Api;
using FailoverOperator.Core.Ownership;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.TestBed;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;

namespace FailoverOperator.Benchmarks;

/// <summary>What was measured at one number of groups.</summary>
internal sealed record ScaleFigures(
    int Groups, double Cores, double Mebibytes, double CallsPerGroupAndMinute, int Lost, IReadOnlyList<double> Milliseconds, int NotRepointed)
{
    public string Row => string.Create(CultureInfo.InvariantCulture,
        $"| {Groups} | {Groups * Fixture.MembersPerGroup} | {Cores:0.000} | {Mebibytes:0} | {CallsPerGroupAndMinute:0.0} | {Lost} | {At(0.5):0} | {At(0.99):0} | {At(1):0} | {NotRepointed} |");

    private double At(double share) => Milliseconds.Count == 0 ? double.NaN : Milliseconds.Order().ElementAt((int)Math.Ceiling(share * Milliseconds.Count) - 1);
}

/// <summary>
/// So many groups of three members on a real kube-apiserver and etcd; pods, kubelets and agents are faked through the API and over HTTP, the operator is
/// the process that ships. First it rests, then many groups lose their primary at once, without a word.
/// </summary>
internal sealed class ScaleBench : IAsyncDisposable
{
    private const int LostAtOnce = 100;

    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan RestTime = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan RepointDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan SetupDeadline = TimeSpan.FromMinutes(10);

    private readonly CancellationTokenSource _stop = new();
    private readonly ApiServer _server;
    private readonly Members _members;
    private readonly IKubernetesApi _api;
    private readonly Holders _holders;

    private ScaleBench(ApiServer server, Members members)
    {
        (_server, _members) = (server, members);
        var options = new KubernetesApiOptions();
        _api = new KubernetesApi(new ApiTransport(ApiServerConnections.Of(server.Client), options, new ApiHealth(TimeProvider.System), TimeProvider.System, new Random(1)), options);
        _holders = new Holders(_api, members);
    }

    public static async Task<ScaleFigures> RunAsync(int groups)
    {
        await using var bench = new ScaleBench(await ApiServer.StartAsync(), await Members.ServeAsync());
        return await bench.MeasureAsync(groups);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _members.DisposeAsync();
        await _server.DisposeAsync();
    }

    private async Task<ScaleFigures> MeasureAsync(int groups)
    {
        await _server.Kubectl.ApplyCrdsAsync();
        await new Fixture(_api, _members).CreateAsync(0, groups);
        Say($"{groups} groups created");
        Follow();
        await using var process = new OperatorUnderLoad(_server.Kubeconfig, 18080);
        await Poll.UntilAsync("every group to have a primary", SetupDeadline,
            () => Task.FromResult(Names(groups).All(g => _holders.Traffic.ContainsKey(g) && _members.Of(g).Any(m => m.Serves is not null))),
            () => Task.FromResult($"{_holders.Traffic.Count} of {groups}; see {process.LogFile}"));
        Say("every group has a primary");
        await Task.Delay(SettleTime);
        var (cores, calls) = await RestAsync(process, groups);
        var memory = process.MemoryMebibytes;
        Say($"at rest: {cores:0.000} cores, {memory:0} MiB, {calls:0.0} calls per group and minute; renewals that failed so far: {_holders.FailedRenewals}");
        var lost = Names(Math.Min(groups, LostAtOnce)).ToList();
        var milliseconds = await LoseAsync(lost);
        return new ScaleFigures(groups, cores, memory, calls, lost.Count, milliseconds, lost.Count - milliseconds.Count);
    }

    private async Task<(double Cores, double CallsPerGroupAndMinute)> RestAsync(OperatorUnderLoad process, int groups)
    {
        var (all, questions, cpu, begun) = (await RequestsAsync(), Interlocked.Read(ref _members.Questions), process.CpuTime, Stopwatch.GetTimestamp());
        await Task.Delay(RestTime);
        var (spent, passed) = (process.CpuTime - cpu, Stopwatch.GetElapsedTime(begun));
        // The operator's own lease is among those that are left out.
        var calls = await RequestsAsync() - all + (passed / Replica.HeartbeatInterval);
        Say($"{(Interlocked.Read(ref _members.Questions) - questions) / passed.TotalSeconds:0} questions to members per second");
        return (spent / passed, calls / groups / passed.TotalMinutes);
    }

    /// <returns>For each group whose Service was led elsewhere: the time from the expiry of the lease until then.</returns>
    private async Task<IReadOnlyList<double>> LoseAsync(IReadOnlyList<string> groups)
    {
        var before = groups.ToDictionary(g => g, g => _holders.Traffic[g].Pod);
        foreach (var group in groups)
            foreach (var member in _members.Of(group).Where(m => m.Serves is not null)) member.IsLost = true;
        var lost = groups.ToDictionary(g => g, g => _holders.RenewedAt[g]);
        // Renewals that were under way may still be acknowledged.
        await Task.Delay(TimeSpan.FromMilliseconds(500));
        foreach (var group in groups) lost[group] = _holders.RenewedAt[group];
        var begun = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begun) < RepointDeadline && groups.Any(g => _holders.Traffic[g].Pod == before[g])) await Task.Delay(20);
        return [.. groups.Where(g => _holders.Traffic[g].Pod != before[g]).Select(g => (Stopwatch.GetElapsedTime(lost[g], _holders.Traffic[g].At) - LeaseDuration).TotalMilliseconds)];
    }

    private void Follow()
    {
        var leases = new Informer<V1Lease>(_api, new InformerOptions { Namespace = Fixture.Namespace, Selection = new ListOptions(LabelSelector: ApiGroup.GroupLabel) }, TimeProvider.System, new Random(1), NullLogger.Instance);
        var services = new Informer<V1Service>(_api, new InformerOptions { Namespace = Fixture.Namespace, Selection = ListOptions.All }, TimeProvider.System, new Random(2), NullLogger.Instance);
        _holders.Follow(leases, services, _stop.Token);
        _ = leases.RunAsync(_stop.Token);
        _ = services.RunAsync(_stop.Token);
    }

    /// <summary>
    /// All that the API server has answered, but for the renewals of leases, which are the members', and its own calls to itself as far as they can be told.
    /// </summary>
    private async Task<double> RequestsAsync()
    {
        var metrics = await _server.Kubectl.RunAsync("get", "--raw", "/metrics");
        return metrics.Split('\n').Where(l => l.StartsWith("apiserver_request_total{", StringComparison.Ordinal) && !IsRenewal(l))
            .Sum(l => double.Parse(l[(l.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }

    private static bool IsRenewal(string series) =>
        series.Contains("resource=\"leases\"", StringComparison.Ordinal) && series.Contains("verb=\"PUT\"", StringComparison.Ordinal);

    private static IEnumerable<string> Names(int count) => Enumerable.Range(0, count).Select(Fixture.GroupName);

    private static void Say(string text) => Console.Error.WriteLine($"  {text}");
}
