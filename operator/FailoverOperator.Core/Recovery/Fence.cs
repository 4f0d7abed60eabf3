using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Recovery;

/// <summary>A proof, and who gave it.</summary>
public sealed record FenceProof(FenceEvidence Evidence, string By);

/// <summary>
/// Looks for proof that the old primary cannot write any more. Invariant I3: an unknown is no proof; in particular
/// not silence, not a node that is not ready, and not a pod that was removed by force.
/// </summary>
public static class Fence
{
    /// <summary>
    /// A kubelet ends a pod that the API server does not have any more. A node that has stayed ready for so long after
    /// the pod had gone has a kubelet that was alive after it: longer than the 40 s or so after which a silent kubelet's
    /// node stops to be ready, and the 30 s that a pod usually has to end.
    /// </summary>
    public static readonly TimeSpan KubeletCatchUp = TimeSpan.FromSeconds(90);

    /// <summary>Null: not proven.</summary>
    /// <param name="fencingFor">Since when the fence has been sought: what the member said before that may be of another run.</param>
    public static FenceProof? Proof(GroupObservation group, MemberReference from, string? confirmedFor, TimeSpan fencingFor)
    {
        var pod = group.Members.FirstOrDefault(m => m.Uid == from.Uid);
        // A person's word does not outweigh the member's own.
        if (confirmedFor == from.Name && pod is not { IsWritablePrimary: true })
            return new(FenceEvidence.ConfirmedByPerson, $"annotation {ApiGroup.FenceConfirmedAnnotation}");
        return pod is not null ? ProofByPod(group, from, pod, fencingFor) : ProofByDeparture(group, from);
    }

    /// <summary>
    /// The proof that the old primary of a failover cannot write any more. With agents the lease is proof of itself, and the end of one pod
    /// is proof only if the lease was that pod's.
    /// </summary>
    public static FenceProof? OfPrimary(GroupObservation group, FailoverRecord failover)
    {
        return (group.HasAgents ? LeaseFence.Proof(group, failover.Spec.From!) : null) ?? ByMore(group, failover);
    }

    /// <summary>The same by more than the lease's time: the end of its pod, or of its node.</summary>
    public static FenceProof? ByMore(GroupObservation group, FailoverRecord failover)
    {
        var from = failover.Spec.From!;
        if (group.HasAgents)
        {
            // The lease is not its own, or others may be writable by it, too.
            var holders = LeaseFence.PossibleHolders(group);
            if (holders.All(h => h.Uid != from.Uid)) return null;
            if (holders.Any(h => h.Uid != from.Uid && Proof(group, h, failover.FenceConfirmedFor, failover.PhaseFor) is null)) return null;
        }
        if (Proof(group, from, failover.FenceConfirmedFor, failover.PhaseFor) is { } proof) return proof;
        return failover.FencingJob is JobObservation.Succeeded && !group.Members.Any(m => m.Uid == from.Uid && m.IsWritablePrimary)
            ? new(FenceEvidence.JobSucceeded, $"the Job of fencing.job for {failover.Name}")
            : null;
    }

    private static FenceProof? ProofByPod(GroupObservation group, MemberReference from, Member member, TimeSpan fencingFor)
    {
        var kubelet = $"kubelet of {member.Node.Name}";
        // A pod in a final phase is never started again.
        if (member.Pod.Phase is PodPhase.Failed or PodPhase.Succeeded && member.Pod.AllContainersEnded)
            return new(FenceEvidence.PodTerminated, kubelet);
        // Whatever is said of the old run: a pod that says that it takes writes is not fenced.
        if ((group.HasAgents || group.Spec.Engine.StartsAs == StartState.ReadOnly) && !member.IsWritablePrimary)
        {
            // A server that tells no instance may have been restarted and promoted again before the report of its end came.
            if (from.Instance is not null && ProcessIdentity.ContainerEnded(from, member)) return new(FenceEvidence.ProcessEnded, kubelet);
            // An agent may start its server again, and make it writable by the lease that it has kept.
            if (!group.HasAgents && AnotherRunAnswers(from, member, fencingFor))
                return new(FenceEvidence.ProcessEnded, $"the next run of {member.Name}");
        }
        if (member is { Node: { OutOfService: true, IsSeenDown: true }, IsWritablePrimary: false }) return new(FenceEvidence.NodeOutOfService, $"taint on node {member.Node.Name}");
        return null;
    }

    /// <summary>Since the fence is sought, another run of the server has answered from the pod, and takes no writes.</summary>
    private static bool AnotherRunAnswers(MemberReference from, Member member, TimeSpan fencingFor) =>
        member.StatusAge <= fencingFor
        && member.Probe.Status is { Writable: false, Instance: { } now }
        && from.Instance is { } before && now != before;

    private static FenceProof? ProofByDeparture(GroupObservation group, MemberReference from)
    {
        if (group.Departures.FirstOrDefault(d => d.Uid == from.Uid) is not { } departure) return null;
        if (departure.ConfirmedByKubelet) return new(FenceEvidence.PodTerminated, $"kubelet of {from.Node}");
        if (departure.Node is { State: NodeState.Ready } node && departure.Age >= KubeletCatchUp)
            return new(FenceEvidence.KubeletCaughtUp, $"kubelet of {node.Name}");
        if (departure.Node is { OutOfService: true, IsSeenDown: true } down) return new(FenceEvidence.NodeOutOfService, $"taint on node {down.Name}");
        return null;
    }
}
