using FailoverOperator.Core.Observations;

namespace FailoverOperator.Simulator.Engines;

/// <summary>What a run does as a standby: connects to whom it follows, and takes its log.</summary>
public sealed class StandbyRole(ServerRun run)
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);

    /// <summary>As wal_receiver_timeout and wal_sender_timeout: a connection that says nothing for so long is given up.</summary>
    private static readonly TimeSpan SilenceTimeout = TimeSpan.FromSeconds(5);

    private Sender? _source;
    private ServerRun? _sourceRun;
    private TimeSpan _heardAt;
    private TimeSpan? _downSince;
    private int _attempt;

    private SimulatedWorld World => run.Container.World;

    public string? Follows { get; private set; }

    public ReplicationLink Link => _source is not null ? ReplicationLink.Up : ReplicationLink.Down;

    /// <summary>Null: it is up, or never was.</summary>
    public TimeSpan? LinkDownFor => _source is null && _downSince is { } since ? World.Loop.Now - since : null;

    /// <summary>Towards this one from now on; null: towards nobody.</summary>
    public void Follow(string? address)
    {
        if (Follows == address) return;
        Disconnect();
        Follows = address;
        _attempt++;
        if (address is not null) Connect(_attempt);
    }

    internal void Receive(Sender sender, int begin, LogRecord[] records)
    {
        if (sender != _source || run.State is not (RunState.Standby or RunState.Promoting) || begin != run.Volume.Log.Count) return;
        foreach (var record in records) run.Volume.Append(record);
        var (end, source) = (run.Volume.Log.Count, _sourceRun!);
        World.Network.Send(run.Container.Machine, source.Container.Machine, () => source.Process.Do(() => source.Primary.Flushed(sender, end)),
            () => source.HasEnded);
    }

    /// <summary>The other end has gone.</summary>
    internal void Lost(Sender sender)
    {
        if (sender != _source) return;
        Disconnect();
        Retry(_attempt);
    }

    public void Close()
    {
        Disconnect();
        _attempt++;
    }

    private void Connect(int attempt)
    {
        if (attempt != _attempt || run.HasEnded || run.State == RunState.Primary || _source is not null) return;
        if (World.Addresses.Find(Follows!) is not Container container)
        {
            Retry(attempt);
            return;
        }
        World.Network.Send(run.Container.Machine, container.Machine, () => Ask(container, attempt), () => attempt != _attempt || run.HasEnded);
        // Whatever comes of the question.
        run.After(TimeSpan.FromSeconds(2), () => Retry(attempt));
    }

    private void Ask(Container container, int attempt)
    {
        if (container.Server.Run is not { HasEnded: false } source) return;
        source.Process.Do(() =>
        {
            if (attempt != _attempt || run.HasEnded || _source is not null) return;
            source.Primary.Accept(run, sender => Begin(source, sender, attempt));
        });
    }

    private void Begin(ServerRun source, Sender sender, int attempt)
    {
        if (attempt != _attempt || _source is not null || source.HasEnded || sender.Stream.IsClosed) return;
        (_source, _sourceRun, _heardAt, _downSince) = (sender, source, World.Loop.Now, null);
        World.Loop.Every(CheckInterval, () => Check(sender));
    }

    /// <summary>Whether the connection would have been heard of by now.</summary>
    private bool Check(Sender sender)
    {
        if (sender != _source || run.HasEnded) return false;
        var source = _sourceRun!;
        if (source is { HasEnded: false, Process.IsRunning: true } && World.Network.IsOpen(source.Container.Machine, run.Container.Machine)
            && World.Network.IsOpen(run.Container.Machine, source.Container.Machine)) _heardAt = World.Loop.Now;
        if (World.Loop.Now - _heardAt < SilenceTimeout && !sender.Stream.IsClosed) return true;
        source.Primary.Drop(sender);
        Lost(sender);
        return false;
    }

    private void Retry(int attempt) => run.After(RetryPause, () => Connect(attempt));

    private void Disconnect()
    {
        if (_source is null) return;
        _sourceRun!.Primary.Drop(_source);
        (_source, _sourceRun, _downSince) = (null, null, World.Loop.Now);
    }
}
