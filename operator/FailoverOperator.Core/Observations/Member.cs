using FailoverOperator.Api.Agents;

namespace FailoverOperator.Core.Observations;

/// <summary>What the API server says of a node. Unknown: its kubelet has stopped talking.</summary>
public enum NodeState
{
    Unknown,
    Ready,
    NotReady,

    /// <summary>There is no such node (any more).</summary>
    Absent,

    /// <summary>The operator may not read nodes: it is neither up, nor down, nor absent, and proves nothing.</summary>
    Unobserved,
}

/// <summary>A member's node.</summary>
public sealed record NodeObservation
{
    public required string Name { get; init; }

    public string? Zone { get; init; }

    public required NodeState State { get; init; }

    /// <summary>It was seen not to be ready. An unobserved one never is: nobody looked.</summary>
    public bool IsSeenDown => State switch
    {
        NodeState.Unknown or NodeState.NotReady or NodeState.Absent => true,
        NodeState.Ready or NodeState.Unobserved => false,
        _ => throw new ArgumentOutOfRangeException(nameof(State), State, "unknown state"),
    };

    /// <summary>For how long the operator has seen it other than ready. Null: it is ready, or nobody has looked for long enough to tell.</summary>
    public TimeSpan? NotReadyFor { get; init; }

    /// <summary>
    /// It carries the taint <c>node.kubernetes.io/out-of-service</c>: it is down, says a person, or the operator by
    /// <c>fencing.policy: NodeOutOfService</c>.
    /// </summary>
    public bool OutOfService { get; init; }

    /// <summary>No new pods are placed on it. Of one that nobody may look at: false.</summary>
    public bool IsCordoned { get; init; }

    /// <summary>The taint by which whoever removes the node says that its pods are to go. Null: there is none.</summary>
    public string? DrainedBy { get; init; }
}

/// <summary>A pod's phase. Unknown: its node has not reported for long.</summary>
public enum PodPhase
{
    Unknown,
    Pending,
    Running,
    Succeeded,
    Failed,
}

/// <summary>State of the container that the engine runs in.</summary>
public enum ContainerState
{
    Unknown,
    Waiting,
    Running,
    Terminated,
}

/// <summary>A pod as its kubelet last reported it. On an unreachable node this stands still: it is not the present.</summary>
public sealed record PodObservation
{
    public required PodPhase Phase { get; init; }

    public required bool Ready { get; init; }

    /// <summary>For how long the operator has seen it not ready. Null: it is ready.</summary>
    public TimeSpan? NotReadyFor { get; init; }

    /// <summary>Its deletion has been asked for.</summary>
    public bool Terminating { get; init; }

    public ContainerState EngineContainer { get; init; } = ContainerState.Unknown;

    /// <summary>Id of the engine container's present or last run. Null: it has not run yet.</summary>
    public string? ContainerId { get; init; }

    /// <summary>Id of the newest run of the engine container that the kubelet reported as ended.</summary>
    public string? EndedContainerId { get; init; }

    /// <summary>So long its kubelet lets it end by itself, once it is deleted. Null: unknown.</summary>
    public TimeSpan? GracePeriod { get; init; }

    /// <summary>The kubelet reported every container as ended (or never started).</summary>
    public bool AllContainersEnded { get; init; }
}

/// <summary>The last question to a member's engine, and how the questions before it went.</summary>
public sealed record ProbeObservation
{
    public static ProbeObservation NotAsked { get; } = new() { Age = TimeSpan.MaxValue };

    /// <summary>Null: not asked yet.</summary>
    public EngineReply? Reply { get; init; }

    /// <summary>Time since the question was asked, not since it was answered: the state may be that old.</summary>
    public required TimeSpan Age { get; init; }

    /// <summary>How many questions in a row were refused, up to the last one.</summary>
    public int RefusedInARow { get; init; }

    /// <summary>Since the first of the questions in a row that were not answered. Null: the last one was answered.</summary>
    public TimeSpan? UnansweredFor { get; init; }

    /// <summary>The status, if the last question was answered.</summary>
    public EngineStatus? Status => (Reply as EngineReply.Answered)?.Status;
}

/// <summary>One pod of the workload and all that is known of it.</summary>
public sealed record Member
{
    public required string Name { get; init; }

    public required string Uid { get; init; }

    /// <summary>IP address. Null: it has none yet.</summary>
    public string? Address { get; init; }

    public required PodObservation Pod { get; init; }

    public required NodeObservation Node { get; init; }

    public ProbeObservation Probe { get; init; } = ProbeObservation.NotAsked;

    /// <summary>Value of the role label. Null: none.</summary>
    public string? RoleLabel { get; init; }

    /// <summary>Value of the term label. Null: none, or not a number.</summary>
    public long? TermLabel { get; init; }

    /// <summary>Time since somebody last wanted to evict the pod. Null: nobody has.</summary>
    public TimeSpan? EvictionRequestedAgo { get; init; }

    /// <summary>The revision of the workload's template that the pod was made from. Null: not told.</summary>
    public string? Revision { get; init; }

    /// <summary>Value of the slot label. Null: none.</summary>
    public string? SlotLabel { get; init; }

    /// <summary>It is of the workload of the cold standby.</summary>
    public bool IsCold { get; init; }

    /// <summary>For how long this process has seen it bound to the slot without any use for it. Null: it is of use, or not bound.</summary>
    public TimeSpan? IdleFor { get; init; }

    /// <summary>What is not tried on it now, since it kept failing.</summary>
    public IReadOnlyList<CircuitObservation> Circuits { get; init; } = [];

    /// <summary>Which version of the pod this is; a write on account of it is refused when there is a newer one.</summary>
    public string Version { get; init; } = "";

    /// <summary>The member as a lease names it.</summary>
    public string Identity => LeaseContract.Identity(Name, Uid);

    /// <summary>How old its status may be: since the question was asked, and how old the facts were when they were told.</summary>
    public TimeSpan StatusAge => Probe.Status is { Age: var told } && told > TimeSpan.Zero ? Probe.Age + told : Probe.Age;

    public bool Answers => Probe.Status is not null;

    /// <summary>It says of itself that it is a primary which takes writes.</summary>
    public bool IsWritablePrimary => Probe.Status is { Role: EngineRole.Primary, Writable: true };
}

/// <summary>A pod that was a member and is gone.</summary>
/// <param name="ConfirmedByKubelet">
/// Its last state, seen on the watch, had every container ended. False: it was removed by force, or nobody saw it go.
/// </param>
/// <param name="Age">
/// Time since the operator noticed; if its kubelet did not confirm it, since the node was last other than ready, if that is less.
/// </param>
/// <param name="Node">The node that it ran on, as it is now. Null: unknown.</param>
public sealed record Departure(string Uid, string Name, bool ConfirmedByKubelet, TimeSpan Age, NodeObservation? Node);
