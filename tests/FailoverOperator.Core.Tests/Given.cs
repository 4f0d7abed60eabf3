using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Tests;

/// <summary>
/// Builds observations that read like sentences. Unless told otherwise: members db-0, db-1, ... on nodes node-0,
/// node-1, ..., all well, db-0 is the primary of term 1 at position 1000 and the others follow it without lag.
/// </summary>
internal static class Given
{
    public const string Log = "log-1";

    public static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    public static RedundancyGroupSpec Spec { get; } = new()
    {
        WorkloadRef = new WorkloadReference { Name = "db" },
        Spares = 2,
        Engine = new EngineSpec { Type = EngineType.Redis },
        Traffic = new TrafficSpec { Services = [new ServiceReference { Name = "db-rw", Role = TrafficRole.Active }] },
    };

    public static string Uid(string name) => $"uid-{name}";

    public static string Address(string name) => $"10.0.0.{name[^1]}";

    public static Member Member(string name, EngineStatus status) => new()
    {
        Name = name,
        Uid = Uid(name),
        Address = Address(name),
        Pod = new PodObservation { Phase = PodPhase.Running, Ready = true, EngineContainer = ContainerState.Running, ContainerId = $"run-1-{name}" },
        Node = new NodeObservation { Name = $"node-{name[^1]}", Zone = $"zone-{name[^1]}", State = NodeState.Ready },
        Probe = new ProbeObservation { Reply = new EngineReply.Answered(status), Age = Seconds(0.1) },
    };

    public static Member Primary(string name = "db-0") => Member(name, new EngineStatus
    {
        Role = EngineRole.Primary,
        Writable = true,
        Instance = $"server-1-{name}",
        PositionBytes = 1000,
        History = Log,
        IsEmpty = false,
    }) with
    { RoleLabel = RoleLabels.Active, TermLabel = 1 };

    public static Member Standby(string name, long position = 1000, string follows = "db-0") => Member(name, new EngineStatus
    {
        Role = EngineRole.Standby,
        Writable = false,
        Instance = $"server-1-{name}",
        PositionBytes = position,
        History = Log,
        Link = ReplicationLink.Up,
        FollowsAddress = Address(follows),
        IsEmpty = false,
    }) with
    { RoleLabel = RoleLabels.Standby };

    public static MemberReference Reference(string name) => ProcessIdentity.ReferenceTo(Primary(name));

    /// <summary>A group whose primary is db-0.</summary>
    public static GroupObservation Group(params Member[] members) => NewGroup(members) with
    {
        Failovers = [Ended(1, "db-0")],
        PrimaryMemory = new PrimaryMemory
        {
            Uid = Uid("db-0"),
            PositionBytes = 1000,
            RequiredPositionBytes = 900,
            History = Log,
            Instance = Reference("db-0").Instance,
            ContainerId = Reference("db-0").ContainerId,
            LastServiceAge = Seconds(0.1),
        },
        Services = [Service("db-rw")],
    };

    public static GroupObservation NewGroup(params Member[] members) => new()
    {
        Name = "db",
        Spec = Spec,
        WorkloadReplicas = members.Length,
        Members = members,
    };

    public static ServiceObservation Service(string name, TrafficRole role = TrafficRole.Active) => new()
    {
        Name = name,
        Role = role,
        SelectedRole = role == TrafficRole.Active ? RoleLabels.Active : RoleLabels.Standby,
        SelectedPod = role == TrafficRole.Active ? "db-0" : null,
        PublishedTerm = 1,
        Addresses = role == TrafficRole.Active ? [Address("db-0")] : [Address("db-1"), Address("db-2")],
    };

    public static GroupObservation Healthy() => Group(Primary(), Standby("db-1"), Standby("db-2"));

    /// <summary>Nobody but an agent could stop the writes: there is no hook for it.</summary>
    public static GroupObservation CannotStop(this GroupObservation group) => group.With(s => s with
    {
        Engine = new EngineSpec { Type = EngineType.Hooks, Hooks = new HooksEngineSpec { Status = new HookSpec { Http = new HttpHookSpec { Port = 80 } } } },
    });

    /// <summary>An election that ended well.</summary>
    public static FailoverRecord Ended(long term, string candidate) => new()
    {
        Name = $"db-0-{term}",
        Spec = new FailoverSpec { GroupRef = new GroupReference { Name = "db" }, Slot = ApiGroup.FirstSlot, Term = term, Type = FailoverType.Election, Cause = FailoverCause.NewGroup },
        Status = new FailoverStatus { Phase = FailoverPhase.Completed, Candidate = Reference(candidate) },
    };

    /// <summary>A failover away from db-0, as its cause and the primary's memory made it.</summary>
    public static FailoverRecord Running(FailoverPhase phase, FailoverType type = FailoverType.Failover, string? candidate = null, double phaseFor = 0.5, long term = 2) => new()
    {
        Name = $"db-0-{term}",
        Spec = new FailoverSpec
        {
            GroupRef = new GroupReference { Name = "db" },
            Slot = ApiGroup.FirstSlot,
            Term = term,
            Type = type,
            Cause = FailoverCause.PrimaryPodGone,
            From = Reference("db-0"),
            PrimaryPositionBytes = 1000,
            PrimaryHistory = Log,
            RequiredPositionBytes = 900,
        },
        Status = new FailoverStatus { Phase = phase, Candidate = candidate is null ? null : Reference(candidate) },
        PhaseFor = Seconds(phaseFor),
    };

    public static GroupObservation With(this GroupObservation group, FailoverRecord failover) => group with { Failovers = [.. group.Failovers, failover] };

    public static GroupObservation With(this GroupObservation group, Func<RedundancyGroupSpec, RedundancyGroupSpec> change) => group with { Spec = change(group.Spec) };

    /// <summary>The same group with one member changed.</summary>
    public static GroupObservation Change(this GroupObservation group, string name, Func<Member, Member> change) =>
        group with { Members = [.. group.Members.Select(m => m.Name == name ? change(m) : m)] };

    public static GroupObservation Without(this GroupObservation group, string name) =>
        group with { Members = [.. group.Members.Where(m => m.Name != name)] };

    /// <summary>A restarted server is read-only.</summary>
    public static GroupObservation StartsReadOnly(this GroupObservation group) =>
        group.With(s => s with { Engine = s.Engine with { StartsAs = StartState.ReadOnly } });

    public static GroupObservation Proceeds(this GroupObservation group) =>
        group.With(s => s with { Fencing = s.Fencing with { WhenUnproven = UnprovenFence.Proceed } });

    // ---- what may happen to a member

    public static Member Silent(this Member member, double seconds) => member with
    {
        Probe = new ProbeObservation { Reply = new EngineReply.Silent("no answer in 1 s"), Age = Seconds(0.1), UnansweredFor = Seconds(seconds) },
    };

    public static Member Refused(this Member member, int times) => member with
    {
        Probe = new ProbeObservation { Reply = new EngineReply.Refused("connection refused"), Age = Seconds(0.1), RefusedInARow = times, UnansweredFor = Seconds(0.5 * times) },
    };

    public static Member Unauthorized(this Member member) => member with
    {
        Probe = new ProbeObservation { Reply = new EngineReply.Unauthorized("WRONGPASS"), Age = Seconds(0.1), UnansweredFor = Seconds(60) },
    };

    public static Member NotAsked(this Member member) => member with { Probe = ProbeObservation.NotAsked };

    public static Member AskedAgo(this Member member, double seconds) => member with { Probe = member.Probe with { Age = Seconds(seconds) } };

    public static Member NotReady(this Member member, double seconds) => member with { Pod = member.Pod with { Ready = false, NotReadyFor = Seconds(seconds) } };

    public static Member Terminating(this Member member) => member with { Pod = member.Pod with { Terminating = true } };

    public static Member Phase(this Member member, PodPhase phase, bool ended = true) => member with { Pod = member.Pod with { Phase = phase, AllContainersEnded = ended } };

    public static Member OnNode(this Member member, NodeState state, bool outOfService = false) =>
        member with { Node = member.Node with { State = state, OutOfService = outOfService } };

    public static Member Cordoned(this Member member) => member with { Node = member.Node with { IsCordoned = true } };

    public static Member OnNodeOf(this Member member, string other) => member with { Node = member.Node with { Name = $"node-{other[^1]}" } };

    /// <summary>Somebody wanted to evict it so long ago.</summary>
    public static Member ToBeEvicted(this Member member, double ago) => member with { EvictionRequestedAgo = Seconds(ago) };

    public static Member OfRevision(this Member member, string revision) => member with { Revision = revision };

    public static Member InZone(this Member member, string? zone) => member with { Node = member.Node with { Zone = zone } };

    /// <summary>The kubelet reports the end of the engine's container.</summary>
    public static Member ContainerEnded(this Member member) => member with
    {
        Pod = member.Pod with { EngineContainer = ContainerState.Terminated, EndedContainerId = member.Pod.ContainerId },
    };

    /// <summary>The kubelet reports a new run of the engine's container.</summary>
    public static Member ContainerRestarted(this Member member) => member with
    {
        Pod = member.Pod with { EndedContainerId = member.Pod.ContainerId, ContainerId = $"run-2-{member.Name}" },
    };

    /// <summary>Changes what the engine says.</summary>
    public static Member Says(this Member member, Func<EngineStatus, EngineStatus> change) =>
        member with { Probe = member.Probe with { Reply = new EngineReply.Answered(change(member.Probe.Status!)) } };

    /// <summary>Another pod of the same name.</summary>
    public static Member Recreated(this Member member) => member with { Uid = member.Uid + "-new", Pod = member.Pod with { ContainerId = $"run-9-{member.Name}" } };

    public static Departure Departed(bool confirmed, double seconds = 0, NodeState node = NodeState.Ready, bool outOfService = false) => new(
        Uid("db-0"), "db-0", confirmed, Seconds(seconds), new NodeObservation { Name = "node-0", State = node, OutOfService = outOfService });
}
