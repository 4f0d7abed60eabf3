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

    /// <returns>The exit code: 0 when everything was given back after a stop signal, 2 for wrong settings.</returns>
    public static async Task<int> RunAsync(string engine, IReadOnlyList<string> command, Func<string, string?> variable, TimeProvider time, Random random)
    {
        var (settings, problem) = AgentSettings.Read(variable);
        if (settings is null) return await RefuseAsync(problem!);

        using var supervisor = new Supervisor(time);
        var (server, wrong) = MemberServers.Make(engine, command, settings, variable, supervisor, time);
        if (server is null) return await RefuseAsync(wrong!);

        var log = new AgentLog(time, Console.Error);
        var logging = log.RunAsync();
        using var watchdog = new Watchdog(supervisor, new ProcessCommand(Environment.ProcessPath!, []), time, log.Write);
        var account = new ServiceAccount(settings.ApiServer, ServiceAccount.DefaultFolder);
        using var lease = new KubernetesLeaseApi(account, settings.Namespace, settings.LeaseName, time);
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
        finally
        {
            log.Complete();
            await logging;
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

    private static async Task<int> RefuseAsync(string problem)
    {
        await Console.Error.WriteLineAsync($"failover-agent: {problem}");
        return Usage;
    }
}
