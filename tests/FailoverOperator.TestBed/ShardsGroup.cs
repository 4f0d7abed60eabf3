using System.Globalization;

namespace FailoverOperator.TestBed;

/// <summary>The group of examples/nplusm-shards: a Redis server for each slot in every member. Clients write to slot 1.</summary>
public sealed class ShardsGroup(TestCluster cluster, TestNamespace scope) : MemberGroup(cluster, scope)
{
    public const int Slots = 3;

    public override string Name => "shards";

    public override string Example => "nplusm-shards";

    public override string WriteService => "shards-1";

    /// <summary>The members, by the word of their servers, that take the writes of a slot.</summary>
    public async Task<IReadOnlyList<string>> PrimariesAsync(int slot)
    {
        var pods = await PodNamesAsync();
        var answers = await Task.WhenAll(pods.Select(pod => Scope.Kubectl.TryAsync("exec", pod, "--", "redis-cli", "-p", PortOf(slot), "INFO", "replication")));
        return [.. pods.Zip(answers).Where(p => p.Second.Succeeded && p.Second.Output.Contains("role:master", StringComparison.Ordinal)).Select(p => p.First)];
    }

    public override Task CrashServerAsync(string pod) => KillServerAsync(pod, "redis-server");

    protected override async Task<MemberRole?> AskAsync(string pod)
    {
        var result = await Scope.Kubectl.TryAsync("exec", pod, "--", "redis-cli", "-p", PortOf(1), "INFO", "replication");
        return result.Succeeded
            ? new MemberRole(pod, result.Output.Contains("role:master", StringComparison.Ordinal), result.Output.Contains("master_link_status:up", StringComparison.Ordinal), "")
            : null;
    }

    protected override WriterPlan Plan(string pod, string host, string readHost, string key) => new(pod, "redis-writer", host, readHost, key);

    private static string PortOf(int slot) => (7000 + slot).ToString(CultureInfo.InvariantCulture);
}
