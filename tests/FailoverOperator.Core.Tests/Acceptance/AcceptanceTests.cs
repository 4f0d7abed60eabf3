using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;

namespace FailoverOperator.Core.Tests.Acceptance;

public sealed class AcceptanceTests
{
    private static readonly HookSpec Http = new() { Http = new HttpHookSpec { Port = 80 } };
    private static readonly HooksEngineSpec Hooks = new() { Status = Http, Promote = Http, Follow = Http };

    public static TheoryData<string, Func<RedundancyGroupSpec, RedundancyGroupSpec>> BadSpecs => new()
    {
        { RuleIds.HooksRequired, s => s with { Engine = new EngineSpec { Type = EngineType.Hooks } } },
        { RuleIds.HooksOnlyForHooks, s => s with { Engine = s.Engine with { Hooks = Hooks } } },
        { RuleIds.RedisOnlyForRedis, s => s with { Engine = new EngineSpec { Type = EngineType.Hooks, Hooks = Hooks, Redis = new RedisEngineSpec() } } },
        { RuleIds.RedisIsAsynchronous, s => s with { Targets = new TargetsSpec { RpoSeconds = 0 } } },
        { RuleIds.DetectionWithinRto, s => s with { Targets = new TargetsSpec { RtoSeconds = 5 } } },
        { RuleIds.ProbeFitsDetection, s => s with { Detection = new DetectionSpec { ProbeTimeoutMilliseconds = 4501 } } },
        { RuleIds.ExecOrHttp, s => s with { Engine = new EngineSpec { Type = EngineType.Hooks, Hooks = Hooks with { Demote = new HookSpec() } } } },
        { RuleIds.SelfFenceNeedsAgent, s => s with { Fencing = s.Fencing with { Policy = [FencingMethod.PodTermination, FencingMethod.SelfFence] } } },
        { RuleIds.AgentNeedsSelfFence, _ => GivenAgents.Spec with { Fencing = new FencingSpec { Policy = [FencingMethod.PodTermination, FencingMethod.SelfFence] } } },
        { RuleIds.AgentNeedsSelfFence, _ => GivenAgents.Spec with { Fencing = new FencingSpec() } },
        { RuleIds.PostgreSqlNeedsAgent, s => s with { Engine = new EngineSpec { Type = EngineType.PostgreSQL } } },
        { RuleIds.PostgreSqlOnlyForPostgreSql, s => s with { Engine = s.Engine with { PostgreSql = new PostgreSqlEngineSpec() } } },
        { RuleIds.HooksWithoutAgent, _ => GivenAgents.Spec with { Engine = new EngineSpec { Type = EngineType.Hooks, Hooks = Hooks } } },
        { RuleIds.JobNeedsSpec, s => s with { Fencing = s.Fencing with { Policy = [FencingMethod.PodTermination, FencingMethod.Job] } } },
        { RuleIds.JobNeedsSpec, s => s with { Fencing = s.Fencing with { Job = new FencingJobSpec { Image = "ipmi" } } } },
        { RuleIds.LeaseTimingsAreSafe, _ => GivenAgents.Spec with { Fencing = GivenAgents.Spec.Fencing with { StopAfterMilliseconds = 3801 } } },
        { RuleIds.RenewalsFitStop, _ => GivenAgents.Spec with { Detection = new DetectionSpec { RenewIntervalMilliseconds = 1501 } } },
        { RuleIds.RestartFirstNeedsAgent, s => s with { Detection = s.Detection with { OnProcessCrash = OnProcessCrash.RestartFirst } } },
        { RuleIds.ExecOrHttp, s => s with { Engine = new EngineSpec { Type = EngineType.Hooks, Hooks = Hooks with { Verify = Http with { Exec = new ExecHookSpec() } } } } },
    };

    [Theory]
    [MemberData(nameof(BadSpecs), DisableDiscoveryEnumeration = true)]
    public void Each_rule_is_broken_alone_and_says_what_to_write(string rule, Func<RedundancyGroupSpec, RedundancyGroupSpec> change)
    {
        var violation = Assert.Single(SpecRules.Check(change(Given.Spec)));
        Assert.Equal(rule, violation.RuleId);
        Assert.NotEmpty(violation.Message);
        var verdict = GroupAcceptance.Judge(Facts with { Spec = change(Given.Spec) });
        Assert.Equal((false, false, Reasons.InvalidSpec, violation.Message), (verdict.Accepted, verdict.CanAct, verdict.Reason, verdict.Message));
    }

    [Fact]
    public void A_good_spec_breaks_no_rule()
    {
        Assert.Empty(SpecRules.Check(Given.Spec));
        Assert.Empty(SpecRules.Check(Given.Spec with { Engine = new EngineSpec { Type = EngineType.Hooks, Hooks = Hooks }, Targets = new TargetsSpec { RpoSeconds = 0, RtoSeconds = 6 }, Detection = new DetectionSpec { ProbeTimeoutMilliseconds = 4500 } }));
    }

    [Fact]
    public void A_good_spec_with_agents_breaks_none_either()
    {
        Assert.Empty(SpecRules.Check(GivenAgents.Spec));
        Assert.Empty(SpecRules.Check(GivenAgents.Spec with
        {
            Fencing = GivenAgents.Spec.Fencing with { Policy = [FencingMethod.SelfFence, FencingMethod.Job], Job = new FencingJobSpec { Image = "ipmi" }, StopAfterMilliseconds = 3800 },
            Detection = new DetectionSpec { RenewIntervalMilliseconds = 1900, OnProcessCrash = OnProcessCrash.RestartFirst },
        }));
        // Without agents nobody keeps these times.
        Assert.Empty(SpecRules.Check(Given.Spec with { Fencing = new FencingSpec { StopAfterMilliseconds = 90_000 }, Detection = new DetectionSpec { RenewIntervalMilliseconds = 60_000 } }));
    }

    [Theory]
    [InlineData(5, 1000, 4000, 1000, "the slack is -200 ms and must be more than 0: leaseDurationSeconds: 6 would do, or stopAfterMilliseconds: 3800")]
    [InlineData(2, 1000, 2000, 1000, "leaseDurationSeconds: 4 would do")]
    public void Unsafe_timings_are_refused_with_their_slack_and_values_that_would_work(int d, int renew, int stopAfter, int demote, string advice)
    {
        static RedundancyGroupSpec With(int d, int renew, int stopAfter, int demote) => GivenAgents.Spec with
        {
            Detection = new DetectionSpec { LeaseDurationSeconds = d, RenewIntervalMilliseconds = renew },
            Fencing = GivenAgents.Spec.Fencing with { StopAfterMilliseconds = stopAfter, DemoteTimeoutMilliseconds = demote },
        };
        Assert.EndsWith(advice, Assert.Single(SpecRules.Check(With(d, renew, stopAfter, demote))).Message);
        // What it says is true.
        var seconds = int.Parse(System.Text.RegularExpressions.Regex.Match(advice, @"Seconds: (\d+)").Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Empty(SpecRules.Check(With(seconds, renew, stopAfter, demote)));
        Assert.NotEmpty(SpecRules.Check(With(seconds - 1, renew, stopAfter, demote)));
        if (!advice.Contains("stopAfter")) return;
        Assert.Empty(SpecRules.Check(With(d, renew, 3800, demote)));
        Assert.NotEmpty(SpecRules.Check(With(d, renew, 3801, demote)));
    }

    private static readonly ServiceFacts Service = new("db-rw", Exists: true, HasSelector: true, SelectsMembers: true, ClaimedBy: null);

    private static readonly SecretFacts Password = new("engine.redis.passwordSecretRef", new SecretKeyReference { Name = "pw", Key = "k" }, Exists: true, HasKey: true);

    private static AcceptanceFacts Facts => new() { Spec = Given.Spec, WorkloadReplicas = 3, Services = [Service], Secrets = [Password] };

    public static TheoryData<string, Func<AcceptanceFacts, AcceptanceFacts>, bool> Cases => new()
    {
        { Reasons.Valid, f => f, true },
        { Reasons.WorkloadNotFound, f => f with { WorkloadReplicas = null }, false },
        { Reasons.WorkloadClaimed, f => f with { WorkloadClaimedBy = "other" }, false },
        { Reasons.SecretNotFound, f => f with { Secrets = [Password, Password with { Exists = false, HasKey = false }] }, false },
        { Reasons.SecretKeyNotFound, f => f with { Secrets = [Password with { HasKey = false }] }, false },
        { Reasons.ServiceNotFound, f => f with { Services = [Service, Service with { Exists = false }] }, true },
        { Reasons.ServiceWithoutSelector, f => f with { Services = [Service with { HasSelector = false }] }, true },
        { Reasons.ServiceSelectsNothing, f => f with { Services = [Service with { SelectsMembers = false }] }, true },
        { Reasons.ServiceClaimed, f => f with { Services = [Service with { ClaimedBy = "other" }] }, true },
        { Reasons.TooFewReplicas, f => f with { WorkloadReplicas = 2 }, true },
    };

    [Theory]
    [MemberData(nameof(Cases), DisableDiscoveryEnumeration = true)]
    public void What_is_named_must_be_as_it_must(string reason, Func<AcceptanceFacts, AcceptanceFacts> change, bool canAct)
    {
        var verdict = GroupAcceptance.Judge(change(Facts));
        Assert.Equal((reason == Reasons.Valid, canAct, reason), (verdict.Accepted, verdict.CanAct, verdict.Reason));
        Assert.NotEmpty(verdict.Message);
    }

    [Theory]
    [InlineData(false, "there is no Secret pw in this namespace; create it, or correct agent.tokenSecretRef.name")]
    [InlineData(true, "Secret pw has nothing under key k; add it, or correct agent.tokenSecretRef.key")]
    public void A_missing_secret_is_named_with_the_field_that_names_it(bool exists, string message) =>
        Assert.Equal(message, GroupAcceptance.Judge(Facts with { Secrets = [Password with { Field = "agent.tokenSecretRef", Exists = exists, HasKey = false }] }).Message);
}
