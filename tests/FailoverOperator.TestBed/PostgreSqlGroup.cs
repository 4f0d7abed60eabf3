namespace FailoverOperator.TestBed;

/// <summary>The group of examples/postgresql-active-passive.</summary>
public sealed class PostgreSqlGroup(TestCluster cluster, TestNamespace scope) : MemberGroup(cluster, scope)
{
    private const string RoleQuery = "SELECT NOT pg_is_in_recovery(), EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')";

    /// <summary>Fails until a writer has made the table.</summary>
    private const string RowsQuery = "SELECT writer, count(*), sum(number) FROM failover_workload GROUP BY writer ORDER BY writer";

    public override string Name => "postgresql";

    public override string Example => "postgresql-active-passive";

    public override Task CrashServerAsync(string pod) => KillServerAsync(pod, "postgres");

    protected override async Task<MemberRole?> AskAsync(string pod)
    {
        var result = await Scope.Kubectl.TryAsync("exec", pod, "--", "sh", "-c",
            "PGPASSWORD=$POSTGRES_PASSWORD exec psql --host 127.0.0.1 --username postgres -XAt --command \"$0\" --command \"$1\"", RoleQuery, RowsQuery);
        return result.Output.Split('\n', 2) is [[var primary, '|', var streaming], var rows] ? new MemberRole(pod, primary == 't', streaming == 't', rows) : null;
    }

    protected override WriterPlan Plan(string pod, string host, string readHost, string key) =>
        new(pod, "postgresql-writer", host, readHost, key) { PasswordVariable = "PGPASSWORD", PasswordSecret = Name };
}
