using System.Net.Sockets;
using System.Runtime.InteropServices;
using FailoverOperator.Agent.Http;
using FailoverOperator.Agent.Leases;
using FailoverOperator.Agent.Loop;
using FailoverOperator.Agent.Peers;
using FailoverOperator.Agent.Supervision;
using FailoverOperator.Agent.Watchdogs;
using Microsoft.AspNetCore.Builder;

namespace FailoverOperator.Agent.Hosting;

/// <summary>Puts the agent together and runs it to its end. No decisions.</summary>
internal static class AgentProcess
{
    private const int Usage = 2;

    /// <summary>Threads that are made at once when others are blocked in the kernel, say by a disk that hangs.</summary>
    private const int Threads = 16;

    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan KillBound = TimeSpan.FromSeconds(5);

    /// <returns>The exit code: 0 when everything was given back after a stop signal, 2 for wrong settings.</returns>
    public static async Task<int> RunAsync(string engine, IReadOnlyList<string> command, Func<string, string?> variable, TimeProvider time, Random random)
    {
        Isolate();
        var (settings, problem) = AgentSettings.Read(variable);
        if (settings is null) return await RefuseAsync(problem!);

        using var supervisor = new Supervisor(time);
        var (server, wrong) = MemberServers.Make(engine, command, settings, variable, supervisor, time);
        if (server is null) return await RefuseAsync(wrong!);

        var log = new AgentLog(time, Console.Error);
        var logging = log.RunAsync();
        using var watchdog = new Watchdog(supervisor, new ProcessCommand(Environment.ProcessPath!, []), time, log.Write);
        using var lease = new KubernetesLeaseApi(settings.Account, settings.Namespace, settings.LeaseName, time);
        using var peers = new HttpPeers(settings.Token);
        var state = new AgentState(settings.Identity, watchdog, time);
        var loop = new AgentLoop(state, new AgentWorld(lease, server, peers, supervisor, time, random, settings.StopTimeout, log.Write));
        await using var http = HttpHost.Make(settings.Address, settings.Port, new AgentHttp(loop, state, supervisor, settings.Token).AnswerAsync);
        log.Write($"agent of {settings.Identity}, engine {engine}, lease {settings.Namespace}/{settings.LeaseName}");
        try
        {
            await RunAsync(loop, http);
            log.Write("everything has been given back");
            return 0;
        }
        catch (IOException failure) when (failure.InnerException is SocketException or Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            log.Write($"cannot listen on {settings.Address}:{settings.Port}: {failure.Message}");
            return 1;
        }
        catch (Exception defect)
        {
            // The container starts anew, and its end is the end of the server. The agent is started again and gives the lease back.
            log.Write($"the agent ends because of a defect: {defect}");
            return 1;
        }
        finally
        {
            _ = await supervisor.KillAllAsync(KillBound, CancellationToken.None);
            log.Complete();
            await Task.WhenAny(logging, Task.Delay(LastWords, time));
        }
    }

    private static async Task RunAsync(AgentLoop loop, WebApplication http)
    {
        await http.StartAsync();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        await loop.RunAsync(CancellationToken.None);

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            loop.Stop();
        }
    }

    /// <summary>Keeps out what the image holds for others: another OpenSSL's configuration, somebody's certificates and home.</summary>
    private static void Isolate()
    {
        Native.SetEnvironment("OPENSSL_CONF", "/dev/null");
        Environment.SetEnvironmentVariable("HOME", "/nonexistent");
        _ = ThreadPool.SetMinThreads(Threads, Threads);
    }

    private static async Task<int> RefuseAsync(string problem)
    {
        await Console.Error.WriteLineAsync($"failover-agent: {problem}");
        return Usage;
    }
}
