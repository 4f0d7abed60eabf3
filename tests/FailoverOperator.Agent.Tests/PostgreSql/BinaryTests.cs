using System.Net.Http.Headers;
using System.Text.Json;
using FailoverOperator.Agent.Supervision;
using FailoverOperator.Agent.Tests.Binary;
using FailoverOperator.Agent.Tests.Redis;
using FailoverOperator.Agent.Tests.Supervision;
using FailoverOperator.Api.Agents;

namespace FailoverOperator.Agent.Tests.PostgreSql;

/// <summary>The agent as it ships, with a real PostgreSQL server.</summary>
[Collection(Processes.Name)]
public sealed class BinaryTests(Processes processes)
{
    private const string Me = "db-0/uid-0";
    private const string Token = "the-token";
    private const int Kill = 9;
    private const int Terminate = 15;
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    private readonly int port = RedisMember.FreePort();

    /// <summary>It listens on every address.</summary>
    private readonly int serverPort = RedisMember.FreePort();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_agent_creates_the_data_serves_releases_after_a_crash_serves_again_and_hands_over()
    {
        await using var lease = await LeaseServer.StartAsync();
        await using var member = new PostgreSqlMember("db-0");
        var terms = new LeaseTerms { Failsafe = false, Members = [new LeaseMember("db-0", "uid-0", member.Address, port)] };
        var run = await StartAsync(member, lease);

        var empty = await UntilAsync(member, run, s => s.Server is not null);
        Assert.True(empty.Server!.IsEmpty);
        lease.Assign(Me, 2, terms);
        var primary = await UntilAsync(member, run, s => s.Server?.Writable == true);
        Assert.NotNull(primary.Server!.PositionBytes);
        Assert.Equal("1", await member.SqlAsync("select 1", serverPort));

        var postmaster = int.Parse((await File.ReadAllLinesAsync(Path.Combine(member.Data, "postmaster.pid"), Stop))[0], null);
        Assert.Equal(0, Native.Kill(postmaster, Kill));
        var since = RealClock.Instance.GetTimestamp();
        while (lease.Release?.Term != 2) await Task.Delay(TimeSpan.FromMilliseconds(2), RealClock.Instance, Stop);
        TestContext.Current.SendDiagnosticMessage($"released after {RealClock.Instance.GetElapsedTime(since).TotalMilliseconds:0} ms");
        Assert.Equal(ReleaseReason.ProcessDown, lease.Release!.Reason);
        _ = await UntilAsync(member, run, s => s.Server is { Role: "Standby", Writable: false, PositionBytes: not null });

        since = RealClock.Instance.GetTimestamp();
        lease.Assign(Me, 3, terms);
        var again = await UntilAsync(member, run, s => s.Server?.Writable == true);
        TestContext.Current.SendDiagnosticMessage($"writable {RealClock.Instance.GetElapsedTime(since).TotalMilliseconds:0} ms after the lease");
        Assert.Equal(primary.Server.History, again.Server!.PreviousHistory);

        Assert.True(run.Signal(Terminate));
        Assert.Equal(0, await run.Exited.WaitAsync(Soon, RealClock.Instance, Stop));
        Assert.Equal((ReleaseReason.HandOver, true), (lease.Release!.Reason, lease.Release.PositionBytes > 0));
    }

    private async Task<IServerRun> StartAsync(PostgreSqlMember member, LeaseServer lease)
    {
        var folder = Path.GetDirectoryName(member.UserConfiguration)!;
        await RunAsync(await AgentBinary.PathAsync(processes.Supervisor), "install", folder);
        await RunAsync("cp", "-r", lease.Account.Folder, Path.Combine(folder, "account"));
        if (LocalSupervisor.Prefix.Length > 0) await RunAsync("chown", "-R", "postgres:postgres", folder);
        var environment = new Dictionary<string, string?>
        {
            ["FAILOVER_GROUP"] = "db",
            ["FAILOVER_TOKEN"] = Token,
            ["FAILOVER_AGENT_PORT"] = $"{port}",
            ["FAILOVER_SERVICE_ACCOUNT"] = Path.Combine(folder, "account"),
            ["FAILOVER_RUN_DIRECTORY"] = Path.Combine(folder, "run"),
            ["FAILOVER_PG_PORT"] = $"{serverPort}",
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
        string[] line = [.. LocalSupervisor.Prefix, Path.Combine(folder, "failover-agent"), "run", "--engine", "PostgreSQL"];
        var (run, problem) = processes.Supervisor.StartServer(new ProcessCommand(line[0], line[1..]) { Environment = environment });
        Assert.Null(problem);
        return run!;
    }

    private async Task RunAsync(string program, params string[] arguments) =>
        Assert.Equal(new CommandResult.Exited(0, ""), await processes.Supervisor.RunAsync(new ProcessCommand(program, arguments), Soon, Stop));

    private async Task<AgentStatus> UntilAsync(PostgreSqlMember member, IServerRun run, Func<AgentStatus, bool> isSo)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        AgentStatus? last = null;
        for (var since = RealClock.Instance.GetTimestamp(); RealClock.Instance.GetElapsedTime(since) < Soon;)
        {
            try
            {
                var json = await http.GetByteArrayAsync($"http://{member.Address}:{port}{AgentContract.StatusPath}", Stop);
                last = JsonSerializer.Deserialize(json, AgentJson.Default.AgentStatus)!;
                if (isSo(last)) return last;
            }
            catch (HttpRequestException)
            {
                Assert.False(run.Exited.IsCompleted, run.LastOutput);
            }
            await Task.Delay(TimeSpan.FromMilliseconds(5), RealClock.Instance, Stop);
        }
        throw new InvalidOperationException($"not so: {last}\n{run.LastOutput}");
    }
}
