using FailoverOperator.Api.Attributes;

namespace FailoverOperator.Api.RedundancyGroups;

/// <summary>How the members share the work.</summary>
public enum RedundancyMode
{
    ActivePassive,
}

/// <summary>What is wanted. Initial values are the defaults of the CRD.</summary>
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
[ValidationRule(RuleIds.CooldownWithinMaximum, "self.protection.cooldownSeconds <= self.protection.cooldownMaximumSeconds",
    "protection.cooldownSeconds must not be more than protection.cooldownMaximumSeconds; raise that, or lower cooldownSeconds")]
[ValidationRule(RuleIds.ProbeFitsDetection,
    "self.detection.probeTimeoutMilliseconds + self.detection.probeIntervalMilliseconds <= self.detection.unhealthyAfterSeconds * 1000",
    "detection.probeTimeoutMilliseconds plus detection.probeIntervalMilliseconds must fit into detection.unhealthyAfterSeconds")]
public sealed record RedundancyGroupSpec
{
    [Description("How the members share the work. ActivePassive: one primary takes the writes, the others stand by.")]
    public RedundancyMode Mode { get; init; } = RedundancyMode.ActivePassive;

    [Required]
    [Description("The workload whose pods are the members. It must be in the group's namespace, and in one group only.")]
    public WorkloadReference WorkloadRef { get; init; } = new();

    [Description("Members that are active at the same time. Always 1 in mode ActivePassive.")]
    [RangeMinimum(1)]
    [RangeMaximum(1)]
    public int Active { get; init; } = 1;

    [Description("Standbys that are wanted. The group is Redundant while at least this many could take over. The workload needs active + spares replicas.")]
    [RangeMinimum(0)]
    [RangeMaximum(100)]
    public int Spares { get; init; } = 1;

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

    [Description("What keeps failovers from following each other too fast.")]
    public ProtectionSpec Protection { get; init; } = new();

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

/// <summary>What becomes of the slot when the primary's server has crashed.</summary>
public enum OnProcessCrash
{
    Failover,
    RestartFirst,
}

/// <summary>When a member counts as failed.</summary>
public sealed record DetectionSpec
{
    [Description("With agents: the primary's lease has expired when it was not renewed for so long. The primary stops to be writable before that.")]
    [RangeMinimum(2)]
    [RangeMaximum(300)]
    public int LeaseDurationSeconds { get; init; } = 5;

    [Description("With agents: time from one renewal of the lease to the next.")]
    [RangeMinimum(100)]
    [RangeMaximum(60000)]
    public int RenewIntervalMilliseconds { get; init; } = 1000;

    [Description("With agents: what becomes of the slot when the primary's server has crashed. Failover: a standby takes over at once. RestartFirst: the agent tries to start it again within restartTimeoutSeconds, and keeps the lease meanwhile.")]
    public OnProcessCrash OnProcessCrash { get; init; } = OnProcessCrash.Failover;

    [Description("With onProcessCrash RestartFirst: time for the restarted server to take writes again. After it the lease is released.")]
    [RangeMinimum(1)]
    [RangeMaximum(300)]
    public int RestartTimeoutSeconds { get; init; } = 10;

    [Description("A member that is silent or not ready for so long has failed. An ended process or a deleted pod counts at once.")]
    [RangeMinimum(1)]
    [RangeMaximum(3600)]
    public int UnhealthyAfterSeconds { get; init; } = 5;

    [Description("Time from one question to a member's engine to the next.")]
    [RangeMinimum(100)]
    [RangeMaximum(60000)]
    public int ProbeIntervalMilliseconds { get; init; } = 500;

    [Description("A member that has not answered within this time is silent.")]
    [RangeMinimum(100)]
    [RangeMaximum(60000)]
    public int ProbeTimeoutMilliseconds { get; init; } = 1000;
}

/// <summary>Ways to fence.</summary>
public enum FencingMethod
{
    SelfFence,
    PodTermination,
    NodeOutOfService,
    Job,
}

/// <summary>Whether a primary may go on without the API server.</summary>
public enum Failsafe
{
    Enabled,
    Disabled,
}

/// <summary>What to do when no way of fencing could be proven.</summary>
public enum UnprovenFence
{
    Block,
    Proceed,
}

/// <summary>How a failed primary is kept from writing.</summary>
public sealed record FencingSpec
{
    [Description("Ways to fence, tried in order until one is proven. SelfFence: the agent in the primary's container stops it when it cannot renew its lease; needs agent. PodTermination: delete the pod and wait until its kubelet has confirmed that every container has ended. NodeOutOfService: put the taint node.kubernetes.io/out-of-service on a node that is proven down. Job: run the Job of fencing.job and wait for its success.")]
    [Items(1, 4)]
    [ListSet]
    public IReadOnlyList<FencingMethod> Policy { get; init; } = [FencingMethod.PodTermination];

    [Description("What to do when the end of the old primary is not proven in time, as on a node that lost power or its network. Block: wait for the proof or for a person. Proceed: promote all the same, and risk two primaries.")]
    public UnprovenFence WhenUnproven { get; init; } = UnprovenFence.Block;

    [Description("Time for each way to give a proof. After the last one whenUnproven decides.")]
    [RangeMinimum(1)]
    [RangeMaximum(3600)]
    public int TimeoutSeconds { get; init; } = 20;

    [Description("With agents: the primary stops to be writable when the last acknowledged renewal of its lease was sent so long ago.")]
    [RangeMinimum(200)]
    [RangeMaximum(300000)]
    public int StopAfterMilliseconds { get; init; } = 3000;

    [Description("With agents: time for the primary's server to become read-only. After it every process of the container is killed.")]
    [RangeMinimum(100)]
    [RangeMaximum(60000)]
    public int DemoteTimeoutMilliseconds { get; init; } = 1000;

    [Description("With agents: whether a primary that cannot reach the API server stays writable while every other member acknowledges it. Enabled: an outage of the API server alone changes nothing for clients. Without effect for a group of one member.")]
    public Failsafe Failsafe { get; init; } = Failsafe.Enabled;

    [Description("The Job that fences, for policy Job.")]
    public FencingJobSpec? Job { get; init; }
}

/// <summary>A Job that switches a node or machine off.</summary>
public sealed record FencingJobSpec
{
    [Required]
    [Description("Image of the Job's container.")]
    [Length(1, 512)]
    public string Image { get; init; } = "";

    [Description("Command and arguments. Its environment has NODE_NAME, POD_NAME, POD_NAMESPACE, GROUP, SLOT and TERM of the primary that is to be fenced. Success means: it surely cannot write any more.")]
    [Items(0, 64)]
    public IReadOnlyList<string> Command { get; init; } = [];

    [Description("Name of a Secret in the group's namespace whose keys become environment variables, as for the credentials of a power switch. Empty: none.")]
    [Length(0, 253)]
    public string EnvironmentSecretName { get; init; } = "";

    [Description("Name of the service account that it runs as. Empty: the namespace's default.")]
    [Length(0, 253)]
    public string ServiceAccountName { get; init; } = "";

    [Description("Time for the Job to succeed.")]
    [RangeMinimum(1)]
    [RangeMaximum(3600)]
    public int TimeoutSeconds { get; init; } = 60;
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

/// <summary>What orders the candidates.</summary>
public enum CandidateOrder
{
    LeastLag,
    Zone,
    Priority,
    Name,
}

/// <summary>Who decides that a failed primary is replaced.</summary>
public enum PromotionPolicy
{
    Automatic,

    /// <summary>The operator prepares the failover and waits for a person's word.</summary>
    ApprovalRequired,

    /// <summary>The operator does nothing unless a person asks for it.</summary>
    Manual,
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

/// <summary>How the new primary is chosen and promoted.</summary>
public sealed record PromotionSpec
{
    [Description("Who decides that a failed primary is replaced. Automatic: the operator. ApprovalRequired: a person approves each failover, by the annotation failover-operator.io/approved. Manual: a person asks for it, with a Failover of type Failover or Switchover.")]
    public PromotionPolicy Policy { get; init; } = PromotionPolicy.Automatic;

    [Description("What decides between standbys that may be promoted, the first difference wins. LeastLag: least behind the old primary. Zone: in another zone than the old primary. Priority: highest in priorities. Name: first by name.")]
    [Items(1, 4)]
    [ListSet]
    public IReadOnlyList<CandidateOrder> CandidateOrder { get; init; } =
        [RedundancyGroups.CandidateOrder.LeastLag, RedundancyGroups.CandidateOrder.Zone, RedundancyGroups.CandidateOrder.Priority, RedundancyGroups.CandidateOrder.Name];

    [Description("How much each member is wanted as the primary, for candidateOrder Priority. A member that is not named has 100; one with 0 never takes the place of another one.")]
    [ListMapKey("member")]
    [Items(0, 101)]
    public IReadOnlyList<MemberPriority> Priorities { get; init; } = [];

    [Description("Time for the candidate to become primary. After it the candidate is fenced in turn and another one is chosen.")]
    [RangeMinimum(1)]
    [RangeMaximum(3600)]
    public int TimeoutSeconds { get; init; } = 30;
}

/// <summary>How much a member is wanted as the primary.</summary>
public sealed record MemberPriority
{
    public const int Usual = 100;

    [Required]
    [Description("Name of the pod.")]
    [Length(1, 253)]
    public string Member { get; init; } = "";

    [Required]
    [Description("The higher, the more it is wanted. 0: never.")]
    [RangeMinimum(0)]
    [RangeMaximum(1000)]
    public int Priority { get; init; }
}

/// <summary>Which role a Service leads to.</summary>
public enum TrafficRole
{
    Active,
    Standby,
}

/// <summary>Which Services follow the members' roles.</summary>
public sealed record TrafficSpec
{
    [Description("Services whose selectors the operator extends by the label failover-operator.io/role, so that they lead to the members of that role only.")]
    [ListMapKey("name")]
    [Items(0, 16)]
    public IReadOnlyList<ServiceReference> Services { get; init; } = [];
}

/// <summary>A Service and the role it leads to.</summary>
public sealed record ServiceReference
{
    [Required]
    [Description("Name of the Service, in the group's namespace. It must have a selector that matches the workload's pods.")]
    [Length(1, 63)]
    public string Name { get; init; } = "";

    [Required]
    [Description("Active: leads to the primary. Standby: leads to the standbys.")]
    public TrafficRole Role { get; init; }
}

/// <summary>Names of the validation rules, shared by the CRD and the operator's own check.</summary>
public static class RuleIds
{
    public const string HooksRequired = nameof(HooksRequired);
    public const string HooksOnlyForHooks = nameof(HooksOnlyForHooks);
    public const string RedisOnlyForRedis = nameof(RedisOnlyForRedis);
    public const string RedisIsAsynchronous = nameof(RedisIsAsynchronous);
    public const string DetectionWithinRto = nameof(DetectionWithinRto);
    public const string LeaseWithinRto = nameof(LeaseWithinRto);
    public const string ProbeFitsDetection = nameof(ProbeFitsDetection);
    public const string SelfFenceNeedsAgent = nameof(SelfFenceNeedsAgent);
    public const string AgentNeedsSelfFence = nameof(AgentNeedsSelfFence);
    public const string PostgreSqlNeedsAgent = nameof(PostgreSqlNeedsAgent);
    public const string PostgreSqlOnlyForPostgreSql = nameof(PostgreSqlOnlyForPostgreSql);
    public const string HooksWithoutAgent = nameof(HooksWithoutAgent);
    public const string JobNeedsSpec = nameof(JobNeedsSpec);
    public const string LeaseTimingsAreSafe = nameof(LeaseTimingsAreSafe);
    public const string RenewalsFitStop = nameof(RenewalsFitStop);
    public const string RestartFirstNeedsAgent = nameof(RestartFirstNeedsAgent);
    public const string CooldownWithinMaximum = nameof(CooldownWithinMaximum);
    public const string ExecOrHttp = nameof(ExecOrHttp);
    public const string RequestIsPossible = nameof(RequestIsPossible);
    public const string RequestHasNoTerm = nameof(RequestHasNoTerm);
    public const string SpecIsImmutable = nameof(SpecIsImmutable);
}
