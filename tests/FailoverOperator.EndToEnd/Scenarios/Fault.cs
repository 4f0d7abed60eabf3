using FailoverOperator.Api.Failovers;
using FailoverOperator.TestBed;

namespace FailoverOperator.EndToEnd.Scenarios;

/// <summary>Where a fault happens.</summary>
/// <param name="Primary">Pod of the primary.</param>
/// <param name="Node">Its node.</param>
public sealed record Scene(Bed Bed, MemberGroup Group, string Primary, string Node)
{
    public INodePower Nodes => Bed.Cluster.Nodes!;

    public Kubectl Kubectl => Group.Scope.Kubectl;
}

/// <summary>What must come of a fault.</summary>
public enum Expected
{
    /// <summary>Another member is primary while the fault lasts, by one failover.</summary>
    Failover,

    /// <summary>Clients notice nothing.</summary>
    Nothing,

    /// <summary>Whatever is safe.</summary>
    Either,
}

/// <summary>Something that happens to a group in whose containers agents run.</summary>
public sealed partial record Fault(string Name, Expected Expected, Func<Scene, Task> Strike)
{
    /// <summary>Nodes or containers are touched in ways that not every cluster offers.</summary>
    public bool NeedsNodePower { get; init; } = true;

    /// <summary>Nobody on the primary's node lives to tell.</summary>
    public bool KillsNode { get; init; }

    /// <summary>Before the client starts.</summary>
    public Func<Scene, Task> Prepare { get; init; } = scene => scene.Bed.Release.KeepAwayAsync(scene.Node);

    /// <summary>What lets the failover begin, so long after the strike.</summary>
    public (TimeSpan After, Func<Scene, Task> Do)? Relief { get; init; }

    /// <summary>From the strike to the healing, at least.</summary>
    public TimeSpan Lasts { get; init; } = TimeSpan.Zero;

    /// <summary>Holds while the fault lasts.</summary>
    public Func<Scene, Task> Meanwhile { get; init; } = _ => Task.CompletedTask;

    public Func<Scene, Task> Heal { get; init; } = _ => Task.CompletedTask;

    /// <summary>Proofs that may be given for the old primary's end. Empty: any.</summary>
    public IReadOnlyList<FenceEvidence> Evidence { get; init; } = [];

    public static Fault Named(string name) => All.First(fault => fault.Name == name);
}
