using System.Buffers.Binary;
using FailoverOperator.Agent.Supervision;

namespace FailoverOperator.Agent.Watchdogs;

/// <summary>
/// The agent's end of the pipe to its <see cref="WatchdogProcess"/>, which is started again whenever it ends. The pipe closes with the
/// agent, however it ends.
/// </summary>
public sealed class Watchdog : IWatchdog, IDisposable
{
    private static readonly TimeSpan RestartPause = TimeSpan.FromMilliseconds(200);

    private readonly Lock _gate = new();
    private readonly Supervisor _supervisor;
    private readonly ProcessCommand _command;
    private readonly TimeProvider _time;
    private readonly Action<string> _log;
    private int _pipe = -1;
    private TimeSpan? _killAt;
    private bool _isDisposed;

    /// <param name="program">This program, without the arguments that make it a watchdog.</param>
    public Watchdog(Supervisor supervisor, ProcessCommand program, TimeProvider time, Action<string> log)
    {
        (_supervisor, _time, _log) = (supervisor, time, log);
        supervisor.ServerChanged += Refresh;
        _command = program with { Arguments = [.. program.Arguments, WatchdogProcess.Verb, supervisor.Mark] };
        _ = KeepRunningAsync();
    }

    /// <summary>Null: it does not run.</summary>
    public int? ProcessId { get; private set; }

    public void Guard(TimeSpan? killAt)
    {
        lock (_gate)
        {
            _killAt = killAt;
            Tell();
        }
    }

    public void Dispose()
    {
        _supervisor.ServerChanged -= Refresh;
        lock (_gate)
        {
            _isDisposed = true;
            Disconnect();
        }
    }

    private void Refresh()
    {
        lock (_gate) Tell();
    }

    private async Task KeepRunningAsync()
    {
        while (Start() is { } exited)
        {
            var code = await exited;
            lock (_gate)
            {
                ProcessId = null;
                if (_isDisposed) return;
                Disconnect();
            }
            _log(FormattableString.Invariant($"the watchdog ended with {code}; it is started again"));
            await Task.Delay(RestartPause, _time);
        }
    }

    private Task<int>? Start()
    {
        lock (_gate)
        {
            if (_isDisposed) return null;
            var (read, write) = Native.OpenPipe();
            Native.SetNonBlocking(write);
            _pipe = write;
            // Before it runs: an agent that is stopped while it starts its watchdog has told it all the same.
            Tell();
            var (pid, exited, problem) = _supervisor.StartOwn(_command, read);
            Native.Close(read);
            // Without it the agent's own timers are the only ones. That is better than no database.
            if (problem is not null) _log($"no watchdog: {problem}");
            else ProcessId = pid;
            return exited;
        }
    }

    /// <summary>A full pipe is that of a watchdog which reads nothing; it will act on what it was told last.</summary>
    private void Tell()
    {
        if (_pipe < 0) return;
        Span<byte> record = stackalloc byte[WatchdogProcess.RecordBytes];
        BinaryPrimitives.WriteInt64LittleEndian(record, _killAt?.Ticks ?? WatchdogProcess.Nothing);
        BinaryPrimitives.WriteInt64LittleEndian(record[sizeof(long)..], _supervisor.Server is { Exited.IsCompleted: false } run ? run.ProcessId : 0);
        _ = Native.Write(_pipe, record);
    }

    private void Disconnect()
    {
        if (_pipe >= 0) Native.Close(_pipe);
        _pipe = -1;
    }
}
