using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Sharing;

/// <summary>Whether a member is fit to take traffic. Unknown is neither fit nor failing. Closed: nested types only.</summary>
public abstract record Fitness
{
    private Fitness()
    {
    }

    /// <summary>Pod and node first, then the member's own word: it says that it takes writes.</summary>
    public static Fitness Of(Member member, RedundancyGroupSpec spec)
    {
        if (member.Pod.Terminating) return new Gone("is being deleted");
        if (member.Pod.Phase is PodPhase.Failed or PodPhase.Succeeded) return new Gone($"has ended, phase {member.Pod.Phase}");
        if (!member.Pod.Ready) return new Failing("is not ready, says its kubelet", IsReady: false);
        if (spec.Engine.Type == EngineType.None) return member.Node.IsSeenDown ? NodeDown(member) : new Fit();
        // A node that looks down while the member on it answers has lost its kubelet only.
        return member.Node.IsSeenDown && !member.Answers ? NodeDown(member) : ByProbe(member.Probe);
    }

    private static Failing NodeDown(Member member) => new($"is on node {member.Node.Name}, which is {member.Node.State}", IsReady: true);

    private static Fitness ByProbe(ProbeObservation probe) => probe.Reply switch
    {
        null => new Unknown("has not been asked yet"),
        EngineReply.Answered { Status.Writable: true } => new Fit(),
        EngineReply.Answered answered => new Failing($"says that it takes no writes{Words(answered.Status.Message)}", IsReady: true),
        // One refused connection may be chance; it is asked again at once.
        EngineReply.Refused refused when probe.RefusedInARow < PrimaryDetector.DecisiveRefusals => new Unknown(refused.Message),
        EngineReply.Silent { WasAsked: false } silent => new Unknown(silent.Message),
        EngineReply.Unauthorized rejected => new Unknown(rejected.Message),
        EngineReply.Refused or EngineReply.Silent or EngineReply.Failed => new Failing(EngineReply.Describe(probe.Reply), IsReady: true),
        _ => throw new ArgumentOutOfRangeException(nameof(probe), probe.Reply, "unknown reply"),
    };

    private static string Words(string? message) => string.IsNullOrEmpty(message) ? "" : $" ({message})";

    public sealed record Fit : Fitness;

    /// <summary>Nothing is known for sure: whoever takes traffic goes on to, whoever does not is not let in.</summary>
    public sealed record Unknown(string Why) : Fitness;

    /// <param name="IsReady">
    /// Its kubelet calls it ready: it may be the operator that is cut off. Pods on a node that looks down are made not ready with it, so that who is
    /// ready all the same has a kubelet that has come back and spoken since.
    /// </param>
    public sealed record Failing(string Why, bool IsReady) : Fitness;

    /// <summary>It is about to end, or has ended: nobody loses anything when it is taken out.</summary>
    public sealed record Gone(string Why) : Fitness;
}
