using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;

namespace FailoverOperator.Core.Tests.Leases.Simulation;

/// <summary>A monotonic clock beside true time, and a wall clock that is wrong.</summary>
internal sealed record Clock(double Rate, TimeSpan Offset, TimeSpan WallError)
{
    public TimeSpan Of(TimeSpan trueTime) => Offset + (trueTime * Rate);

    public TimeSpan Wall(TimeSpan trueTime) => (trueTime * Rate) + WallError;
}

/// <summary>
/// A slot's members, two operators and an API server in virtual time. The agents run the product's own protocol; what is true is
/// known here, and <see cref="Check"/> judges by that alone. The same schedule always leads to the same run.
/// </summary>
internal sealed partial class LeaseWorld
{
    /// <summary>The first is the default; the others leave next to no slack.</summary>
    public static readonly LeaseTerms[] Timings =
    [
        new(),
        new() { LeaseDurationSeconds = 2, RenewIntervalMilliseconds = 400, StopAfterMilliseconds = 1000, DemoteTimeoutMilliseconds = 860 },
        new() { LeaseDurationSeconds = 5, RenewIntervalMilliseconds = 1000, StopAfterMilliseconds = 3000, DemoteTimeoutMilliseconds = 1800 },
        new() { LeaseDurationSeconds = 8, RenewIntervalMilliseconds = 2000, StopAfterMilliseconds = 6000, DemoteTimeoutMilliseconds = 1740 },
    ];

    private readonly PriorityQueue<Action, (TimeSpan, long)> _events = new();
    private readonly List<Agent> _agents = [];
    private readonly Dictionary<string, TimeSpan> _endedAt = [];
    private readonly Schedule _schedule;
    private readonly List<string>? _journal;
    private long _sequence;
    private int _incarnations;

    /// <param name="makeOperator">Makes the operators' processes. Null: the simple ones.</param>
    public LeaseWorld(
        Schedule schedule, HolderRules holder, ElectorRules elector, bool notes = false, bool calm = false, Func<LeaseWorld, int, Clock, TimeSpan, IElector>? makeOperator = null)
    {
        (_schedule, Holder, Elector, _journal) = (schedule, holder, elector, notes ? [] : null);
        Noise = new Random((int)(schedule.Noise & 0x7fffffff));
        (Network, Api, Check) = (new Network(this, calm), new ApiServer(this), new Check(this));
        Wanted = Timings[schedule.Timings] with { Failsafe = schedule.Failsafe };
        for (var i = 0; i < schedule.Members; i++) AddPod(FormattableString.Invariant($"db-{i}"), i, TimeSpan.FromSeconds(20));
        var make = makeOperator ?? ((world, node, clock, period) => new Elector(world, node, clock, period));
        Electors = [make(this, 100, ClockOf(8), TimeSpan.FromMilliseconds(300)), make(this, 101, ClockOf(9), TimeSpan.FromMilliseconds(700))];
    }

    public HolderRules Holder { get; }

    public ElectorRules Elector { get; }

    public Random Noise { get; }

    public Network Network { get; }

    public ApiServer Api { get; }

    public Check Check { get; }

    public TimeSpan Now { get; private set; }

    /// <summary>Every pod whose processes may run, known to the API server or not.</summary>
    public IReadOnlyList<Agent> Agents => _agents;

    public IReadOnlyList<IElector> Electors { get; }

    public IEnumerable<Agent> Pods => _agents.Where(a => a.Exists && !a.IsStopping);

    // ---- what the operators have written down, in Failovers and the group's spec

    public LeaseTerms Wanted { get; private set; }

    public long LastTerm { get; set; }

    public long LastClaimedTerm { get; set; }

    public Dictionary<long, string> HolderOf { get; } = [];

    public bool RevokeWanted { get; set; }

    public bool OperatorRuns { get; set; } = true;

    /// <summary>How often a server that might have been writable stopped.</summary>
    public int Interruptions { get; set; }

    public bool IsNoting => _journal is not null;

    public string Journal => string.Join(Environment.NewLine, _journal ?? []);

    public void Note(string line) => _journal?.Add(FormattableString.Invariant($"{Now.TotalSeconds,9:0.0000} {line}"));

    public void After(TimeSpan delay, Action action) => At(Now + delay, action);

    public void At(TimeSpan at, Action action) => _events.Enqueue(action, (at, _sequence++));

    /// <summary>Who listens at an address: the youngest pod that was given it.</summary>
    public Agent? At(string address) => _agents.LastOrDefault(a => a.Address == address);

    public void RunUntil(TimeSpan end, Func<bool>? enough = null)
    {
        while (Check.Violation is null && _events.TryPeek(out _, out var next) && next.Item1 <= end)
        {
            Now = next.Item1;
            _events.Dequeue()();
            if (enough?.Invoke() == true) return;
        }
        Now = end;
    }

    /// <summary>The pods of all who may hold the lease have ended: those of every term since the last that is known to be claimed.</summary>
    public bool IsTerminated(LeaseRecord lease)
    {
        var holders = lease.IsClaimed && lease.Accepted!.Members.Count > 0
            ? HolderOf.Where(h => h.Key == lease.Term)
            : HolderOf.Where(h => h.Key >= LastClaimedTerm && h.Key <= lease.Term);
        return holders.Any() && holders.All(h => _endedAt.ContainsKey(h.Value));
    }

    public IEnumerable<Agent> PossibleHolders() =>
        _agents.Where(a => HolderOf.Any(h => h.Key >= LastClaimedTerm && h.Value == a.Uid));

    /// <summary>When the kubelet said that every process of the pod had ended. Null: it has not.</summary>
    public TimeSpan? EndedAt(string uid) => _endedAt.TryGetValue(uid, out var at) ? at : null;

    public IReadOnlySet<string> EndedFor(Clock clock, TimeSpan duration) =>
        _endedAt.Where(e => clock.Of(Now) - clock.Of(e.Value) >= duration).Select(e => e.Key).ToHashSet();

    private Agent AddPod(string name, int node, TimeSpan startedAgo, string? address = null)
    {
        _incarnations++;
        var agent = new Agent(this, name, _incarnations, node, ClockOf(node % 8), startedAgo)
        {
            Address = address ?? FormattableString.Invariant($"10.0.0.{_incarnations}"),
        };
        _agents.Add(agent);
        var members = Pods.OrderBy(p => p.Name, StringComparer.Ordinal).Select(p => new LeaseMember(p.Name, p.Uid, p.Address, 8008));
        Wanted = Wanted with { Members = [.. members] };
        return agent;
    }

    private Clock ClockOf(int index)
    {
        var random = new Random((int)(_schedule.Noise & 0xffff) + index);
        var rate = 1 + (LeaseTimings.RateError * _schedule.Rates[index]);
        return new Clock(rate, TimeSpan.FromHours(random.Next(1, 100)), TimeSpan.FromSeconds(random.Next(-4, 4)));
    }
}
