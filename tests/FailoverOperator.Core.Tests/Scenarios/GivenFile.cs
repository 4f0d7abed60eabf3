using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Sharing;
using FailoverOperator.Core.Tests.Sharing;

namespace FailoverOperator.Core.Tests.Scenarios;

/// <summary>What the operator sees: given.yaml. Whatever is not told is well, see <see cref="Given"/>.</summary>
internal sealed record GivenFile
{
    public SpecPart Spec { get; init; } = new();

    /// <summary>Who was chosen last. Null: nobody ever was.</summary>
    public string? Chosen { get; init; }

    /// <summary>Whether this operator has seen the chosen one at work, and so knows its position.</summary>
    public bool Remembered { get; init; } = true;

    /// <summary>What the chosen one had before it was promoted, as <c>log-1 up to 900</c>. Null: nobody wrote that down.</summary>
    public string? BeganWith { get; init; }

    public Dictionary<string, List<string>> Members { get; init; } = [];

    /// <summary>What became of the lease that the chosen one was given, see <see cref="LeaseWords"/>. Null: the members have no agents.</summary>
    public List<string>? Lease { get; init; }

    /// <summary>Pods that are gone. Value: "kubelet confirmed" or "removed by force".</summary>
    public Dictionary<string, string> Gone { get; init; } = [];

    /// <summary>Failovers of the last hours, the oldest first, as <c>db-1 to db-0, 30 s ago</c>. The last one led to the chosen one.</summary>
    public List<string> Past { get; init; } = [];

    /// <summary>The failover up to which a person has acknowledged all. Null: none.</summary>
    public string? AcknowledgedUpTo { get; init; }

    /// <summary>The failover that made the failed primary one, if a person has accepted to lose what it wrote since.</summary>
    public string? LossAcceptedSince { get; init; }

    /// <summary>For how long the primary has not been heard.</summary>
    public double UnheardSeconds { get; init; } = 0.1;

    /// <summary>For how long the member that is wanted most has been fit. Null: it is not.</summary>
    public double? WantedFitSeconds { get; init; }

    /// <summary>How long ago the schedule of failbacks was due, and in how long it is due again; the last primary was chosen a day ago. Null: there is none.</summary>
    public List<double>? FailbackDueSeconds { get; init; }

    /// <summary>Groups that this one depends on: "available", "fails over" or "down".</summary>
    public Dictionary<string, string> DependsOn { get; init; } = [];

    /// <summary>For how long the primary has failed, where groups are depended on.</summary>
    public double FailedSeconds { get; init; }

    /// <summary>The revision that pods are to have, where they are renewed when they are deleted. Null: nothing is known.</summary>
    public string? UpdateRevision { get; init; }

    /// <summary>For how long members of a group in which nobody is promoted have been fit.</summary>
    public Dictionary<string, double> FitSeconds { get; init; } = [];

    /// <summary>Since a member was let in last. Null: none was.</summary>
    public double? AdmittedSecondsAgo { get; init; }

    /// <summary>How many zones the cluster has. 0: unknown.</summary>
    public int ClusterZones { get; init; }

    /// <summary>The failover that is under way. Null: none.</summary>
    public FailoverPart? Failover { get; init; }

    /// <summary>The workload of the cold standby: "down", "up", "cannot be read", or why it cannot be scaled.</summary>
    public string Cold { get; init; } = "down";

    /// <summary>For how long the API server has been silent.</summary>
    public double ApiSilentSeconds { get; init; }

    /// <summary>Of a group in which nobody is promoted.</summary>
    public SharedObservation ReadShared()
    {
        var members = Members.Select(m => MemberWords.Read(m.Key, m.Value)).OrderBy(m => m.Name, StringComparer.Ordinal).ToArray();
        var seen = FitSeconds.Aggregate(GivenShared.Shared(Spec.ReadShared(), members), (all, fit) => all.FitFor(fit.Key, fit.Value));
        return seen with
        {
            Group = seen.Group with
            {
                WorkloadReplicas = 3,
                Services = members.FirstOrDefault(m => m.TermLabel is not null) is { } led
                    ? [Given.Service("db-rw") with { SelectedPod = led.Name, PublishedTerm = led.TermLabel }] : seen.Group.Services,
                Operator = new OperatorObservation(Synced: true, TimeSpan.FromSeconds(ApiSilentSeconds)),
            },
            AdmittedAgo = AdmittedSecondsAgo is { } ago ? TimeSpan.FromSeconds(ago) : null,
        };
    }

    public GroupObservation Read()
    {
        if (Spec.Mode != RedundancyMode.ActivePassive) return ReadShared().Group;
        var members = Members.Select(m => MemberWords.Read(m.Key, m.Value)).OrderBy(m => m.Name, StringComparer.Ordinal).ToArray();
        if (Lease is not null) members = [.. members.Select(m => m.Answers ? m.Knows(1) is var knows && Acknowledged(m) is { } facts ? knows.Tells(_ => facts with { Term = 1 }) : knows : m)];
        var group = Chosen is null ? Given.NewGroup([.. members.Select(m => m with { RoleLabel = null, TermLabel = null })]) : Given.Group(members);
        group = group with
        {
            Spec = (Lease is null ? Spec.Read() : Spec.ReadWithAgents()) with { DependsOn = [.. DependsOn.Keys.Select(name => new DependencySpec { Name = name })] },
            WorkloadReplicas = 3,
            Failovers =
            [
                .. Past.Select((text, n) => PastFailover.Read(n - Past.Count + 1, text)),
                .. Chosen is null ? [] : new[] { BeganWith is null ? Given.Ended(1, Chosen) : PastFailover.Began(Given.Ended(1, Chosen), BeganWith) },
                .. Failover is null ? [] : new[] { Failover.Read() },
            ],
            Acknowledged = AcknowledgedUpTo,
            AcceptedLosses = LossAcceptedSince is { } since ? [since] : [],
            WantedFitFor = WantedFitSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            FailbackTimes = FailbackDueSeconds is [var ago, var next]
                ? new FailbackTimes(new(TimeSpan.FromSeconds(ago), "2026-11-28T02:30:00+00:00"), new(TimeSpan.FromSeconds(next), "2026-12-05T02:30:00+00:00")) : null,
            Dependencies = [.. DependsOn.Select(d => GivenDependencies.Observation(d.Key, d.Value))],
            FailedSince = DependsOn.Count == 0 ? null : new FailureTime(TimeSpan.FromSeconds(FailedSeconds), GivenDependencies.Since, TimeSpan.FromSeconds(FailedSeconds)),
            SuspendedUntil = Spec.Suspended is null ? null : new Schedule.AtOnce(),
            Rollout = UpdateRevision is { } revision ? new RolloutObservation(revision, ByDeletion: true) : null,
            Domains = new FailureDomains(ClusterZones, ClusterZones),
            PrimaryMemory = Chosen is not null && Remembered ? group.PrimaryMemory! with { Uid = Given.Uid(Chosen), Instance = $"server-1-{Chosen}", ContainerId = $"run-1-{Chosen}", LastServiceAge = TimeSpan.FromSeconds(UnheardSeconds) } : null,
            Cold = Spec.Standby != StandbyTemperature.Cold ? null : Cold switch
            {
                "down" => new ColdObservation.Seen(0, "1"),
                "up" => new ColdObservation.Seen(1, "2"),
                "cannot be read" => new ColdObservation.Unread("no answer"),
                var why => new ColdObservation.Unusable(why),
            },
            Departures = [.. Gone.Select(g => Given.Departed(Confirmed(g.Value)) with { Uid = Given.Uid(g.Key), Name = g.Key })],
            Operator = new OperatorObservation(Synced: true, TimeSpan.FromSeconds(ApiSilentSeconds)),
        };
        return Lease is null ? group : LeaseWords.Read(group, Chosen, Members.Keys, Lease);
    }

    /// <summary>What the phrases told of it already.</summary>
    private static AgentFacts? Acknowledged(Member member) => member.Probe.Status!.Agent;

    private static bool Confirmed(string how) => how switch
    {
        "kubelet confirmed" => true,
        "removed by force" => false,
        _ => throw new FormatException($"a pod is gone by \"kubelet confirmed\" or \"removed by force\", not by: {how}"),
    };

    internal sealed record SpecPart
    {
        public RedundancyMode Mode { get; init; }

        public int MinActive { get; init; } = 2;

        public int Spares { get; init; } = 2;

        public StartState StartsAs { get; init; } = StartState.Writable;

        public UnprovenFence WhenUnproven { get; init; } = UnprovenFence.Block;

        public int UnhealthyAfterSeconds { get; init; } = 5;

        /// <summary>With agents.</summary>
        public EngineType Engine { get; init; } = EngineType.PostgreSQL;

        public OnProcessCrash OnProcessCrash { get; init; } = OnProcessCrash.Failover;

        public PromotionPolicy Promotion { get; init; } = PromotionPolicy.Automatic;

        public DataLossPolicy DataLoss { get; init; } = DataLossPolicy.WithinTarget;

        public FailbackPolicy Failback { get; init; } = FailbackPolicy.Never;

        /// <summary>Of members that are wanted more or less than usual.</summary>
        public Dictionary<string, int> Priorities { get; init; } = [];

        /// <summary>Why the group is suspended. Null: it is not.</summary>
        public string? Suspended { get; init; }

        public int RtoSeconds { get; init; } = 30;

        /// <summary>Null: 0 with PostgreSQL, else 30.</summary>
        public int? RpoSeconds { get; init; }

        public StandbyTemperature Standby { get; init; }

        public int? SyncTimeoutSeconds { get; init; }

        /// <summary>Of a cold standby.</summary>
        public ColdData Data { get; init; } = ColdData.Shared;

        /// <summary>Empty: the first way only.</summary>
        public List<FencingMethod> Policy { get; init; } = [];

        public RedundancyGroupSpec Read() => Given.Spec with
        {
            Spares = Spares,
            Engine = Given.Spec.Engine with { StartsAs = StartsAs },
            Fencing = Given.Spec.Fencing with
            {
                WhenUnproven = WhenUnproven,
                Policy = Policy.Count > 0 ? Policy : Given.Spec.Fencing.Policy,
                Job = Policy.Contains(FencingMethod.Job) ? new FencingJobSpec { Image = "ipmi" } : null,
            },
            Targets = new TargetsSpec { RtoSeconds = RtoSeconds, RpoSeconds = RpoSeconds ?? 30 },
            Standby = Standby,
            Cold = Standby != StandbyTemperature.Cold ? null : new ColdSpec { WorkloadRef = new ScalableReference { Name = "db-cold" }, Data = Data, StartTimeoutSeconds = 20 },
            Warm = SyncTimeoutSeconds is { } timeout ? new WarmSpec { SyncTimeoutSeconds = timeout } : null,
            Failback = new FailbackSpec { Policy = Failback, Schedule = Failback == FailbackPolicy.Scheduled ? "30 2 * * 6" : null },
            Suspended = Suspended is null ? null : new SuspensionSpec { Reason = Suspended },
            Promotion = Given.Spec.Promotion with { Policy = Promotion, DataLoss = DataLoss, Priorities = [.. Priorities.Select(p => new MemberPriority { Member = p.Key, Priority = p.Value })] },
            Detection = Given.Spec.Detection with { UnhealthyAfterSeconds = UnhealthyAfterSeconds, OnProcessCrash = OnProcessCrash },
        };

        public RedundancyGroupSpec ReadShared() => Mode == RedundancyMode.Quorum
            ? GivenShared.Quorum with { Spares = Spares }
            : GivenShared.ActiveActive with { MinActive = MinActive, Spares = Spares };

        public RedundancyGroupSpec ReadWithAgents()
        {
            var spec = Read();
            return spec with
            {
                Engine = new EngineSpec { Type = Engine },
                Targets = new TargetsSpec { RtoSeconds = RtoSeconds, RpoSeconds = RpoSeconds ?? (Engine == EngineType.PostgreSQL ? 0 : 30) },
                Agent = GivenAgents.Spec.Agent,
                Fencing = spec.Fencing with { Policy = Policy.Count > 0 ? Policy : GivenAgents.Spec.Fencing.Policy },
            };
        }
    }

    internal sealed record FailoverPart
    {
        public FailoverPhase Phase { get; init; }

        public double ForSeconds { get; init; }

        /// <summary>Since the phase was written down, by an operator that was there before. Null: the same.</summary>
        public double? WrittenSecondsAgo { get; init; }

        public FailoverType Type { get; init; } = FailoverType.Failover;

        public string? Target { get; init; }

        public FailoverCause Cause { get; init; } = FailoverCause.PrimaryPodGone;

        /// <summary>The old primary.</summary>
        public string From { get; init; } = "db-0";

        /// <summary>The new one. Null: not chosen yet.</summary>
        public string? Candidate { get; init; }

        /// <summary>How the old primary was fenced. Null: it is not yet.</summary>
        public FenceEvidence? Fence { get; init; }

        /// <summary>Why the fencing Job failed. Null: there is none, or it has not.</summary>
        public string? JobFailed { get; init; }

        /// <summary>The pod whose end a person has confirmed. Null: nobody has.</summary>
        public string? FenceConfirmedFor { get; init; }

        public FailoverRecord Read()
        {
            var running = Given.Running(Phase, candidate: Candidate, phaseFor: ForSeconds);
            return running with
            {
                Spec = running.Spec with { Type = Type, Target = Target, DeadlineSeconds = FailoverSpec.DefaultDeadlineSeconds, Cause = Cause, From = Given.Reference(From) },
                Status = running.Status with { Fence = Fence is { } evidence ? new FenceRecord { Evidence = evidence } : null },
                InPhaseFor = Given.Seconds(WrittenSecondsAgo ?? ForSeconds),
                FenceConfirmedFor = FenceConfirmedFor,
                FencingJob = JobFailed is { } why ? new JobObservation.Failed(why) : new JobObservation.NotCreated(),
            };
        }
    }
}
