using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using static FailoverOperator.Core.Tests.GivenAgents;

namespace FailoverOperator.Core.Tests.Decisions;

/// <summary>
/// Members with volumes, primaries that follow each other, and the truth: which writes were acknowledged. What the operator sees of it is less: the
/// terms that it wrote down, with what it happened to see of them, and who answers.
/// </summary>
internal sealed class LogWorld
{
    private const int BytesPerRecord = 100;

    private readonly Random _random;
    private readonly List<(int Log, int Number)>[] _volumes;
    private readonly List<(int Index, (int Log, int Number) Record)> _acknowledged = [];
    private readonly List<FailoverRecord> _failovers = [];
    private readonly int _quorum;
    private int _holder;
    private bool _isHolderLost;
    private int _logs;
    private int _numbers;
    private long _published = 1;
    private PrimaryMemory? _memory;
    private string _seen = "";

    public LogWorld(int seed)
    {
        _random = new Random(seed);
        _volumes = [.. Enumerable.Range(0, _random.Next(2, 6)).Select(_ => new List<(int, int)>())];
        _quorum = Math.Max(1, _volumes.Length / 2) + 1;
        _failovers.Add(Given.Ended(1, Name(0)) with { Spec = Given.Ended(1, Name(0)).Spec with { Type = FailoverType.Election } });
        Promote(isSeen: true, published: true);
    }

    public long Term => _failovers[^1].Spec.Term;

    /// <summary>Somebody takes writes for a while; then it is gone, with its volume or not, and volumes of others are lost.</summary>
    public void Pass()
    {
        if (_volumes[_holder].Count > 0 && _logs > 0 && _volumes[_holder][^1].Log == _logs) Serve();
        _isHolderLost = Chance(2);
        if (_isHolderLost) _volumes[_holder].Clear();
        foreach (var (volume, n) in _volumes.Select((v, n) => (v, n)))
            if (n != _holder && Chance(12)) volume.Clear();
    }

    /// <summary>What the operator would do. Null: wait.</summary>
    /// <param name="all">Everybody answers but the old primary.</param>
    public string? Elect(bool all)
    {
        var group = Group(all);
        var benchmark = Benchmark.Of(group);
        _seen = $"{string.Join(", ", group.Members.Where(m => m.Answers).Select(m => m.Name))} answer, measured by {benchmark.History ?? "?"} from {benchmark.Origin}";
        return LeaseElections.Replacement(group, benchmark, Given.Seconds(1), FenceEvidence.LeaseExpired, atRest: true) is Choice.Candidate(var member, _) ? member.Name : null;
    }

    /// <summary>What an acknowledged write is that a member lacks. Null: none.</summary>
    public string? Lacks(string name)
    {
        var volume = _volumes[Number(name)];
        return _acknowledged.Where(a => a.Index >= volume.Count || volume[a.Index] != a.Record).Select(a => $"{a.Record} at {a.Index}").FirstOrDefault();
    }

    public bool HasData(string name) => _volumes[Number(name)].Count > 0;

    /// <summary>It gets the lease of the next term, and is promoted or not, seen at work or not.</summary>
    public void Appoint(string name)
    {
        var (group, number) = (Group(all: true), Number(name));
        var benchmark = Benchmark.Of(group);
        var record = Given.Running(FailoverPhase.Failed, candidate: name, term: Term + 1);
        _failovers.Add(record with
        {
            Spec = record.Spec with
            {
                From = benchmark.From,
                PrimaryPositionBytes = benchmark.PrimaryPositionBytes,
                RequiredPositionBytes = benchmark.RequiredPositionBytes,
                PrimaryHistory = benchmark.History,
                PrimaryOrigin = benchmark.Origin,
            },
            Status = record.Status with
            {
                Reason = Reasons.CandidateLost,
                // What was at work already did not tell.
                Origin = Chance(10) ? null : new LogPoint { History = Log(_volumes[number][^1].Log), PositionBytes = _volumes[number].Count * BytesPerRecord },
            },
        });
        _holder = number;
        (_isHolderLost, _memory) = (false, null);
        if (!Chance(4)) Promote(isSeen: Chance(2), published: !Chance(3));
    }

    public override string ToString() => string.Join("; ", _volumes.Select((v, n) => $"{Name(n)}: {string.Join(' ', v.GroupBy(r => r.Log).Select(g => $"{Log(g.Key)} x {g.Count()}"))}"))
        + $"; {Name(_holder)} was primary of term {Term}; {_seen}; "
        + string.Join("; ", _failovers.Select(f => $"term {f.Spec.Term} {f.Status.Phase} {f.Status.Candidate!.Name} began {f.Status.History ?? "?"} with {f.Status.Origin}"));

    private void Promote(bool isSeen, bool published)
    {
        var volume = _volumes[_holder];
        volume.Add((++_logs, ++_numbers));
        if (published || isSeen) _published = Term;
        if (!isSeen) return;
        _failovers[^1] = _failovers[^1] with { Status = _failovers[^1].Status with { Phase = FailoverPhase.Completed, History = Log(_logs), Reason = null } };
        if (Chance(2)) _memory = new PrimaryMemory
        {
            Uid = Given.Uid(Name(_holder)),
            PositionBytes = volume.Count * BytesPerRecord,
            RequiredPositionBytes = volume.Count * BytesPerRecord,
            History = Log(_logs),
            Term = Term,
            LastServiceAge = Given.Seconds(0.1),
        };
    }

    private void Serve()
    {
        var primary = _volumes[_holder];
        var followers = _volumes.Where((_, n) => n != _holder && !Chance(3)).ToList();
        for (var left = _random.Next(5); left > 0; left--)
        {
            // Nobody writes where no traffic leads to.
            if (_published == Term) primary.Add((_logs, ++_numbers));
            foreach (var standby in followers.Where(_ => !Chance(3))) Receive(standby, primary);
            var common = _volumes.Select(v => Common(v, primary)).OrderDescending().ElementAt(_quorum - 1);
            foreach (var (record, index) in primary.Select((r, i) => (r, i)).Take(common).Where(r => r.r.Log == _logs))
                if (_published == Term && !_acknowledged.Contains((index, record))) _acknowledged.Add((index, record));
        }
    }

    /// <summary>What parted is taken back, and of the rest some or all is received; who has nothing copies all.</summary>
    private void Receive(List<(int Log, int Number)> standby, List<(int Log, int Number)> primary)
    {
        var (isCopy, common) = (standby.Count == 0, Common(standby, primary));
        standby.RemoveRange(common, standby.Count - common);
        standby.AddRange(primary.Skip(common).Take(isCopy ? primary.Count : _random.Next(primary.Count - common + 1)));
    }

    private static int Common(List<(int Log, int Number)> one, List<(int Log, int Number)> other) => one.Zip(other).TakeWhile(pair => pair.First == pair.Second).Count();

    private GroupObservation Group(bool all)
    {
        var members = _volumes.Select((_, n) => n).Select(n => n == _holder && !_isHolderLost ? Primary(Name(n)).Unreachable(9) : !all && n != _holder && Chance(4) ? Member(n).Silent(9) : Member(n));
        var group = GivenAgents.Group([.. members]) with { Failovers = [.. _failovers], PrimaryMemory = _memory };
        return group.Published(_published, Name(_holder)).Leased(_ => Lease(group, Name(_holder), Term)).Expired();
    }

    private Member Member(int number)
    {
        var volume = _volumes[number];
        if (volume.Count == 0) return Standby(Name(number), 0).Says(s => s with { IsEmpty = true, History = null, Link = ReplicationLink.Down, FollowsAddress = null });
        var before = volume.FindLastIndex(r => r.Log != volume[^1].Log);
        return Standby(Name(number), volume.Count * BytesPerRecord).Says(s => s with
        {
            History = Log(volume[^1].Log),
            PreviousHistory = before < 0 ? null : Log(volume[before].Log),
            Link = ReplicationLink.Down,
            LinkDownFor = Given.Seconds(9),
            FollowsAddress = null,
        });
    }

    private bool Chance(int oneIn) => _random.Next(oneIn) == 0;

    private static string Name(int number) => $"db-{number}";

    private static int Number(string name) => name[^1] - '0';

    private static string Log(int number) => $"log-{number}";
}
