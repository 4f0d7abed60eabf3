using FailoverOperator.Agent.Servers.PostgreSql;
using FailoverOperator.Agent.Supervision;
using FailoverOperator.Agent.Tests.Supervision;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Agent.Tests.PostgreSql;

/// <summary>The other tests have several members in one process; this one has the supervisor of a real container.</summary>
[Collection(Processes.Name)]
public sealed class SupervisedTests(Processes processes)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_lives_under_the_real_supervisor_and_leaves_nothing_behind()
    {
        await using var member = new PostgreSqlMember("db-0");
        var supervisor = new AsPostgres(processes.Supervisor);
        await using var server = new PostgreSqlServer(member.Settings, supervisor, RealClock.Instance);
        var terms = PostgreSqlMember.Terms(0, member);

        Assert.IsType<EngineOutcome.Done>(await server.ServeAsync(1, terms, null, () => { }, Stop));
        Assert.True(Status(await server.StatusAsync(Stop)).Writable);
        Assert.Equal("1", await member.SqlAsync("select 1"));

        // The first process alone: its sessions live on, until the demotion ends them.
        Assert.True(supervisor.Server!.Signal(9));
        Assert.Equal(137, await supervisor.Server.Exited.WaitAsync(TimeSpan.FromSeconds(5), RealClock.Instance, Stop));
        Assert.Contains("was ended by signal 9", Assert.IsType<EngineReply.Refused>(await server.StatusAsync(Stop)).Message, StringComparison.Ordinal);
        Assert.IsType<EngineOutcome.Done>(await server.DemoteAsync(Stop));

        Assert.IsType<EngineOutcome.Done>(await server.StandByAsync(Stop));
        Assert.False(Status(await server.StatusAsync(Stop)).Writable);
        Assert.IsType<EngineOutcome.Done>(await server.ServeAsync(2, terms, null, () => { }, Stop));
        Assert.NotNull(await server.ShutDownAsync(Stop));
    }

    private static EngineStatus Status(EngineReply reply) => Assert.IsType<EngineReply.Answered>(reply).Status;

    /// <summary>PostgreSQL refuses to run as root.</summary>
    private sealed class AsPostgres(Supervisor supervisor) : ISupervisor
    {
        public IServerRun? Server => supervisor.Server;

        public (IServerRun? Run, string? Problem) StartServer(ProcessCommand command) => supervisor.StartServer(Wrap(command));

        public Task<CommandResult> RunAsync(ProcessCommand command, TimeSpan timeout, CancellationToken cancellationToken) =>
            supervisor.RunAsync(Wrap(command), timeout, cancellationToken);

        public Task<bool> KillAllAsync(TimeSpan timeout, CancellationToken cancellationToken) => supervisor.KillAllAsync(timeout, cancellationToken);

        private static ProcessCommand Wrap(ProcessCommand command)
        {
            string[] line = [.. LocalSupervisor.Prefix, command.Program, .. command.Arguments];
            return command with { Program = line[0], Arguments = line[1..], WorkingDirectory = "/tmp" };
        }
    }
}
