using FailoverOperator.Api;
using FailoverOperator.Simulator.ApiServers;
using FailoverOperator.Simulator.Clients;
using FailoverOperator.Simulator.Cluster;
using FailoverOperator.Simulator.Engines;
using FailoverOperator.Simulator.Workloads.Sharing;
using k8s.Models;

namespace FailoverOperator.Simulator.Workloads;

/// <summary>Mode ActiveActive: members that are alike, all of which take traffic while they are well.</summary>
internal sealed class SharingWorkload : HookedWorkload
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(3);

    private readonly ShareJudge _judge;

    public SharingWorkload(SimulatedWorld world)
        : base(world) => _judge = new ShareJudge(world);

    public override IReadOnlyList<string> Services { get; } = [Objects.Service];

    public override IEnumerable<Writer> Clients => [World.Clients];

    public override IReadOnlyList<PodContainer> Active => [.. Members];

    private IEnumerable<WebMember> Members => World.Containers.OfType<WebMember>();

    private int MinActive => World.Options.Spec.MinActive ?? 1;

    public override void Begin() => _judge.Begin();

    public override PodContainer NewContainer(Node node, string podName, string podUid, string address, string id, Action<PodContainer> onEnd) =>
        new WebMember(World, node, DiskOf<MemberDisk>(podName), podName, podUid, address, id, onEnd);

    public override bool MayLoseVolume(PodContainer victim) => true;

    public override long? WritesIn(string podUid, string slot) => null;

    public override void Point(string service, V1EndpointSlice? slice) => World.Clients.Point(slice);

    /// <summary>All members take traffic, and the group says so.</summary>
    public override bool IsSteady() => World.Loop.Now - World.Clients.LastAcknowledged <= Fresh
        && Members.Count(m => m.IsFit) == World.Options.Members
        && World.Cluster.All<V1Pod>().All(p => p.Metadata.Labels.TryGetValue(ApiGroup.RoleLabel, out var role) && role == RoleLabels.Active)
        && Says(ConditionTypes.Available) && IsRedundant && IsGuarded(MinActive);

    public override void CheckEnd()
    {
    }

    public override void AfterEvent()
    {
    }

    internal override void Stored(StoredChange change)
    {
        if (change.Kind.Kind == "Pod") _judge.Changed(change);
    }

    /// <summary>All but too few fail for good.</summary>
    public override Finale? Finale() => new("too few members are active, and the group says so", TimeSpan.FromSeconds(60), () =>
    {
        foreach (var member in Members.Skip(MinActive - 1).ToList()) member.FallSick(TimeSpan.FromHours(1), 0);
    }, () => SaysOf(ConditionTypes.Available, Reasons.TooFewActive));

    public override string Describe() => string.Join("; ", Members.Select(m => $"{m.PodName} {(m.IsFit ? "fit" : "failing")}"));
}
