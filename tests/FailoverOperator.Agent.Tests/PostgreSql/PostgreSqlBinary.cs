using System.Net.Http.Headers;
using System.Text.Json;
using FailoverOperator.Agent.Supervision;
using FailoverOperator.Agent.Tests.Binary;
using FailoverOperator.Agent.Tests.Redis;
using FailoverOperator.Agent.Tests.Supervision;
using FailoverOperator.Api.Agents;

namespace FailoverOperator.Agent.Tests.PostgreSql;

/// <summary>The native binary as the agent of a PostgreSQL member.</summary>
internal sealed class PostgreSqlBinary(Processes processes, PostgreSqlMember member, LeaseServer lease)
{
    public const string Me = "db-0/uid-0";
    private const string Token = "the-token";
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    public int Port { get; } = RedisMember.FreePort();

    /// <summary>It listens on every address.</summary>
    public int ServerPort { get; } = RedisMember.FreePort();

    public LeaseTerms Terms => new() { Failsafe = false, Members = [new LeaseMember("db-0", "uid-0", member.Address, Port)] };

    public IServerRun Run { get; private set; } = null!;

    private string Folder => Path.GetDirectoryName(member.UserConfiguration)!;

    private Dictionary<string, string?> Environment => new()
    {
        ["FAILOVER_GROUP"] = "db",
        ["FAILOVER_TOKEN"] = Token,
        ["FAILOVER_AGENT_PORT"] = $"{Port}",
        ["FAILOVER_SERVICE_ACCOUNT"] = Path.Combine(Folder, "account"),
        ["FAILOVER_RUN_DIRECTORY"] = Path.Combine(Folder, "run"),
        ["FAILOVER_PG_PORT"] = $"{ServerPort}",
        ["FAILOVER_REPLICATION_PASSWORD"] = member.Settings.ReplicationPassword,
        ["POSTGRES_PASSWORD"] = PostgreSqlMember.Password,
        ["PGDATA"] = member.Data,
        ["KUBERNETES_SERVICE_HOST"] = lease.Account.Server.Address.ToString(),
        ["KUBERNETES_SERVICE_PORT"] = $"{lease.Account.Server.Port}",
        ["POD_NAME"] = "db-0",
        ["POD_UID"] = "uid-0",
        ["POD_NAMESPACE"] = "shop",
        ["POD_IP"] = member.Address,
    };

    public async Task<IServerRun> StartAsync(CancellationToken cancellationToken)
    {
        await RunAsync(cancellationToken, await AgentBinary.PathAsync(processes.Supervisor), "install", Folder);
        await RunAsync(cancellationToken, "cp", "-r", lease.Account.Folder, Path.Combine(Folder, "account"));
        if (LocalSupervisor.Prefix.Length > 0) await RunAsync(cancellationToken, "chown", "-R", "postgres:postgres", Folder);
        string[] line = [.. LocalSupervisor.Prefix, Path.Combine(Folder, "failover-agent"), "run", "--engine", "PostgreSQL"];
        var (run, problem) = processes.Supervisor.StartServer(new ProcessCommand(line[0], line[1..]) { Environment = Environment });
        Assert.Null(problem);
        return Run = run!;
    }

    public async Task<AgentStatus> UntilAsync(Func<AgentStatus, bool> isSo, CancellationToken cancellationToken)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        AgentStatus? last = null;
        for (var since = RealClock.Instance.GetTimestamp(); RealClock.Instance.GetElapsedTime(since) < Soon;)
        {
            try
            {
                var json = await http.GetByteArrayAsync($"http://{member.Address}:{Port}{AgentContract.StatusPath}", cancellationToken);
                last = JsonSerializer.Deserialize(json, AgentJson.Default.AgentStatus)!;
                if (isSo(last)) return last;
            }
            catch (HttpRequestException)
            {
                Assert.False(Run.Exited.IsCompleted, Run.LastOutput);
            }
            await Task.Delay(TimeSpan.FromMilliseconds(5), RealClock.Instance, cancellationToken);
        }
        throw new InvalidOperationException($"not so: {last}\n{Run.LastOutput}");
    }

    private async Task RunAsync(CancellationToken cancellationToken, string program, params string[] arguments) =>
        Assert.Equal(new CommandResult.Exited(0, ""), await processes.Supervisor.RunAsync(new ProcessCommand(program, arguments), Soon, cancellationToken));
}
