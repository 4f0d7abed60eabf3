using FailoverOperator.Agent.Supervision;
using FailoverOperator.Simulator.Scheduling;

namespace FailoverOperator.Simulator.Engines;

/// <summary>What a run of the server is at.</summary>
public enum RunState
{
    Starting,
    Standby,
    Promoting,
    Primary,

    /// <summary>No new writes; what is logged is being sent.</summary>
    ShuttingDown,
    Ended,
}

/// <summary>One run of the server: a process of its own, which goes on whatever becomes of its agent.</summary>
public sealed class ServerRun : IServerRun
{
    private static readonly TimeSpan SignalTime = TimeSpan.FromMilliseconds(30);

    private readonly TaskCompletionSource<int> _exited = new();
    private readonly Action<ServerRun> _onChange;

    public ServerRun(int processId, Container container, SimulatedProcess process, Action<ServerRun> onChange)
    {
        (ProcessId, Container, Process, _onChange) = (processId, container, process, onChange);
        Instance = FormattableString.Invariant($"run-{processId}");
        Primary = new PrimaryRole(this);
        Standby = new StandbyRole(this);
    }

    public int ProcessId { get; }

    public Container Container { get; }

    public Volume Volume => Container.Volume;

    public SimulatedProcess Process { get; }

    public RunState State { get; private set; }

    public PrimaryRole Primary { get; }

    public StandbyRole Standby { get; }

    /// <summary>The term that its agent had it serve in last.</summary>
    public long Term { get; set; }

    public Task<int> Exited => _exited.Task;

    public bool HasEnded => State == RunState.Ended;

    /// <summary>It would take a write at this instant.</summary>
    public bool IsWritable => State == RunState.Primary && Process.IsRunning;

    public string LastOutput { get; private set; } = "";

    /// <summary>What it tells of itself is different from what the server before it told.</summary>
    public string Instance { get; }

    public void Become(RunState state)
    {
        if (HasEnded || State == state) return;
        State = state;
        _onChange(this);
    }

    /// <summary>After so long, unless it has ended by then; later if it stands still.</summary>
    public void After(TimeSpan delay, Action action) => _ = Process.Time.CreateTimer(_ => action(), null, delay, Timeout.InfiniteTimeSpan);

    public void End(int exitCode, string lastOutput = "")
    {
        if (HasEnded) return;
        LastOutput = lastOutput;
        State = RunState.Ended;
        Process.Kill();
        _onChange(this);
        Primary.Close();
        Standby.Close();
        _exited.TrySetResult(exitCode);
    }

    public bool Signal(int signal)
    {
        if (HasEnded) return false;
        After(SignalTime, () => End(0));
        return true;
    }
}
