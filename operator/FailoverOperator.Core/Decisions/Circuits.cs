using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Sharing;

namespace FailoverOperator.Core.Decisions;

/// <summary>Whose state somebody waits for, so that no circuit breaker may keep the operator from asking.</summary>
public static class Circuits
{
    /// <summary>
    /// The primary always: failovers are decided on its silence, and its return ends an outage. Everybody, unless all is well: who may be promoted,
    /// who still takes writes and who keeps a holder in its place is found out from the others, and a failover must not wait for a circuit to close.
    /// </summary>
    public static IEnumerable<string> AlwaysAsked(GroupObservation group, Verdict verdict) =>
        verdict is { Diagnosis: Diagnosis.Healthy, Running: null } && group.Failovers.All(f => f.IsEnded)
            ? group.Members.Where(m => m.Uid == SlotHolder.Of(group).Holder?.Uid).Select(m => m.Uid)
            : group.Members.Select(m => m.Uid);

    /// <summary>Of a group that promotes nobody: nobody, while enough are at work without those that fail.</summary>
    public static IEnumerable<string> AlwaysAsked(GroupObservation group, SharedVerdict verdict) =>
        verdict.Available.Status == ConditionStatus.True ? [] : group.Members.Select(m => m.Uid);

    /// <summary>Whether the member may be told to follow now.</summary>
    public static bool AllowFollow(Member member, Member primary) =>
        member.Circuits.All(c => c.Operation != GuardedOperation.Follow || c.Primary != primary.Uid || c.TriedAgainIn == TimeSpan.Zero);
}
