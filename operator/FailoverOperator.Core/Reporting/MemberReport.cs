using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Reporting;

/// <summary>Says for each member what it does and how it is.</summary>
public static class MemberReport
{
    public static IReadOnlyList<MemberStatus> Of(GroupObservation group, string? holderUid, string? fencedUid) =>
        [.. group.Members.Select(member => Of(group, member, holderUid, fencedUid))];

    /// <summary>By name of the member. Those that have none are left out.</summary>
    public static IReadOnlyDictionary<string, int> OpenCircuits(GroupObservation group) =>
        group.Members.Where(m => m.Circuits.Count > 0).ToDictionary(m => m.Name, m => m.Circuits.Count);

    private static MemberStatus Of(GroupObservation group, Member member, string? holderUid, string? fencedUid)
    {
        var (health, message) = Health(member, TimeSpan.FromSeconds(group.Spec.Detection.UnhealthyAfterSeconds));
        return new MemberStatus
        {
            Name = member.Name,
            Role = Role(group, member, holderUid, fencedUid),
            Slot = Slots.AreBound(group.Spec) ? member.SlotLabel : null,
            Health = health,
            LagBytes = LagBytes(group, member, holderUid),
            Node = member.Node.Name.Length == 0 ? null : member.Node.Name,
            Zone = member.Node.Zone,
            Message = Words(member, message),
        };
    }

    /// <summary>A circuit of questions is told by the reply; null: there is nothing to say.</summary>
    private static string? Words(Member member, string? message)
    {
        var kept = member.Circuits.Where(c => c.Operation != GuardedOperation.Status)
            .Select(c => $"{c.Operation} kept failing, circuit open until {c.Until}: {c.Failure}").ToList();
        return kept.Count == 0 ? message : string.Join("; ", new[] { message }.OfType<string>().Concat(kept));
    }

    private static MemberRole Role(GroupObservation group, Member member, string? holderUid, string? fencedUid) =>
        member.Uid == fencedUid ? MemberRole.Fenced
        : member.Uid == holderUid ? MemberRole.Active
        : member.Probe.Status?.Role == EngineRole.Standby ? (Slots.AreBound(group.Spec) ? MemberRole.Spare : MemberRole.Standby)
        : MemberRole.Unknown;

    private static (MemberHealth Health, string? Message) Health(Member member, TimeSpan limit)
    {
        if (member.Pod.Terminating) return (MemberHealth.Failed, "is being deleted");
        if (member.Pod.Phase is PodPhase.Failed or PodPhase.Succeeded) return (MemberHealth.Failed, $"has ended, phase {member.Pod.Phase}");
        if (member.Node.IsSeenDown) return (MemberHealth.Unknown, $"node {member.Node.Name} is {member.Node.State}");
        return member.Probe.Reply switch
        {
            null => (MemberHealth.Unknown, "has not been asked yet"),
            EngineReply.Unauthorized rejected => (MemberHealth.Unknown, rejected.Message),
            EngineReply.Silent { WasAsked: false } notAsked => (MemberHealth.Unknown, notAsked.Message),
            EngineReply.Answered { Status.Link: ReplicationLink.Syncing } => (MemberHealth.Suspect, "is copying the data"),
            EngineReply.Answered { Status: { Role: EngineRole.Standby, Link: ReplicationLink.Down } } =>
                (MemberHealth.Suspect, "has no link to its primary"),
            EngineReply.Answered when member.Pod.Ready => (MemberHealth.Healthy, null),
            EngineReply.Answered => (MemberHealth.Suspect, "is not ready"),
            EngineReply.Refused or EngineReply.Silent or EngineReply.Failed when member.Probe.UnansweredFor >= limit =>
                (MemberHealth.Failed, EngineReply.Describe(member.Probe.Reply)),
            EngineReply.Refused or EngineReply.Silent or EngineReply.Failed => (MemberHealth.Suspect, EngineReply.Describe(member.Probe.Reply)),
            _ => throw new ArgumentOutOfRangeException(nameof(member), member.Probe.Reply, "unknown reply"),
        };
    }

    /// <summary>Null: unknown, as when the member holds another log than the primary's.</summary>
    private static long? LagBytes(GroupObservation group, Member member, string? holderUid)
    {
        if (member.Probe.Status is not { } status) return null;
        if (member.Uid == holderUid) return null;
        if (status.ReportedLagBytes is { } reported) return reported;
        if (group.PrimaryMemory is not { PositionBytes: { } primary } memory || memory.Uid != holderUid) return null;
        if (memory.History is not null && status.History is not null && memory.History != status.History) return null;
        return status.PositionBytes is { } position ? Math.Max(0, primary - position) : null;
    }
}
