using FailoverOperator.Simulator.Cluster;
using FailoverOperator.Simulator.Engines;
using FailoverOperator.Simulator.Scheduling;

namespace FailoverOperator.Simulator.Workloads;

/// <summary>What outlives the containers of a member.</summary>
internal class MemberDisk
{
    /// <summary>Whatever is started on it ends at once, until then.</summary>
    public TimeSpan UnstartableUntil { get; set; }
}

/// <summary>How a hook ended.</summary>
internal sealed record HookResult(int ExitCode, string Output, string Error)
{
    public static HookResult Done { get; } = new(0, "", "");

    public static HookResult Tells(string json) => new(0, json, "");

    public static HookResult Fails(string why) => new(1, "", why);
}

/// <summary>A container whose program is managed by hooks alone: one process that answers them, its clients and its kubelet. It ends with that.</summary>
internal abstract class HookedContainer : PodContainer
{
    private readonly MemberDisk _disk;

    protected HookedContainer(
        SimulatedWorld world, Node node, MemberDisk disk, string podName, string podUid, string address, string id, Action<PodContainer> onEnd)
        : base(world, node, podName, podUid, address, id, onEnd)
    {
        _disk = disk;
        Process = new SimulatedProcess($"{podName}/{id}", world.Loop, node.Clock);
    }

    public SimulatedProcess Process { get; }

    /// <summary>The program has read its disk, and answers.</summary>
    public bool HasStarted { get; private set; }

    /// <summary>It does its work at this instant.</summary>
    public bool IsAtWork => HasStarted && Process.IsRunning;

    public override bool IsAlive => true;

    public override SimulatedProcess? Worker => Process;

    public override SimulatedProcess Supervisor => Process;

    public override TimeSpan UnstartableUntil
    {
        get => _disk.UnstartableUntil;
        set => _disk.UnstartableUntil = value;
    }

    protected override IEnumerable<SimulatedProcess> Processes => [Process];

    public override void Start() => After(World.Milliseconds(150, 900), () =>
    {
        if (World.Loop.Now < UnstartableUntil)
        {
            End();
            return;
        }
        HasStarted = true;
        Begin();
    });

    public override void Stop() => Process.Do(() =>
    {
        if (World.Loop.Now >= UnkillableUntil) After(World.Milliseconds(50, 1500), End);
    });

    public override void Crash() => End();

    public override void AskReadiness(Action<bool> tell)
    {
        // Who stands still does not answer in time.
        if (!Process.IsRunning) tell(false);
        else Process.Do(() => tell(HasStarted && IsReady));
    }

    /// <summary>Runs a hook. Not told: it hangs with the program that it asks.</summary>
    public void Call(IReadOnlyList<string> arguments, Action<HookResult> tell) => Process.Do(() => After(World.Milliseconds(10, 80), () =>
        tell(HasStarted ? Execute(arguments) : HookResult.Fails("the server does not answer"))));

    /// <summary>After so long, unless it has ended by then; later if it stands still.</summary>
    protected internal void After(TimeSpan delay, Action action) => _ = Process.Time.CreateTimer(_ => action(), null, delay, Timeout.InfiniteTimeSpan);

    protected virtual bool IsReady => true;

    protected abstract void Begin();

    protected abstract HookResult Execute(IReadOnlyList<string> arguments);

    protected override void EndProcesses() => Process.Kill();
}
