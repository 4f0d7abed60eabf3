using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Detection;

/// <summary>Tells one run of a member's server from the next: a pod may outlive its process.</summary>
public static class ProcessIdentity
{
    /// <summary>
    /// Evidence that the run of the server that <paramref name="reference"/> names has ended while its pod lives on.
    /// A container is started again only after its last run has ended, so a new id is proof of the old one's end.
    /// Null: no such evidence.
    /// </summary>
    public static string? EndOf(MemberReference reference, Member member)
    {
        // The kubelet's report may lag behind a restart that the engine has told of already: while the last answer came
        // from the very run in question, the next answer, a probe interval away at most, is waited for.
        if (reference.Instance is { } known && member.Probe.Status?.Instance == known) return null;
        if (ContainerEnded(reference, member)) return $"the container of {member.Name} has ended";
        if (reference.Instance is { } instance && member.Probe.Status?.Instance is { } now && now != instance)
            return $"the server of {member.Name} was restarted";
        return null;
    }

    /// <summary>
    /// The reference with the id of its container only where that is sure. Where a primary was chosen soon after a restart,
    /// the kubelet's report of it may not have come yet, and the recorded id be that of the run before.
    /// </summary>
    public static MemberReference Sure(MemberReference holder, PrimaryMemory? memory) =>
        holder with { ContainerId = memory?.Uid == holder.Uid && memory.Instance == holder.Instance ? memory.ContainerId : null };

    /// <summary>The kubelet has reported the end of the container that the reference names, or a later run of it.</summary>
    public static bool ContainerEnded(MemberReference reference, Member member) => reference.ContainerId is { } id
        && (member.Pod.EndedContainerId == id || (member.Pod.ContainerId is { } current && current != id));

    /// <summary>The member as a lease names it.</summary>
    public static string InLease(MemberReference reference) => LeaseContract.Identity(reference.Name, reference.Uid);

    public static MemberReference ReferenceTo(Member member) => new()
    {
        Name = member.Name,
        Uid = member.Uid,
        Node = member.Node.Name,
        Zone = member.Node.Zone,
        Address = member.Address,
        ContainerId = member.Pod.ContainerId,
        Instance = member.Probe.Status?.Instance,
    };
}
