using FailoverOperator.Simulator.Networking;

namespace FailoverOperator.Simulator.Engines;

/// <summary>How a write ended, as far as the client was told.</summary>
public enum WriteOutcome
{
    Acknowledged,
    ReadOnly,
    Refused,

    /// <summary>The connection broke before an answer came.</summary>
    Broken,
}

/// <summary>What a run does as a primary: takes writes, sends them to its standbys, acknowledges what enough of them have.</summary>
public sealed class PrimaryRole(ServerRun run)
{
    private readonly List<Sender> _senders = [];
    private readonly List<(int End, LogRecord Record, Action<WriteOutcome> Tell)> _waiting = [];
    private int _branch;

    private Volume Volume => run.Volume;

    private SimulatedWorld World => run.Container.World;

    /// <summary>A new timeline begins, and with it the writes.</summary>
    public void Begin(int after)
    {
        _branch = World.NextBranch();
        Volume.Append(new LogRecord(Math.Max(Volume.Timeline, after) + 1, _branch, 0));
        run.Become(RunState.Primary);
    }

    /// <summary>A client's write has arrived. It is answered when enough members have it, which may be never.</summary>
    public void Write(long number, Action<WriteOutcome> tell)
    {
        if (run.State != RunState.Primary)
        {
            tell(WriteOutcome.ReadOnly);
            return;
        }
        var record = new LogRecord(Volume.Timeline, _branch, number);
        Volume.Append(record);
        _waiting.Add((Volume.Log.Count, record, tell));
        foreach (var sender in _senders) Feed(sender);
        Acknowledge();
    }

    /// <summary>For whom to wait has changed.</summary>
    public void Steer(Synchrony synchrony)
    {
        Volume.Synchrony = synchrony;
        if (run.State == RunState.Primary) Acknowledge();
    }

    /// <summary>A standby asks for the log from its end on. It does not get it if its own is another.</summary>
    internal void Accept(ServerRun standby, Action<Sender> begin)
    {
        if (run.State is not (RunState.Primary or RunState.ShuttingDown) || !standby.Volume.IsBeginningOf(Volume.Log)) return;
        foreach (var old in _senders.Where(s => s.Standby.Volume.Member == standby.Volume.Member).ToList()) Drop(old);
        var sender = new Sender(standby, standby.Volume.Log.Count,
            new MessageStream(World.Loop, World.Network, run.Container.Machine, standby.Container.Machine));
        _senders.Add(sender);
        sender.Stream.Send(() => standby.Process.Do(() => begin(sender)));
        Feed(sender);
    }

    /// <summary>A standby says how far it has written everything to its disk.</summary>
    internal void Flushed(Sender sender, int end)
    {
        if (!_senders.Contains(sender)) return;
        sender.Flushed = end;
        Acknowledge();
    }

    internal void Drop(Sender sender)
    {
        sender.Stream.Close();
        _senders.Remove(sender);
    }

    /// <summary>Every standby that is connected has all there is.</summary>
    public bool AllSent => _senders.TrueForAll(s => s.Flushed >= Volume.Log.Count);

    public void Close()
    {
        foreach (var sender in _senders)
        {
            sender.Stream.Close();
            if (IsHeard) World.Network.Send(run.Container.Machine, sender.Standby.Container.Machine,
                () => sender.Standby.Process.Do(() => sender.Standby.Standby.Lost(sender)), () => sender.Standby.HasEnded);
        }
        if (IsHeard) foreach (var (_, _, tell) in _waiting) tell(WriteOutcome.Broken);
        _senders.Clear();
        _waiting.Clear();
    }

    /// <summary>A kernel is there to close the connections of its dead.</summary>
    private bool IsHeard => run.Container.Node.IsPowered;

    private void Feed(Sender sender)
    {
        var (begin, records) = (sender.Sent, Volume.From(sender.Sent));
        if (records.Length == 0) return;
        sender.Sent = Volume.Log.Count;
        sender.Stream.Send(() => sender.Standby.Process.Do(() => sender.Standby.Standby.Receive(sender, begin, records)));
    }

    private void Acknowledge()
    {
        if (_waiting.Count == 0) return;
        var safe = SafeEnd();
        while (_waiting.Count > 0 && _waiting[0].End <= safe)
        {
            var (end, record, tell) = _waiting[0];
            _waiting.RemoveAt(0);
            World.Judge.Acknowledged(run, end - 1, record);
            tell(WriteOutcome.Acknowledged);
        }
    }

    /// <summary>So much of the log is on as many disks as is asked for.</summary>
    private int SafeEnd()
    {
        var synchrony = Volume.Synchrony;
        if (synchrony.Count == 0) return Volume.Log.Count;
        Span<int> flushed = stackalloc int[_senders.Count];
        var count = 0;
        foreach (var sender in _senders)
            if (synchrony.Members.Contains(sender.Standby.Volume.Member)) flushed[count++] = sender.Flushed;
        flushed = flushed[..count];
        flushed.Sort();
        return count < synchrony.Count ? 0 : flushed[count - synchrony.Count];
    }
}

/// <summary>The primary's end of the connection to one standby.</summary>
internal sealed class Sender(ServerRun standby, int sent, MessageStream stream)
{
    public ServerRun Standby => standby;

    public MessageStream Stream => stream;

    public int Sent { get; set; } = sent;

    public int Flushed { get; set; } = sent;
}
