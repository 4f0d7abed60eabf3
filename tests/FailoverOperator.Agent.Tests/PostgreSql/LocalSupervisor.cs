using System.Diagnostics;
using System.Runtime.InteropServices;
using FailoverOperator.Agent.Supervision;

namespace FailoverOperator.Agent.Tests.PostgreSql;

/// <summary>
/// Real processes, those of one member among several on this machine: they are told apart by the folder that they work in. As root
/// they run as the user postgres, for PostgreSQL refuses to run as root.
/// </summary>
internal sealed class LocalSupervisor(string folder) : ISupervisor
{
    public static readonly string[] Prefix =
        Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : [];

    private LocalRun? _server;

    public IServerRun? Server => _server;

    /// <summary>Every helper program that was run.</summary>
    public List<string> Programs { get; } = [];

    /// <summary>Every server that was started, with its arguments and whether the data said that it is a standby.</summary>
    public List<bool> StartsAsStandby { get; } = [];

    public (IServerRun? Run, string? Problem) StartServer(ProcessCommand command)
    {
        var data = command.Arguments[command.Arguments.ToList().IndexOf("-D") + 1];
        StartsAsStandby.Add(File.Exists(Path.Combine(data, "standby.signal")));
        try
        {
            _server = new LocalRun(Start(command));
            return (_server, null);
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            return (null, exception.Message);
        }
    }

    public async Task<CommandResult> RunAsync(ProcessCommand command, TimeSpan timeout, CancellationToken cancellationToken)
    {
        lock (Programs) Programs.Add(Path.GetFileName(command.Program));
        LocalRun run;
        try
        {
            run = new LocalRun(Start(command));
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            return new CommandResult.NotStarted(exception.Message);
        }
        try
        {
            return new CommandResult.Exited(await run.Exited.WaitAsync(timeout, cancellationToken), run.LastOutput);
        }
        catch (TimeoutException)
        {
            run.KillTree();
            return new CommandResult.TimedOut(run.LastOutput);
        }
        catch (OperationCanceledException)
        {
            run.KillTree();
            throw;
        }
    }

    public async Task<bool> KillAllAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var since = RealClock.Instance.GetTimestamp();
        while (RealClock.Instance.GetElapsedTime(since) < timeout)
        {
            var left = Mine().ToList();
            if (left.Count == 0) return true;
            foreach (var process in left) _ = Kill(process, 9);
            await Task.Delay(TimeSpan.FromMilliseconds(5), RealClock.Instance, cancellationToken);
        }
        return false;
    }

    /// <summary>Sends a signal to every process of the member.</summary>
    public void SignalAll(int signal)
    {
        foreach (var process in Mine()) _ = Kill(process, signal);
    }

    public static int Signal(int process, int signal) => Kill(process, signal);

    private Process Start(ProcessCommand command)
    {
        string[] line = [.. Prefix, command.Program, .. command.Arguments];
        var start = new ProcessStartInfo(line[0]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in line[1..]) start.ArgumentList.Add(argument);
        foreach (var (name, value) in command.Environment)
        {
            if (value is null) _ = start.Environment.Remove(name);
            else start.Environment[name] = value;
        }
        return Process.Start(start)!;
    }

    /// <summary>Processes that are not zombies and work below the member's folder.</summary>
    private IEnumerable<int> Mine()
    {
        foreach (var entry in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(entry), out var id)) continue;
            string? place = null;
            try
            {
                place = File.ResolveLinkTarget(Path.Combine(entry, "cwd"), false)?.FullName;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
            }
            if (place is not null && (place + "/").StartsWith(folder + "/", StringComparison.Ordinal)) yield return id;
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);

    private sealed class LocalRun : IServerRun
    {
        private const int MaxLines = 200;

        private readonly Process _process;
        private readonly Queue<string> _lines = new();
        private readonly Task[] _readers;

        public LocalRun(Process process)
        {
            _process = process;
            _readers = [ReadAsync(process.StandardOutput), ReadAsync(process.StandardError)];
            Exited = EndAsync();
        }

        public int ProcessId => _process.Id;

        public Task<int> Exited { get; }

        public string LastOutput
        {
            get
            {
                lock (_lines) return string.Join('\n', _lines);
            }
        }

        public bool Signal(int signal) => !_process.HasExited && Kill(_process.Id, signal) == 0;

        public void KillTree() => _process.Kill(entireProcessTree: true);

        /// <summary>The last words come in a moment; an orphan may keep the pipe open for good.</summary>
        private async Task<int> EndAsync()
        {
            var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _process.Exited += (_, _) => ended.TrySetResult();
            _process.EnableRaisingEvents = true;
            if (_process.HasExited) _ = ended.TrySetResult();
            await ended.Task;
            _ = await Task.WhenAny(Task.WhenAll(_readers), Task.Delay(TimeSpan.FromMilliseconds(200), RealClock.Instance));
            return _process.ExitCode;
        }

        private async Task ReadAsync(StreamReader reader)
        {
            while (await reader.ReadLineAsync() is { } line)
                lock (_lines)
                {
                    _lines.Enqueue(line);
                    if (_lines.Count > MaxLines) _ = _lines.Dequeue();
                }
        }
    }
}
