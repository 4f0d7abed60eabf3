using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;

namespace FailoverOperator.Core.Observations;

/// <summary>
/// All that the operator knows of one group at one moment. Times are ages and durations on the operator's own
/// monotonic clock, so that what judges and decides needs no clock.
/// </summary>
public sealed record GroupObservation
{
    public required string Name { get; init; }

    public required RedundancyGroupSpec Spec { get; init; }

    /// <summary>Which of the group's slots this is about: its holder, its failovers, its Services, and the members that may hold it.</summary>
    public string Slot { get; init; } = ApiGroup.FirstSlot;

    /// <summary>So many of the spares are for slots that are more important and have nobody yet.</summary>
    public int PromisedSpares { get; init; }

    /// <summary>Replicas that the workload is to have.</summary>
    public required int WorkloadReplicas { get; init; }

    /// <summary>The workload's pods, ordered by name.</summary>
    public required IReadOnlyList<Member> Members { get; init; }

    /// <summary>Pods that were members and are gone, as far as this process saw it.</summary>
    public IReadOnlyList<Departure> Departures { get; init; } = [];

    /// <summary>The group's failovers, ordered by term.</summary>
    public IReadOnlyList<FailoverRecord> Failovers { get; init; } = [];

    /// <summary>The Services of <c>spec.traffic</c> that exist.</summary>
    public IReadOnlyList<ServiceObservation> Services { get; init; } = [];

    /// <summary>The slot's lease. Null: a group without agents.</summary>
    public LeaseObservation? Lease { get; init; }

    /// <summary>What this process remembers of the primary's log. Null: it has not seen a primary at work.</summary>
    public PrimaryMemory? PrimaryMemory { get; init; }

    /// <summary>Until when <c>spec.suspended</c> holds. Null: the group is not suspended.</summary>
    public Schedule? SuspendedUntil { get; init; }

    /// <summary>The failover up to which a person has acknowledged all. Null: none.</summary>
    public string? Acknowledged { get; init; }

    /// <summary>For how long there has been a proof of the primary's end, as this process has seen it. Null: there is none.</summary>
    public TimeSpan? EndProvenFor { get; init; }

    /// <summary>When the primary was last seen to take writes, to the second, for people. Null: nobody knows.</summary>
    public string? LastServiceAt { get; init; }

    /// <summary>What a person has written to accept a loss, see <see cref="ApiGroup.DataLossAcceptedAnnotation"/>.</summary>
    public IReadOnlyList<string> AcceptedLosses { get; init; } = [];

    /// <summary>For how long the member that is wanted most has been fit to take over. Null: it is not, or nobody is wanted more than the primary.</summary>
    public TimeSpan? WantedFitFor { get; init; }

    /// <summary>Null: there is no schedule, or it cannot be read.</summary>
    public FailbackTimes? FailbackTimes { get; init; }

    public StatisticsObservation Statistics { get; init; } = new(null, TimeSpan.Zero, TimeSpan.Zero);

    /// <summary>Between how many failure domains the members could be spread.</summary>
    public FailureDomains Domains { get; init; } = FailureDomains.Unknown;

    /// <summary>The PodDisruptionBudgets that concern the primary. Null: nobody has looked.</summary>
    public BudgetObservation? Budgets { get; init; }

    /// <summary>The workload of a cold standby. Null: the group has none.</summary>
    public ColdObservation? Cold { get; init; }

    /// <summary>How the workload is updated. Null: unknown.</summary>
    public RolloutObservation? Rollout { get; init; }

    /// <summary>The groups of <c>spec.dependsOn</c> that exist.</summary>
    public IReadOnlyList<DependencyObservation> Dependencies { get; init; } = [];

    public DependencyGraph DependencyGraph { get; init; } = DependencyGraph.None;

    /// <summary>Null: it has not, or it does not matter for how long.</summary>
    public FailureTime? FailedSince { get; init; }

    public OperatorObservation Operator { get; init; } = OperatorObservation.Fine;

    /// <summary>For how long this process has asked the members.</summary>
    public TimeSpan AskingFor { get; init; } = TimeSpan.MaxValue;

    /// <summary>An agent in each member guards the lease; only its holder is ever writable.</summary>
    public bool HasAgents => Spec.Agent is not null;

    /// <summary>D, the longest that the lease's holder may live by.</summary>
    public TimeSpan LeaseDuration
    {
        get
        {
            var wanted = TimeSpan.FromSeconds(Spec.Detection.LeaseDurationSeconds);
            return Lease?.Duration(wanted) ?? wanted;
        }
    }

    /// <summary>What is left of D since the lease's last change. Zero: nothing.</summary>
    public TimeSpan LeaseExpiresIn => Lease is { } lease && lease.UnchangedFor < LeaseDuration ? LeaseDuration - lease.UnchangedFor : TimeSpan.Zero;
}

/// <summary>What was counted so far.</summary>
/// <param name="Last">Null: nothing yet.</param>
/// <param name="Span">Time since counting began.</param>
/// <param name="Age">Time since it was reckoned last.</param>
public sealed record StatisticsObservation(GroupStatistics? Last, TimeSpan Span, TimeSpan Age)
{
    /// <summary>Every failover of the slot up to this term is counted.</summary>
    public long CountedTerm { get; init; } = Last?.CountedTerm ?? 0;
}

/// <summary>What the cluster has. 0: unknown.</summary>
public sealed record FailureDomains(int Nodes, int Zones)
{
    public static FailureDomains Unknown { get; } = new(0, 0);
}

/// <summary>When a request is to begin. Closed: nested types only.</summary>
public abstract record Schedule
{
    private Schedule()
    {
    }

    public sealed record AtOnce : Schedule;

    /// <param name="DueIn">Negative: since so long.</param>
    public sealed record At(TimeSpan DueIn) : Schedule;

    /// <summary>It is not a time.</summary>
    public sealed record Unreadable : Schedule;
}

/// <summary>A Failover object.</summary>
public sealed record FailoverRecord
{
    public required string Name { get; init; }

    public string Uid { get; init; } = "";

    public required FailoverSpec Spec { get; init; }

    public FailoverStatus Status { get; init; } = new();

    /// <summary>Which version of the object this is; a write on account of it is refused when there is a newer one.</summary>
    public string Version { get; init; } = "";

    /// <summary>For how long this process has seen it in its present phase. Deadlines start anew with a new operator.</summary>
    public TimeSpan PhaseFor { get; init; }

    /// <summary>
    /// The same since the phase was written down, at least, as <see cref="EndedFor"/>: for a deadline that is not to start anew with a new operator.
    /// </summary>
    public TimeSpan InPhaseFor { get => field > PhaseFor ? field : PhaseFor; init; }

    /// <summary>
    /// Time since it ended, at least: by the clock of whoever wrote that down, or since this process has seen it ended, whichever is longer. So a
    /// clock that was set back, or a time that cannot be read, holds nobody for ever. Of no meaning while it runs.
    /// </summary>
    public TimeSpan EndedFor { get => field > PhaseFor ? field : PhaseFor; init; }

    /// <summary>Of a request: when it is to begin.</summary>
    public Schedule Schedule { get; init; } = new Schedule.AtOnce();

    /// <summary>A primary is replaced by another one: the old one has to be kept from writing first.</summary>
    public bool ReplacesPrimary => IsPlanned || Spec.Type == FailoverType.Failover;

    /// <summary>The old primary hands over in order; whoever misses anything does not get its place.</summary>
    public bool IsPlanned => Spec.Type is FailoverType.Switchover or FailoverType.Failback;

    /// <summary>The operator created it for this group; anybody else's is a request.</summary>
    public bool IsOwn { get; init; } = true;

    /// <summary>Somebody changed the spec after its creation (API servers without CEL let them).</summary>
    public bool SpecChanged { get; init; }

    /// <summary>A person has approved it.</summary>
    public bool IsApproved { get; init; }

    /// <summary>
    /// Time from the last sign of service of the old primary to the proof of its end, or to now while there is none; by the clocks of those who
    /// wrote them down. Null: nobody has seen it at work.
    /// </summary>
    public TimeSpan? SilentFor { get; init; }

    /// <summary>Value of the annotation by which a person confirms the fence. Null: none.</summary>
    public string? FenceConfirmedFor { get; init; }

    /// <summary>Outcome of the last verifying write of this process. Null: none yet.</summary>
    public EngineOutcome? Verification { get; init; }

    /// <summary>The Job of <c>fencing.job</c> for this failover.</summary>
    public JobObservation FencingJob { get; init; } = new JobObservation.NotCreated();

    /// <summary>Members beside the old primary that may write for all that was written down.</summary>
    public IEnumerable<MemberReference> Rivals => Spec.Rivals.Concat(Status.Rivals);

    /// <summary>
    /// Its candidate was seen to take writes; with agents, by the lease of this term, which it had claimed.
    /// </summary>
    public bool HasServed => Status.Phase is FailoverPhase.Repointing or FailoverPhase.Verifying or FailoverPhase.Completed
        || Status.Steps.Any(s => s.Phase == FailoverPhase.Repointing);

    public bool IsEnded => Status.Phase.IsEnd();
}

/// <summary>A fencing Job. Closed: nested types only.</summary>
public abstract record JobObservation
{
    private JobObservation()
    {
    }

    public sealed record NotCreated : JobObservation;

    public sealed record Running : JobObservation;

    public sealed record Succeeded : JobObservation;

    /// <param name="Message">Why, for people.</param>
    public sealed record Failed(string Message) : JobObservation;
}

/// <summary>A Service that the group's traffic takes.</summary>
public sealed record ServiceObservation
{
    public required string Name { get; init; }

    public required TrafficRole Role { get; init; }

    /// <summary>The role that its selector asks for. Null: its selector does not ask for a role.</summary>
    public string? SelectedRole { get; init; }

    /// <summary>The only pod, by name, that its selector asks for. Null: it asks for none by name.</summary>
    public string? SelectedPod { get; init; }

    /// <summary>The only slot that its selector asks for. Null: it asks for none.</summary>
    public string? SelectedSlot { get; init; }

    /// <summary>The highest term published through it. Null: none.</summary>
    public long? PublishedTerm { get; init; }

    /// <summary>Addresses that it leads to now.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];
}

/// <summary>What is remembered of the primary's log.</summary>
public sealed record PrimaryMemory
{
    /// <summary>Whose log: the UID of the pod.</summary>
    public required string Uid { get; init; }

    /// <summary>Position when it last answered. Null: it tells none.</summary>
    public long? PositionBytes { get; init; }

    /// <summary>The least position that keeps the loss within the recovery point objective, see <see cref="PositionHistory"/>.</summary>
    public long? RequiredPositionBytes { get; init; }

    /// <summary>What it told before. Null: it tells no position.</summary>
    public PositionHistory? Positions { get; init; }

    /// <summary>Identity of the log; positions of another one cannot be compared. Null: the engine tells none.</summary>
    public string? History { get; init; }

    /// <summary>The highest term that its agent knew of then. Null: it has no agent.</summary>
    public long? Term { get; init; }

    /// <summary>Which run of its server this is about. Null: the engine tells none.</summary>
    public string? Instance { get; init; }

    /// <summary>
    /// Id of the container that it surely runs in: it has answered as the same run for so long that the kubelet's report
    /// of a restart cannot still be on its way. Null: not sure. Only this may prove the end of its process.
    /// </summary>
    public string? ContainerId { get; init; }

    /// <summary>Time since it last answered as a writable primary.</summary>
    public required TimeSpan LastServiceAge { get; init; }

    /// <summary>
    /// Time since it was last known what it does: as above, or it has answered ever since, though not as one that takes writes, or nobody listened
    /// in its place. Null: as above.
    /// </summary>
    public TimeSpan? HeardAge { get; init; }
}

/// <summary>The operator's doubts about itself.</summary>
/// <param name="Synced">Every watch has delivered its first list.</param>
/// <param name="ApiSilentFor">Time since the API server last answered anything.</param>
public sealed record OperatorObservation(bool Synced, TimeSpan ApiSilentFor)
{
    public static OperatorObservation Fine { get; } = new(true, TimeSpan.Zero);
}
