using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Sharing;

/// <summary>Whether a pod counts as a member of a workload that elects. Unknown is neither counted nor down. Closed: nested types only.</summary>
public abstract record Membership
{
    private Membership()
    {
    }

    /// <param name="limit">Silence that has lasted for so long counts.</param>
    public static Membership Of(Member member, TimeSpan limit)
    {
        if (member.Pod.Terminating) return new Down("is being deleted");
        if (member.Pod.Phase is PodPhase.Failed or PodPhase.Succeeded) return new Down($"has ended, phase {member.Pod.Phase}");
        // A node that looks down while the member on it answers has lost its kubelet only.
        if (member.Node.IsSeenDown && !member.Answers)
            return new Down(member.Node.Name.Length == 0 ? "has no node yet" : $"is on node {member.Node.Name}, which is {member.Node.State}");
        return ByProbe(member.Probe, limit);
    }

    private static Membership ByProbe(ProbeObservation probe, TimeSpan limit) => probe.Reply switch
    {
        null => new Unknown("has not been asked yet"),
        EngineReply.Answered { Status.Link: ReplicationLink.Syncing } => new Down("is still copying the data"),
        EngineReply.Answered { Status: { Role: EngineRole.Primary } status } => new Counted(Leads: true, status.Term),
        EngineReply.Answered { Status.Role: EngineRole.Standby } => new Counted(Leads: false, null),
        EngineReply.Answered => new Unknown("does not know its role"),
        EngineReply.Refused refused when probe.RefusedInARow < PrimaryDetector.DecisiveRefusals => new Unknown(refused.Message),
        EngineReply.Silent { WasAsked: false } silent => new Unknown(silent.Message),
        EngineReply.Silent silent when probe.UnansweredFor is not { } since || since < limit => new Unknown(silent.Message),
        EngineReply.Unauthorized rejected => new Unknown(rejected.Message),
        EngineReply.Refused or EngineReply.Silent or EngineReply.Failed => new Down(EngineReply.Describe(probe.Reply)),
        _ => throw new ArgumentOutOfRangeException(nameof(probe), probe.Reply, "unknown reply"),
    };

    /// <summary>It answers as a member.</summary>
    /// <param name="Leads">It says that it was elected.</param>
    /// <param name="Term">In which term. Null: it does not lead, or tells none.</param>
    public sealed record Counted(bool Leads, long? Term) : Membership;

    public sealed record Unknown(string Why) : Membership;

    public sealed record Down(string Why) : Membership;
}
