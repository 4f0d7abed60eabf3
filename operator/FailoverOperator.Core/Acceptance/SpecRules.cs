using FailoverOperator.Api.RedundancyGroups;

namespace FailoverOperator.Core.Acceptance;

/// <summary>A broken rule and the sentence for the user.</summary>
public sealed record RuleViolation(string RuleId, string Message);

/// <summary>
/// The CEL rules of the CRD once more, for API servers that do not know CEL (before 1.25). The messages are the same.
/// </summary>
public static class SpecRules
{
    public static IReadOnlyList<RuleViolation> Check(RedundancyGroupSpec spec)
    {
        var violations = new List<RuleViolation>();
        var isHooks = spec.Engine.Type == EngineType.Hooks;
        Require(RuleIds.HooksRequired, !isHooks || spec.Engine.Hooks is not null);
        Require(RuleIds.HooksOnlyForHooks, isHooks || spec.Engine.Hooks is null);
        Require(RuleIds.RedisOnlyForRedis, spec.Engine.Type == EngineType.Redis || spec.Engine.Redis is null);
        Require(RuleIds.RedisIsAsynchronous, spec.Engine.Type != EngineType.Redis || spec.Targets.RpoSeconds >= 1);
        Require(RuleIds.DetectionWithinRto, spec.Detection.UnhealthyAfterSeconds < spec.Targets.RtoSeconds);
        Require(RuleIds.ProbeFitsDetection,
            spec.Detection.ProbeTimeoutMilliseconds + spec.Detection.ProbeIntervalMilliseconds <= spec.Detection.UnhealthyAfterSeconds * 1000L);
        Require(RuleIds.ExecOrHttp, Hooks(spec.Engine.Hooks).All(hook => hook.Exec is null != hook.Http is null));
        return violations;

        void Require(string ruleId, bool holds)
        {
            if (!holds) violations.Add(new(ruleId, Messages[ruleId]));
        }
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
