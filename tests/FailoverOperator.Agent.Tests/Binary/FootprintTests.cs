using System.Net.Http.Headers;
using System.Net.Sockets;
using FailoverOperator.Agent.Tests.PostgreSql;
using FailoverOperator.Agent.Tests.Supervision;
using FailoverOperator.Api.Agents;

namespace FailoverOperator.Agent.Tests.Binary;

/// <summary>
/// What the agent costs, measured on the native binary as holder, with everybody asking as often as they do in a cluster. Run by
/// tests/tools/measure-agent: it takes minutes, and a machine that does nothing else.
/// </summary>
[Collection(Processes.Name)]
public sealed class FootprintTests(Processes processes)
{
    private const double MostMebibytes = 40;
    private const double MostMillicores = 5;
    private const double MostStartMilliseconds = 300;
    private const int Starts = 10;
    private const int Windows = 3;
    private const int Term = 2;
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(500);

    private readonly List<string> tooMuch = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Explicit = true)]
    public async Task With_Redis_it_starts_quickly_and_stays_small_and_quiet()
    {
        _ = await AgentBinary.PathAsync(processes.Supervisor);
        var (asked, answered) = (new List<double>(), new List<double>());
        for (var i = 0; i < Starts; i++)
        {
            await using var lease = await LeaseServer.StartAsync();
            await using var agent = new AgentBinary(processes, lease);
            var began = RealClock.Instance.GetTimestamp();
            await agent.StartAsync();
            await UntilAliveAsync(agent);
            answered.Add(RealClock.Instance.GetElapsedTime(began).TotalMilliseconds);
            await agent.UntilAsync("a request", () => lease.FirstRequest is not null);
            asked.Add(RealClock.Instance.GetElapsedTime(began, lease.FirstRequest!.Value).TotalMilliseconds);
        }
        Tell("start to the first request to the API server, ms", MostStartMilliseconds, asked);
        Tell("start to the first answer to the kubelet, ms", MostStartMilliseconds, answered);

        await using var server = await LeaseServer.StartAsync();
        await using var holder = new AgentBinary(processes, server);
        await holder.StartAsync();
        await holder.BecomeHolderAsync(Term);
        await MeasureAsync("Redis", holder.Run.ProcessId, new Uri($"http://127.0.0.1:{holder.AgentPort}"));
        Assert.Empty(tooMuch);
    }

    [Fact(Explicit = true)]
    public async Task With_PostgreSQL_it_stays_small_and_quiet()
    {
        await using var lease = await LeaseServer.StartAsync();
        await using var member = new PostgreSqlMember("db-0");
        var agent = new PostgreSqlBinary(processes, member, lease);
        _ = await agent.StartAsync(Stop);
        _ = await agent.UntilAsync(s => s.Server is not null, Stop);
        lease.Assign(PostgreSqlBinary.Me, Term, agent.Terms);
        _ = await agent.UntilAsync(s => s.Server?.Writable == true, Stop);
        await MeasureAsync("PostgreSQL", agent.Run.ProcessId, new Uri($"http://{member.Address}:{agent.Port}"));
        Assert.Empty(tooMuch);
    }

    private async Task MeasureAsync(string engine, int agent, Uri address)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var asking = AskAsync(address, over.Token);
        var watchdog = Assert.Single(AgentBinary.Find(agent, "failover-agent"));
        await Task.Delay(Settling, RealClock.Instance, Stop);
        var (agents, watchdogs, cpu) = (new List<Footprint>(), new List<Footprint>(), new List<double>());
        for (var i = 0; i < Windows; i++)
        {
            var (began, before) = (RealClock.Instance.GetTimestamp(), Spent());
            while (RealClock.Instance.GetElapsedTime(began) < Window)
            {
                await Task.Delay(Tick, RealClock.Instance, Stop);
                agents.Add(Footprint.Of(agent));
                watchdogs.Add(Footprint.Of(watchdog));
            }
            cpu.Add((Spent() - before) / RealClock.Instance.GetElapsedTime(began).TotalSeconds);
        }
        over.Cancel();
        await asking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        Tell($"{engine}: agent, resident MiB", MostMebibytes, agents.Select(f => f.ResidentMebibytes));
        Tell($"{engine}: agent, of these anonymous", MostMebibytes, agents.Select(f => f.AnonymousMebibytes));
        Tell($"{engine}: agent, of these pages of the file", MostMebibytes, agents.Select(f => f.FileMebibytes));
        Tell($"{engine}: watchdog, resident MiB", MostMebibytes, watchdogs.Select(f => f.ResidentMebibytes));
        Tell($"{engine}: watchdog, of these anonymous", MostMebibytes, watchdogs.Select(f => f.AnonymousMebibytes));
        Tell($"{engine}: both, CPU in thousandths of a core", MostMillicores, cpu);

        double Spent() => Footprint.Of(agent).CpuMilliseconds + Footprint.Of(watchdog).CpuMilliseconds;
    }

    /// <summary>As the operator and the kubelet do: the one keeps its connection, the other makes a new one for each question.</summary>
    private static async Task AskAsync(Uri address, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = address };
        for (var i = 0; ; i++)
        {
            await AskAsync(http, AgentContract.StatusPath, false, cancellationToken);
            if (i % 2 == 0) await AskAsync(http, AgentContract.LivenessPath, true, cancellationToken);
            else await AskAsync(http, AgentContract.ReadinessPath, true, cancellationToken);
            await Task.Delay(Tick, RealClock.Instance, cancellationToken);
        }
    }

    private static async Task AskAsync(HttpClient http, string path, bool closes, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", AgentBinary.Token);
        request.Headers.ConnectionClose = closes;
        using var response = await http.SendAsync(request, cancellationToken);
        _ = response.EnsureSuccessStatusCode();
    }

    private static async Task UntilAliveAsync(AgentBinary agent)
    {
        while (true)
        {
            try
            {
                using var response = await agent.GetAsync(AgentContract.LivenessPath, token: null);
                if (response.IsSuccessStatusCode) return;
            }
            catch (HttpRequestException refused) when (refused.InnerException is SocketException)
            {
                Assert.False(agent.Run.Exited.IsCompleted, agent.Run.LastOutput);
            }
            await Task.Delay(TimeSpan.FromMilliseconds(1), RealClock.Instance, Stop);
        }
    }

    private void Tell(string what, double most, IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        var line = FormattableString.Invariant($"{what}: {sorted[0]:0.0} / {sorted[sorted.Count / 2]:0.0} / {sorted[^1]:0.0}");
        TestContext.Current.SendDiagnosticMessage(line);
        if (sorted[sorted.Count / 2] > most) tooMuch.Add(FormattableString.Invariant($"{line}, more than {most:0}"));
    }
}
