using FailoverOperator.Simulator.Scheduling;

namespace FailoverOperator.Simulator.Engines;

/// <summary>The server of one container: its runs, one after the other, on one volume.</summary>
public sealed class Server(Container container)
{
    private int _runs;

    /// <summary>The run that was started last. Null: none yet.</summary>
    public ServerRun? Run { get; private set; }

    public bool Runs => Run is { HasEnded: false };

    /// <summary>How long a start, a promotion and the like take here.</summary>
    private Random Random => container.World.Random;

    /// <summary>As a standby; it becomes anything else only by an order.</summary>
    public ServerRun Start()
    {
        var world = container.World;
        var process = new SimulatedProcess(FormattableString.Invariant($"{container.PodName}/server-{++_runs}"), world.Loop, container.Node.Clock);
        var run = new ServerRun(world.NextProcessId(), container, process, world.Judge.Changed);
        Run = run;
        run.After(Milliseconds(150, 900), () =>
        {
            if (world.Loop.Now < container.UnstartableUntil) run.End(1, "no space left on device");
            else run.Become(RunState.Standby);
        });
        return run;
    }

    /// <summary>Once ordered it goes its way, whatever becomes of who ordered it.</summary>
    /// <param name="after">The new timeline is a later one than this.</param>
    public void Promote(ServerRun run, int after)
    {
        if (run.State != RunState.Standby) return;
        run.Become(RunState.Promoting);
        run.Standby.Follow(null);
        run.After(Milliseconds(60, 350), () => run.Primary.Begin(after));
    }

    /// <summary>Immediate: no write is acknowledged any more when it has ended.</summary>
    public void StopNow(ServerRun run) => run.After(Milliseconds(20, 250), () => run.End(0));

    public TimeSpan Milliseconds(int least, int most) => TimeSpan.FromMilliseconds(Random.Next(least, most));
}
