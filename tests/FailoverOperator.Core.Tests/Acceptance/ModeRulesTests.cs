using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Tests.Sharing;

namespace FailoverOperator.Core.Tests.Acceptance;

/// <summary>The rules about modes, standbys and failback, each on both sides of where it begins to hold.</summary>
public sealed class ModeRulesTests
{
    private static readonly HookSpec Hook = new() { Http = new HttpHookSpec { Port = 80 } };
    private static readonly HooksEngineSpec Promoting = new() { Status = Hook, Promote = Hook, Follow = Hook };

    private static readonly RedundancyGroupSpec Hooked = Given.Spec with { Engine = new EngineSpec { Type = EngineType.Hooks, StartsAs = StartState.ReadOnly, Hooks = Promoting } };
    private static readonly RedundancyGroupSpec NPlusM = Hooked with { Mode = RedundancyMode.NPlusM, Active = 3, Slots = [new SlotSpec { Name = "2", Priority = 1 }] };
    private static readonly RedundancyGroupSpec Warm = Given.Spec with { Standby = StandbyTemperature.Warm, Warm = new WarmSpec() };
    private static readonly RedundancyGroupSpec Cold = Hooked with { Standby = StandbyTemperature.Cold, Cold = new ColdSpec { WorkloadRef = new ScalableReference { Name = "db-cold" } } };
    private static readonly RedundancyGroupSpec ActiveActive = GivenShared.ActiveActive with { Engine = new EngineSpec { Type = EngineType.Hooks, Hooks = new HooksEngineSpec { Status = Hook } } };
    private static readonly RedundancyGroupSpec Quorum = GivenShared.Quorum with { Engine = ActiveActive.Engine };
    private static readonly RedundancyGroupSpec FailsBack = GivenAgents.Spec with
    {
        Failback = new FailbackSpec { Policy = FailbackPolicy.Automatic },
        Promotion = Given.Spec.Promotion with { Priorities = [new MemberPriority { Member = "db-0", Priority = 200 }] },
    };

    private static TrafficSpec ToStandbys { get; } = new() { Services = [new ServiceReference { Name = "db-ro", Role = TrafficRole.Standby }] };

    public static TheoryData<RedundancyGroupSpec> GoodSpecs =>
    [
        Hooked, NPlusM, Warm, Cold, ActiveActive, Quorum, FailsBack,
        Given.Spec with { Traffic = ToStandbys },
        Warm with { Warm = null },
        Cold with { Cold = Cold.Cold! with { WorkloadRef = new ScalableReference { Name = "db", Kind = "Deployment" } } },
        ActiveActive with { Engine = new EngineSpec { Type = EngineType.None }, Readmission = new ReadmissionSpec() },
        Quorum with { Quorum = new QuorumSpec(), Suspended = new SuspensionSpec(), Traffic = ToStandbys },
        FailsBack with { Failback = new FailbackSpec { Policy = FailbackPolicy.Scheduled, Schedule = "30 2 * * 6", TimeZone = "UTC" } },
        Given.Spec with { Protection = new ProtectionSpec { CooldownSeconds = 900, CooldownMaximumSeconds = 900 } },
        Given.Spec with { Disruption = new DisruptionSpec { OnCordon = DisruptionAnswer.Switchover } },
        GivenAgents.Spec with { Targets = new TargetsSpec { RpoSeconds = 0, RtoSeconds = 8 }, Detection = new DetectionSpec { LeaseDurationSeconds = 7 } },
    ];

    [Theory]
    [MemberData(nameof(GoodSpecs), DisableDiscoveryEnumeration = true)]
    public void What_is_allowed_breaks_no_rule(RedundancyGroupSpec spec) => Assert.Empty(SpecRules.Check(spec));

    public static TheoryData<string, RedundancyGroupSpec> BadSpecs => new()
    {
        { RuleIds.OneActive, Given.Spec with { Active = 2 } },
        { RuleIds.SlotsNeedNPlusM, Given.Spec with { Slots = [new SlotSpec { Name = "0" }] } },
        { RuleIds.SlotsExist, NPlusM with { Slots = [new SlotSpec { Name = "0" }, new SlotSpec { Name = "3" }] } },
        { RuleIds.SlotsNeedHooks, NPlusM with { Engine = Given.Spec.Engine } },
        { RuleIds.SlotsServeActive, NPlusM with { Traffic = ToStandbys } },
        { RuleIds.StandbyNeedsActivePassive, NPlusM with { Standby = StandbyTemperature.Warm } },
        { RuleIds.WarmOnly, Given.Spec with { Warm = new WarmSpec() } },
        { RuleIds.ColdNeedsSpec, Cold with { Cold = null } },
        { RuleIds.ColdNeedsSpec, Hooked with { Cold = Cold.Cold } },
        { RuleIds.ColdNeedsHooks, Cold with { Engine = Cold.Engine with { StartsAs = StartState.Writable } } },
        { RuleIds.ColdNeedsHooks, Cold with { Engine = Given.Spec.Engine with { StartsAs = StartState.ReadOnly } } },
        { RuleIds.ColdIsAnotherWorkload, Cold with { Cold = Cold.Cold! with { WorkloadRef = new ScalableReference { Name = "db", Kind = nameof(WorkloadKind.StatefulSet) } } } },
        { RuleIds.CooldownWithinMaximum, Given.Spec with { Protection = new ProtectionSpec { CooldownSeconds = 901, CooldownMaximumSeconds = 900 } } },
        { RuleIds.FailbackNeedsSwitchover, FailsBack with { Agent = null, Engine = Hooked.Engine, Fencing = new FencingSpec { Policy = [FencingMethod.NodeOutOfService] } } },
        { RuleIds.FailbackNeedsPriorities, FailsBack with { Promotion = Given.Spec.Promotion } },
        { RuleIds.FailbackScheduleFitsPolicy, FailsBack with { Failback = new FailbackSpec { Policy = FailbackPolicy.Scheduled } } },
        { RuleIds.FailbackScheduleFitsPolicy, FailsBack with { Failback = FailsBack.Failback with { Schedule = "30 2 * * 6" } } },
        { RuleIds.FailbackScheduleFitsPolicy, FailsBack with { Failback = FailsBack.Failback with { TimeZone = "UTC" } } },
        { RuleIds.CordonNeedsSwitchover, Cold with { Disruption = new DisruptionSpec { OnCordon = DisruptionAnswer.Switchover } } },
        { RuleIds.LeaseWithinRto, GivenAgents.Spec with { Targets = new TargetsSpec { RpoSeconds = 0, RtoSeconds = 7 }, Detection = new DetectionSpec { LeaseDurationSeconds = 7 } } },
        { RuleIds.PromotionNeedsHooks, Hooked with { Engine = Hooked.Engine with { Hooks = Promoting with { Follow = null } } } },
        { RuleIds.PromotionNeedsHooks, Hooked with { Engine = Hooked.Engine with { Hooks = Promoting with { Promote = null } } } },
        { RuleIds.StatusHookOnly, With(ActiveActive, new HooksEngineSpec { Status = Hook, Verify = Hook }) },
        { RuleIds.StatusHookOnly, With(Quorum, new HooksEngineSpec { Status = Hook, Demote = Hook }) },
        { RuleIds.StatusHookOnly, With(Quorum, new HooksEngineSpec { Status = Hook, Promote = Hook }) },
        { RuleIds.StatusHookOnly, With(Quorum, new HooksEngineSpec { Status = Hook, Follow = Hook }) },
        { RuleIds.NobodyIsPromoted, Quorum with { Promotion = Quorum.Promotion with { Policy = PromotionPolicy.Manual } } },
        { RuleIds.NobodyIsPromoted, ActiveActive with { Promotion = FailsBack.Promotion } },
        { RuleIds.DependsOnNeedsFailovers, ActiveActive with { DependsOn = [new DependencySpec { Name = "other" }] } },
        { RuleIds.ActiveActiveOnly, Given.Spec with { MinActive = 1 } },
        { RuleIds.ActiveActiveOnly, Quorum with { Readmission = new ReadmissionSpec() } },
        { RuleIds.NoEngineNeedsActiveActive, Given.Spec with { Engine = new EngineSpec { Type = EngineType.None } } },
        { RuleIds.QuorumOnly, ActiveActive with { Quorum = new QuorumSpec() } },
        { RuleIds.QuorumNeedsHooks, Quorum with { Engine = Given.Spec.Engine } },
        { RuleIds.NothingToSuspend, ActiveActive with { Suspended = new SuspensionSpec() } },
        { RuleIds.AllAreActive, ActiveActive with { Traffic = ToStandbys } },
    };

    [Theory]
    [MemberData(nameof(BadSpecs), DisableDiscoveryEnumeration = true)]
    public void Each_rule_is_broken_alone(string rule, RedundancyGroupSpec spec) => Assert.Equal([rule], SpecRules.Check(spec).Select(v => v.RuleId));

    private static RedundancyGroupSpec With(RedundancyGroupSpec spec, HooksEngineSpec hooks) => spec with { Engine = spec.Engine with { Hooks = hooks } };
}
