using System.Globalization;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Runtime.Controllers;
using k8s.Models;

namespace FailoverOperator.Recording;

/// <summary>Reasons of events.</summary>
public static class EventReasons
{
    public const string FailureSuspected = nameof(FailureSuspected);
    public const string SplitBrainSuspected = nameof(SplitBrainSuspected);
    public const string FailoverStarted = nameof(FailoverStarted);
    public const string MemberFenced = nameof(MemberFenced);
    public const string CatchingUp = nameof(CatchingUp);
    public const string StartingStandby = nameof(StartingStandby);
    public const string Promoted = nameof(Promoted);
    public const string TrafficRepointed = nameof(TrafficRepointed);
    public const string FailoverCompleted = nameof(FailoverCompleted);
    public const string FailoverFailed = nameof(FailoverFailed);
    public const string FailoverBlocked = nameof(FailoverBlocked);
    public const string FailoverAborted = nameof(FailoverAborted);
    public const string MemberRestarted = nameof(MemberRestarted);
    public const string MemberEjected = nameof(MemberEjected);
    public const string MemberReplaced = nameof(MemberReplaced);
    public const string MemberAdmitted = nameof(MemberAdmitted);
}

/// <summary>Tells people (events) and monitoring (metrics) how a failover goes.</summary>
public sealed class FailoverNews(EventOutbox events, OperatorMetrics metrics)
{
    public void Suspected(RedundancyGroup group, string evidence) => events.Post(group, EventReasons.FailureSuspected, evidence, EventType.Warning);

    public void SplitBrainSuspected(RedundancyGroup group, string message) => events.Post(group, EventReasons.SplitBrainSuspected, message, EventType.Warning);

    public void Started(RedundancyGroup group, FailoverSpec plan, string name) => events.Post(
        group, EventReasons.FailoverStarted, $"{plan.Type} {name} has started, cause {plan.Cause}: {string.Join(", ", plan.Evidence)}",
        plan.Type == FailoverType.Failover ? EventType.Warning : EventType.Normal);

    public void Restarted(RedundancyGroup group, string member, string revision) =>
        events.Post(group, EventReasons.MemberRestarted, $"{member} is a standby, and is restarted for revision {revision}", EventType.Normal);

    /// <param name="before">The status that the failover had before.</param>
    public void Entered(RedundancyGroup group, Failover failover, FailoverStatus before)
    {
        var status = failover.Status!;
        if (status.Phase == before.Phase) return;
        var to = status.Candidate?.Name;
        switch (status.Phase)
        {
            case FailoverPhase.Pending or FailoverPhase.Fencing:
                break;
            case FailoverPhase.Electing:
                if (failover.Spec.From is { } from && status.Fence is { Evidence: not FenceEvidence.NotNeeded } fence)
                {
                    metrics.Fenced(group, fence.Evidence);
                    events.Post(group, EventReasons.MemberFenced, $"{from.Name} cannot write any more: {fence.Evidence} by {fence.By}", EventType.Normal);
                }
                break;
            case FailoverPhase.CatchingUp or FailoverPhase.Starting:
                events.Post(group, status.Phase == FailoverPhase.Starting ? EventReasons.StartingStandby : EventReasons.CatchingUp, $"{failover.Metadata.Name} {status.Message}", EventType.Normal);
                break;
            case FailoverPhase.Promoting:
                break;
            case FailoverPhase.Repointing:
                events.Post(group, EventReasons.Promoted, $"{to} is primary of term {failover.Spec.Term}", EventType.Normal);
                break;
            case FailoverPhase.Verifying:
                events.Post(group, EventReasons.TrafficRepointed, $"the Services lead to {to}", EventType.Normal);
                break;
            case FailoverPhase.Completed:
                metrics.Ended(group, failover);
                events.Post(group, EventReasons.FailoverCompleted, Summary(failover), EventType.Normal, Measured(failover));
                break;
            case FailoverPhase.Failed:
                metrics.Ended(group, failover);
                events.Post(group, EventReasons.FailoverFailed, $"{failover.Metadata.Name} failed at phase {before.Phase}: {status.Message}", EventType.Warning, Measured(failover));
                break;
            case FailoverPhase.Aborted:
                metrics.Ended(group, failover);
                events.Post(group, EventReasons.FailoverAborted, $"{failover.Metadata.Name} was given up at phase {before.Phase}: {status.Message}", EventType.Normal);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(failover), status.Phase, "unknown phase");
        }
    }

    public void Blocked(RedundancyGroup group, Failover failover) =>
        events.Post(group, EventReasons.FailoverBlocked, $"{failover.Metadata.Name}, {failover.Status!.Reason}: {failover.Status.Message}", EventType.Warning);

    private static string Summary(Failover failover)
    {
        var cost = failover.Status!.DowntimeMilliseconds is { } downtime ? $" after {downtime} ms, {failover.Status.LostBytes?.ToString(CultureInfo.InvariantCulture) ?? "unknown"} bytes lost" : "";
        return $"{failover.Spec.Type} {failover.Metadata.Name}: {failover.Status.Candidate?.Name} takes writes{cost}";
    }

    /// <summary>Every measured phase in milliseconds, for machines.</summary>
    private static Dictionary<string, string> Measured(Failover failover)
    {
        var status = failover.Status!;
        var measured = status.Phases.ToDictionary(p => $"{ApiGroup.Name}/{p.Name.ToString().ToLowerInvariant()}-milliseconds", p => p.Milliseconds.ToString(CultureInfo.InvariantCulture));
        measured[$"{ApiGroup.Name}/failover"] = failover.Name();
        if (status.DowntimeMilliseconds is { } downtime) measured[$"{ApiGroup.Name}/downtime-milliseconds"] = downtime.ToString(CultureInfo.InvariantCulture);
        if (status.LostBytes is { } lost) measured[$"{ApiGroup.Name}/lost-bytes"] = lost.ToString(CultureInfo.InvariantCulture);
        return measured;
    }
}
