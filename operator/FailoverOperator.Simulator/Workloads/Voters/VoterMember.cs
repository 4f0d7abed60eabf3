using System.Text.Json.Nodes;
using FailoverOperator.Simulator.Cluster;
using FailoverOperator.Simulator.Engines;

namespace FailoverOperator.Simulator.Workloads.Voters;

/// <summary>
/// A member of a replicated store that elects its leader by a majority, in terms, as Raft does: what a majority has written is acknowledged, a leader
/// that has not heard a majority for a while gives up, and a member that has lost its disk learns before it votes.
/// </summary>
internal sealed class VoterMember : HookedContainer
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(300);

    private readonly VoterDisk _disk;
    private readonly VotersWorkload _workload;
    private readonly HashSet<string> _votes = new(StringComparer.Ordinal);
    private TimeSpan _heardAt;
    private TimeSpan _patience;
    private bool _isCandidate;
    private bool _knowsLeader;

    public VoterMember(SimulatedWorld world, Node node, VoterDisk disk, VotersWorkload workload, string podName, string podUid, string address, string id,
        Action<PodContainer> onEnd)
        : base(world, node, disk, podName, podUid, address, id, onEnd) => (_disk, _workload) = (disk, workload);

    /// <summary>What it does as the leader. Null: it is none, as far as it knows.</summary>
    public Leading? Leading { get; private set; }

    public bool IsLeader => Leading is not null && !HasEnded;

    public bool IsLearner => _disk.IsLearner;

    public long Term => _disk.Term;

    public Volume Volume => _disk.Volume;

    /// <summary>It is part of a majority that stands behind somebody, as far as it knows.</summary>
    public bool IsSettled => IsAtWork && !IsLearner && (IsLeader || (_knowsLeader && IsFresh));

    private bool IsFresh => World.Loop.Now - _heardAt < _patience;

    public override void Write(string slot, long number, Action<WriteOutcome> tell)
    {
        if (HasEnded) tell(WriteOutcome.Refused);
        else Process.Do(() => Take(number, tell));
    }

    public override void LoseVolume() => _disk.Lose();

    protected override bool IsReady => !IsLearner;

    protected override void Begin()
    {
        Hear(knowsLeader: false);
        Tick();
    }

    protected override HookResult Execute(IReadOnlyList<string> arguments)
    {
        if (arguments is not [_, "status", ..]) return HookResult.Fails("it is asked for its status only");
        var isStandby = IsLearner || (_knowsLeader && IsFresh);
        var told = new JsonObject { ["role"] = IsLeader ? "Primary" : isStandby ? "Standby" : "Unknown", ["writable"] = IsLeader };
        if (IsLeader) told["term"] = Term;
        if (IsLearner) told["link"] = "Syncing";
        return HookResult.Tells(told.ToJsonString());
    }

    protected override void EndProcesses()
    {
        base.EndProcesses();
        Leading?.GiveUp(WriteOutcome.Broken);
    }

    private void Take(long number, Action<WriteOutcome> tell)
    {
        if (!HasStarted) tell(WriteOutcome.Refused);
        else if (Leading is { } leading) leading.Take(number, tell);
        else tell(WriteOutcome.ReadOnly);
    }

    private void Tick()
    {
        After(TickInterval, Tick);
        if (Leading is { } leading)
        {
            if (leading.HasMajority(_patience)) leading.SendAll();
            else StepDown(Term);
        }
        else if (!IsLearner && !IsFresh) StandForElection();
    }

    private void StandForElection()
    {
        _disk.Term++;
        _disk.VotedFor = PodName;
        (_isCandidate, _knowsLeader) = (true, false);
        _votes.Clear();
        _votes.Add(PodName);
        Hear(knowsLeader: false);
        var (term, last) = (Term, Last(Volume));
        foreach (var peer in _workload.PeersOf(PodName)) Send(peer, to => to.OnVoteAsked(this, term, last));
        Count();
    }

    private void OnVoteAsked(VoterMember candidate, long term, (int Timeline, int Count) last)
    {
        if (IsLearner) return;
        if (term > Term) StepDown(term);
        var isUpToDate = last.CompareTo(Last(Volume)) >= 0;
        if (term < Term || !isUpToDate || (_disk.VotedFor ?? candidate.PodName) != candidate.PodName) return;
        _disk.VotedFor = candidate.PodName;
        Hear(knowsLeader: false);
        Send(candidate.PodName, to => to.OnVote(PodName, term));
    }

    private void OnVote(string from, long term)
    {
        if (!_isCandidate || term != Term) return;
        _votes.Add(from);
        Count();
    }

    private void Count()
    {
        if (_votes.Count < _workload.Majority) return;
        (_isCandidate, _knowsLeader) = (false, true);
        _workload.Judge.Elected(this);
        Leading = new Leading(this, _workload);
        Leading.SendAll();
    }

    /// <summary>The leader's log from there on, or that there is nothing new.</summary>
    internal void OnAppend(VoterMember leader, long term, int begin, LogRecord? before, LogRecord[] records, int leaderCount)
    {
        if (term < Term)
        {
            Send(leader.PodName, to => to.OnHigherTerm(Term));
            return;
        }
        if (term > Term || Leading is not null || _isCandidate) StepDown(term);
        Hear(knowsLeader: true);
        var fits = begin <= Volume.Log.Count && (begin == 0 || Volume.Log[begin - 1] == before);
        if (fits) Write(begin, records);
        var match = fits ? begin + records.Length : Math.Max(0, Math.Min(begin - 1, Volume.Log.Count));
        if (fits && IsLearner && match >= leaderCount) _disk.IsLearner = false;
        var counts = !IsLearner;
        Send(leader.PodName, to => to.OnAppended(PodName, term, fits, match, counts));
    }

    /// <summary>What is there already stays, for a message may come late; what the leader has otherwise goes.</summary>
    private void Write(int begin, LogRecord[] records)
    {
        for (var n = 0; n < records.Length; n++)
        {
            if (begin + n < Volume.Log.Count && Volume.Log[begin + n] == records[n]) continue;
            if (begin + n < Volume.Log.Count) Volume.Truncate(begin + n);
            Volume.Append(records[n]);
        }
    }

    private void OnAppended(string from, long term, bool fits, int match, bool counts)
    {
        if (term == Term) Leading?.Heard(from, fits, match, counts);
    }

    private void OnHigherTerm(long term)
    {
        if (term > Term) StepDown(term);
    }

    private void StepDown(long term)
    {
        if (term > Term) (_disk.Term, _disk.VotedFor) = (term, null);
        var before = Leading;
        (Leading, _isCandidate, _knowsLeader) = (null, false, false);
        if (before is null) return;
        World.Trace.Write(PodName, $"leads no more, term {Term}");
        before.GiveUp(WriteOutcome.Broken);
        Hear(knowsLeader: false);
    }

    private void Hear(bool knowsLeader) =>
        (_heardAt, _patience, _knowsLeader) = (World.Loop.Now, World.Milliseconds(1000, 2000), knowsLeader || _knowsLeader);

    /// <summary>To whoever is that member when it arrives.</summary>
    internal void Send(string peer, Action<VoterMember> arrive)
    {
        if (_workload.Find(peer) is not { } to) return;
        World.Network.Send(Machine, to.Machine, () =>
        {
            if (to is { HasEnded: false, HasStarted: true, Node.IsPowered: true }) to.Process.Do(() => arrive(to));
        }, () => HasEnded || to.HasEnded);
    }

    private static (int Timeline, int Count) Last(Volume volume) => (volume.Timeline, volume.Log.Count);
}
