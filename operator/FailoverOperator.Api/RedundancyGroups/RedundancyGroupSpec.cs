using FailoverOperator.Api.Attributes;

namespace FailoverOperator.Api.RedundancyGroups;

/// <summary>How the members share the work.</summary>
public enum RedundancyMode
{
    ActivePassive,
    NPlusM,
    ActiveActive,
    Quorum,
}

/// <summary>What is wanted. Initial values are the defaults of the CRD.</summary>
[ValidationRule(RuleIds.OneActive, "self.mode == 'NPlusM' || self.active == 1",
    "active is the number of slots of mode NPlusM; write active: 1, or mode: NPlusM")]
[ValidationRule(RuleIds.SlotsNeedHooks, "self.mode != 'NPlusM' || self.engine.type == 'Hooks'",
    "mode NPlusM needs engine.type Hooks, whose hooks are told the slot; Redis and PostgreSQL servers know of one primary only: write a group for each of them")]
[ValidationRule(RuleIds.SlotsServeActive, "self.mode != 'NPlusM' || !has(self.traffic.services) || !self.traffic.services.exists(s, s.role == 'Standby')",
    "in mode NPlusM a spare stands by for every slot, so that no Service can lead to the standbys of one; remove those of role Standby from traffic.services")]
[ValidationRule(RuleIds.SlotsNeedNPlusM, "self.mode == 'NPlusM' || !has(self.slots) || self.slots.size() == 0",
    "slots says which slots of mode NPlusM are served first; remove it, or set mode: NPlusM")]
[ValidationRule(RuleIds.SlotsExist, "self.mode != 'NPlusM' || !has(self.slots) || self.slots.all(s, int(s.name) < self.active)",
    "slots names a slot that there is not: they are 0 to active - 1")]
[ValidationRule(RuleIds.HooksRequired, "self.engine.type != 'Hooks' || has(self.engine.hooks)",
    "engine.type Hooks needs engine.hooks with at least status, promote and follow")]
[ValidationRule(RuleIds.HooksOnlyForHooks, "self.engine.type == 'Hooks' || !has(self.engine.hooks)",
    "engine.hooks is used by engine.type Hooks only; remove it, or set engine.type: Hooks")]
[ValidationRule(RuleIds.RedisOnlyForRedis, "self.engine.type == 'Redis' || !has(self.engine.redis)",
    "engine.redis is used by engine.type Redis only; remove it, or set engine.type: Redis")]
[ValidationRule(RuleIds.RedisIsAsynchronous, "self.engine.type != 'Redis' || self.targets.rpoSeconds >= 1",
    "Redis replicates asynchronously and cannot promise targets.rpoSeconds: 0; write 1 or more")]
[ValidationRule(RuleIds.DetectionWithinRto, "self.detection.unhealthyAfterSeconds < self.targets.rtoSeconds",
    "detection.unhealthyAfterSeconds must be less than targets.rtoSeconds, or no failover for a silent primary can meet the target")]
[ValidationRule(RuleIds.FailbackNeedsSwitchover,
    "self.failback.policy == 'Never' || has(self.agent) || (has(self.cold) && self.cold.data == 'Shared') || (self.mode == 'ActivePassive' && self.standby != 'Cold' && self.fencing.policy.exists(m, m == 'PodTermination') && (self.engine.type == 'Redis' || (has(self.engine.hooks) && has(self.engine.hooks.demote))))",
    "failback.policy Automatic or Scheduled is a switchover, which needs agents in the members; or engine.type Redis, or a hook demote, with PodTermination in fencing.policy, in mode ActivePassive; or a cold standby with data: Shared. Describe one of them, or write Never")]
[ValidationRule(RuleIds.FailbackNeedsPriorities, "self.failback.policy == 'Never' || self.standby == 'Cold' || (has(self.promotion.priorities) && self.promotion.priorities.size() > 0)",
    "failback.policy Automatic or Scheduled leads to the member of the highest priority: write promotion.priorities, or failback.policy: Never")]
[ValidationRule(RuleIds.FailbackScheduleFitsPolicy, "self.failback.policy == 'Scheduled' ? has(self.failback.schedule) : (!has(self.failback.schedule) && !has(self.failback.timeZone))",
    "failback.policy Scheduled needs failback.schedule, and schedule and timeZone are used by it only; write both, or neither")]
[ValidationRule(RuleIds.LeaseWithinRto, "!has(self.agent) || self.detection.leaseDurationSeconds < self.targets.rtoSeconds",
    "detection.leaseDurationSeconds must be less than targets.rtoSeconds, or no failover from a lost node can meet the target")]
[ValidationRule(RuleIds.SelfFenceNeedsAgent, "!self.fencing.policy.exists(m, m == 'SelfFence') || has(self.agent)",
    "fencing.policy SelfFence needs an agent in the members: describe it in agent, or remove SelfFence")]
[ValidationRule(RuleIds.AgentNeedsSelfFence, "!has(self.agent) || self.fencing.policy[0] == 'SelfFence'",
    "with an agent, fencing.policy must begin with SelfFence; put it first, or remove agent")]
[ValidationRule(RuleIds.PostgreSqlNeedsAgent, "self.engine.type != 'PostgreSQL' || has(self.agent)",
    "engine.type PostgreSQL needs agents in the members: describe them in agent, and put SelfFence first in fencing.policy")]
[ValidationRule(RuleIds.PostgreSqlOnlyForPostgreSql, "self.engine.type == 'PostgreSQL' || !has(self.engine.postgreSQL)",
    "engine.postgreSQL is used by engine.type PostgreSQL only; remove it, or set engine.type: PostgreSQL")]
[ValidationRule(RuleIds.HooksWithoutAgent, "self.engine.type != 'Hooks' || !has(self.agent)",
    "agents manage PostgreSQL and Redis; for engine.type Hooks remove agent, and SelfFence from fencing.policy")]
[ValidationRule(RuleIds.JobNeedsSpec, "self.fencing.policy.exists(m, m == 'Job') == has(self.fencing.job)",
    "fencing.policy Job and fencing.job go together; write both or neither")]
[ValidationRule(RuleIds.LeaseTimingsAreSafe,
    "!has(self.agent) || (self.fencing.stopAfterMilliseconds + self.fencing.demoteTimeoutMilliseconds + 100) * 101 < self.detection.leaseDurationSeconds * 1000 * 99",
    "fencing.stopAfterMilliseconds + fencing.demoteTimeoutMilliseconds + 100 must stay below 98 % of detection.leaseDurationSeconds, or two members could be writable at the same time; raise leaseDurationSeconds, or lower the other two")]
[ValidationRule(RuleIds.RenewalsFitStop, "!has(self.agent) || self.detection.renewIntervalMilliseconds * 2 <= self.fencing.stopAfterMilliseconds",
    "detection.renewIntervalMilliseconds must be at most half of fencing.stopAfterMilliseconds, or one lost renewal would stop the primary")]
[ValidationRule(RuleIds.RestartFirstNeedsAgent, "self.detection.onProcessCrash == 'Failover' || has(self.agent)",
    "detection.onProcessCrash RestartFirst needs agents in the members; describe them in agent, or write Failover")]
[ValidationRule(RuleIds.CordonNeedsSwitchover,
    "self.disruption.onCordon == 'Ignore' || has(self.agent) || (self.mode in ['ActivePassive', 'NPlusM'] && self.standby != 'Cold' && self.fencing.policy.exists(m, m == 'PodTermination') && (self.engine.type == 'Redis' || (has(self.engine.hooks) && has(self.engine.hooks.demote))))",
    "disruption.onCordon Switchover needs agents in the members, which hand over in order; or engine.type Redis, or a hook demote, with PodTermination in fencing.policy: describe one of them, or write Ignore")]
[ValidationRule(RuleIds.CooldownWithinMaximum, "self.protection.cooldownSeconds <= self.protection.cooldownMaximumSeconds",
    "protection.cooldownSeconds must not be more than protection.cooldownMaximumSeconds; raise that, or lower cooldownSeconds")]
[ValidationRule(RuleIds.PromotionNeedsHooks, "self.mode in ['ActiveActive', 'Quorum'] || !has(self.engine.hooks) || (has(self.engine.hooks.promote) && has(self.engine.hooks.follow))",
    "a mode in which members are promoted needs engine.hooks.promote and engine.hooks.follow")]
[ValidationRule(RuleIds.StatusHookOnly,
    "!(self.mode in ['ActiveActive', 'Quorum']) || !has(self.engine.hooks) || !(has(self.engine.hooks.promote) || has(self.engine.hooks.follow) || has(self.engine.hooks.demote) || has(self.engine.hooks.verify))",
    "in modes ActiveActive and Quorum engine.hooks.status is the only hook that is called; remove the others")]
[ValidationRule(RuleIds.NobodyIsPromoted,
    "!(self.mode in ['ActiveActive', 'Quorum']) || (!has(self.agent) && !has(self.fencing.job) && self.promotion.policy == 'Automatic' && (!has(self.promotion.priorities) || self.promotion.priorities.size() == 0) && self.failback.policy == 'Never')",
    "in modes ActiveActive and Quorum nobody is fenced or promoted: remove agent, fencing, promotion and failback")]
[ValidationRule(RuleIds.DependsOnNeedsFailovers, "!(self.mode in ['ActiveActive', 'Quorum']) || !has(self.dependsOn) || self.dependsOn.size() == 0",
    "in modes ActiveActive and Quorum there are no failovers that could wait for another group: remove dependsOn")]
[ValidationRule(RuleIds.ActiveActiveOnly, "self.mode == 'ActiveActive' || (!has(self.minActive) && !has(self.readmission))",
    "minActive and readmission are used by mode ActiveActive only; remove them, or set mode: ActiveActive")]
[ValidationRule(RuleIds.QuorumOnly, "self.mode == 'Quorum' || !has(self.quorum)",
    "quorum is used by mode Quorum only; remove it, or set mode: Quorum")]
[ValidationRule(RuleIds.QuorumNeedsHooks, "self.mode != 'Quorum' || self.engine.type == 'Hooks'",
    "mode Quorum needs engine.type Hooks, whose hook status tells who leads and in which term")]
[ValidationRule(RuleIds.NoEngineNeedsActiveActive, "self.engine.type != 'None' || self.mode == 'ActiveActive'",
    "with engine.type None only the pods' readiness is known, which is enough for mode ActiveActive alone; describe an engine, or set mode: ActiveActive")]
[ValidationRule(RuleIds.AllAreActive, "self.mode != 'ActiveActive' || !has(self.traffic.services) || self.traffic.services.all(s, s.role == 'Active')",
    "in mode ActiveActive there are no standbys: traffic.services take role Active only")]
[ValidationRule(RuleIds.NothingToSuspend, "self.mode != 'ActiveActive' || !has(self.suspended)",
    "in mode ActiveActive there are no failovers that could be suspended; remove suspended")]
[ValidationRule(RuleIds.StandbyNeedsActivePassive, "self.standby == 'Hot' || self.mode == 'ActivePassive'",
    "standby Warm and Cold are for mode ActivePassive; write standby: Hot, or mode: ActivePassive")]
[ValidationRule(RuleIds.WarmOnly, "self.standby == 'Warm' || !has(self.warm)",
    "warm is used by standby Warm only; remove it, or set standby: Warm")]
[ValidationRule(RuleIds.ColdNeedsSpec, "(self.standby == 'Cold') == has(self.cold)",
    "standby Cold and cold go together; write both or neither")]
[ValidationRule(RuleIds.ColdNeedsHooks, "self.standby != 'Cold' || (self.engine.type == 'Hooks' && self.engine.startsAs == 'ReadOnly')",
    "standby Cold needs engine.type: Hooks, and engine.startsAs: ReadOnly: a member that is started must not write before it is promoted")]
[ValidationRule(RuleIds.ColdIsAnotherWorkload, "!has(self.cold) || self.cold.workloadRef.name != self.workloadRef.name || self.cold.workloadRef.kind != 'StatefulSet'",
    "cold.workloadRef must be another workload than workloadRef")]
[ValidationRule(RuleIds.ProbeFitsDetection,
    "self.detection.probeTimeoutMilliseconds + self.detection.probeIntervalMilliseconds <= self.detection.unhealthyAfterSeconds * 1000",
    "detection.probeTimeoutMilliseconds plus detection.probeIntervalMilliseconds must fit into detection.unhealthyAfterSeconds")]
public sealed record RedundancyGroupSpec
{
    [Description("How the members share the work. ActivePassive: one primary takes the writes, the others stand by. NPlusM: there are as many slots as active says, each with a primary and a Service <service>-<slot> of its own; any spare takes any slot. ActiveActive: all healthy members take traffic. Quorum: the workload elects its leader itself, and the operator leads the traffic there.")]
    public RedundancyMode Mode { get; init; } = RedundancyMode.ActivePassive;

    [Required]
    [Description("The workload whose pods are the members. It must be in the group's namespace, and in one group only.")]
    public WorkloadReference WorkloadRef { get; init; } = new();

    [Description("Members that are active at the same time. 1 in mode ActivePassive; the number of slots, named 0, 1, 2 and so on, in mode NPlusM.")]
    [RangeMinimum(1)]
    [RangeMaximum(100)]
    public int Active { get; init; } = 1;

    [Description("Mode NPlusM: which slots are served first when more fail than there are spares.")]
    [ListMapKey("name")]
    [Items(0, 100)]
    public IReadOnlyList<SlotSpec> Slots { get; init; } = [];

    [Description("Standbys that are wanted. The group is Redundant while at least this many could take over. The workload needs active + spares replicas. In mode ActiveActive: members that are wanted beyond minActive. In mode Quorum: members that may fail while a majority stays; the workload needs 2 × spares + 1 replicas.")]
    [RangeMinimum(0)]
    [RangeMaximum(100)]
    public int Spares { get; init; } = 1;

    [Description("Mode ActiveActive: so many members must take traffic, or the group is not Available. A PodDisruptionBudget keeps drains from going below it. Absent: 1.")]
    [RangeMinimum(1)]
    [RangeMaximum(1000)]
    public int? MinActive { get; init; }

    [Description("Mode ActiveActive: when a member that was out of service takes traffic again.")]
    public ReadmissionSpec? Readmission { get; init; }

    [Description("Mode Quorum: what is done about members that are lost for good.")]
    public QuorumSpec? Quorum { get; init; }

    [Description("How much a standby still has to do before it is promoted. Hot: nothing; one that misses more than targets.rpoSeconds is not promoted. Warm: it runs, but may have to catch up to within targets.rpoSeconds first, and is waited for. Cold: it does not run, see cold.")]
    public StandbyTemperature Standby { get; init; } = StandbyTemperature.Hot;

    [Description("With standby Warm: how long it may take to catch up.")]
    public WarmSpec? Warm { get; init; }

    [Description("With standby Cold: the workload that is scaled up when the primary has failed.")]
    public ColdSpec? Cold { get; init; }

    [Required]
    [Description("How the operator talks to the members: asks for their role and lag, promotes them, makes them follow.")]
    public EngineSpec Engine { get; init; } = new();

    [Description("What a failover may cost. Each failover is judged against it.")]
    public TargetsSpec Targets { get; init; } = new();

    [Description("The agents in the members' containers, for fencing.policy SelfFence.")]
    public AgentSpec? Agent { get; init; }

    [Description("When a member counts as failed.")]
    public DetectionSpec Detection { get; init; } = new();

    [Description("How it is made sure that a failed primary cannot write any more, before another one is promoted.")]
    public FencingSpec Fencing { get; init; } = new();

    [Description("How the new primary is chosen and promoted.")]
    public PromotionSpec Promotion { get; init; } = new();

    [Description("Whether, and when, the primary's place is given back to the member that is wanted most.")]
    public FailbackSpec Failback { get; init; } = new();

    [Description("What is done about disruptions that somebody plans: drains of nodes, evictions, updates of the workload. For groups that can have a switchover: with agents; or with engine.type Redis, or a hook demote, and PodTermination in fencing.policy.")]
    public DisruptionSpec Disruption { get; init; } = new();

    [Description("What keeps failovers from following each other too fast.")]
    public ProtectionSpec Protection { get; init; } = new();

    [Description("When many groups fail at once, those of a higher priority fail over first.")]
    [RangeMinimum(-1000)]
    [RangeMaximum(1000)]
    public int Priority { get; init; }

    [Description("Groups that this one is of no use without, such as the database below it: as long as one of them fails over, or is not Available, this one's failover waits.")]
    [ListMapKey("name")]
    [Items(0, 16)]
    public IReadOnlyList<DependencySpec> DependsOn { get; init; } = [];

    [Description("Which Services follow the members' roles.")]
    public TrafficSpec Traffic { get; init; } = new();

    [Description("Maintenance: no failover and no switchover is begun, whatever happens; those that run go on to their end. Absent: the operator acts.")]
    public SuspensionSpec? Suspended { get; init; }

    [Description("How many ended Failover objects are kept as a record.")]
    [RangeMinimum(1)]
    [RangeMaximum(100)]
    public int FailoverHistoryLimit { get; init; } = 10;
}

/// <summary>Names the workload by kind and name, in the group's namespace.</summary>
public sealed record WorkloadReference
{
    [Description("API version of the workload.")]
    public WorkloadApiVersion ApiVersion { get; init; } = WorkloadApiVersion.AppsV1;

    [Description("Kind of the workload.")]
    public WorkloadKind Kind { get; init; } = WorkloadKind.StatefulSet;

    [Required]
    [Description("Name of the workload.")]
    [Length(1, 253)]
    public string Name { get; init; } = "";
}

/// <summary>API versions of workloads.</summary>
public enum WorkloadApiVersion
{
    [System.Text.Json.Serialization.JsonStringEnumMemberName("apps/v1")]
    AppsV1,
}

/// <summary>Kinds of workloads.</summary>
public enum WorkloadKind
{
    StatefulSet,
}

/// <summary>What a failover may cost.</summary>
public sealed record TargetsSpec
{
    [Description("Recovery time objective: seconds from the last write that the old primary took to the first that the new one takes.")]
    [RangeMinimum(1)]
    [RangeMaximum(86400)]
    public int RtoSeconds { get; init; } = 30;

    [Description("Recovery point objective: a standby that misses more than the primary's last so many seconds of writes is not promoted. 0 allows no loss; an asynchronous engine cannot promise that.")]
    [RangeMinimum(0)]
    [RangeMaximum(86400)]
    public int RpoSeconds { get; init; } = 30;
}

/// <summary>The agents in the members' containers.</summary>
public sealed record AgentSpec
{
    [Description("Port of the agent in each pod.")]
    [RangeMinimum(1)]
    [RangeMaximum(65535)]
    public int Port { get; init; } = Agents.AgentContract.DefaultPort;

    [Required]
    [Description("Where the token is that operator and agents prove themselves with. The pods must have the same one, see the agent's documentation.")]
    public SecretKeyReference TokenSecretRef { get; init; } = new();
}

/// <summary>Maintenance: the operator begins nothing by itself.</summary>
public sealed record SuspensionSpec
{
    [Description("Until when, RFC 3339, for example 2026-11-27T03:00:00Z. Absent: until suspended is removed.")]
    [Pattern(TimePattern.Rfc3339)]
    [Length(0, 64)]
    public string? Until { get; init; }

    [Description("Why, for the record.")]
    [Length(0, 1024)]
    public string? Reason { get; init; }
}

/// <summary>What a time in a spec must look like.</summary>
public static class TimePattern
{
    public const string Rfc3339 = @"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$";
}
