using System.Globalization;
using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Reporting;
using FailoverOperator.Core.Sharing;

namespace FailoverOperator.Core.Tests.Scenarios;

/// <summary>What the operator makes of it: expect.yaml.</summary>
internal sealed record ExpectFile
{
    public string Diagnosis { get; init; } = "";

    public string Decision { get; init; } = "";

    /// <summary>What is done at once.</summary>
    public List<string> Steps { get; init; } = [];

    /// <summary>Who would be promoted if the primary failed now.</summary>
    public string WouldTakeOver { get; init; } = "nobody";

    /// <summary>Status and reason of each condition of the group, but for Accepted.</summary>
    public Dictionary<string, string> Conditions { get; init; } = [];

    public static ExpectFile Of(Verdict verdict, GroupReport report) => new()
    {
        Diagnosis = Say(verdict.Diagnosis),
        Decision = Say(verdict.Decision),
        Steps = verdict.Decision is Decision.Advance(var steps) ? [.. steps.Select(Say)] : [],
        WouldTakeOver = report.Readiness?.Candidate ?? "nobody",
        Conditions = report.Conditions.Skip(1).Where(IsNews).ToDictionary(c => c.Type, c => $"{c.Status}, {c.Reason}"),
    };

    /// <summary>Of a group in which nobody is promoted.</summary>
    public static ExpectFile Of(SharedVerdict verdict, GroupReport report) => new()
    {
        Diagnosis = verdict.Impaired is null ? $"active: {string.Join(", ", verdict.Serving.Select(m => m.Name))}" : nameof(Core.Detection.Diagnosis.OperatorImpaired),
        Decision = verdict.Steps.Count > 0 ? "act" : Say(new Decision.Steady(verdict.LookAgainIn)),
        Steps = [.. verdict.Steps.Select(Say)],
        Conditions = report.Conditions.Skip(1).Where(IsNews).ToDictionary(c => c.Type, c => $"{c.Status}, {c.Reason}"),
    };

    private static string Say(Diagnosis diagnosis) => diagnosis switch
    {
        Core.Detection.Diagnosis.PrimaryFailed failed => $"PrimaryFailed, {failed.Cause}",
        Core.Detection.Diagnosis.PrimaryMoved moved => $"PrimaryMoved, to {moved.Primary.Name}",
        Core.Detection.Diagnosis.SplitBrainSuspected split => $"SplitBrainSuspected, with {string.Join(" and ", split.Others.Select(m => m.Name))}",
        _ => diagnosis.GetType().Name,
    };

    private static string Say(Decision decision) => decision switch
    {
        Core.Decisions.Decision.Steady(null) => "nothing to do",
        Core.Decisions.Decision.Steady({ } time) => string.Create(CultureInfo.InvariantCulture, $"nothing to do for {time.TotalSeconds:0.###} s"),
        Core.Decisions.Decision.Wait(var time, var reason, _) => string.Create(CultureInfo.InvariantCulture, $"wait {time.TotalSeconds:0.###} s, {reason}"),
        Core.Decisions.Decision.Blocked(var reason, _) => $"blocked, {reason}",
        Core.Decisions.Decision.Begin(var plan) => $"begin {plan.Type} of term {plan.Term}, {plan.Cause}",
        Core.Decisions.Decision.Advance => "act",
        Core.Decisions.Decision.Abort(var reason, _) => $"give up, {reason}",
        _ => throw new ArgumentOutOfRangeException(nameof(decision), decision, "unknown decision"),
    };

    private static string Say(Step step) => step switch
    {
        Step.Enter enter => $"write down phase {enter.Phase}" + (enter.Fence is { } fence ? $", fence {fence} by {enter.FencedBy}" : "") + (enter.Candidate is { } candidate ? $", candidate {candidate.Name}" : "") + (enter.Reason is { } reason ? $", {reason}" : ""),
        Step.TerminatePod(var member) => $"delete pod {member.Name}",
        Step.AskMembers(var members) => $"ask {string.Join(", ", members.Select(m => m.Name))}",
        Step.Demote(var member, var term) => $"stop {member.Name}, term {term}",
        Step.Promote(var member, var term) => $"promote {member.Name}, term {term}",
        Step.Follow(var member, var primary, _) => $"let {member.Name} follow {primary.Name}",
        Step.Label(var member, var role, _) => $"label {member.Name} {role}",
        Step.PointService(var name, var role, _, var term) => $"point Service {name} at {role}, term {term}",
        Step.AssignLease(var member, var term, var terms, _, var keep) assign => $"give the lease to {member.Name}, term {term}, {terms.Members.Count} members, {terms.SynchronousStandbys} synchronous"
            + (keep ? ", keep the note of the release" : "") + (assign.Pledged is { } pledged ? $", {pledged.Members.Count} are bound by promises" : ""),
        Step.RecreateLease(var term, _) => $"make the lease anew, term {term}",
        Step.RevokeLease(var holder, var term, _) => $"take the lease from {holder}, term {term}",
        Step.UpdateLeaseTerms(var terms, _) => $"write terms into the lease, {terms.Members.Count} members, {terms.SynchronousStandbys} synchronous",
        Step.TaintNode(var node) => $"take {node} out of service",
        Step.RunFencingJob(var member, var term) => $"run the Job that fences {member.Name}, term {term}",
        Step.RestartMember(var member, _) => $"restart {member.Name}",
        Step.KeepBudget(var name, _) => $"keep PodDisruptionBudget {name}",
        Step.RemoveBudget(var name) => $"delete PodDisruptionBudget {name}",
        Step.ScaleStandby(var replicas, _) => $"scale the cold standby to {replicas}",
        Step.Verify(var member, _) => $"write through the Services to {member.Name}",
        _ => throw new ArgumentOutOfRangeException(nameof(step), step, "unknown step"),
    };

    /// <summary>Nearly always nothing is suppressed.</summary>
    private static bool IsNews(ConditionFact condition) => condition is not { Type: ConditionTypes.Suppressed, Status: ConditionStatus.False };
}
