using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Acceptance;

/// <summary>A Service that the spec names, as it is.</summary>
/// <param name="Exists">Whether there is one of this name.</param>
/// <param name="HasSelector">Whether it selects pods at all.</param>
/// <param name="SelectsMembers">Whether its selector, the role aside, matches a pod template of the workload.</param>
/// <param name="ClaimedBy">Another, older group that names the same Service. Null: none.</param>
public sealed record ServiceFacts(string Name, bool Exists, bool HasSelector, bool SelectsMembers, string? ClaimedBy);

/// <summary>A key of a Secret that the spec names, as it is.</summary>
/// <param name="Field">The field that names it, such as <c>agent.tokenSecretRef</c>.</param>
/// <param name="HasKey">Whether it has the key, and a value under it.</param>
public sealed record SecretFacts(string Field, SecretKeyReference Reference, bool Exists, bool HasKey);

/// <summary>What the spec refers to, as it is.</summary>
public sealed record AcceptanceFacts
{
    public required RedundancyGroupSpec Spec { get; init; }

    /// <summary>Replicas of the workload. Null: there is no such workload.</summary>
    public required int? WorkloadReplicas { get; init; }

    /// <summary>Another, older group that names the same workload. Null: none.</summary>
    public string? WorkloadClaimedBy { get; init; }

    /// <summary>Another, older group that names the cold standby's workload. Null: none.</summary>
    public string? ColdClaimedBy { get; init; }

    public IReadOnlyList<ServiceFacts> Services { get; init; } = [];

    public DependencyGraph Dependencies { get; init; } = DependencyGraph.None;

    /// <summary>Why <c>failback.schedule</c> is never due. Null: it is, or there is none.</summary>
    public string? ScheduleProblem { get; init; }

    /// <summary>The Secrets that are named.</summary>
    public IReadOnlyList<SecretFacts> Secrets { get; init; } = [];
}

/// <summary>Whether the group can be taken on.</summary>
/// <param name="Accepted">All is as it must be.</param>
/// <param name="CanAct">
/// The operator protects the group. Where something beside the members is wrong, such as one of the Services, it does
/// so all the same: a failover is worth more than tidiness.
/// </param>
public sealed record AcceptanceVerdict(bool Accepted, bool CanAct, string Reason, string Message);

/// <summary>Checks a group against what it refers to. Pure.</summary>
public static class GroupAcceptance
{
    public static AcceptanceVerdict Judge(AcceptanceFacts facts) =>
        Fatal(facts) ?? facts.Services.Select(OfService).FirstOrDefault(v => v is not null) ?? OfReplicas(facts) ?? OfSchedule(facts) ?? OfDependencies(facts.Dependencies)
        ?? new(true, true, Reasons.Valid, "the spec is valid, and what it names exists");

    private static AcceptanceVerdict? Fatal(AcceptanceFacts facts)
    {
        var workload = facts.Spec.WorkloadRef.Name;
        if (SpecRules.Check(facts.Spec) is { Count: > 0 } violations)
            return Refused(Reasons.InvalidSpec, string.Join("; ", violations.Select(v => v.Message)));
        if (facts.WorkloadReplicas is null)
            return Refused(Reasons.WorkloadNotFound, $"there is no StatefulSet {workload} in this namespace; create it, or correct workloadRef.name");
        if (facts.WorkloadClaimedBy is { } claimant)
            return Refused(Reasons.WorkloadClaimed, $"StatefulSet {workload} belongs to the older group {claimant}; delete one of the two groups, or let this one name another workload");
        if (facts.ColdClaimedBy is { } other)
            return Refused(Reasons.WorkloadClaimed, $"{Recovery.ColdStandby.Name(facts.Spec)} of cold.workloadRef belongs to the older group {other}; delete one of the two groups, or let this one name another workload");
        return facts.Secrets.Select(OfSecret).FirstOrDefault(v => v is not null);
    }

    private static AcceptanceVerdict? OfSecret(SecretFacts secret) =>
        !secret.Exists ? Refused(Reasons.SecretNotFound, $"there is no Secret {secret.Reference.Name} in this namespace; create it, or correct {secret.Field}.name")
        : !secret.HasKey ? Refused(Reasons.SecretKeyNotFound, $"Secret {secret.Reference.Name} has nothing under key {secret.Reference.Key}; add it, or correct {secret.Field}.key")
        : null;

    private static AcceptanceVerdict? OfService(ServiceFacts service)
    {
        if (!service.Exists) return Degraded(Reasons.ServiceNotFound, $"there is no Service {service.Name} in this namespace; create it, or remove it from traffic.services");
        if (!service.HasSelector) return Degraded(Reasons.ServiceWithoutSelector, $"Service {service.Name} has no selector, so it cannot be led to a member; give it a selector that matches the workload's pods");
        if (!service.SelectsMembers) return Degraded(Reasons.ServiceSelectsNothing, $"the selector of Service {service.Name} matches no pod of the workload; correct it");
        return service.ClaimedBy is { } claimant
            ? Degraded(Reasons.ServiceClaimed, $"Service {service.Name} belongs to the older group {claimant}; remove it from one of the two groups")
            : null;
    }

    private static AcceptanceVerdict? OfReplicas(AcceptanceFacts facts)
    {
        var (wanted, sum) = facts.Spec.Mode switch
        {
            RedundancyMode.ActivePassive when facts.Spec.Standby == StandbyTemperature.Cold =>
                (facts.Spec.Active + Math.Max(0, facts.Spec.Spares - 1), "active + spares, without the cold standby,"),
            RedundancyMode.ActivePassive or RedundancyMode.NPlusM => (facts.Spec.Active + facts.Spec.Spares, "active + spares"),
            RedundancyMode.ActiveActive => ((facts.Spec.MinActive ?? 1) + facts.Spec.Spares, "minActive + spares"),
            RedundancyMode.Quorum => ((2 * facts.Spec.Spares) + 1, "2 × spares + 1"),
            var mode => throw new ArgumentOutOfRangeException(nameof(facts), mode, "unknown mode"),
        };
        return facts.WorkloadReplicas < wanted
            ? Degraded(Reasons.TooFewReplicas, $"{sum} are {wanted} members, but StatefulSet {facts.Spec.WorkloadRef.Name} has {facts.WorkloadReplicas} replicas; scale it up, or lower spares")
            : null;
    }

    /// <summary>Failovers do not depend on it.</summary>
    private static AcceptanceVerdict? OfSchedule(AcceptanceFacts facts) => facts.ScheduleProblem is { } problem
        ? Degraded(Reasons.ScheduleInvalid, $"{problem}; until it is corrected there is no failback")
        : null;

    /// <summary>An order that nobody can keep is kept by nobody.</summary>
    private static AcceptanceVerdict? OfDependencies(DependencyGraph graph) =>
        graph.Cycle is { } cycle
            ? Degraded(Reasons.DependencyCycle, $"dependsOn leads in a circle: {string.Join(" → ", cycle)}; remove one of these; until then none of them waits for the others")
        : graph.Missing is [var missing, ..]
            ? Degraded(Reasons.DependencyNotFound, $"there is no group {missing} in this namespace; create it, or remove it from dependsOn; until then nobody waits for it")
        : null;

    private static AcceptanceVerdict Refused(string reason, string message) => new(false, false, reason, message);

    private static AcceptanceVerdict Degraded(string reason, string message) => new(false, true, reason, message);
}
