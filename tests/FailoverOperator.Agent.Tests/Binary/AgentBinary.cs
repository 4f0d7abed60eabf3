using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using FailoverOperator.Agent.Supervision;
using FailoverOperator.Agent.Tests.Redis;
using FailoverOperator.Agent.Tests.Supervision;
using FailoverOperator.Api.Agents;
using FailoverOperator.TestBed;

using CommandResult = FailoverOperator.Agent.Supervision.CommandResult;

namespace FailoverOperator.Agent.Tests.Binary;
/// <summary>The agent as it ships: the native binary, in a process of its own, with a real redis-server.</summary>
internal sealed class AgentBinary : IAsyncDisposable
{
    public const string Me = "redis-0/uid-0";
    public const string Token = "the-token";
    private static readonly TimeSpan BuildDeadline = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(15);
    private static string? path;

    private readonly Processes processes;
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("agent-");
    private readonly HttpClient http = new();

    public AgentBinary(Processes processes, LeaseServer lease)
    {
        (this.processes, Lease) = (processes, lease);
        (RedisPort, AgentPort) = (RedisMember.FreePort(), RedisMember.FreePort());
    }

    public LeaseServer Lease { get; }

    public int RedisPort { get; }

    public int AgentPort { get; }

    public IServerRun Run { get; private set; } = null!;

    public LeaseTerms Terms { get; init; } = new() { Failsafe = false };

    /// <summary>Built once, and kept in the cache. FAILOVER_AGENT names another one.</summary>
    public static async Task<string> PathAsync(Supervisor supervisor)
    {
        path ??= System.Environment.GetEnvironmentVariable("FAILOVER_AGENT");
        if (path is not null) return path;
        var built = await supervisor.RunAsync(new ProcessCommand(Repository.PathOf("tests/tools/build-agent"), []), BuildDeadline, CancellationToken.None);
        return path = built is CommandResult.Exited { ExitCode: 0 } exited ? exited.Output.Split('\n')[^1] : throw new InvalidOperationException($"cannot build the agent: {built}");
    }

    public IReadOnlyDictionary<string, string?> Environment => new Dictionary<string, string?>
    {
        ["FAILOVER_GROUP"] = "redis",
        ["FAILOVER_TOKEN"] = Token,
        ["FAILOVER_AGENT_PORT"] = AgentPort.ToString(CultureInfo.InvariantCulture),
        ["FAILOVER_SERVICE_ACCOUNT"] = Lease.Account.Folder,
        ["FAILOVER_STOP_TIMEOUT_SECONDS"] = "5",
        ["KUBERNETES_SERVICE_HOST"] = Lease.Account.Server.Address.ToString(),
        ["KUBERNETES_SERVICE_PORT"] = Lease.Account.Server.Port.ToString(CultureInfo.InvariantCulture),
        ["POD_NAME"] = "redis-0",
        ["POD_UID"] = "uid-0",
        ["POD_NAMESPACE"] = "shop",
        ["POD_IP"] = "127.0.0.1",
    };

    /// <param name="wrapper">A program that starts the agent, with its arguments. Empty: none.</param>
    public async Task StartAsync(params string[] wrapper)
    {
        string[] all =
        [
            .. wrapper, await PathAsync(processes.Supervisor), "run", "--engine", "Redis", "--",
            "redis-server", "--port", RedisPort.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--save", "", "--dir", folder.FullName,
        ];
        var (run, problem) = processes.Supervisor.StartServer(new ProcessCommand(all[0], all[1..]) { Environment = Environment });
        Assert.Null(problem);
        Run = run!;
    }

    /// <summary>Assigned the lease, and writable.</summary>
    public async Task BecomeHolderAsync(int term = 2)
    {
        Lease.Assign(Me, term, Terms);
        await UntilWritableAsync(true);
    }

    public async Task<bool> IsWritableAsync()
    {
        try
        {
            using var client = await Servers.Redis.RespConnection.OpenAsync(new(System.Net.IPAddress.Loopback, RedisPort), null, CancellationToken.None);
            await client.CallAsync(CancellationToken.None, "SET", "probe", "1").WaitAsync(TimeSpan.FromSeconds(1));
            return true;
        }
        catch (Exception refused) when (refused is Servers.Redis.RedisErrorException or System.Net.Sockets.SocketException or IOException or TimeoutException)
        {
            return false;
        }
    }

    public Task UntilWritableAsync(bool isWritable) => UntilAsync(isWritable ? "writable" : "not writable", async () => await IsWritableAsync() == isWritable);

    public async Task<TimeSpan> UntilAsync(string what, Func<Task<bool>> isSo)
    {
        for (var began = RealClock.Instance.GetTimestamp(); ;)
        {
            var isNow = await isSo();
            var took = RealClock.Instance.GetElapsedTime(began);
            if (isNow) return took;
            if (took > Soon) Assert.Fail($"not so after {took}: {what}\n{Run.LastOutput}\n{await ConditionAsync()}");
            await Task.Delay(TimeSpan.FromMilliseconds(5), RealClock.Instance);
        }
    }

    /// <summary>For people. A stopped agent tells nothing.</summary>
    private async Task<string> ConditionAsync()
    {
        if (Run.Exited.IsCompleted) return "it has ended";
        try
        {
            return (await StatusAsync()).ToString();
        }
        catch (Exception silent) when (silent is TimeoutException or HttpRequestException)
        {
            return $"its status is not known: {silent.Message}";
        }
    }

    public Task<TimeSpan> UntilAsync(string what, Func<bool> isSo) => UntilAsync(what, () => Task.FromResult(isSo()));

    public async Task<HttpResponseMessage> GetAsync(string url, string? token = Token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{AgentPort}{url}");
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await http.SendAsync(request).WaitAsync(Soon);
    }

    public async Task<AgentStatus> StatusAsync()
    {
        using var response = await GetAsync(AgentContract.StatusPath);
        return JsonSerializer.Deserialize(await response.Content.ReadAsByteArrayAsync(), AgentJson.Default.AgentStatus)!;
    }

    /// <summary>Processes below this one whose name is so.</summary>
    public static List<int> Find(int root, string name) => [.. ProcessTable.Below(root, ProcessTable.Read())
        .Where(p => !p.IsDead && NameOf(p.Id) == name).Select(p => p.Id)];

    /// <summary>The name of a process; null if it has gone since it was listed, which can be at any moment.</summary>
    public static string? NameOf(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/comm").Trim();
        }
        catch (IOException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await processes.Supervisor.KillAllAsync(Soon, CancellationToken.None);
        folder.Delete(recursive: true);
    }
}
