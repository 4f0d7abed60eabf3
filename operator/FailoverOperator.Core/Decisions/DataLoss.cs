using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
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
    /// A person takes on what is lost of the present primary's writes: said of the failover that made it the primary, so that the word
    /// ends with it.
    /// </summary>
    public static bool IsAccepted(GroupObservation group) => MayBeAccepted(group) is { } primary && group.AcceptedLosses.Contains(primary);

    /// <summary>How a person can say so. Empty: nobody may, or there is nothing to lose.</summary>
    public static string Advice(GroupObservation group) => MayBeAccepted(group) is { } primary
        ? $"; to accept the loss, run: kubectl annotate rg {group.Name} --overwrite {ApiGroup.DataLossAcceptedAnnotation}={string.Join(',', group.AcceptedLosses.Where(a => !IsOfThisSlot(group, a)).Append(primary))}"
        : "";

    private static bool IsOfThisSlot(GroupObservation group, string failover) => failover.StartsWith($"{group.Name}-{group.Slot}-", StringComparison.Ordinal);

    /// <summary>The failover that made the old primary one. Null: there is none, or the policy leaves it to nobody.</summary>
    private static string? MayBeAccepted(GroupObservation group) => group.Spec.Promotion.DataLoss == DataLossPolicy.Forbid ? null : SlotHolder.Of(group).Choice?.Name;

    /// <summary>
    /// For how long the old primary may have gone on unseen: from its last word to the proof of its end, or until now. Null: that is not known, or
    /// whoever gave the proof, or asked for none, took it on.
    /// </summary>
    public static TimeSpan? Silence(GroupObservation group)
    {
        var running = group.Failovers.LastOrDefault(f => f is { IsOwn: true, IsEnded: false, ReplacesPrimary: true, Spec.From: not null });
        if (running?.Status.Fence is { Evidence: FenceEvidence.ConfirmedByPerson or FenceEvidence.Unproven }) return null;
        // It is made to stop, and heard to have: see OrderlyStop.
        if (running is { IsPlanned: true } && !group.HasAgents && (running.Status.End is not null || running.Status.Phase == FailoverPhase.Fencing)) return null;
        var written = running?.SilentFor ?? BeforeIt(group);
        if (group.PrimaryMemory is not { } memory || memory.Uid != SlotHolder.Of(group).Holder?.Uid) return written;
        var heard = group.EndProvenFor is { } since && since <= memory.LastServiceAge ? memory.LastServiceAge - since : memory.LastServiceAge;
        // Both say too much rather than too little; while there is no proof, only this process knows what was heard since it was written.
        return running?.Status.Fence is null || written is null || heard < written ? heard : written;
    }

    /// <summary>
    /// Whether the primary surely has ended, before anything was done to it. With agents only its own word counts: past its lease's time it may have
    /// been kept by promises.
    /// </summary>
    public static bool IsEndProven(GroupObservation group) => SlotHolder.Of(group).Holder is { } holder
        && (group.HasAgents
            ? LeaseFence.Proof(group, holder)?.Evidence == FenceEvidence.Released
            : Fence.Proof(group, holder, null, group.PrimaryMemory?.LastServiceAge ?? TimeSpan.Zero) is not null);

    /// <summary>Who never served is measured by what the primary before it was.</summary>
    private static TimeSpan? BeforeIt(GroupObservation group) => SlotHolder.Of(group) is { NeverServed: true, Choice: var choice } ? choice!.SilentFor : null;
}
