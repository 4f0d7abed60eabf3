using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Observing;
using FailoverOperator.Simulator.ApiServers;
using k8s.Models;

namespace FailoverOperator.Simulator.Checking;

/// <summary>What is to be reached by some seed at least: causes, proofs, phases, ends. Read off the objects, as anybody could.</summary>
internal static class Coverage
{
    public static void Of(Judge judge, StoredChange change)
    {
        switch (change.Kind.Kind)
        {
            case "Failover":
                OfFailover(judge, change.Before?.As<Failover>(), change.After.As<Failover>());
                break;
            case "RedundancyGroup":
                OfGroup(judge, change.Before?.As<RedundancyGroup>(), change.After.As<RedundancyGroup>());
                break;
            case "Lease":
                OfLease(judge, change.Before, change.After);
                break;
        }
    }

    /// <summary>All that is looked for; see the report for what was found.</summary>
    public static IEnumerable<string> Wanted =>
        Enum.GetNames<FailoverPhase>().Select(p => $"phase {p}")
            .Concat(Enum.GetNames<FailoverCause>().Select(c => $"cause {c}"))
            .Concat(Enum.GetNames<FenceEvidence>().Select(e => $"fence {e}"))
            .Concat(Enum.GetNames<ReleaseReason>().Select(r => $"release {r}"))
            .Concat(new[] { FailoverPhase.Pending, FailoverPhase.Fencing, FailoverPhase.Electing, FailoverPhase.Promoting, FailoverPhase.Repointing,
                FailoverPhase.Verifying }.Select(p => $"operator crash in {p}"));

    private static void OfFailover(Judge judge, Failover? before, Failover after)
    {
        if (before is null) judge.Happened($"cause {after.Spec.Cause}");
        if (after.Status is not { } status) return;
        if (before?.Status?.Phase != status.Phase) judge.Happened($"phase {status.Phase}");
        if (status.Fence is { } fence && before?.Status?.Fence?.Evidence != fence.Evidence) judge.Happened($"fence {fence.Evidence}");
        if (status.Reason is { } reason && before?.Status?.Reason != reason) judge.Happened($"failover {status.Phase} {reason}");
    }

    private static void OfGroup(Judge judge, RedundancyGroup? before, RedundancyGroup after)
    {
        foreach (var condition in after.Status?.Conditions ?? [])
        {
            if (before?.Status?.Conditions.FirstOrDefault(c => c.Type == condition.Type)?.Reason != condition.Reason) judge.Happened(
                $"group {condition.Type} {condition.Status} {condition.Reason}");
        }
    }

    /// <summary>A renewal every second is no news, and is not read.</summary>
    private static void OfLease(Judge judge, StoredObject? before, StoredObject after)
    {
        if (NoteIn(after) is not { } note || (before is not null && NoteIn(before) == note)) return;
        if (LeaseCodec.Read(after.As<V1Lease>()).Record.Release is { } release) judge.Happened($"release {release.Reason}");
    }

    private static string? NoteIn(StoredObject lease)
    {
        var annotations = lease.Json["metadata"]?["annotations"];
        return annotations?[LeaseContract.ReleaseAnnotation]?.GetValue<string>();
    }
}
