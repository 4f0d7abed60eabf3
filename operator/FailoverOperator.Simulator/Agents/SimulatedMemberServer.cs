using System.Globalization;
using FailoverOperator.Agent.Servers;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Observations;
using FailoverOperator.Simulator.Engines;

namespace FailoverOperator.Simulator.Agents;

/// <summary>
/// A replicated log as the agent sees it, with the manners of PostgreSQL: it starts as a standby, a promotion begins a timeline, who was a primary
/// becomes a standby by a start, and a log that has parted from the leader's is rewound.
/// </summary>
internal sealed class SimulatedMemberServer(Container container) : IMemberServer
{
    private const string SystemId = "system";

    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan QuestionTimeout = TimeSpan.FromSeconds(3);

    private string? _copyingFrom;

    private Server Server => container.Server;

    private Volume Volume => container.Volume;

    private TimeProvider Time => container.Agent.Process.Time;

    public async Task<EngineReply> StatusAsync(CancellationToken cancellationToken)
    {
        if (_copyingFrom is { } leader) return Told(
            new EngineStatus { Role = EngineRole.Standby, Writable = false, Link = ReplicationLink.Syncing, FollowsAddress = leader });
        if (!Server.Runs)
        {
            return Volume is { IsEmpty: true, IsUnfinished: false }
                ? Told(new EngineStatus { Role = EngineRole.Standby, Writable = false, IsEmpty = true })
                : new EngineReply.Refused("the server does not run");
        }
        var run = Server.Run!;
        var answer = new TaskCompletionSource<EngineReply>();
        run.Process.Do(() => answer.TrySetResult(Tell(run)));
        using var cancelled = cancellationToken.UnsafeRegister(_ => answer.TrySetCanceled(cancellationToken), null);
        _ = EndWithAsync(run, answer);
        return await answer.Task;
    }

    public async Task<EngineOutcome> ServeAsync(long term, LeaseTerms terms, HistoryFloor? floor, Action beforeWritable, CancellationToken cancellationToken)
    {
        if (Volume.IsUnfinished) return NotDone("the data were being rewound when that was interrupted");
        if (Volume.IsEmpty)
        {
            await Task.Delay(Server.Milliseconds(500, 1500), Time, cancellationToken);
            Volume.Append(new LogRecord(1, container.World.NextBranch(), 0));
        }
        if (await BringUpAsync(cancellationToken) is not { } run) return NotDone("the server ended while it started");
        run.Standby.Follow(null);
        run.Term = term;
        run.Primary.Steer(SynchronyOf(terms));
        beforeWritable();
        if (run.State == RunState.Standby) Server.Promote(run, After(floor));
        while (run.State == RunState.Promoting) await Task.Delay(Glance, Time, cancellationToken);
        return run.State == RunState.Primary ? new EngineOutcome.Done() : NotDone("the server ended while it was promoted");
    }

    public async Task<EngineOutcome> FollowAsync(Leader leader, CancellationToken cancellationToken)
    {
        if (Server.Runs && await StandAsync(leader.Address, cancellationToken) is { } problem) return NotDone(problem);
        if (await AskAsync(leader, cancellationToken) is not { } source) return await WaitAsStandbyAsync(leader, cancellationToken);
        if (Volume.IsEmpty || Volume.IsUnfinished)
        {
            if (!await CopyAsync(leader, source, cancellationToken)) return NotDone("the leader went away while its data were copied");
        }
        else if (!Volume.IsBeginningOf(source.Volume.Log))
        {
            if (!await RewindAsync(leader, source, cancellationToken)) return NotDone("the leader went away while the data were rewound");
        }
        Volume.Synchrony = source.Volume.Synchrony.Count == 0 ? Synchrony.None : Synchrony.NobodyYet;
        return await StandAsync(leader.Address, cancellationToken) is { } failed ? NotDone(failed) : new EngineOutcome.Done();
    }

    public async Task<EngineOutcome> StandByAsync(CancellationToken cancellationToken) =>
        await StandAsync(null, cancellationToken) is { } problem ? NotDone(problem) : new EngineOutcome.Done();

    public async Task<EngineOutcome> DemoteAsync(CancellationToken cancellationToken)
    {
        if (Server.Run is { HasEnded: false } run) await StopNowAsync(run, cancellationToken);
        return new EngineOutcome.Done();
    }

    public async Task<long?> ShutDownAsync(CancellationToken cancellationToken)
    {
        if (Server.Run is not { HasEnded: false } run) return null;
        run.Become(RunState.ShuttingDown);
        while (!run.HasEnded && !run.Primary.AllSent) await Task.Delay(Glance, Time, cancellationToken);
        if (run.HasEnded) return null;
        run.After(Server.Milliseconds(50, 400), () => run.End(0));
        await run.Exited.WaitAsync(cancellationToken);
        return Volume.PositionBytes;
    }

    private EngineReply Tell(ServerRun run) =>
        run.State is RunState.Starting ? new EngineReply.Failed("the server is not ready") : Told(new EngineStatus
        {
            Role = run.State is RunState.Primary or RunState.ShuttingDown ? EngineRole.Primary : EngineRole.Standby,
            Writable = run.State == RunState.Primary,
            Instance = run.Instance,
            PositionBytes = Volume.PositionBytes,
            History = History(Volume.Timeline),
            PreviousHistory = Volume.ParentTimeline is { } parent ? History(parent) : null,
            Link = run.State == RunState.Primary ? ReplicationLink.Unknown : run.Standby.Link,
            LinkDownFor = run.State == RunState.Primary ? null : run.Standby.LinkDownFor,
            FollowsAddress = run.State == RunState.Primary ? null : run.Standby.Follows,
            IsEmpty = false,
        });

    private async Task<ServerRun?> BringUpAsync(CancellationToken cancellationToken)
    {
        var run = Server.Runs ? Server.Run! : Server.Start();
        while (run.State == RunState.Starting) await Task.Delay(Glance, Time, cancellationToken);
        return run.HasEnded ? null : run;
    }

    /// <summary>A server that is writable is ended first: it becomes a standby by a start. Null: done.</summary>
    private async Task<string?> StandAsync(string? leaderAddress, CancellationToken cancellationToken)
    {
        // Data that were being rewound are no data.
        if (!Server.Runs && (Volume.IsEmpty || Volume.IsUnfinished)) return null;
        if (await BringUpAsync(cancellationToken) is not { } run) return "the server ended while it started";
        if (run.State != RunState.Standby)
        {
            await StopNowAsync(run, cancellationToken);
            if (await BringUpAsync(cancellationToken) is not { } again) return "the server ended while it started";
            run = again;
        }
        run.Standby.Follow(leaderAddress);
        return null;
    }

    private async Task<EngineOutcome> WaitAsStandbyAsync(Leader leader, CancellationToken cancellationToken)
    {
        if (!Server.Runs && !Volume.IsEmpty) _ = await StandAsync(leader.Address, cancellationToken);
        return NotDone($"the leader {leader.Name} is not a primary yet, or does not answer");
    }

    private async Task StopNowAsync(ServerRun run, CancellationToken cancellationToken)
    {
        Server.StopNow(run);
        await run.Exited.WaitAsync(cancellationToken);
    }

    /// <summary>The leader's server, if it says that it is a primary. Null: it did not.</summary>
    private async Task<ServerRun?> AskAsync(Leader leader, CancellationToken cancellationToken)
    {
        var world = container.World;
        if (world.Addresses.Find(leader.Address) is not Container other) return null;
        var answer = new TaskCompletionSource<ServerRun?>();
        using var timer = Time.CreateTimer(_ => answer.TrySetResult(null), null, QuestionTimeout, Timeout.InfiniteTimeSpan);
        using var cancelled = cancellationToken.UnsafeRegister(_ => answer.TrySetCanceled(cancellationToken), null);
        world.Network.Send(container.Machine, other.Machine, () =>
        {
            if (other.Server.Run is not { HasEnded: false } run) Answer(null);
            else run.Process.Do(() => Answer(run.State == RunState.Primary ? run : null));
        }, () => answer.Task.IsCompleted);
        return await answer.Task;

        void Answer(ServerRun? run) => world.Network.Send(
            other.Machine, container.Machine, () => answer.TrySetResult(run), () => answer.Task.IsCompleted);
    }

    private async Task<bool> CopyAsync(Leader leader, ServerRun source, CancellationToken cancellationToken)
    {
        _copyingFrom = leader.Address;
        try
        {
            if (Server.Run is { HasEnded: false } run) await StopNowAsync(run, cancellationToken);
            await Task.Delay(Server.Milliseconds(1000, 4000), Time, cancellationToken);
            if (!IsThere(source)) return false;
            Volume.Replace(source.Volume.Log);
            Volume.IsUnfinished = false;
            return true;
        }
        finally
        {
            _copyingFrom = null;
        }
    }

    private async Task<bool> RewindAsync(Leader leader, ServerRun source, CancellationToken cancellationToken)
    {
        _copyingFrom = leader.Address;
        try
        {
            if (Server.Run is { HasEnded: false } run) await StopNowAsync(run, cancellationToken);
            Volume.IsUnfinished = true;
            await Task.Delay(Server.Milliseconds(300, 2000), Time, cancellationToken);
            if (!IsThere(source)) return false;
            Volume.Truncate(Volume.CommonWith(source.Volume.Log));
            Volume.IsUnfinished = Volume.IsEmpty;
            return true;
        }
        finally
        {
            _copyingFrom = null;
        }
    }

    private bool IsThere(ServerRun source) => source.IsWritable
        && container.World.Network.IsOpen(container.Machine, source.Container.Machine)
            && container.World.Network.IsOpen(source.Container.Machine, container.Machine);

    /// <summary>A question to a server that ends gets no answer, and that is told at once.</summary>
    private static async Task EndWithAsync(ServerRun run, TaskCompletionSource<EngineReply> answer)
    {
        await Task.WhenAny(run.Exited, answer.Task);
        answer.TrySetResult(new EngineReply.Refused("the server ended"));
    }

    private Synchrony SynchronyOf(LeaseTerms terms)
    {
        if (terms.SynchronousStandbys <= 0) return Synchrony.None;
        var others = terms.Members.Select(m => m.Name).Where(n => n != container.PodName).ToList();
        return others.Count == 0 ? Synchrony.NobodyYet : new Synchrony(terms.SynchronousStandbys, others);
    }

    /// <summary>The highest timeline that there may be, as far as the operator knows.</summary>
    private static int After(HistoryFloor? floor) =>
        floor is null ? 0 : Math.Max(Number(floor.History) + floor.Unseen, After(floor.And));

    private static int Number(string history) => int.Parse(history.AsSpan(SystemId.Length + 1), CultureInfo.InvariantCulture);

    private static string History(int timeline) => string.Create(CultureInfo.InvariantCulture, $"{SystemId}:{timeline}");

    private static EngineReply Told(EngineStatus status) => new EngineReply.Answered(status);

    private static EngineOutcome NotDone(string message) => new EngineOutcome.NotDone(message);
}
