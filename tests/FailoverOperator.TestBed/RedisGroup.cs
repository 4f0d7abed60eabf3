namespace FailoverOperator.TestBed;

/// <summary>The group of examples/redis-active-passive, without agents.</summary>
public class RedisGroup(TestCluster cluster, TestNamespace scope) : MemberGroup(cluster, scope)
{
    public const string GroupName = "redis";

    /// <summary>Of each list of a writer: its length and its last entry.</summary>
    private const string RowsScript = """
        local rows = {}
        for i, key in ipairs(redis.call('KEYS', 'failover-workload*')) do
            rows[i] = key .. ' ' .. redis.call('LLEN', key) .. ' ' .. redis.call('LINDEX', key, -1)
        end
        table.sort(rows)
        return table.concat(rows, ', ')
        """;

    public override string Name => GroupName;

    public override string Example => "redis-active-passive";

    public override async Task CrashServerAsync(string pod)
    {
        // Nobody can kill the first process of a container from inside. The connection ends with the server, which is no failure here.
        if (Cluster.Nodes is null) await Scope.Kubectl.TryAsync("exec", pod, "--", "redis-cli", "SHUTDOWN", "NOSAVE", "NOW", "FORCE");
        else await SignalFirstProcessAsync(pod, "KILL");
    }

    protected override async Task<MemberRole?> AskAsync(string pod)
    {
        var result = await Scope.Kubectl.TryAsync("exec", pod, "--", "sh", "-c", "redis-cli INFO replication && echo rows: $(redis-cli EVAL_RO \"$0\" 0)", RowsScript);
        if (!result.Succeeded) return null;
        var fields = result.Output.Split('\n').Select(line => line.Trim().Split(':', 2)).Where(pair => pair.Length == 2).ToDictionary(pair => pair[0], pair => pair[1]);
        return new MemberRole(pod, fields["role"] == "master", fields.GetValueOrDefault("master_link_status") == "up", fields["rows"]);
    }

    protected override WriterPlan Plan(string pod, string host, string readHost, string key) => new(pod, "redis-writer", host, readHost, key);
}

/// <summary>The group of examples/redis-agent.</summary>
public sealed class RedisAgentGroup(TestCluster cluster, TestNamespace scope) : RedisGroup(cluster, scope)
{
    public override string Example => "redis-agent";

    public override Task CrashServerAsync(string pod) => KillServerAsync(pod, "redis-server");
}
