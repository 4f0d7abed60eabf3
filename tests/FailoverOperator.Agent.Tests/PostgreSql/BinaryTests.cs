using FailoverOperator.Agent.Supervision;
using FailoverOperator.Agent.Tests.Binary;
using FailoverOperator.Agent.Tests.Supervision;
using FailoverOperator.Api.Agents;

namespace FailoverOperator.Agent.Tests.PostgreSql;

/// <summary>The agent as it ships, with a real PostgreSQL server.</summary>
[Collection(Processes.Name)]
public sealed class BinaryTests(Processes processes)
{
    private const int Kill = 9;
    private const int Terminate = 15;
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_agent_creates_the_data_serves_releases_after_a_crash_serves_again_and_hands_over()
    {
        await using var lease = await LeaseServer.StartAsync();
        await using var member = new PostgreSqlMember("db-0");
        var agent = new PostgreSqlBinary(processes, member, lease);
        var run = await agent.StartAsync(Stop);

        var empty = await agent.UntilAsync(s => s.Server is not null, Stop);
        Assert.True(empty.Server!.IsEmpty);
        lease.Assign(PostgreSqlBinary.Me, 2, agent.Terms);
        var primary = await agent.UntilAsync(s => s.Server?.Writable == true, Stop);
        Assert.NotNull(primary.Server!.PositionBytes);
        Assert.Equal("1", await member.SqlAsync("select 1", agent.ServerPort));

        var postmaster = int.Parse((await File.ReadAllLinesAsync(Path.Combine(member.Data, "postmaster.pid"), Stop))[0], null);
        Assert.Equal(0, Native.Kill(postmaster, Kill));
        var since = RealClock.Instance.GetTimestamp();
        await RealClock.UntilAsync("the lease is released", () => lease.Release?.Term == 2);
        TestContext.Current.SendDiagnosticMessage($"released after {RealClock.Instance.GetElapsedTime(since).TotalMilliseconds:0} ms");
        Assert.Equal(ReleaseReason.ProcessDown, lease.Release!.Reason);
        _ = await agent.UntilAsync(s => s.Server is { Role: "Standby", Writable: false, PositionBytes: not null }, Stop);

        since = RealClock.Instance.GetTimestamp();
        lease.Assign(PostgreSqlBinary.Me, 3, agent.Terms);
        var again = await agent.UntilAsync(s => s.Server?.Writable == true, Stop);
        TestContext.Current.SendDiagnosticMessage($"writable {RealClock.Instance.GetElapsedTime(since).TotalMilliseconds:0} ms after the lease");
        Assert.Equal(primary.Server.History, again.Server!.PreviousHistory);

        Assert.True(run.Signal(Terminate));
        Assert.Equal(0, await run.Exited.WaitAsync(Soon, RealClock.Instance, Stop));
        Assert.Equal((ReleaseReason.HandOver, true), (lease.Release!.Reason, lease.Release.PositionBytes > 0));
    }
}
