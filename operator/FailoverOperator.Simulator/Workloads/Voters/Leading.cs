using FailoverOperator.Simulator.Engines;

namespace FailoverOperator.Simulator.Workloads.Voters;

/// <summary>What a leader does in its term: takes writes, sends them to all, acknowledges what a majority has.</summary>
internal sealed class Leading
{
    private readonly VoterMember _member;
    private readonly VotersWorkload _workload;
    private readonly int _branch;
    private readonly SortedDictionary<string, Peer> _peers = new(StringComparer.Ordinal);
    private readonly List<(int End, LogRecord Record, Action<WriteOutcome> Tell)> _waiting = [];

    public Leading(VoterMember member, VotersWorkload workload)
    {
        (_member, _workload, _branch) = (member, workload, member.World.NextBranch());
        foreach (var peer in workload.PeersOf(member.PodName))
            _peers[peer] = new Peer { Next = member.Volume.Log.Count, HeardAt = member.World.Loop.Now };
        Append(0);
    }

    public void Take(long number, Action<WriteOutcome> tell)
    {
        var record = Append(number);
        _waiting.Add((_member.Volume.Log.Count, record, tell));
        SendAll();
    }

    public void SendAll()
    {
        foreach (var (name, peer) in _peers) Send(name, peer);
    }

    /// <summary>A majority, this one included, has been heard within that time.</summary>
    public bool HasMajority(TimeSpan within) =>
        1 + _peers.Values.Count(p => p.IsVoter && _member.World.Loop.Now - p.HeardAt <= within) >= _workload.Majority;

    public void Heard(string from, bool fits, int match, bool isVoter)
    {
        if (!_peers.TryGetValue(from, out var peer)) return;
        (peer.HeardAt, peer.IsVoter) = (_member.World.Loop.Now, isVoter);
        if (!fits)
        {
            peer.Next = match;
            Send(from, peer);
            return;
        }
        (peer.Next, peer.Match) = (Math.Max(peer.Next, match), Math.Max(peer.Match, match));
        Acknowledge();
    }

    public void GiveUp(WriteOutcome outcome)
    {
        foreach (var (_, _, tell) in _waiting) tell(outcome);
        _waiting.Clear();
    }

    private LogRecord Append(long number)
    {
        var record = new LogRecord((int)_member.Term, _branch, number);
        _member.Volume.Append(record);
        return record;
    }

    private void Send(string name, Peer peer)
    {
        var (leader, term, log, begin) = (_member, _member.Term, _member.Volume.Log, Math.Min(peer.Next, _member.Volume.Log.Count));
        LogRecord? before = begin > 0 ? log[begin - 1] : null;
        var (records, count) = (_member.Volume.From(begin), log.Count);
        leader.Send(name, to => to.OnAppend(leader, term, begin, before, records, count));
    }

    private void Acknowledge()
    {
        List<int> ends = [_member.Volume.Log.Count, .. _peers.Values.Where(p => p.IsVoter).Select(p => p.Match)];
        if (ends.Count < _workload.Majority) return;
        ends.Sort();
        var safe = ends[^_workload.Majority];
        // What was written in an earlier term counts only with something of this one behind it.
        if (safe == 0 || _member.Volume.Log[safe - 1].Timeline != _member.Term) return;
        while (_waiting is [var (end, record, tell), ..] && end <= safe)
        {
            _waiting.RemoveAt(0);
            _workload.Judge.Acknowledged(end - 1, record);
            tell(WriteOutcome.Acknowledged);
        }
    }

    private sealed class Peer
    {
        public int Next { get; set; }

        public int Match { get; set; }

        public TimeSpan HeardAt { get; set; }

        public bool IsVoter { get; set; } = true;
    }
}
