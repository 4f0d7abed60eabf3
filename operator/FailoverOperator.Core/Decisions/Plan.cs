using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Decisions;

/// <summary>Writes down what a failover that begins now has to know of the world as it is.</summary>
internal static class Plan
{
    public static FailoverSpec For(GroupObservation group, FailoverType type, FailoverCause cause, IReadOnlyList<string> evidence)
    {
        var slot = SlotHolder.Of(group);
        var benchmark = Benchmark.Of(group);
        return new FailoverSpec
        {
            GroupRef = new GroupReference { Name = group.Name },
            Slot = group.Slot,
            Term = slot.NextTerm,
            Type = type,
            Cause = cause,
            Evidence = evidence,
            From = benchmark.From,
            Rivals = Rivals.Known(group, slot.Holder),
            PrimaryPositionBytes = benchmark.PrimaryPositionBytes,
            RequiredPositionBytes = benchmark.RequiredPositionBytes,
            PrimaryHistory = benchmark.History,
            PrimaryOrigin = benchmark.Origin,
        };
    }
}
