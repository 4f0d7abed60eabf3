using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Detection;

/// <summary>
/// Names the diagnosis of a group whose members have agents. The lease counts first: a release and an expiry are hard evidence, and
/// as long as its holder renews it, what the operator's own questions tell is soft evidence only.
/// </summary>
internal static class LeaseDetector
{
    public static Diagnosis Diagnose(GroupObservation group, SlotHolder slot, Member? primary)
    {
        var finding = LeaseFinding.Of(group, slot);
        // The first lease was never made, or nobody ever served by it.
        if (slot is { Choice: { Spec.From: null, Status.Phase: FailoverPhase.Failed } } && group.Lease!.Record is null) return new Diagnosis.NewGroup();
        if (finding is LeaseFinding.Released(var note)) return Failed(CauseOf(note.Reason), Released(note));
        if (PrimaryDetector.PodGone(slot.Holder!, primary) is { } gone) return gone;
        if (ProcessIdentity.ContainerEnded(ProcessIdentity.Sure(slot.Holder!, group.PrimaryMemory), primary!))
            return Failed(FailoverCause.PrimaryProcessDown, $"the container of {primary!.Name} has ended");
        return finding switch
        {
            LeaseFinding.Expired => OnExpiry(group, slot, primary!),
            LeaseFinding.NotAssigned(var to) => Failed(FailoverCause.PrimaryUnresponsive, $"{slot.Holder!.Name} was chosen for term {slot.Term}, but the lease is still that of {to}"),
            LeaseFinding.Deleted(var rest) => OnTampering(rest, Reasons.LeaseDeleted, $"somebody deleted the lease of {slot.Holder!.Name}"),
            LeaseFinding.Forged(var says, var rest) => OnTampering(rest, Reasons.LeaseForged, $"somebody changed the lease of {slot.Holder!.Name}: it {says}"),
            LeaseFinding.Held(var rest) => FromAnswer(group, primary!) ?? SoftEvidence(group, slot, primary!, rest),
            _ => throw new ArgumentOutOfRangeException(nameof(group), finding, "unknown finding"),
        };
    }

    /// <summary>Members that acknowledged the holder within D: each promised not to be promoted, and so keeps it writable.</summary>
    private static IReadOnlyList<Member> Acknowledging(GroupObservation group, SlotHolder slot, Member primary) =>
        [.. group.Members.Where(m => m.Uid != primary.Uid && AcknowledgedAgo(m, slot) < group.LeaseDuration)];

    private static TimeSpan AcknowledgedAgo(Member member, SlotHolder slot) =>
        member.Probe.Status?.Agent is { AcknowledgedAgo: { } ago } facts && facts.AcknowledgedHolder == ProcessIdentity.InLease(slot.Holder!) && facts.AcknowledgedTerm == slot.Term
            ? ago + member.StatusAge
            : TimeSpan.MaxValue;

    private static FailoverCause CauseOf(ReleaseReason reason) => reason switch
    {
        ReleaseReason.ProcessDown or ReleaseReason.PromotionFailed or ReleaseReason.AgentRestarted => FailoverCause.PrimaryProcessDown,
        ReleaseReason.HandOver => FailoverCause.PrimaryPodGone,
        ReleaseReason.SelfFenced => FailoverCause.PrimaryIsolated,
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "unknown reason"),
    };

    private static string Released(ReleaseNote note) =>
        $"the agent of {note.Holder} released the lease of term {note.Term}: {note.Reason}" + (note.Message is { } message ? $", {message}" : "");

    private static Diagnosis OnExpiry(GroupObservation group, SlotHolder slot, Member primary)
    {
        var expired = $"{primary.Name} has not renewed its lease for {Seconds(group.Lease!.UnchangedFor)}";
        var keepers = Acknowledging(group, slot, primary);
        if (keepers.Count > 0)
        {
            var kept = $"{string.Join(", ", keepers.Select(m => m.Name))} acknowledged it within the last {Seconds(group.LeaseDuration)}";
            if (!(primary.Pod.NotReadyFor >= Limit(group))) return new Diagnosis.PrimaryIsolated(primary, [expired, kept], keepers.Min(m => group.LeaseDuration - AcknowledgedAgo(m, slot)));
            return Failed(FailoverCause.PrimaryIsolated, expired, kept, $"it has not been ready for {Seconds(primary.Pod.NotReadyFor.Value)}");
        }
        if (primary.Probe.Reply is EngineReply.Answered or EngineReply.Failed) return Failed(FailoverCause.PrimaryIsolated, expired, "its agent answers", "no other member acknowledges it");
        var said = $"{primary.Name}: {EngineReply.Describe(primary.Probe.Reply)}";
        // What becomes of a node that nobody may look at is not said; the lease is proof enough.
        if (primary.Node.State == NodeState.Unobserved) return Failed(FailoverCause.PrimaryLeaseExpired, expired, said);
        return primary.Probe.Reply is EngineReply.Silent { Connected: false } || primary.Node.IsSeenDown
            ? Failed(FailoverCause.PrimaryNodeDown, expired, said, $"node {primary.Node.Name} is {primary.Node.State}")
            : Failed(FailoverCause.PrimaryLeaseExpired, expired, said);
    }

    /// <summary>Who held it has noticed after D at the latest; until then nobody knows whether it is writable.</summary>
    private static Diagnosis OnTampering(TimeSpan rest, string reason, string evidence) => rest > TimeSpan.Zero
        ? new Diagnosis.PrimarySuspected(evidence, rest) { Reason = reason }
        : new Diagnosis.PrimaryFailed(FailoverCause.PrimaryLeaseExpired, [evidence]) { Reason = reason };

    private static Diagnosis? FromAnswer(GroupObservation group, Member primary)
    {
        if (primary.Probe.Reply is EngineReply.Unauthorized unauthorized) return new Diagnosis.CredentialsRejected($"{primary.Name}: {unauthorized.Message}");
        if (!primary.IsWritablePrimary || !primary.Pod.Ready) return null;
        var others = group.Members.Where(m => m.Uid != primary.Uid && m.IsWritablePrimary).ToList();
        return others.Count > 0 ? new Diagnosis.SplitBrainSuspected(others) : new Diagnosis.Healthy();
    }

    private static Diagnosis SoftEvidence(GroupObservation group, SlotHolder slot, Member primary, TimeSpan rest)
    {
        var limit = Limit(group);
        var (sign, lasting) = new[] { PrimaryDetector.Sign(primary), NotServing(group, slot, primary) }.MaxBy(s => s.Lasting);
        if (lasting < limit) return new Diagnosis.PrimarySuspected(sign, rest < limit - lasting ? rest : limit - lasting);
        if (primary.Answers || !primary.Pod.Ready || PrimaryDetector.AnotherAnswers(group, primary))
            return Failed(FailoverCause.PrimaryUnresponsive, sign, "its agent still renews the lease");
        return new Diagnosis.PrimarySuspected($"{sign}, but no other member answers either, and its agent renews the lease", rest);
    }

    /// <summary>
    /// It answers, and takes no writes: since it last did, or since this process has been looking at all.
    /// </summary>
    private static (string Sign, TimeSpan Lasting) NotServing(GroupObservation group, SlotHolder slot, Member primary)
    {
        if (primary.Probe.Status is not { } status || primary.IsWritablePrimary) return ("", TimeSpan.MinValue);
        var lasting = group.PrimaryMemory is { } memory && memory.Uid == primary.Uid ? memory.LastServiceAge : slot.Choice!.PhaseFor;
        return ($"{primary.Name} holds the lease and has taken no writes for {Seconds(lasting)}, it says that its role is {status.Role}", lasting);
    }

    /// <summary>With RestartFirst the agent may be starting the server again, and keeps the lease meanwhile.</summary>
    private static TimeSpan Limit(GroupObservation group)
    {
        var detection = group.Spec.Detection;
        return TimeSpan.FromSeconds(detection.OnProcessCrash == OnProcessCrash.RestartFirst
            ? Math.Max(detection.UnhealthyAfterSeconds, detection.RestartTimeoutSeconds)
            : detection.UnhealthyAfterSeconds);
    }

    private static Diagnosis.PrimaryFailed Failed(FailoverCause cause, params string[] evidence) => new(cause, evidence);

    private static string Seconds(TimeSpan time) => FormattableString.Invariant($"{time.TotalSeconds:0.0} s");
}
