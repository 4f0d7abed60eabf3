using FailoverOperator.Api;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Recovery;

/// <summary>The labels of members that are bound to slots, see <see cref="Slots"/>.</summary>
public static class Bindings
{
    /// <summary>
    /// A member that its slot has no use for becomes a spare again after so long. A failover that has just named it may not have been seen yet:
    /// an operator whose watches are older than this doubts itself, and changes nothing.
    /// </summary>
    public static readonly TimeSpan ReleasedAfter = TimeSpan.FromSeconds(30);

    /// <summary>Every label is written on account of the version that was read: it must not undo a binding that was made since.</summary>
    public static IEnumerable<Step.Label> Relabel(GroupObservation group, Member member, string role, long? term)
    {
        var isSpare = role != RoleLabels.Active;
        // Only this slot's own failovers name it; what its label says is that other slot's.
        if (isSpare && member.SlotLabel is { } other && other != group.Slot) return [];
        // All slots see the free spares; one of them labels them.
        if (isSpare && member.SlotLabel is null && group.Slot != Slots.Names(group.Spec)[0]) return [];
        var slot = isSpare && (member.SlotLabel is null || member.IdleFor >= ReleasedAfter) ? null : group.Slot;
        return member.RoleLabel == role && member.TermLabel == term && member.SlotLabel == slot
            ? []
            : [new Step.Label(member, role, term) { Slot = slot, ReadVersion = member.Version }];
    }
}
