using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Simulator.ApiServers;
using FailoverOperator.Simulator.Clients;
using FailoverOperator.Simulator.Cluster;
using FailoverOperator.Simulator.Engines;
using FailoverOperator.Simulator.Scheduling;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverOperator.Simulator.Workloads;

/// <summary>
/// What the members of a world run, who uses it, and when all is well with it. The rest of the world, and what happens to it, is the same in all modes.
/// </summary>
public abstract class Workload(SimulatedWorld world)
{
    protected SimulatedWorld World => world;

    public static Workload Of(SimulatedWorld world) => world.Options.Spec.Mode switch
    {
        RedundancyMode.ActivePassive => new GuardedWorkload(world),
        RedundancyMode.NPlusM => new ShardsWorkload(world),
        RedundancyMode.Quorum => new VotersWorkload(world),
        RedundancyMode.ActiveActive => new SharingWorkload(world),
        var mode => throw new ArgumentOutOfRangeException(nameof(world), mode, "a mode that is not simulated"),
    };

    /// <summary>Whether writes that were acknowledged may be lost at all.</summary>
    public virtual bool MayLose => false;

    /// <summary>The Services that clients use.</summary>
    public abstract IReadOnlyList<string> Services { get; }

    /// <summary>Those of each Service.</summary>
    public abstract IEnumerable<Writer> Clients { get; }

    /// <summary>The world stands, and nothing has happened yet.</summary>
    public virtual void Begin()
    {
    }

    /// <summary>Nothing is the matter with its disks any more.</summary>
    public virtual void Heal()
    {
    }

    /// <summary>A pod's container, not started yet.</summary>
    public abstract PodContainer NewContainer(Node node, string podName, string podUid, string address, string id, Action<PodContainer> onEnd);

    /// <summary>What an operator asks the members with.</summary>
    public abstract void AddEngine(IServiceCollection services, string machine, SimulatedProcess process);

    /// <summary>Whose loss would be felt: primaries, leaders, or all that take traffic.</summary>
    public abstract IReadOnlyList<PodContainer> Active { get; }

    /// <summary>No member's data are in pieces: one more volume may be lost.</summary>
    public abstract bool MayLoseVolume(PodContainer victim);

    /// <summary>The term in which this pod takes writes of the slot at this instant. Null: it does not.</summary>
    public abstract long? WritesIn(string podUid, string slot);

    /// <summary>The node's proxies have heard of a Service's endpoints.</summary>
    public abstract void Point(string service, V1EndpointSlice? slice);

    /// <summary>Whether everything is as it should be, and the group says so.</summary>
    public abstract bool IsSteady();

    /// <summary>When it is, in the end.</summary>
    public abstract void CheckEnd();

    /// <summary>The node that this member's disk was in does not exist any more.</summary>
    public virtual void LoseDisk(string podName)
    {
    }

    /// <summary>An operator has asked for the deletion of a pod, and the API server has taken it.</summary>
    public virtual void PodDeletedByOperator(V1Pod pod)
    {
    }

    /// <summary>More than can be mended, when all has been mended. Null: nothing.</summary>
    public virtual Finale? Finale() => null;

    /// <summary>An object has changed.</summary>
    internal virtual void Stored(StoredChange change)
    {
    }

    /// <summary>After each event.</summary>
    public abstract void AfterEvent();

    /// <summary>How the members are, in words.</summary>
    public abstract string Describe();
}

/// <summary>What the end of a run may be, beside everything being well: the group says what it cannot help.</summary>
public sealed record Finale(string What, TimeSpan Within, Action Begin, Func<bool> IsSaid);
