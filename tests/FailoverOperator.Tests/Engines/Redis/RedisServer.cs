using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using FailoverOperator.Engines;

namespace FailoverOperator.Tests.Engines.Redis;

/// <summary>A real redis-server on a loopback port of its own, ended by its process id.</summary>
public sealed class RedisServer : IAsyncDisposable
{
    private const int SigStop = 19;
    private const int SigCont = 18;
    private static int _lastHost = 1;

    private readonly string[] _arguments;
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("redis-server-");
    private Process? _process;

    private RedisServer(int port, string address, string[] arguments)
    {
        Port = port;
        Member = new MemberEndpoint("default", $"redis-{address}", $"uid-{address}", address);
        _arguments = arguments;
    }

    public int Port { get; }

    public MemberEndpoint Member { get; }

    /// <summary>Servers that share a port, as pods do, each have a loopback address of their own.</summary>
    public static async Task<RedisServer> StartAsync(int? port = null, params string[] arguments)
    {
        var address = $"127.0.1.{Interlocked.Increment(ref _lastHost)}";
        var server = new RedisServer(port ?? FreePort(), address, arguments);
        await server.StartAgainAsync();
        return server;
    }

    public async Task StartAgainAsync()
    {
        var start = new ProcessStartInfo("redis-server")
        {
            RedirectStandardOutput = true,
            // A replica writes a dump even without save: each server has a directory of its own.
            WorkingDirectory = _directory.FullName,
        };
        foreach (var argument in (string[])["--port", $"{Port}", "--bind", Member.PodAddress, "--save", "", "--protected-mode", "no",
            "--repl-diskless-sync-delay", "0", .. _arguments])
            start.ArgumentList.Add(argument);
        try
        {
            _process = Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            throw new InvalidOperationException(
                "redis-server was not found: install it to run these tests (Debian: apt-get install redis-server)");
        }
        await UntilReadyAsync(_process.StandardOutput);
    }

    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    public void Stop() => _ = Signal(_process!.Id, SigStop);

    public void Continue() => _ = Signal(_process!.Id, SigCont);

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
            await KillAsync();
        _process?.Dispose();
        _directory.Delete(recursive: true);
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task UntilReadyAsync(StreamReader log)
    {
        while (await log.ReadLineAsync() is { } line)
            if (line.Contains("Ready to accept connections", StringComparison.Ordinal))
            {
                _ = log.ReadToEndAsync();
                return;
            }
        throw new InvalidOperationException("redis-server ended before it was ready");
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Signal(int processId, int signal);
}
