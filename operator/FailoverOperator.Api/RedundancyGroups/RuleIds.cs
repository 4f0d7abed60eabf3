namespace FailoverOperator.Api.RedundancyGroups;

/// <summary>Names of the validation rules, shared by the CRD and the operator's own check.</summary>
public static class RuleIds
{
    public const string OneActive = nameof(OneActive);
    public const string SlotsNeedNPlusM = nameof(SlotsNeedNPlusM);
    public const string SlotsExist = nameof(SlotsExist);
    public const string SlotsNeedHooks = nameof(SlotsNeedHooks);
    public const string SlotsServeActive = nameof(SlotsServeActive);
    public const string HooksRequired = nameof(HooksRequired);
    public const string HooksOnlyForHooks = nameof(HooksOnlyForHooks);
    public const string RedisOnlyForRedis = nameof(RedisOnlyForRedis);
    public const string RedisIsAsynchronous = nameof(RedisIsAsynchronous);
    public const string DetectionWithinRto = nameof(DetectionWithinRto);
    public const string FailbackNeedsSwitchover = nameof(FailbackNeedsSwitchover);
    public const string FailbackNeedsPriorities = nameof(FailbackNeedsPriorities);
    public const string FailbackScheduleFitsPolicy = nameof(FailbackScheduleFitsPolicy);
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
    public const string CordonNeedsSwitchover = nameof(CordonNeedsSwitchover);
    public const string CooldownWithinMaximum = nameof(CooldownWithinMaximum);
    public const string PromotionNeedsHooks = nameof(PromotionNeedsHooks);
    public const string StatusHookOnly = nameof(StatusHookOnly);
    public const string NobodyIsPromoted = nameof(NobodyIsPromoted);
    public const string DependsOnNeedsFailovers = nameof(DependsOnNeedsFailovers);
    public const string ActiveActiveOnly = nameof(ActiveActiveOnly);
    public const string NoEngineNeedsActiveActive = nameof(NoEngineNeedsActiveActive);
    public const string AllAreActive = nameof(AllAreActive);
    public const string QuorumOnly = nameof(QuorumOnly);
    public const string QuorumNeedsHooks = nameof(QuorumNeedsHooks);
    public const string NothingToSuspend = nameof(NothingToSuspend);
    public const string StandbyNeedsActivePassive = nameof(StandbyNeedsActivePassive);
    public const string WarmOnly = nameof(WarmOnly);
    public const string ColdNeedsSpec = nameof(ColdNeedsSpec);
    public const string ColdNeedsHooks = nameof(ColdNeedsHooks);
    public const string ColdIsAnotherWorkload = nameof(ColdIsAnotherWorkload);
    public const string ExecOrHttp = nameof(ExecOrHttp);
    public const string RequestIsPossible = nameof(RequestIsPossible);
    public const string RequestHasNoTerm = nameof(RequestHasNoTerm);
    public const string SpecIsImmutable = nameof(SpecIsImmutable);
}
