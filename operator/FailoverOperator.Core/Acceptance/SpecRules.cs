using System.Globalization;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Acceptance;

/// <summary>A broken rule and the sentence for the user.</summary>
public sealed record RuleViolation(string RuleId, string Message);

/// <summary>
/// The CEL rules of the CRD once more, for API servers that do not know CEL (before 1.25). The messages are the same; where there is
/// something to reckon, they say the result, too.
/// </summary>
public static class SpecRules
{
    public static IReadOnlyList<RuleViolation> Check(RedundancyGroupSpec spec) =>
        [.. ModeRules(spec).Concat(EngineRules(spec)).Concat(DetectionRules(spec)).Concat(AgentRules(spec)).Concat(SharedRules(spec)).Where(r => !r.Holds).Select(r => new RuleViolation(r.Id, Message(r.Id, spec)))];

    private static IEnumerable<(string Id, bool Holds)> ModeRules(RedundancyGroupSpec spec)
    {
        var isNPlusM = spec.Mode == RedundancyMode.NPlusM;
        yield return (RuleIds.OneActive, isNPlusM || spec.Active == 1);
        yield return (RuleIds.SlotsNeedNPlusM, spec.Mode == RedundancyMode.NPlusM || spec.Slots.Count == 0);
        yield return (RuleIds.SlotsExist, spec.Mode != RedundancyMode.NPlusM || spec.Slots.All(s => Slots.Names(spec).Contains(s.Name)));
        yield return (RuleIds.SlotsNeedHooks, !isNPlusM || spec.Engine.Type == EngineType.Hooks);
        yield return (RuleIds.StandbyNeedsActivePassive, spec.Standby == StandbyTemperature.Hot || spec.Mode == RedundancyMode.ActivePassive);
        yield return (RuleIds.WarmOnly, spec.Standby == StandbyTemperature.Warm || spec.Warm is null);
        var isCold = spec.Standby == StandbyTemperature.Cold;
        yield return (RuleIds.ColdNeedsSpec, isCold == spec.Cold is not null);
        yield return (RuleIds.ColdNeedsHooks, !isCold || spec.Engine is { Type: EngineType.Hooks, StartsAs: StartState.ReadOnly });
        yield return (RuleIds.ColdIsAnotherWorkload, spec.Cold?.WorkloadRef is not { Kind: nameof(WorkloadKind.StatefulSet) } standby || standby.Name != spec.WorkloadRef.Name);
        yield return (RuleIds.SlotsServeActive, !isNPlusM || spec.Traffic.Services.All(s => s.Role == TrafficRole.Active));
    }

    private static IEnumerable<(string Id, bool Holds)> EngineRules(RedundancyGroupSpec spec)
    {
        var engine = spec.Engine;
        yield return (RuleIds.HooksRequired, engine.Type != EngineType.Hooks || engine.Hooks is not null);
        yield return (RuleIds.HooksOnlyForHooks, engine.Type == EngineType.Hooks || engine.Hooks is null);
        yield return (RuleIds.RedisOnlyForRedis, engine.Type == EngineType.Redis || engine.Redis is null);
        yield return (RuleIds.PostgreSqlOnlyForPostgreSql, engine.Type == EngineType.PostgreSQL || engine.PostgreSql is null);
        yield return (RuleIds.RedisIsAsynchronous, engine.Type != EngineType.Redis || spec.Targets.RpoSeconds >= 1);
        yield return (RuleIds.ExecOrHttp, Hooks(engine.Hooks).All(hook => hook.Exec is null != hook.Http is null));
    }

    private static IEnumerable<(string Id, bool Holds)> DetectionRules(RedundancyGroupSpec spec)
    {
        var detection = spec.Detection;
        yield return (RuleIds.DetectionWithinRto, detection.UnhealthyAfterSeconds < spec.Targets.RtoSeconds);
        yield return (RuleIds.CooldownWithinMaximum, spec.Protection.CooldownSeconds <= spec.Protection.CooldownMaximumSeconds);
        yield return (RuleIds.ProbeFitsDetection, detection.ProbeTimeoutMilliseconds + detection.ProbeIntervalMilliseconds <= detection.UnhealthyAfterSeconds * 1000L);
    }

    private static IEnumerable<(string Id, bool Holds)> AgentRules(RedundancyGroupSpec spec)
    {
        var (hasAgent, policy) = (spec.Agent is not null, spec.Fencing.Policy);
        yield return (RuleIds.FailbackNeedsSwitchover, hasAgent || (Switchover.IsPossible(spec) && !Slots.AreBound(spec)) || spec.Cold?.Data == ColdData.Shared || spec.Failback.Policy == FailbackPolicy.Never);
        yield return (RuleIds.CordonNeedsSwitchover, Switchover.IsPossible(spec) || spec.Disruption.OnCordon == DisruptionAnswer.Ignore);
        yield return (RuleIds.FailbackNeedsPriorities, spec.Failback.Policy == FailbackPolicy.Never || spec.Standby == StandbyTemperature.Cold || spec.Promotion.Priorities.Count > 0);
        yield return (RuleIds.FailbackScheduleFitsPolicy, spec.Failback.Policy == FailbackPolicy.Scheduled ? spec.Failback.Schedule is not null : spec.Failback is { Schedule: null, TimeZone: null });
        yield return (RuleIds.LeaseWithinRto, !hasAgent || spec.Detection.LeaseDurationSeconds < spec.Targets.RtoSeconds);
        yield return (RuleIds.SelfFenceNeedsAgent, hasAgent || !policy.Contains(FencingMethod.SelfFence));
        yield return (RuleIds.AgentNeedsSelfFence, !hasAgent || policy is [FencingMethod.SelfFence, ..]);
        yield return (RuleIds.PostgreSqlNeedsAgent, hasAgent || spec.Engine.Type != EngineType.PostgreSQL);
        yield return (RuleIds.HooksWithoutAgent, !hasAgent || spec.Engine.Type != EngineType.Hooks);
        yield return (RuleIds.JobNeedsSpec, policy.Contains(FencingMethod.Job) == spec.Fencing.Job is not null);
        yield return (RuleIds.LeaseTimingsAreSafe, !hasAgent || LeaseTimings.Of(spec).IsSafe);
        yield return (RuleIds.RenewalsFitStop, !hasAgent || LeaseTimings.Of(spec).BearsOneLostRenewal);
        yield return (RuleIds.RestartFirstNeedsAgent, hasAgent || spec.Detection.OnProcessCrash == OnProcessCrash.Failover);
    }

    private static IEnumerable<(string Id, bool Holds)> SharedRules(RedundancyGroupSpec spec)
    {
        var (isActiveActive, isQuorum, hooks) = (spec.Mode == RedundancyMode.ActiveActive, spec.Mode == RedundancyMode.Quorum, spec.Engine.Hooks);
        var isShared = isActiveActive || isQuorum;
        yield return (RuleIds.PromotionNeedsHooks, isShared || hooks is null or { Promote: not null, Follow: not null });
        yield return (RuleIds.StatusHookOnly, !isShared || hooks is null or { Promote: null, Follow: null, Demote: null, Verify: null });
        yield return (RuleIds.NobodyIsPromoted, !isShared || spec is
        {
            Agent: null,
            Fencing.Job: null,
            Promotion: { Policy: PromotionPolicy.Automatic, Priorities.Count: 0 },
            Failback.Policy: FailbackPolicy.Never,
        });
        yield return (RuleIds.DependsOnNeedsFailovers, !isShared || spec.DependsOn.Count == 0);
        yield return (RuleIds.ActiveActiveOnly, isActiveActive || spec is { MinActive: null, Readmission: null });
        yield return (RuleIds.NoEngineNeedsActiveActive, spec.Engine.Type != EngineType.None || isActiveActive);
        yield return (RuleIds.QuorumOnly, isQuorum || spec.Quorum is null);
        yield return (RuleIds.QuorumNeedsHooks, !isQuorum || spec.Engine.Type == EngineType.Hooks);
        yield return (RuleIds.NothingToSuspend, !isActiveActive || spec.Suspended is null);
        yield return (RuleIds.AllAreActive, !isActiveActive || spec.Traffic.Services.All(s => s.Role == TrafficRole.Active));
    }

    private static string Message(string ruleId, RedundancyGroupSpec spec) =>
        ruleId == RuleIds.LeaseTimingsAreSafe ? $"{Messages[ruleId]}; {Advice(spec)}" : Messages[ruleId];

    /// <summary>How much is missing, and values that would work.</summary>
    private static string Advice(RedundancyGroupSpec spec)
    {
        var timings = LeaseTimings.Of(spec);
        var stopAfter = (int)Math.Ceiling((timings.Limit - timings.DemoteBound - LeaseTimings.TimerGranularity).TotalMilliseconds) - 1;
        var or = stopAfter >= 2 * spec.Detection.RenewIntervalMilliseconds ? string.Create(CultureInfo.InvariantCulture, $", or stopAfterMilliseconds: {stopAfter}") : "";
        return string.Create(CultureInfo.InvariantCulture, $"the slack is {Math.Floor(timings.Slack.TotalMilliseconds)} ms and must be more than 0: leaseDurationSeconds: {timings.LeastDurationSeconds} would do{or}");
    }

    private static IEnumerable<HookSpec> Hooks(HooksEngineSpec? hooks) => hooks is null
        ? []
        : new[] { hooks.Status, hooks.Promote, hooks.Follow, hooks.Demote, hooks.Verify }.OfType<HookSpec>();

    /// <summary>Read off the attributes of the contract, so that both checks say the same.</summary>
    private static IReadOnlyDictionary<string, string> Messages { get; } =
        new[] { typeof(RedundancyGroupSpec), typeof(HookSpec) }
            .SelectMany(type => type.GetCustomAttributes(typeof(Api.Attributes.ValidationRuleAttribute), false))
            .Cast<Api.Attributes.ValidationRuleAttribute>()
            .ToDictionary(rule => rule.Id, rule => rule.Message);
}
