using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Observing;
using FailoverOperator.Simulator.Clients;
using FailoverOperator.Simulator.Cluster;
using FailoverOperator.Simulator.Engines;
using FailoverOperator.Simulator.Operators;
using FailoverOperator.Simulator.Scheduling;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverOperator.Simulator.Workloads;

/// <summary>Mode ActivePassive: a replicated log, each member guarded by its agent.</summary>
internal sealed class GuardedWorkload(SimulatedWorld world) : Workload(world)
{
    public override IReadOnlyList<string> Services { get; } = [Objects.Service];

    public override IEnumerable<Writer> Clients => [World.Clients];

    public override PodContainer NewContainer(Node node, string podName, string podUid, string address, string id, Action<PodContainer> onEnd) =>
        new Container(World, node, World.VolumeOf(podName), podUid, address, id, onEnd);

    public override void AddEngine(IServiceCollection services, string machine, SimulatedProcess process) =>
        services.AddSingleton<EngineMaker>((group, _, _, onDisturbed) =>
            World.Seams.Engine(new SimulatedAgentEngine(World, machine, process, group.Spec.Detection, onDisturbed)));

    public override IReadOnlyList<PodContainer> Active => World.Judge.Primaries is [.., var last] ? [last.Container] : [];

    /// <summary>
    /// Not one that alone has all that its log began with: of a primary that was lost so soon nobody but a person can tell how much of that had
    /// been acknowledged, and by how many members, in the terms before.
    /// </summary>
    public override bool MayLoseVolume(PodContainer victim) => victim is Container { Volume: var volume } && World.Judge.Primaries is [_]
        && World.Volumes.Where(v => v != volume).ToList() is var others && !others.Exists(v => v.IsUnfinished)
        && others.Exists(v => v.CommonWith(volume.Log) >= volume.InheritedRecords);

    public override long? WritesIn(string podUid, string slot) => World.Judge.Primaries.FirstOrDefault(p => p.Container.PodUid == podUid)?.Term;

    public override void Point(string service, V1EndpointSlice? slice) => World.Clients.Point(slice);

    /// <summary>One primary that the clients write to, everybody else follows it, and the group says so.</summary>
    public override bool IsSteady()
    {
        if (World.Judge.Primaries is not [{ IsWritable: true } primary] || World.Loop.Now - World.Clients.LastAcknowledged > TimeSpan.FromSeconds(2)) return false;
        var containers = World.Containers.ToList();
        if (containers.Count != World.Options.Members
            || !containers.TrueForAll(c => c is Container { Server.Run: { } run } && (run == primary || IsFollowing(run, primary)))) return false;
        return World.Cluster.Find<RedundancyGroup>(Objects.Group)?.Status is { } status
            && status.Slots.FirstOrDefault()?.Holder == primary.Container.PodName
            && status.Conditions.Any(c => c is { Type: ConditionTypes.Available, Status: ConditionStatus.True })
            && status.Conditions.Any(c => c is { Type: ConditionTypes.Redundant, Status: ConditionStatus.True });
    }

    public override void CheckEnd() => World.Judge.CheckLoss(World.Judge.Primaries[0].Volume, "the primary in the end");

    public override void AfterEvent() => World.Judge.AfterEvent();

    public override string Describe() => string.Join("; ", World.Containers.OfType<Container>().Select(
        c => $"{c.PodName} {c.Server.Run?.State} follows {c.Server.Run?.Standby.Follows} {c.Server.Run?.Standby.Link}"));

    private static bool IsFollowing(ServerRun run, ServerRun primary) =>
        run.State == RunState.Standby && run.Standby.Follows == primary.Container.Address && run.Standby.Link == Core.Observations.ReplicationLink.Up;
}
