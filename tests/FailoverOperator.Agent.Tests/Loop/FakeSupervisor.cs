using FailoverOperator.Agent.Supervision;

namespace FailoverOperator.Agent.Tests.Loop;

/// <summary>A container without processes: runs are started and ended by the test.</summary>
internal sealed class FakeSupervisor(TimeProvider time) : ISupervisor
{
    private FakeRun? run;

    public IServerRun? Server => run;

    public bool Runs => run is { Exited.IsCompleted: false };

    /// <summary>Until all processes have been reaped.</summary>
    public TimeSpan KillTakes { get; set; }

    public List<TimeSpan> Kills { get; } = [];

    public List<int> Signals { get; } = [];

    /// <summary>What the server does when it is killed or crashes.</summary>
    public event Action? Ended;

    /// <summary>Starts it by itself.</summary>
    public void Start() => run = new FakeRun(this);

    public void Crash(int code, string lastOutput = "") => End(code, lastOutput);

    public (IServerRun? Run, string? Problem) StartServer(ProcessCommand command) => throw new NotSupportedException();

    public Task<CommandResult> RunAsync(ProcessCommand command, TimeSpan timeout, CancellationToken cancellationToken) => throw new NotSupportedException();

    public async Task<bool> KillAllAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        Kills.Add(time.GetElapsedTime(0));
        if (KillTakes > timeout)
        {
            await Task.Delay(timeout, time, cancellationToken);
            KillTakes -= timeout;
            return false;
        }
        if (KillTakes > TimeSpan.Zero) await Task.Delay(KillTakes, time, cancellationToken);
        KillTakes = TimeSpan.Zero;
        End(137, "");
        return true;
    }

    private void End(int code, string lastOutput)
    {
        if (run is not { Exited.IsCompleted: false } ended) return;
        Ended?.Invoke();
        ended.End(code, lastOutput);
    }

    private sealed class FakeRun(FakeSupervisor owner) : IServerRun
    {
        private readonly TaskCompletionSource<int> exited = new();

        public int ProcessId => 42;

        public Task<int> Exited => exited.Task;

        public string LastOutput { get; private set; } = "";

        public void End(int code, string lastOutput)
        {
            LastOutput = lastOutput;
            exited.SetResult(code);
        }

        public bool Signal(int signal)
        {
            if (exited.Task.IsCompleted) return false;
            owner.Signals.Add(signal);
            owner.End(0, "");
            return true;
        }
    }
}
