using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Decisions;

/// <summary>How much may be lost without a person's word, and that word (<c>promotion.dataLoss</c>).</summary>
public static class DataLoss
{
    /// <summary>Of writes, so many seconds before the old primary's end.</summary>
    public static TimeSpan Objective(RedundancyGroupSpec spec) => spec.Promotion.DataLoss switch
    {
        DataLossPolicy.WithinTarget => TimeSpan.FromSeconds(spec.Targets.RpoSeconds),
        DataLossPolicy.RequireApproval or DataLossPolicy.Forbid => TimeSpan.Zero,
        _ => throw new ArgumentOutOfRangeException(nameof(spec), spec.Promotion.DataLoss, "unknown policy"),
    };

    /// <summary>
    /// A person takes on what is lost of the present primary's writes: said of the failover that made it the primary, and of when it was heard last,
    /// so that the word ends when it is heard again.
    /// </summary>
    public static bool IsAccepted(GroupObservation group) => Word(group) is { } word && group.AcceptedLosses.Contains(word);

    /// <summary>How a person can say so. Empty: nobody may, or there is nothing to lose.</summary>
    public static string Advice(GroupObservation group) => Word(group) is { } word
        ? $"; to accept the loss, run: kubectl annotate rg {group.Name} --overwrite {ApiGroup.DataLossAcceptedAnnotation}={LossWords.With(group.AcceptedLosses, group.Name, group.Slot, word)}"
        : "";

    /// <summary>What is in the way is what would be lost: how a person can accept that is said, and offered.</summary>
    public static Explanation Offer(GroupObservation group, string message) =>
        new(message + Advice(group), Word(group) is { } word && !group.AcceptedLosses.Contains(word) ? new(word, message) : null);

    /// <summary>The failover that made the old primary one, and when that was heard last, if that is known. Null: there is none, or the policy leaves it to nobody.</summary>
    private static string? Word(GroupObservation group) => group.Spec.Promotion.DataLoss == DataLossPolicy.Forbid || SlotHolder.Of(group).Choice is not { Name: var name } ? null
        : group.LastServiceAt is { } at ? $"{name}@{at}" : name;

    /// <summary>
    /// For how long the old primary may have gone on unseen: from its last word to the proof of its end, or until now. Null: that is not known, or
    /// whoever gave the proof, or asked for none, took it on.
    /// </summary>
    public static TimeSpan? Silence(GroupObservation group)
    {
        var running = group.Failovers.LastOrDefault(f => f is { IsOwn: true, IsEnded: false, ReplacesPrimary: true, Spec.From: not null });
        if (running?.Status.Fence is { Evidence: FenceEvidence.ConfirmedByPerson or FenceEvidence.Unproven } && group.Spec.Promotion.DataLoss != DataLossPolicy.Forbid) return null;
        if (running is not null && OrderlyStop.IsHeld(group, running)) return TimeSpan.Zero;
        var written = Written(group, running);
        if (Benchmark.MemoryOf(group) is not { } memory) return written;
        var age = memory.HeardAge ?? memory.LastServiceAge;
        var heard = group.EndProvenFor is { } since && since <= age ? age - since : age;
        // Both say too much rather than too little; while there is no proof, only this process knows what was heard since it was written.
        return running?.Status.Fence is null || written is null || heard < written ? heard : written;
    }

    /// <summary>
    /// Whether the primary surely has ended, before anything was done to it. With agents past its lease's time it may still be kept by promises:
    /// only while every member goes on to acknowledge it, so that one that answers and does not is enough.
    /// </summary>
    public static bool IsEndProven(GroupObservation group)
    {
        if (SlotHolder.Of(group).Holder is not { } holder) return false;
        var memory = Benchmark.MemoryOf(group);
        var byMore = Fence.Proof(group, memory is null ? holder : ProcessIdentity.Sure(holder, memory), null, memory?.LastServiceAge ?? TimeSpan.Zero)?.Evidence;
        if (!group.HasAgents) return byMore is not null;
        return LeaseFence.Proof(group, holder)?.Evidence switch
        {
            FenceEvidence.Released => true,
            FenceEvidence.LeaseExpired => NobodyKeeps(group, holder),
            _ => false,
        } || (byMore is FenceEvidence.PodTerminated or FenceEvidence.KubeletCaughtUp && LeaseFence.PossibleHolders(group) is [var only] && only.Uid == holder.Uid);
    }

    private static bool NobodyKeeps(GroupObservation group, MemberReference holder) => group.Lease?.Record?.Accepted is { } accepted
        && group.Members.Any(m => m.Uid != holder.Uid && accepted.Members.Any(a => a.Uid == m.Uid) && m.StatusAge <= FailoverProcedure.ReadinessBound(group.Spec)
            && m.Probe.Status?.Agent is { } facts
            && !(facts.AcknowledgedHolder == ProcessIdentity.InLease(holder) && facts.AcknowledgedAgo + m.StatusAge < group.LeaseDuration));

    /// <summary>By the clocks of those who wrote it down; if these say that it was heard after its end, they say nothing.</summary>
    private static TimeSpan? Written(GroupObservation group, FailoverRecord? running)
    {
        if ((running?.SilentFor ?? BeforeIt(group)) is not { } written) return null;
        if (written < TimeSpan.Zero) return TimeSpan.MaxValue;
        return running is { Status.Fence: null } && written < running.PhaseFor ? running.PhaseFor : written;
    }

    /// <summary>Who never served is measured by what the primary before it was.</summary>
    private static TimeSpan? BeforeIt(GroupObservation group) => SlotHolder.Of(group) is { NeverServed: true }
        ? group.Failovers.Where(f => f.IsOwn && f.Status.Candidate is not null).Reverse().TakeWhile(f => !f.HasServed).Select(f => f.SilentFor).FirstOrDefault(s => s is not null)
        : null;
}
