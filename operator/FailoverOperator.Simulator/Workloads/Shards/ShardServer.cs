using System.Text.Json;
using System.Text.Json.Nodes;
using FailoverOperator.Simulator.Engines;
using FailoverOperator.Simulator.Networking;

namespace FailoverOperator.Simulator.Workloads.Shards;

/// <summary>
/// The server of one slot in one member, with the manners of Redis: it starts as nobody's standby, acknowledges before it replicates, and a standby
/// whose data parted from the primary's copies everything anew. Unlike Redis it keeps its data, and obeys no lower term than the highest it was told.
/// </summary>
internal sealed class ShardServer(ShardMember member, string slot, ShardData data, SlotJudge judge)
{
    /// <summary>A connection that says nothing for so long is given up.</summary>
    public static readonly TimeSpan SilenceTimeout = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(700);

    private readonly List<Feed> _feeds = [];
    private Feed? _source;
    private bool _isCopying;
    private TimeSpan _heardAt;
    private TimeSpan? _downSince;
    private int _attempt;
    private int _branch;

    public ShardMember Member => member;

    public string Slot => slot;

    public Volume Volume => data.Volume;

    public bool IsPrimary { get; private set; }

    /// <summary>That it serves in as the primary.</summary>
    public long Term { get; private set; }

    public string? Follows { get; private set; }

    public bool IsLinkUp => _source is not null;

    /// <summary>It would take a write at this instant.</summary>
    public bool IsWritable => IsPrimary && !member.HasEnded && member.IsAtWork;

    private SimulatedWorld World => member.World;

    public string Tell()
    {
        var told = new JsonObject
        {
            ["role"] = IsPrimary ? "Primary" : "Standby",
            ["writable"] = IsPrimary,
            ["instance"] = member.Instance,
            ["positionBytes"] = Volume.PositionBytes,
            ["isEmpty"] = Volume.IsEmpty,
        };
        if (IsPrimary) return told.ToJsonString();
        told["link"] = _isCopying ? "Syncing" : IsLinkUp ? "Up" : "Down";
        if (Follows is not null) told["followsAddress"] = Follows;
        if (_downSince is { } since && !IsLinkUp) told["linkDownSeconds"] = (long)(World.Loop.Now - since).TotalSeconds;
        return told.ToJsonString(JsonSerializerOptions.Default);
    }

    public HookResult Promote(long term)
    {
        if (!Obeys(term, out var refusal)) return refusal;
        if (_isCopying) return HookResult.Fails("its data are being copied");
        if (IsPrimary && Term == term) return HookResult.Done;
        (_attempt, Follows) = (_attempt + 1, null);
        Disconnect();
        (IsPrimary, Term, _branch, _downSince) = (true, term, World.NextBranch(), null);
        judge.Promoted(this);
        Append(0);
        return HookResult.Done;
    }

    /// <summary>It takes no writes any more, and what it has still reaches those that copy it.</summary>
    public HookResult Demote(long term)
    {
        if (!Obeys(term, out var refusal)) return refusal;
        if (!IsPrimary) return HookResult.Done;
        IsPrimary = false;
        judge.Changed(this);
        return HookResult.Done;
    }

    public HookResult Follow(long term, string address)
    {
        if (!Obeys(term, out var refusal)) return refusal;
        Release();
        if (IsPrimary)
        {
            IsPrimary = false;
            judge.Changed(this);
        }
        if (Follows == address) return HookResult.Done;
        Disconnect();
        Follows = address;
        Connect(++_attempt);
        return HookResult.Done;
    }

    /// <summary>Acknowledged as soon as it is written here.</summary>
    public WriteOutcome Write(long number)
    {
        if (!IsPrimary) return WriteOutcome.ReadOnly;
        Append(number);
        judge.Acknowledged(this, Volume.Log.Count - 1, Volume.Log[^1]);
        return WriteOutcome.Acknowledged;
    }

    public void CheckLink()
    {
        if (_source is not { } source) return;
        var (here, there) = (member.Machine, source.From.Member.Machine);
        if (source.From is { IsPrimary: true, Member: { HasEnded: false, IsAtWork: true } } && World.Network.IsOpen(here, there) && World.Network.IsOpen(there, here))
            _heardAt = World.Loop.Now;
        if (World.Loop.Now - _heardAt >= SilenceTimeout || source.Stream.IsClosed) Lose(source);
    }

    /// <summary>Its process has ended; a kernel is there to close its connections, or not.</summary>
    public void Close()
    {
        Release();
        _attempt++;
        Disconnect();
        if (!IsPrimary) return;
        IsPrimary = false;
        judge.Changed(this);
    }

    private bool Obeys(long term, out HookResult refusal)
    {
        refusal = HookResult.Fails($"slot {slot}: term {term} is over, {data.Term} has been seen");
        if (term < data.Term) return false;
        data.Term = term;
        return true;
    }

    private void Append(long number)
    {
        Volume.Append(new LogRecord((int)Term, _branch, number));
        foreach (var feed in _feeds) Send(feed);
    }

    private static void Send(Feed feed)
    {
        var (begin, records) = (feed.Sent, feed.From.Volume.From(feed.Sent));
        feed.Sent = feed.From.Volume.Log.Count;
        if (records.Length > 0) feed.Stream.Send(() => feed.To.Member.Process.Do(() => feed.To.Receive(feed, begin, records)));
    }

    private void Receive(Feed feed, int begin, LogRecord[] records)
    {
        if (feed != _source) return;
        if (begin != Volume.Log.Count)
        {
            // What it had when it asked is not what it has now: it asks again.
            Lose(feed);
            return;
        }
        foreach (var record in records) Volume.Append(record);
        Volume.IsUnfinished = false;
    }

    private void Connect(int attempt)
    {
        if (attempt != _attempt || IsPrimary || IsLinkUp || member.HasEnded) return;
        member.After(RetryPause + World.Milliseconds(0, 600), () => Connect(attempt));
        if (_isCopying || World.Addresses.Find(Follows!) is not ShardMember other || other == member) return;
        World.Network.Send(member.Machine, other.Machine, () =>
        {
            if (World.Addresses.Find(other.Address) is ShardMember { HasEnded: false, Node.IsPowered: true } now)
                now.Process.Do(() => now.Of(slot).Accept(this, attempt));
        }, () => attempt != _attempt || member.HasEnded);
    }

    /// <summary>A standby asks for what it lacks: from its end on, or all of it.</summary>
    private void Accept(ShardServer standby, int attempt)
    {
        if (!IsPrimary || !member.HasStarted) return;
        if (!standby.Volume.IsBeginningOf(Volume.Log))
        {
            LogRecord[] copy = [.. Volume.Log];
            World.Network.Send(member.Machine, standby.Member.Machine, () => standby.Member.Process.Do(() => standby.Copy(copy, attempt)), () => standby.Member.HasEnded);
            return;
        }
        foreach (var old in _feeds.Where(f => f.To.Member.PodName == standby.Member.PodName).ToList()) Drop(old);
        var feed = new Feed(this, standby, new MessageStream(World.Loop, World.Network, member.Machine, standby.Member.Machine)) { Sent = standby.Volume.Log.Count };
        _feeds.Add(feed);
        feed.Stream.Send(() => standby.Member.Process.Do(() => standby.Begin(feed, attempt)));
        Send(feed);
    }

    private void Begin(Feed feed, int attempt)
    {
        if (attempt != _attempt || IsPrimary || feed.Stream.IsClosed || _source is { Stream.IsClosed: false }) return;
        (_source, _heardAt, _downSince) = (feed, World.Loop.Now, null);
    }

    /// <summary>What it had is given up when the copy begins; once that is whole it asks for the rest.</summary>
    private void Copy(LogRecord[] copy, int attempt)
    {
        if (attempt != _attempt || IsPrimary || _isCopying) return;
        Volume.Replace([]);
        (_isCopying, Volume.IsUnfinished) = (true, true);
        member.After(World.Milliseconds(200, 1500), () =>
        {
            (_isCopying, Volume.IsUnfinished) = (false, false);
            Volume.Replace(copy);
        });
    }

    private void Lose(Feed feed)
    {
        if (feed != _source) return;
        var attempt = _attempt;
        Disconnect();
        Connect(attempt);
    }

    private void Disconnect()
    {
        if (_source is not { } source) return;
        source.From.Drop(source);
        (_source, _downSince) = (null, World.Loop.Now);
    }

    private void Drop(Feed feed)
    {
        feed.Stream.Close();
        _feeds.Remove(feed);
    }

    /// <summary>Nobody gets anything from it any more.</summary>
    private void Release()
    {
        foreach (var feed in _feeds.ToList())
        {
            Drop(feed);
            if (member.Node.IsPowered) World.Network.Send(member.Machine, feed.To.Member.Machine,
                () => feed.To.Member.Process.Do(() => feed.To.Lose(feed)), () => feed.To.Member.HasEnded);
        }
    }

    /// <summary>From a primary to one standby.</summary>
    private sealed class Feed(ShardServer from, ShardServer to, MessageStream stream)
    {
        public ShardServer From => from;

        public ShardServer To => to;

        public MessageStream Stream => stream;

        public int Sent { get; set; }
    }
}
