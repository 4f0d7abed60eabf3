using FailoverOperator.Api;
using FailoverOperator.Core.Observations;
using FailoverOperator.Simulator.ApiServers;
using FailoverOperator.Simulator.Clients;
using FailoverOperator.Simulator.Cluster;
using FailoverOperator.Simulator.Engines;
using FailoverOperator.Simulator.Workloads.Shards;
using k8s.Models;

namespace FailoverOperator.Simulator.Workloads;

/// <summary>Mode NPlusM: shards, each with a primary and a Service of its own, and spares that copy all of them.</summary>
internal sealed class ShardsWorkload : HookedWorkload
{
    /// <summary>Beside the recovery point objective: a link is up until its silence is noticed, and who asks hears of it a while later.</summary>
    private static readonly TimeSpan Unnoticed = ShardServer.SilenceTimeout + TimeSpan.FromSeconds(4);

    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(3);

    private readonly IReadOnlyList<string> _slots;
    private readonly SlotJudge _judge;
    private TimeSpan _othersAt;
    private readonly SortedDictionary<string, Writer> _clients = new(StringComparer.Ordinal);

    public ShardsWorkload(SimulatedWorld world)
        : base(world)
    {
        _slots = Slots.Names(world.Options.Spec);
        _judge = new SlotJudge(world, TimeSpan.FromSeconds(world.Options.Spec.Targets.RpoSeconds) + Unnoticed, CopiesOf);
    }

    public override bool MayLose => true;

    public override IReadOnlyList<string> Services => [.. _slots.Select(ServiceOf)];

    public override IEnumerable<Writer> Clients => _clients.Values;

    public override void Begin()
    {
        _clients[_slots[0]] = World.Clients;
        foreach (var slot in _slots.Skip(1)) _clients[slot] = new Writer(World, slot, World.Options.WritePause, World.Options.WriteTimeout);
    }

    public override PodContainer NewContainer(Node node, string podName, string podUid, string address, string id, Action<PodContainer> onEnd) =>
        new ShardMember(World, node, DiskOf<ShardDisk>(podName), _slots, _judge, podName, podUid, address, id, onEnd);

    public override IReadOnlyList<PodContainer> Active => [.. _slots.SelectMany(s => _judge.PrimariesOf(s)).Select(p => p.Member).Distinct()];

    /// <summary>Of what it is the primary of, a spare has a copy.</summary>
    public override bool MayLoseVolume(PodContainer victim) => _slots.All(s => _judge.PrimariesOf(s) is [var primary]
        && (primary.Member != victim || World.Containers.OfType<ShardMember>().Any(
            m => !Holds(m) && m.Of(s) is { IsLinkUp: true } copy && copy.Volume.Log.Count == primary.Volume.Log.Count)))
        && !Disks<ShardDisk>().SelectMany(d => d.All).Any(d => d.Volume.IsUnfinished);

    /// <summary>The data of a slot as all members have them that could become its primary.</summary>
    private IEnumerable<ShardData> CopiesOf(string slot) => World.Containers.OfType<ShardMember>()
        .Where(m => m.Servers.All(s => !s.IsPrimary || s.Slot == slot)).Select(m => DiskOf<ShardDisk>(m.PodName).Of(slot));

    public override long? WritesIn(string podUid, string slot) =>
        _judge.PrimariesOf(slot).FirstOrDefault(p => p.Member.PodUid == podUid && p.IsWritable)?.Term;

    public override void Point(string service, V1EndpointSlice? slice)
    {
        foreach (var (slot, clients) in _clients)
            if (ServiceOf(slot) == service) clients.Point(slice);
    }

    /// <summary>
    /// Each slot has a primary that its clients write to, every spare copies all of them, and the group says so. Or it says which slot waits for a
    /// person, and with reason.
    /// </summary>
    public override bool IsSteady()
    {
        var members = World.Containers.OfType<ShardMember>().ToList();
        if (members.Count != World.Options.Members || !members.TrueForAll(m => m.IsAtWork)) return false;
        if (_slots.All(IsServed))
            return members.TrueForAll(m => Holds(m) || IsSpare(m)) && Says(ConditionTypes.Available) && IsRedundant && World.RunningPhase is null;
        return _slots.All(s => IsServed(s) || _judge.IsBeyondHelp(s)) && WaitsForPerson;
    }

    public override void CheckEnd()
    {
        foreach (var primary in _slots.SelectMany(s => _judge.PrimariesOf(s))) _judge.CheckLoss(primary, "the primary in the end");
        if (!_slots.All(IsServed)) World.Judge.Happened("a slot waits for a person: whoever could serve it lacks something");
    }

    public override void AfterEvent()
    {
        _judge.AfterEvent();
        if (World.Containers.Skip(1).Any()) _othersAt = World.Loop.Now;
    }

    /// <summary>More members fail for good than there are spares: all slots but one are served, and that one says why it is not.</summary>
    public override Finale? Finale() => !_slots.All(IsServed) ? null : new("all slots but one are served, and that one has no candidate", TimeSpan.FromSeconds(120), () =>
    {
        var holders = _slots.Select(s => _judge.PrimariesOf(s)[0].Member);
        foreach (var victim in holders.Concat(World.Containers.OfType<ShardMember>()).Distinct().Take(World.Options.Spec.Spares + 1).ToList())
        {
            victim.UnstartableUntil = TimeSpan.MaxValue;
            victim.Crash();
        }
    }, () => _slots.Count(IsServed) == _slots.Count - 1 && SaysOf(ConditionTypes.Progressing, Reasons.NoCandidate));

    /// <summary>I8: the last one that works is not fenced on purpose.</summary>
    public override void PodDeletedByOperator(V1Pod pod)
    {
        World.Judge.Happened("an operator deletes a pod");
        var others = World.Containers.OfType<ShardMember>().Count(m => m.PodName != pod.Metadata.Name);
        if (others == 0 && World.Loop.Now - _othersAt > Unnoticed) World.Judge.Break("I8", $"{pod.Metadata.Name} was deleted, and no other member runs");
    }

    internal override void Stored(StoredChange change)
    {
        if (change.Kind.Kind == "Failover") _judge.CheckHolders();
    }

    public override string Describe() => string.Join("; ", World.Containers.OfType<ShardMember>().Select(m => $"{m.PodName} {(m.IsAtWork ? "" : "(not at work) ")}"
        + string.Join(", ", m.Servers.Select(s => $"{s.Slot}: {(s.IsPrimary ? $"primary in {s.Term}" : $"follows {s.Follows} {(s.IsLinkUp ? "up" : "down")}")} {s.Volume.PositionBytes}"))));

    private static string ServiceOf(string slot) => $"{Objects.Service}-{slot}";

    private static bool Holds(ShardMember member) => member.Servers.Any(s => s.IsPrimary);

    private bool IsServed(string slot) => _judge.PrimariesOf(slot) is [{ IsWritable: true } primary]
        && World.Loop.Now - _clients[slot].LastAcknowledged <= Fresh
        && Status?.Slots.FirstOrDefault(s => s.Name == slot)?.Holder == primary.Member.PodName;

    private bool WaitsForPerson => new[] { Reasons.BeyondRpo, Reasons.LagUnknown, Reasons.NoCandidate }.Any(r => SaysOf(ConditionTypes.Progressing, r));

    private bool IsSpare(ShardMember member) => _slots.All(slot => member.Of(slot) is var server
        && server.IsLinkUp && _judge.PrimariesOf(slot) is [{ Member.Address: var address }] && server.Follows == address);
}
