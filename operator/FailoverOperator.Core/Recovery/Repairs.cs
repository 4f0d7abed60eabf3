using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Sharing;

namespace FailoverOperator.Core.Recovery;

/// <summary>
/// What has to be put right around a primary that is at work: labels, Services, and standbys that follow it.
/// The same steps repoint traffic in a failover and mend a person's edit in quiet times.
/// </summary>
public static class Repairs
{
    public static IReadOnlyList<Step> Needed(GroupObservation group, Member primary, long term)
    {
        var demoted = group.Members.Where(m => m.Uid != primary.Uid).SelectMany(m => Relabel(group, m, StandbyRole(group), null)).ToList();
        // Invariant I6: where a Service asks for the role alone, no other member is labelled active any more before the primary is.
        var isByRole = group.Services.Any(s => s is { Role: TrafficRole.Active, SelectedPod: null });
        if (isByRole && demoted.Any(step => step.Member.RoleLabel == RoleLabels.Active)) return demoted;
        IReadOnlyList<Step> traffic =
        [
            .. Relabel(group, primary, RoleLabels.Active, term),
            .. group.Services.Select(s => PointingTo(group, primary, s, term)).OfType<Step>(),
        ];
        // The proxies of the nodes take in few changes a second: what clients wait for comes first, the labels of the others after it.
        var others = traffic.Count > 0 && !isByRole ? [] : demoted;
        var followers = group.Members.Where(m => !group.HasAgents && !SharedDecider.Concerns(group.Spec) && MustFollow(m, primary) && Circuits.AllowFollow(m, primary));
        return [.. others, .. traffic, .. followers.Select(m => new Step.Follow(m, primary, term))];
    }

    /// <summary>
    /// The label of a candidate, before traffic is led to it. Where Services name the pod it moves nothing, but takes the candidate out of those
    /// for standbys: if that were to happen in between, the nodes' proxies, which take in few changes a second, might put off the one that
    /// clients wait for.
    /// </summary>
    public static IReadOnlyList<Step.Label> LabelAhead(GroupObservation group, Member candidate, long term) =>
        group.Services.Any(s => s is { Role: TrafficRole.Active, SelectedPod: null }) ? [] : [.. Relabel(group, candidate, RoleLabels.Active, term)];

    /// <summary>
    /// Other terms for the holder of the lease. Never while it has not accepted the last ones: it may live by either, and what is overwritten
    /// is forgotten. Null: none are needed, or it is not the time.
    /// </summary>
    public static Step.UpdateLeaseTerms? NewTerms(GroupObservation group, Member primary)
    {
        if (group.Lease?.Record is not { } lease || !lease.IsHeldBy(primary.Identity)) return null;
        if (group.LeaseExpiresIn == TimeSpan.Zero || !primary.IsWritablePrimary) return null;
        // Terms that cannot be read, or were removed, are never accepted. Those that the holder lives by change nothing for it.
        if (lease.Terms.Members.Count == 0) return lease.Accepted is { Members.Count: > 0 } accepted ? new(accepted, lease.Version) : null;
        var wanted = LeasePlan.TermsFor(group);
        if (wanted == lease.Terms || lease.Accepted != lease.Terms) return null;
        return wanted.SynchronousStandbys > 0 && !AllReplicate(group, primary, wanted) && Loses(lease.Terms, wanted)
            ? null
            : new(wanted, lease.Version);
    }

    /// <summary>Invariant I5: nobody is left out of the quorum before all others have what it has.</summary>
    private static bool Loses(LeaseTerms before, LeaseTerms wanted) =>
        before.Members.Any(m => wanted.Members.All(w => w.Name != m.Name)) || wanted.SynchronousStandbys < before.SynchronousStandbys;

    private static bool AllReplicate(GroupObservation group, Member primary, LeaseTerms wanted) => wanted.Members.Where(m => m.Uid != primary.Uid)
        .All(w => group.Members.Any(m => m.Uid == w.Uid && Replicates(group, m, primary)));

    private static bool Replicates(GroupObservation group, Member member, Member primary) =>
        member.StatusAge <= FailoverProcedure.ReadinessBound(group.Spec)
        && member.Probe.Status is { Link: ReplicationLink.Up } status
        && status.History == primary.Probe.Status!.History
        && status.PositionBytes >= group.PrimaryMemory?.RequiredPositionBytes;

    /// <summary>Whether the Services for the primary lead to it and to nobody else.</summary>
    public static bool TrafficLeadsTo(GroupObservation group, Member primary) =>
        group.Services.Where(s => s.Role == TrafficRole.Active).All(s => s.Addresses is [var only] && only == primary.Address);

    private static IEnumerable<Step.Label> Relabel(GroupObservation group, Member member, string role, long? term)
    {
        if (Slots.AreBound(group.Spec)) return Bindings.Relabel(group, member, role, term);
        return member.RoleLabel == role && member.TermLabel == term ? [] : [new Step.Label(member, role, term)];
    }

    private static string StandbyRole(GroupObservation group) => Slots.AreBound(group.Spec) ? RoleLabels.Spare : RoleLabels.Standby;

    /// <summary>Invariant I6: a Service that has published a higher term is left alone. Null: it is as it should be, or has.</summary>
    private static Step.PointService? PointingTo(GroupObservation group, Member primary, ServiceObservation service, long term)
    {
        var (role, pod) = service.Role == TrafficRole.Active ? (RoleLabels.Active, primary.Name) : (RoleLabels.Standby, null);
        var slot = Slots.AreBound(group.Spec) ? group.Slot : null;
        var isPointed = service.SelectedRole == role && (pod is null || service.SelectedPod == pod) && (slot is null || service.SelectedSlot == slot);
        return service.PublishedTerm is not { } published || published < term || (published == term && !isPointed)
            ? new(service.Name, service.Role, pod, term) { Slot = slot }
            : null;
    }

    /// <summary>
    /// A member that answers and does not replicate from the primary. One that cannot tell whom it follows is told
    /// only while its link is down. One that is just copying everything is left in peace.
    /// </summary>
    private static bool MustFollow(Member member, Member primary)
    {
        if (member.Uid == primary.Uid || member.Pod.Terminating || primary.Address is null || member.Probe.Status is not { } status) return false;
        if (status.Role != EngineRole.Standby || status.Writable) return true;
        return status.FollowsAddress is { } address ? address != primary.Address : status.Link == ReplicationLink.Down;
    }
}
