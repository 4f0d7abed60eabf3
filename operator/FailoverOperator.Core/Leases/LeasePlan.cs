using FailoverOperator.Api.Agents;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Leases;

/// <summary>The terms that a group's lease is to have, from its spec and its members.</summary>
public static class LeasePlan
{
    public static LeaseTerms TermsFor(GroupObservation group)
    {
        var members = group.Members.Where(m => m.Address is not null)
            .Select(m => new LeaseMember(m.Name, m.Uid, m.Address!, group.Spec.Agent?.Port ?? AgentContract.DefaultPort))
            .OrderBy(m => m.Name, StringComparer.Ordinal).ToList();
        return With(group, members);
    }

    /// <summary>
    /// The terms of a new holder. Where writes are acknowledged by a quorum, members that are away stay counted: what they have of the
    /// holders before must be remembered until, in quiet times, all others are known to have it, too.
    /// </summary>
    /// <param name="lease">What is overwritten. Null: there is none.</param>
    public static LeaseTerms TermsFor(GroupObservation group, LeaseRecord? lease)
    {
        var wanted = TermsFor(group);
        if (!IsSynchronous(group.Spec) || lease is null) return wanted;
        var away = lease.Terms.Members.Concat(lease.Accepted?.Members ?? []).Where(m => wanted.Members.All(w => w.Name != m.Name)).DistinctBy(m => m.Name);
        return With(group, [.. wanted.Members.Concat(away).OrderBy(m => m.Name, StringComparer.Ordinal)]);
    }

    /// <summary>No acknowledged write may be lost, so that standbys acknowledge it before the client hears of it.</summary>
    public static bool IsSynchronous(RedundancyGroupSpec spec) => spec.Engine.Type == EngineType.PostgreSQL && spec.Targets.RpoSeconds == 0;

    private static LeaseTerms With(GroupObservation group, IReadOnlyList<LeaseMember> members)
    {
        var (detection, fencing) = (group.Spec.Detection, group.Spec.Fencing);
        return new LeaseTerms
        {
            LeaseDurationSeconds = detection.LeaseDurationSeconds,
            RenewIntervalMilliseconds = detection.RenewIntervalMilliseconds,
            StopAfterMilliseconds = fencing.StopAfterMilliseconds,
            DemoteTimeoutMilliseconds = fencing.DemoteTimeoutMilliseconds,
            Failsafe = fencing.Failsafe == Failsafe.Enabled && members.Count >= 2,
            RestartTimeoutSeconds = detection.OnProcessCrash == OnProcessCrash.RestartFirst ? detection.RestartTimeoutSeconds : 0,
            Members = members,
            SynchronousStandbys = IsSynchronous(group.Spec) ? SynchronousStandbys(members.Count, group.WorkloadReplicas) : 0,
        };
    }

    /// <summary>A majority holds each write; with a single member there is nobody to wait for, and none is meant to be.</summary>
    private static int SynchronousStandbys(int members, int replicas) => Math.Max(members, replicas) <= 1 ? 0 : Math.Max(1, members / 2);
}
