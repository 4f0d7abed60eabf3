namespace FailoverOperator.TestBed;

/// <summary>A group in which the operator promotes nobody, so that no writer of the tests speaks its language.</summary>
public abstract class OpenGroup(TestCluster cluster, TestNamespace scope) : MemberGroup(cluster, scope)
{
    public override Task CrashServerAsync(string pod) => Scope.Kubectl.RunAsync("delete", "pod", pod, "--wait=false");

    protected override Task<MemberRole?> AskAsync(string pod) => Task.FromResult<MemberRole?>(null);

    protected override WriterPlan Plan(string pod, string host, string readHost, string key) => throw new NotSupportedException($"no writer speaks to {Example}");

    /// <summary>The pods whose role label says that they take traffic.</summary>
    public async Task<IReadOnlyList<string>> ActiveAsync() =>
        [.. (await Scope.Kubectl.RunAsync("get", "pods", "-l", "failover-operator.io/role=active", "-o", "name")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(name => name.Trim()["pod/".Length..]).Order(StringComparer.Ordinal)];
}

/// <summary>The group of examples/active-active-web.</summary>
public sealed class WebGroup(TestCluster cluster, TestNamespace scope) : OpenGroup(cluster, scope)
{
    public override string Name => "web";

    public override string Example => "active-active-web";
}

/// <summary>The group of examples/quorum-etcd.</summary>
public sealed class EtcdGroup(TestCluster cluster, TestNamespace scope) : OpenGroup(cluster, scope)
{
    public override string Name => "etcd";

    public override string Example => "quorum-etcd";

    /// <summary>Through the Service, from inside a member.</summary>
    public Task<bool> PutAsync(string from, string key, string value) => TryAsync(from, "put", key, value);

    public async Task<string> GetAsync(string from, string key) =>
        (await Scope.Kubectl.RunAsync("exec", from, "--", "etcdctl", "--endpoints=http://etcd-leader:2379", "--command-timeout=2s", "get", key, "--print-value-only")).Trim();

    private async Task<bool> TryAsync(string from, params string[] command) =>
        (await Scope.Kubectl.TryAsync(["exec", from, "--", "etcdctl", "--endpoints=http://etcd-leader:2379", "--dial-timeout=1s", "--command-timeout=2s", .. command])).Succeeded;
}
