using FailoverOperator.Agent.Supervision;
using FailoverOperator.Agent.Tests.Supervision;
using FailoverOperator.Api.Agents;

using CommandResult = FailoverOperator.Agent.Supervision.CommandResult;

namespace FailoverOperator.Agent.Tests.Binary;

[Collection(Processes.Name)]
public sealed class AgentProcessTests(Processes processes) : IAsyncLifetime
{
    private const int Kill = 9;
    private const int Terminate = 15;
    private const int Continue = 18;
    private const int StopSignal = 19;
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(15);

    /// <summary>From sending the last renewal: stop after 3 s, demote within 1 s, and what timers and killing take.</summary>
    private static readonly TimeSpan StopTime = TimeSpan.FromMilliseconds(4100);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private LeaseServer lease = null!;
    private AgentBinary agent = null!;

    public async ValueTask InitializeAsync()
    {
        lease = await LeaseServer.StartAsync();
        agent = new AgentBinary(processes, lease);
    }

    public async ValueTask DisposeAsync()
    {
        await agent.DisposeAsync();
        await lease.DisposeAsync();
    }

    [Theory]
    [InlineData("", "usage: failover-agent")]
    [InlineData("run", "usage: failover-agent")]
    [InlineData("run --engine MySQL -- mysqld", "there is no engine MySQL")]
    [InlineData("run --engine Redis", "write it after --")]
    public async Task Wrong_usage_ends_with_2_and_a_sentence(string arguments, string message)
    {
        var command = new ProcessCommand(await AgentBinary.PathAsync(processes.Supervisor), arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)) { Environment = agent.Environment };
        var ended = Assert.IsType<CommandResult.Exited>(await processes.Supervisor.RunAsync(command, Soon, Stop));
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(message, ended.Output);
    }

    [Theory]
    [InlineData("FAILOVER_GROUP")]
    [InlineData("FAILOVER_TOKEN")]
    [InlineData("POD_NAME")]
    [InlineData("POD_UID")]
    [InlineData("POD_NAMESPACE")]
    [InlineData("POD_IP")]
    [InlineData("KUBERNETES_SERVICE_HOST")]
    public async Task A_missing_variable_is_told_by_name(string name)
    {
        var command = new ProcessCommand(await AgentBinary.PathAsync(processes.Supervisor), ["run", "--engine", "Redis", "--", "redis-server"])
        {
            Environment = new Dictionary<string, string?>(agent.Environment) { [name] = null },
        };
        var ended = Assert.IsType<CommandResult.Exited>(await processes.Supervisor.RunAsync(command, Soon, Stop));
        Assert.Equal((2, true), (ended.ExitCode, ended.Output.Contains(name, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_installed_agent_runs()
    {
        var folder = Directory.CreateTempSubdirectory("install-");
        var installed = await processes.Supervisor.RunAsync(new ProcessCommand(await AgentBinary.PathAsync(processes.Supervisor), ["install", folder.FullName]), Soon, Stop);
        Assert.Equal(new CommandResult.Exited(0, ""), installed);
        var run = await processes.Supervisor.RunAsync(new ProcessCommand(Path.Combine(folder.FullName, "failover-agent"), []), Soon, Stop);
        Assert.Equal(2, Assert.IsType<CommandResult.Exited>(run).ExitCode);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task The_holder_serves_and_tells_so_to_whoever_has_the_token()
    {
        await agent.StartAsync();
        await agent.BecomeHolderAsync();

        var status = await agent.StatusAsync();
        Assert.Equal((AgentBinary.Me, 2L, "Primary", true, true), (status.Identity, status.Term, status.Server?.Role, status.Server?.Writable, status.ProcessRuns));
        Assert.InRange(status.RenewedAgoMilliseconds!.Value, 0, 1500);
        Assert.Equal(200, (int)(await agent.GetAsync(AgentContract.LivenessPath, token: null)).StatusCode);
        Assert.Equal(200, (int)(await agent.GetAsync(AgentContract.ReadinessPath, token: null)).StatusCode);
        Assert.Contains("redundancy_agent_holds_lease 1", await (await agent.GetAsync(AgentContract.MetricsPath)).Content.ReadAsStringAsync(Stop));
        foreach (var path in new[] { AgentContract.StatusPath, AgentContract.MetricsPath, AgentContract.AcknowledgePath })
        {
            Assert.Equal(401, (int)(await agent.GetAsync(path, token: "wrong")).StatusCode);
            Assert.Equal(401, (int)(await agent.GetAsync(path, token: null)).StatusCode);
        }
    }

    [Fact]
    public async Task The_lease_of_a_crashed_server_is_released_within_milliseconds()
    {
        await agent.StartAsync();
        await agent.BecomeHolderAsync();
        var redis = Assert.Single(AgentBinary.Find(agent.Run.ProcessId, "redis-server"));
        Assert.Equal(0, Native.Kill(redis, Kill));
        var took = await agent.UntilAsync("a release", () => lease.Release?.Term == 2);
        TestContext.Current.SendDiagnosticMessage($"released after {took.TotalMilliseconds:0} ms");
        Assert.Equal((ReleaseReason.ProcessDown, null), (lease.Release!.Reason, lease.Holder));
        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromMilliseconds(500));
        await agent.UntilAsync("redis to be back as a standby", async () => (await agent.StatusAsync()).Server?.Role == "Standby");
    }

    [Fact]
    public async Task A_stopped_pod_hands_over_and_ends_with_0()
    {
        await agent.StartAsync();
        await agent.BecomeHolderAsync();
        Assert.True(agent.Run.Signal(Terminate));
        Assert.Equal(0, await agent.Run.Exited.WaitAsync(Soon, Stop));
        Assert.Equal(ReleaseReason.HandOver, lease.Release?.Reason);
        Assert.NotNull(lease.Release!.PositionBytes);
        Assert.False(await agent.IsWritableAsync());
    }

    [Fact]
    public async Task An_agent_that_is_stopped_cannot_keep_its_server_writable()
    {
        await agent.StartAsync();
        await agent.BecomeHolderAsync();
        Assert.True(agent.Run.Signal(StopSignal));
        var last = lease.Renewals[^1];
        await agent.UntilWritableAsync(false);
        Assert.InRange(RealClock.Instance.GetElapsedTime(last), TimeSpan.FromSeconds(3.9), StopTime + TimeSpan.FromMilliseconds(100));
        // Not the first process here, so that the watchdog can kill it, too.
        Assert.Equal(128 + Kill, await agent.Run.Exited.WaitAsync(Soon, Stop));
    }

    [Fact]
    public async Task A_first_process_that_is_stopped_cannot_keep_its_server_writable_and_gives_the_lease_back_when_it_goes_on()
    {
        await agent.StartAsync("unshare", "--pid", "--fork", "--mount-proc", "--kill-child");
        await agent.BecomeHolderAsync();
        var first = AgentBinary.Find(agent.Run.ProcessId, "failover-agent")[0];
        Assert.Equal(0, Native.Kill(first, StopSignal));
        var last = lease.Renewals[^1];
        await agent.UntilWritableAsync(false);
        Assert.InRange(RealClock.Instance.GetElapsedTime(last), TimeSpan.FromSeconds(3.9), StopTime + TimeSpan.FromMilliseconds(100));
        Assert.Null(lease.Release?.Term == 2 ? lease.Release : null);

        Assert.Equal(0, Native.Kill(first, Continue));
        await agent.UntilAsync("a release", () => lease.Release?.Term == 2);
        await agent.UntilAsync("redis to be back as a standby", async () => (await agent.StatusAsync()).Server?.Role == "Standby");
        Assert.False(await agent.IsWritableAsync());
    }

    [Fact]
    public async Task As_first_process_it_reaps_orphans()
    {
        await agent.StartAsync("unshare", "--pid", "--fork", "--mount-proc", "--kill-child");
        await agent.BecomeHolderAsync();
        var first = AgentBinary.Find(agent.Run.ProcessId, "failover-agent")[0];
        var entered = await processes.Supervisor.RunAsync(
            new ProcessCommand("nsenter", ["-t", first.ToString(System.Globalization.CultureInfo.InvariantCulture), "-p", "-m", "bash", "-c", "(setsid sleep 3 &) ; exit 0"]), Soon, Stop);
        Assert.Equal(0, Assert.IsType<CommandResult.Exited>(entered).ExitCode);
        await agent.UntilAsync("an orphan", () => AgentBinary.Find(first, "sleep").Count == 1);
        await agent.UntilAsync("the orphan to be reaped", () => ProcessTable.Below(first, ProcessTable.Read()).All(p => !p.IsDead && AgentBinary.NameOf(p.Id) != "sleep"));
    }

    [Fact]
    public async Task The_server_of_an_agent_that_was_killed_is_killed()
    {
        await agent.StartAsync();
        await agent.BecomeHolderAsync();
        Assert.True(agent.Run.Signal(Kill));
        await agent.Run.Exited.WaitAsync(Soon, Stop);
        var took = await agent.UntilAsync("not writable", async () => !await agent.IsWritableAsync());
        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_watchdog_that_was_killed_is_replaced()
    {
        await agent.StartAsync();
        await agent.BecomeHolderAsync();
        var watchdog = Assert.Single(AgentBinary.Find(agent.Run.ProcessId, "failover-agent"));
        Assert.Equal(0, Native.Kill(watchdog, Kill));
        await agent.UntilAsync("another watchdog", () => AgentBinary.Find(agent.Run.ProcessId, "failover-agent") is [var other] && other != watchdog);
        Assert.True(await agent.IsWritableAsync());
        Assert.True(agent.Run.Signal(StopSignal));
        await agent.UntilWritableAsync(false);
    }

    [Fact]
    public async Task A_silent_api_server_ends_the_tenure_in_time_and_the_watchdog_leaves_the_agent_alone()
    {
        await agent.StartAsync();
        await agent.BecomeHolderAsync();
        lease.IsSilent = true;
        var last = lease.Renewals[^1];
        await agent.UntilWritableAsync(false);
        Assert.InRange(RealClock.Instance.GetElapsedTime(last), TimeSpan.FromSeconds(2.9), StopTime);
        await agent.UntilAsync("redis to be a standby", async () => (await agent.StatusAsync()).Server?.Role == "Standby");
        lease.IsSilent = false;
        await agent.UntilAsync("a release", () => lease.Release?.Term == 2);
        Assert.Equal(ReleaseReason.SelfFenced, lease.Release!.Reason);
        Assert.False(agent.Run.Exited.IsCompleted);
    }
}
