using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;

namespace FailoverOperator.Core.Observations;

/// <summary>Who may be writable in a slot, and the terms that were used.</summary>
/// <param name="Holder">
/// The candidate of the highest term that chose one, whether or not its promotion was seen to end well:
/// from the moment it was written down, it may have become writable. Null: nobody ever was chosen.
/// </param>
/// <param name="Term">The holder's term; 0 without a holder.</param>
/// <param name="Choice">The failover that chose the holder. Null without a holder.</param>
/// <param name="NextTerm">A term higher than all that were ever seen. Invariant I2.</param>
public sealed record SlotHolder(MemberReference? Holder, long Term, long NextTerm, FailoverRecord? Choice = null)
{
    /// <summary>Terms are stored in 32 bits; by failovers alone nobody gets here.</summary>
    private const long MaxForgedTerm = 1_000_000_000;

    public static SlotHolder Of(GroupObservation group)
    {
        var holding = group.Failovers.Where(f => f.IsOwn).LastOrDefault(f => f.Status.Candidate is not null);
        var highest = group.Failovers.Select(f => f.Spec.Term)
            .Concat(group.Members.Select(m => m.TermLabel ?? 0))
            .Concat(group.Services.Select(s => s.PublishedTerm ?? 0))
            .Append(LeaseTerm(group))
            .DefaultIfEmpty(0).Max();
        return new(holding?.Status.Candidate, holding?.Spec.Term ?? 0, highest + 1, holding);
    }

    /// <summary>It did not become primary in time; it may have since.</summary>
    public bool PromotionTimedOut => Choice?.Status.Reason == Reasons.PromotionTimedOut;

    /// <summary>It was lost on the way, before traffic was led to it.</summary>
    public bool NeverServed => Choice is { Status: { Phase: FailoverPhase.Failed, Steps: var steps } } && steps.All(s => s.Phase is not FailoverPhase.Repointing)
        && Choice.Status.Reason is Reasons.PromotionTimedOut or Reasons.CandidateLost or Reasons.LeaseForged or Reasons.NotInLease;

    /// <summary>A term that somebody wrote by hand must not use up all that there can be.</summary>
    private static long LeaseTerm(GroupObservation group) => group.Lease?.Record?.Term is { } term && term < MaxForgedTerm ? term : 0;

    /// <summary>The holder's pod, if that very incarnation still exists.</summary>
    public Member? MemberIn(GroupObservation group) =>
        Holder is null ? null : group.Members.FirstOrDefault(m => m.Uid == Holder.Uid);
}
