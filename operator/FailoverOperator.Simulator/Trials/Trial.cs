using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Simulator.Cluster;
using FailoverOperator.Simulator.Engines;

namespace FailoverOperator.Simulator.Trials;

/// <summary>
/// One blow to one group in one world: what it costs. The same plan and seed give the same result; another seed gives other delays, clocks, and
/// another moment of the blow.
/// </summary>
public sealed class Trial
{
    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(120);

    /// <summary>So that members that are down are known to be so, and their nodes, too.</summary>
    private static readonly TimeSpan LongDown = TimeSpan.FromSeconds(60);

    /// <summary>Writes are seen to go on for so long before all is well again.</summary>
    private static readonly TimeSpan Aftermath = TimeSpan.FromSeconds(5);

    /// <summary>What comes of the blow begins before that: leases run out, promises end.</summary>
    private static readonly TimeSpan SlowestEffect = TimeSpan.FromSeconds(10);

    /// <summary>More than the clients' own pauses and timeouts.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private readonly TrialPlan _plan;
    private readonly SimulatedWorld _world;
    private readonly Random _random;
    private readonly List<(int Index, LogRecord Record, TimeSpan At)> _acknowledged = [];
    private TimeSpan _blowAt;
    private TimeSpan? _servedSince;

    private Trial(TrialPlan plan, int seed)
    {
        (_plan, _random) = (plan, new Random(seed));
        _world = new SimulatedWorld(new WorldOptions
        {
            Seed = _random.Next(),
            Members = plan.Members.Count,
            Zones = [.. plan.Members.Select(m => m.Zone)],
            Spec = TrialSpec.Of(plan.Spec, plan.Members.Count),
            // Clients that notice soon: what they see is the failover, not their own patience.
            WritePause = TimeSpan.FromMilliseconds(40),
            WriteTimeout = TimeSpan.FromMilliseconds(300),
        });
        _world.Judge.WriteAcknowledged = (index, record) => _acknowledged.Add((index, record, _world.Loop.Now));
    }

    public static TrialResult Run(TrialPlan plan, int seed) => new Trial(plan, seed).Run();

    private TrialResult Run()
    {
        _world.RunUntil(StartBound, _world.IsSteady);
        if (_world.Judge.Violation is null && !_world.IsSteady()) _world.Judge.Break("L1", $"the simulated group never came up: {Waiting()}");
        var nodes = NodesByMember();
        foreach (var node in Pick(nodes, m => m.IsDown)) _world.CutPower(node);
        if (_plan.Members.Any(m => m.IsDown)) _world.RunUntil(_world.Loop.Now + LongDown);
        // Renewals, probes and promises are anywhere in their rounds when it comes.
        _world.RunUntil(_world.Loop.Now + TimeSpan.FromMilliseconds(_random.Next(1000, 5000)));
        // They are counted where somebody asks.
        _world.FailoverBegan = _ => { };
        var failovers = _world.Failovers;
        _world.Clients.LongestGap = TimeSpan.Zero;
        _blowAt = _world.Loop.Now;
        Strike(nodes);
        _world.RunUntil(_blowAt + _plan.Patience, IsOver);
        return Sum(_world.Failovers - failovers);
    }

    /// <summary>The nodes in the order of the plan's members: the primary's first, whoever was elected.</summary>
    private List<Node> NodesByMember()
    {
        var nodes = _world.Nodes.ToList();
        var first = _world.Judge.Primaries.Count > 0 ? nodes.IndexOf(_world.Judge.Primaries[0].Container.Node) : 0;
        (nodes[0], nodes[first]) = (nodes[first], nodes[0]);
        return nodes;
    }

    private IEnumerable<Node> Pick(List<Node> nodes, Func<TrialMember, bool> which) => nodes.Where((_, n) => which(_plan.Members[n]));

    private void Strike(List<Node> nodes)
    {
        IReadOnlyList<Node> victims = _plan.Victims switch
        {
            Victims.Primary => [nodes[0]],
            Victims.ZoneOfPrimary => [.. nodes.Where(n => n.Zone == nodes[0].Zone)],
            Victims.Named => [.. Pick(nodes, m => m.IsVictim)],
            _ => throw new ArgumentOutOfRangeException(nameof(nodes), _plan.Victims, "unknown victims"),
        };
        var names = victims.Select(v => v.Name).ToHashSet();
        foreach (var victim in victims)
        {
            switch (_plan.Blow)
            {
                case Blow.ProcessCrash:
                    victim.Containers.FirstOrDefault()?.Crash();
                    break;
                case Blow.PowerCut:
                    _world.CutPower(victim);
                    break;
                case Blow.Partition:
                    foreach (var other in _world.Machines.Append(Clients.Writer.Machine).Where(m => !names.Contains(m)))
                        _world.Network.CutBoth(victim.Name, other, TimeSpan.MaxValue);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(nodes), _plan.Blow, "unknown blow");
            }
        }
    }

    /// <summary>Writes have gone on for a while, and no failover runs.</summary>
    private bool IsOver()
    {
        var now = _world.Loop.Now;
        if (now - _world.Clients.LastAcknowledged > Fresh) _servedSince = null;
        else _servedSince ??= now;
        return _servedSince is { } since && now - since >= Aftermath && now - _blowAt >= SlowestEffect && _world.RunningPhase is null;
    }

    private TrialResult Sum(int failovers)
    {
        var isServed = _servedSince is not null;
        var (writes, loss) = isServed && _world.Judge.Primaries is [.., var primary] ? Loss(primary.Volume) : (null, null);
        if (_world.Loop.Strays > 0) _world.Judge.Break("determinism", $"{_world.Loop.Strays} continuations left the simulated world's thread");
        return new TrialResult
        {
            Downtime = isServed ? _world.Clients.LongestGap : null,
            LostWrites = writes,
            Loss = loss,
            Failovers = failovers,
            Record = _world.Cluster.All<Failover>().LastOrDefault(f => f.Spec.Type == FailoverType.Failover
                && f.Status?.Phase == FailoverPhase.Completed),
            Waiting = isServed ? null : Waiting(),
            Violation = _world.Judge.Violation,
        };
    }

    private (int? Writes, TimeSpan? Loss) Loss(Volume volume)
    {
        var lost = _acknowledged.Where(w => w.Index >= volume.Log.Count || volume.Log[w.Index] != w.Record).ToList();
        if (lost.Count == 0) return (0, TimeSpan.Zero);
        var last = _acknowledged.FindLastIndex(w => w.At < lost[0].At);
        return (lost.Count, lost[^1].At - (last < 0 ? TimeSpan.Zero : _acknowledged[last].At));
    }

    /// <summary>What the operator says to it.</summary>
    private string Waiting()
    {
        var conditions = _world.Cluster.Find<RedundancyGroup>(Objects.Group)?.Status?.Conditions ?? [];
        var telling = conditions.FirstOrDefault(c => c is { Type: ConditionTypes.Progressing, Reason: not Reasons.Steady })
            ?? conditions.FirstOrDefault(c => c.Type == ConditionTypes.Available);
        return telling is null ? "the operator says nothing" : $"{telling.Reason}: {telling.Message}";
    }
}
