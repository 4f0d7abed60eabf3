using System.Globalization;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;

namespace FailoverOperator.Core.Observations;

/// <summary>
/// A group of several slots, seen by one of them: with the members that hold it or may, and with nothing of the others. So one slot is judged and
/// decided for as the only one of an <c>ActivePassive</c> group is.
/// Invariant: a member is bound to at most one slot. Its label says to which; it is written by compare and swap, before the member becomes a
/// candidate, and whoever a failover of another slot names is not seen here whatever its label says.
/// </summary>
public static class Slots
{
    /// <summary>The names of the slots, by number.</summary>
    public static IReadOnlyList<string> Names(RedundancyGroupSpec spec) => spec.Mode switch
    {
        RedundancyMode.ActivePassive or RedundancyMode.ActiveActive or RedundancyMode.Quorum => [ApiGroup.FirstSlot],
        RedundancyMode.NPlusM => [.. Enumerable.Range(0, spec.Active).Select(n => n.ToString(CultureInfo.InvariantCulture))],
        _ => throw new ArgumentOutOfRangeException(nameof(spec), spec.Mode, "unknown mode"),
    };

    /// <summary>The same, who gets a spare first when there are too few for all.</summary>
    public static IReadOnlyList<string> ByImportance(RedundancyGroupSpec spec) => [.. Names(spec).OrderByDescending(name => PriorityOf(spec, name))];

    private static int PriorityOf(RedundancyGroupSpec spec, string slot) => spec.Slots.FirstOrDefault(s => s.Name == slot)?.Priority ?? SlotSpec.UsualPriority;

    public static string InWords(RedundancyGroupSpec spec) => Names(spec) is [var first, .., var last] ? $"slots {first} to {last}" : "slot 0";

    /// <summary>Whether a member has to be bound to a slot before it may hold it.</summary>
    public static bool AreBound(RedundancyGroupSpec spec) => spec.Mode == RedundancyMode.NPlusM;

    /// <summary>The Services that lead to this slot.</summary>
    public static IReadOnlyList<ServiceReference> Services(RedundancyGroupSpec spec, string slot) => AreBound(spec)
        ? [.. spec.Traffic.Services.Select(s => s with { Name = $"{s.Name}-{slot}" })]
        : spec.Traffic.Services;

    /// <summary>The Services of all slots.</summary>
    public static IEnumerable<ServiceReference> Services(RedundancyGroupSpec spec) => Names(spec).SelectMany(slot => Services(spec, slot));

    /// <summary>What one slot sees.</summary>
    /// <param name="whole">The members, with this slot's answers, and the failovers of all slots.</param>
    public static GroupObservation View(GroupObservation whole, string slot)
    {
        if (!AreBound(whole.Spec)) return whole with { Slot = slot };
        var names = Names(whole.Spec);
        var own = whole.Failovers.Where(f => f.Spec.Slot == slot || IsAstray(f, slot, names)).ToList();
        var mine = Concerned(own.Where(f => f.IsOwn)).ToHashSet();
        var theirs = Concerned(whole.Failovers.Where(f => f.IsOwn && f.Spec.Slot != slot)).ToHashSet();
        var awaited = names.Where(n => n != slot).Select(n => AwaitedPod(whole, n)).OfType<string>().ToHashSet();
        var members = whole.Members.Where(m => mine.Contains(m.Uid)
            || (!theirs.Contains(m.Uid) && (m.SlotLabel == slot || (m.SlotLabel is null && !awaited.Contains(m.Name))))).ToList();
        return whole with
        {
            Slot = slot,
            Failovers = own,
            Members = members,
            WorkloadReplicas = whole.WorkloadReplicas - (whole.Members.Count - members.Count),
            PromisedSpares = ByImportance(whole.Spec).TakeWhile(name => name != slot).Count(name => IsWaiting(whole, name)),
        };
    }

    /// <summary>Bound to nothing and able to answer.</summary>
    public static bool IsFree(Member member) => member is { SlotLabel: null, Answers: true, Pod: { Ready: true, Terminating: false } };

    /// <summary>What is left of the spares is for slots that are more important.</summary>
    public static bool AreSparesPromised(GroupObservation group) => group.PromisedSpares > 0 && group.PromisedSpares >= group.Members.Count(IsFree);

    /// <summary>A request that names no slot of the group is answered by the first one.</summary>
    private static bool IsAstray(FailoverRecord failover, string slot, IReadOnlyList<string> names) =>
        slot == names[0] && !failover.IsOwn && !names.Contains(failover.Spec.Slot);

    /// <summary>
    /// A slot whose holder's pod has gone and that has no other holder yet: a new pod of that name has the holder's volume, which may be all that is
    /// left of the slot's data, and is no spare for others as long as that is so. Null: it has its holder.
    /// </summary>
    private static string? AwaitedPod(GroupObservation whole, string slot) =>
        whole.Failovers.LastOrDefault(f => f.IsOwn && f.Spec.Slot == slot && f.Status.Candidate is not null)?.Status.Candidate is { } holder
        && whole.Members.All(m => m.Uid != holder.Uid) ? holder.Name : null;

    /// <summary>The pods, by UID, that may be writable for these failovers' slots: holders, and those that are fenced.</summary>
    private static IEnumerable<string> Concerned(IEnumerable<FailoverRecord> failovers) => failovers.GroupBy(f => f.Spec.Slot).SelectMany(of =>
    {
        var holding = of.LastOrDefault(f => f.Status.Candidate is not null)?.Status.Candidate;
        var running = of.Where(f => !f.IsEnded).SelectMany(f => f.Rivals.Append(f.Spec.From));
        return running.Append(holding).OfType<MemberReference>().Select(m => m.Uid);
    });

    /// <summary>
    /// It has nobody, and is about to choose. One that is held up by something else does not keep the others waiting, nor one whose primary is to hand over: it has
    /// bound its spare before.
    /// </summary>
    private static bool IsWaiting(GroupObservation whole, string slot) => whole.Failovers.LastOrDefault(f => f.IsOwn && f.Spec.Slot == slot) is not { } last
        || (last is { IsEnded: false, Status: { Candidate: null, Reason: null or "" } } && (!last.IsPlanned || last.Status.End is not null));
}
