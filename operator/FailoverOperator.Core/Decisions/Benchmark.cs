using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Decisions;

/// <summary>What a candidate is measured by.</summary>
/// <param name="From">The old primary. Null: there was none.</param>
/// <param name="PrimaryPositionBytes">Its last known position.</param>
/// <param name="RequiredPositionBytes">The least position within the recovery point objective. Null: unknown.</param>
/// <param name="History">The log that the positions belong to. Null: not told.</param>
/// <param name="Preferred">Pod that a person wants to be promoted, if it may be. Null: none.</param>
public sealed record Benchmark(MemberReference? From, long? PrimaryPositionBytes, long? RequiredPositionBytes, string? History, string? Preferred = null)
{
    /// <summary>
    /// Of the holder, as this process has seen it at work. A holder that traffic was never led to is measured by what its own failover was
    /// measured by: the log is still that of the primary before it, which the standbys still follow.
    /// </summary>
    public static Benchmark Of(GroupObservation group)
    {
        var slot = SlotHolder.Of(group);
        if (slot.Holder is { } holder && group.PrimaryMemory is { } memory && memory.Uid == holder.Uid)
            return new(ProcessIdentity.Sure(holder, memory), memory.PositionBytes, memory.RequiredPositionBytes, memory.History);
        var from = slot.Holder is null ? null : slot.Holder with { ContainerId = null };
        return slot is { NeverServed: true, Choice.Spec: var plan } && NeverHadTraffic(group, slot)
            ? Of(plan) with { From = from! with { Address = plan.From?.Address } }
            : new(from, null, null, null);
    }

    public static Benchmark Of(FailoverSpec plan) => new(plan.From, plan.PrimaryPositionBytes, plan.RequiredPositionBytes, plan.PrimaryHistory, plan.Target);

    private static bool NeverHadTraffic(GroupObservation group, SlotHolder slot) =>
        group.Services.Any(s => s.Role == TrafficRole.Active) && group.Services.All(s => s.PublishedTerm is not { } term || term < slot.Term);
}
