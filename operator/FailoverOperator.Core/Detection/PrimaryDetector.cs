using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Detection;

/// <summary>
/// Names the diagnosis of a group. Pure: the same observation gives the same diagnosis.
/// Order matters: the operator doubts itself first, then hard evidence (an ended process, a deleted pod) counts at
/// once, and soft evidence (silence, not ready) only after <c>detection.unhealthyAfterSeconds</c>.
/// </summary>
public static class PrimaryDetector
{
    /// <summary>An API server that has been silent for longer makes all that was watched stale.</summary>
    public static readonly TimeSpan ApiSilenceBound = TimeSpan.FromSeconds(5);

    /// <summary>One refused connection may be chance; two in a row mean that nobody listens.</summary>
    public const int DecisiveRefusals = 2;

    public static Diagnosis Diagnose(GroupObservation group)
    {
        if (SelfDoubt(group) is { } doubt) return new Diagnosis.OperatorImpaired(doubt);

        var slot = SlotHolder.Of(group);
        if (slot.Holder is null) return new Diagnosis.NewGroup();

        var primary = slot.MemberIn(group);
        if (group.HasAgents) return LeaseDetector.Diagnose(group, slot, primary);

        var holder = ProcessIdentity.Sure(slot.Holder, group.PrimaryMemory);
        return HardEvidence(group, holder, primary)
            ?? FromAnswer(group, holder, primary!)
            ?? SoftEvidence(group, primary!);
    }

    /// <summary>Why the operator cannot trust what it sees. Null: it can.</summary>
    internal static string? SelfDoubt(GroupObservation group) =>
        !group.Operator.Synced ? "not every watch has delivered its first list yet"
        : group.Operator.ApiSilentFor > ApiSilenceBound ? $"the API server has not answered for {Seconds(group.Operator.ApiSilentFor)}"
        : group.HasAgents && group.Lease is null ? "the lease has not been looked at yet"
        : null;

    /// <summary>Evidence that the process which was primary is no more. Null: none; the primary's pod exists then.</summary>
    private static Diagnosis? HardEvidence(GroupObservation group, MemberReference holder, Member? primary)
    {
        if (PodGone(holder, primary) is { } gone) return gone;
        if (ProcessIdentity.EndOf(holder, primary!) is { } ended) return Failed(FailoverCause.PrimaryProcessDown, ended);
        if (primary!.Probe.RefusedInARow >= DecisiveRefusals && AnotherAnswers(group, primary))
            return Failed(FailoverCause.PrimaryProcessDown, $"pod {holder.Name} refused {primary.Probe.RefusedInARow} connections in a row");
        return null;
    }

    /// <summary>Null: the primary's pod exists, and is to stay.</summary>
    internal static Diagnosis? PodGone(MemberReference holder, Member? primary) =>
        primary is null ? Failed(FailoverCause.PrimaryPodGone, $"pod {holder.Name} (uid {holder.Uid}) does not exist any more")
        : primary.Pod.Phase is PodPhase.Failed or PodPhase.Succeeded ? Failed(FailoverCause.PrimaryPodGone, $"pod {holder.Name} has ended, phase {primary.Pod.Phase}")
        : primary.Pod.Terminating ? Failed(FailoverCause.PrimaryPodGone, $"pod {holder.Name} is being deleted")
        : null;

    private static Diagnosis? FromAnswer(GroupObservation group, MemberReference holder, Member primary)
    {
        if (primary.Probe.Reply is EngineReply.Unauthorized unauthorized)
            return new Diagnosis.CredentialsRejected($"{holder.Name}: {unauthorized.Message}");
        if (primary.Probe.Status is not { } status || IsNotReadyTooLong(group, primary)) return null;

        var others = group.Members.Where(m => m.Uid != primary.Uid && m.IsWritablePrimary).ToList();
        return status.Role switch
        {
            EngineRole.Primary when others.Count > 0 => new Diagnosis.SplitBrainSuspected(others),
            EngineRole.Primary when status.Writable && primary.Pod.Ready => new Diagnosis.Healthy(),
            EngineRole.Standby when others.Count == 1 && !others[0].Pod.Terminating => new Diagnosis.PrimaryMoved(others[0]),
            EngineRole.Standby when others.Count == 0 && SilentLeader(group, primary, status) is { } leader =>
                new Diagnosis.PrimarySuspected($"{holder.Name} says that it is a standby, and {leader.Name}, which may be its primary, does not answer", null),
            EngineRole.Standby when others.Count == 0 => new Diagnosis.PrimaryDemoted(primary),
            // A hook that stops the writes need not make a standby of it.
            EngineRole.Primary when !status.Writable && others.Count == 0 && OrderlyStop.WasGivenUp(group) => new Diagnosis.PrimaryDemoted(primary),
            EngineRole.Standby => new Diagnosis.SplitBrainSuspected(others),
            EngineRole.Primary or EngineRole.Unknown => null,
            _ => throw new ArgumentOutOfRangeException(nameof(primary), status.Role, "unknown role"),
        };
    }

    /// <summary>Whom the demoted primary may follow and who does not answer: an unknown that may take writes. Null: nobody.</summary>
    private static Member? SilentLeader(GroupObservation group, Member primary, EngineStatus status) => group.Members.FirstOrDefault(m =>
        m.Uid != primary.Uid && !m.Answers && m.Address is not null && m.Address == status.FollowsAddress);

    private static Diagnosis SoftEvidence(GroupObservation group, Member primary)
    {
        var limit = TimeSpan.FromSeconds(group.Spec.Detection.UnhealthyAfterSeconds);
        var (sign, lasting) = Sign(primary);
        // Written down at once, lest the new one go silent, too.
        if (!primary.Answers && Rivals.AtWork(group, ProcessIdentity.ReferenceTo(primary)) is [var rival, ..])
            return Failed(FailoverCause.PrimaryMoved, sign, $"{rival.Name} takes writes without the operator");
        if (lasting == TimeSpan.Zero) return new Diagnosis.PrimarySuspected(sign, null);
        if (lasting < limit) return new Diagnosis.PrimarySuspected(sign, limit - lasting);

        // The node's and the kubelet's word counts alone. The operator's own probes count only while another member
        // answers them: otherwise it may be the operator that is cut off.
        if (primary.Node.IsSeenDown && !primary.Answers)
            return Failed(FailoverCause.PrimaryNodeDown, sign, $"node {primary.Node.Name} is {primary.Node.State}");
        if (!primary.Pod.Ready || AnotherAnswers(group, primary))
            return Failed(FailoverCause.PrimaryUnresponsive, sign, primary.Pod.Ready ? "another member answers" : "its kubelet says: not ready");
        return new Diagnosis.PrimarySuspected($"{sign}, but no other member answers either and its kubelet says that it is ready", null);
    }

    /// <summary>The sign that has lasted longest.</summary>
    internal static (string Sign, TimeSpan Lasting) Sign(Member primary)
    {
        var silent = primary.Probe.UnansweredFor ?? TimeSpan.Zero;
        var notReady = primary.Pod.NotReadyFor ?? TimeSpan.Zero;
        if (silent >= notReady && silent > TimeSpan.Zero) return ($"{primary.Name} has not answered for {Seconds(silent)} ({EngineReply.Describe(primary.Probe.Reply)})", silent);
        if (notReady > TimeSpan.Zero) return ($"{primary.Name} has not been ready for {Seconds(notReady)}", notReady);
        return (primary.Probe.Status is { } status
            ? $"{primary.Name} says that its role is {status.Role} and that it takes {(status.Writable ? "" : "no ")}writes"
            : $"{primary.Name} has not been asked yet", TimeSpan.Zero);
    }

    private static bool IsNotReadyTooLong(GroupObservation group, Member primary) =>
        primary.Pod.NotReadyFor >= TimeSpan.FromSeconds(group.Spec.Detection.UnhealthyAfterSeconds);

    internal static bool AnotherAnswers(GroupObservation group, Member primary) =>
        group.Members.Any(m => m.Uid != primary.Uid && m.Answers);

    private static Diagnosis.PrimaryFailed Failed(FailoverCause cause, params string[] evidence) => new(cause, evidence);

    private static string Seconds(TimeSpan time) => FormattableString.Invariant($"{time.TotalSeconds:0.0} s");
}
