using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Decisions;

/// <summary>
/// Where the old primary's log ended, as it said when it gave its lease back: it knows that when it has ended in order. Invariant I5: whoever
/// has all of that log has every write that the old primary acknowledged, and all that was acknowledged before; no other member need be heard.
/// </summary>
/// <param name="From">Who said it.</param>
/// <param name="History">Which log it is. Null: nobody has written that down, so that only its own volume is known to hold it.</param>
public sealed record LastWord(MemberReference From, string? History, long PositionBytes)
{
    /// <summary>Null: it said nothing of the kind in its last term; what it said in an earlier one is an old story.</summary>
    public static LastWord? Of(GroupObservation group, Benchmark benchmark) =>
        benchmark.From is { } from && LeaseFence.Trusted(group) is { IsReleased: true, Release: { PositionBytes: { } end } note }
            && note.Holder == ProcessIdentity.InLease(from)
            && group.Failovers.LastOrDefault(f => f.IsOwn && f.Status.Candidate?.Uid == from.Uid)?.Spec.Term == note.Term
            ? new(from, benchmark.History, end) : null;

    /// <summary>By name: a pod that was made anew under its name has its volume, and nobody has served since whom it could have copied another log from.</summary>
    public bool IsAllKnownTo(Member member) => member.Probe.Status is { } status && status.PositionBytes >= PositionBytes
        && (member.Name == From.Name || (History is not null && status.History == History));
}
