namespace FailoverOperator.Agent.Supervision;

/// <summary>The <see cref="ISupervisor"/> of a real container. One for the process: it reaps every child there is.</summary>
public sealed class Supervisor : ISupervisor, IDisposable
{
    private const int TailBytes = 8192;

    /// <summary>Tells apart who started what, even where the parents have gone.</summary>
    private const string MarkVariable = "FAILOVER_RUN";

    private readonly string _mark;

    /// <summary>What a helper printed last is read within this time after its end; a process that it left behind may hold the pipe.</summary>
    private static readonly TimeSpan OutputGrace = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly OutputPump _pump = new();
    private readonly Dictionary<int, Child> _children = [];
    private readonly HashSet<int> _spared = [];
    private readonly SemaphoreSlim _started = new(0);
    private volatile bool _isDisposed;
    private ServerRun? _server;
    private int _killing;
    private long _startedCount;

    public Supervisor(TimeProvider time)
    {
        _time = time;
        _mark = FormattableString.Invariant($"{Environment.ProcessId}.{time.GetTimestamp()}.");
        if (Environment.ProcessId != ProcessTable.FirstProcess) Native.BecomeSubreaper();
        _ = Task.Factory.StartNew(ReapForEver, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>How the environment entry begins that everything carries which this supervisor starts.</summary>
    internal string Mark => $"{MarkVariable}={_mark}";

    /// <summary>The server was started, or has ended.</summary>
    internal event Action? ServerChanged;

    public IServerRun? Server => Volatile.Read(ref _server);

    public (IServerRun? Run, string? Problem) StartServer(ProcessCommand command)
    {
        var tail = new OutputTail(TailBytes);
        var (child, problem) = Start(command, tail, passOn: true);
        if (child is null) return (null, problem);
        var run = new ServerRun(this, child, tail);
        Volatile.Write(ref _server, run);
        ServerChanged?.Invoke();
        return (run, null);
    }

    public async Task<CommandResult> RunAsync(ProcessCommand command, TimeSpan timeout, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var tail = new OutputTail(TailBytes);
        var (child, problem) = Start(command, tail, passOn: false);
        if (child is null) return new CommandResult.NotStarted(problem!);
        try
        {
            var code = await child.Exited.Task.WaitAsync(timeout, _time, cancellationToken);
            await Task.WhenAny(child.OutputEnded, Task.Delay(OutputGrace, _time, cancellationToken));
            return new CommandResult.Exited(code, tail.ToString());
        }
        catch (TimeoutException)
        {
            await KillTreeAsync(child);
            return new CommandResult.TimedOut(tail.ToString());
        }
        catch (OperationCanceledException)
        {
            await KillTreeAsync(child);
            throw;
        }
    }

    public async Task<bool> KillAllAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        // Whoever is about to start something is late: it would outlive this.
        Interlocked.Increment(ref _killing);
        try
        {
            return await KillAsync(() => ProcessTable.OwnedBy(Environment.ProcessId, Spared()), timeout, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _killing);
        }
    }

    /// <summary>
    /// Starts a process that belongs to the agent, not to the server: <see cref="KillAllAsync"/> spares it. What it reads from its
    /// input comes from <paramref name="input"/>.
    /// </summary>
    internal (int ProcessId, Task<int> Exited, string? Problem) StartOwn(ProcessCommand command, int input)
    {
        lock (_gate)
        {
            var (pid, problem) = Spawn.Start(command, input, null, null);
            if (problem is not null) return (0, Task.FromResult(-1), problem);
            var child = new Child(pid, "", Task.CompletedTask);
            _children.Add(pid, child);
            _spared.Add(pid);
            _started.Release();
            return (pid, child.Exited.Task, null);
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        _started.Release();
        _pump.Dispose();
    }

    private (Child? Child, string? Problem) Start(ProcessCommand command, OutputTail tail, bool passOn)
    {
        var outputs = new List<(int Read, int Write)> { Native.OpenPipe() };
        // One pipe for both would make one stream of the container's two.
        if (passOn) outputs.Add(Native.OpenPipe());
        try
        {
            // Under the lock, lest it be reaped before it is known.
            lock (_gate)
            {
                var mark = FormattableString.Invariant($"{_mark}{_startedCount++};");
                if (Volatile.Read(ref _killing) > 0) return Fail(outputs, $"{command.Program} is not started while everything is being killed");
                var (pid, problem) = Spawn.Start(Marked(command, mark), null, outputs[0].Write, outputs[^1].Write);
                if (problem is not null) return Fail(outputs, problem);
                var ended = outputs.Select((pipe, i) => _pump.Add(pipe.Read, tail, passOn ? Native.StandardOutput + i : null)).ToArray();
                var child = new Child(pid, $"{MarkVariable}={mark}", Task.WhenAll(ended));
                _children.Add(pid, child);
                _started.Release();
                return (child, null);
            }
        }
        finally
        {
            foreach (var pipe in outputs) Native.Close(pipe.Write);
        }
    }

    private static ProcessCommand Marked(ProcessCommand command, string mark) =>
        command with { Environment = new Dictionary<string, string?>(command.Environment) { [MarkVariable] = mark } };

    private static (Child? Child, string? Problem) Fail(List<(int Read, int Write)> outputs, string problem)
    {
        foreach (var pipe in outputs) Native.Close(pipe.Read);
        return (null, problem);
    }

    /// <summary>
    /// Waits for the end of any child on a thread of its own. Not by SIGCHLD: where the agent is the first process of its container, .NET
    /// handles that signal by reaping everybody itself, and nobody would learn of it.
    /// </summary>
    private void ReapForEver()
    {
        while (!_isDisposed)
        {
            if (!Native.AwaitEndedChild()) _started.Wait();
            else if (!_isDisposed) Reap();
        }
    }

    private void Reap()
    {
        var ended = new List<(Child Child, int ExitCode)>();
        lock (_gate)
            while (Native.Reap() is var (pid, code))
            {
                _spared.Remove(pid);
                // Others are orphans that became this process's children.
                if (_children.Remove(pid, out var child)) ended.Add((child, code));
            }
        foreach (var (child, code) in ended) child.Exited.TrySetResult(code);
        if (ended.Any(e => e.Child.ProcessId == _server?.ProcessId)) ServerChanged?.Invoke();
    }

    private int[] Spared()
    {
        lock (_gate) return [.. _spared];
    }

    /// <summary>A helper and all that it started: its descendants, and what detached itself from them but inherited the mark.</summary>
    private async Task KillTreeAsync(Child child)
    {
        var known = new HashSet<int> { child.ProcessId };
        await KillAsync(
            () =>
            {
                var all = ProcessTable.Read();
                foreach (var root in known.ToList()) known.UnionWith(ProcessTable.Below(root, all).Select(p => p.Id));
                known.UnionWith(all.Where(p => p.Parent == Environment.ProcessId && ProcessTable.Carries(p.Id, child.Mark)).Select(p => p.Id));
                return [.. all.Where(p => known.Contains(p.Id))];
            },
            TimeSpan.FromSeconds(1), CancellationToken.None);
    }

    /// <summary>Kills again and again whoever is there, as a process may have started another one just before it died.</summary>
    private async Task<bool> KillAsync(Func<List<ProcessEntry>> who, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var began = _time.GetTimestamp();
        for (var round = 0; ; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var foreign = new HashSet<int>();
            foreach (var process in who().Where(p => !p.IsDead))
                if (Native.Kill(process.Id, Native.SignalKill) == Native.NotPermitted)
                    foreign.Add(process.Id);
            Reap();
            // Another user's process, such as somebody's session in the container, was not started from here.
            if (who().All(p => foreign.Contains(p.Id) || (p.IsDead && p.Parent != Environment.ProcessId))) return true;
            if (_time.GetElapsedTime(began) > timeout) return false;
            await Task.Delay(TimeSpan.FromMilliseconds(round < 20 ? 1 : 10), _time, cancellationToken);
        }
    }

    private sealed record Child(int ProcessId, string Mark, Task OutputEnded)
    {
        public TaskCompletionSource<int> Exited { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class ServerRun(Supervisor owner, Child child, OutputTail tail) : IServerRun
    {
        public int ProcessId => child.ProcessId;

        public Task<int> Exited => child.Exited.Task;

        public string LastOutput => tail.ToString();

        public bool Signal(int signal)
        {
            // Under the lock: while it has not been reaped, its number is nobody else's.
            lock (owner._gate)
                return owner._children.ContainsKey(child.ProcessId) && Native.Kill(child.ProcessId, signal) == Native.Success;
        }
    }
}
