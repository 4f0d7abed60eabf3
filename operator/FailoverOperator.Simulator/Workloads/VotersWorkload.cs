using FailoverOperator.Api;
using FailoverOperator.Core.Sharing;
using FailoverOperator.Simulator.ApiServers;
using FailoverOperator.Simulator.Clients;
using FailoverOperator.Simulator.Cluster;
using FailoverOperator.Simulator.Engines;
using FailoverOperator.Simulator.Workloads.Voters;
using k8s.Models;

namespace FailoverOperator.Simulator.Workloads;

/// <summary>Mode Quorum: a small replicated store that elects its leader.</summary>
internal sealed class VotersWorkload : HookedWorkload
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(3);

    private readonly IReadOnlyList<string> _names;
    private readonly SortedDictionary<string, VoterMember> _newest = new(StringComparer.Ordinal);

    public VotersWorkload(SimulatedWorld world)
        : base(world)
    {
        _names = [.. Enumerable.Range(0, world.Options.Members).Select(n => FormattableString.Invariant($"{Objects.Group}-{n}"))];
        Judge = new LeaderJudge(world, this);
    }

    public LeaderJudge Judge { get; }

    public int Majority => QuorumMode.Majority(_names.Count);

    public IEnumerable<VoterMember> Members => World.Containers.OfType<VoterMember>();

    public override IReadOnlyList<string> Services { get; } = [Objects.Service];

    public override IEnumerable<Writer> Clients => [World.Clients];

    public IEnumerable<string> PeersOf(string member) => _names.Where(n => n != member);

    /// <summary>Whom a member's name leads to.</summary>
    public VoterMember? Find(string member) => _newest.GetValueOrDefault(member);

    public override void Begin() => World.Loop.Every(LookInterval, () =>
    {
        Judge.Look();
        return true;
    });

    public override PodContainer NewContainer(Node node, string podName, string podUid, string address, string id, Action<PodContainer> onEnd)
    {
        var disk = DiskOf<VoterDisk>(podName);
        return _newest[podName] = new VoterMember(World, node, disk, this, podName, podUid, address, id, onEnd);
    }

    public override IReadOnlyList<PodContainer> Active => [.. Members.Where(m => m.IsLeader).OrderBy(m => m.Term)];

    /// <summary>No number of copies outlives the loss of all of them.</summary>
    public override bool MayLoseVolume(PodContainer victim) => !Disks<VoterDisk>().Any(d => d.IsLearner);

    public override void LoseDisk(string podName) => DiskOf<VoterDisk>(podName).Lose();

    public override long? WritesIn(string podUid, string slot) => null;

    public override void Point(string service, V1EndpointSlice? slice)
    {
        if (service == Objects.Service) World.Clients.Point(slice);
    }

    /// <summary>All members stand behind one leader, whom the clients write to, and the group says so.</summary>
    public override bool IsSteady() => Active is [VoterMember leader] && World.Loop.Now - World.Clients.LastAcknowledged <= Fresh
        && Members.ToList() is var members && members.Count == World.Options.Members && members.TrueForAll(m => m.IsSettled)
        && Status?.Slots.FirstOrDefault()?.Holder == leader.PodName && Says(ConditionTypes.Available) && IsRedundant && IsGuarded(Majority);

    public override void CheckEnd()
    {
    }

    public override void AfterEvent()
    {
    }

    internal override void Stored(StoredChange change)
    {
        if (change.Kind.Kind == "Service") Judge.Pointed(change.After.As<V1Service>());
    }

    /// <summary>A majority is without power for good.</summary>
    public override Finale? Finale() => new("the majority is lost, and the group says so", TimeSpan.FromSeconds(90), () =>
    {
        foreach (var node in Members.Take(Majority).Select(m => m.Node).ToList()) World.CutPower(node);
    }, () => SaysOf(ConditionTypes.Available, Reasons.QuorumLost));

    public override void PodDeletedByOperator(V1Pod pod) => Judge.Replaced(pod);

    public override string Describe() => string.Join("; ", Members.Select(m =>
        $"{m.PodName} on {m.Node.Name} {(m.IsAtWork ? "" : "(not at work) ")}{Does(m)} in {m.Term} {m.Volume.PositionBytes}"));

    private static string Does(VoterMember member) =>
        member.IsLeader ? "leads" : member.IsLearner ? "learns" : member.IsSettled ? "follows" : "knows no leader";
}
