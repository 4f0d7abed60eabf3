using FailoverOperator.Api.Agents;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Recovery;

/// <summary>
/// An engine names the log that a promotion begins after the newest that its own member knows of. Two that know of the same would begin two logs of
/// one name, which nobody could tell apart any more, neither the engine nor the operator: so who may not know of all is told of them.
/// </summary>
public static class HistoryFloors
{
    /// <summary>Where a crashed server is started again by its agent, it begins another log in the same term.</summary>
    private const int WithRestarts = 3;

    /// <summary>Null: the candidate continues the newest log that there can be, or nothing is known of any.</summary>
    public static HistoryFloor? For(GroupObservation group, FailoverRecord failover)
    {
        var (known, origin) = (failover.Spec.PrimaryHistory, failover.Spec.PrimaryOrigin?.History);
        var unserved = group.Failovers.Where(f => f.IsOwn && f.Spec.Term < failover.Spec.Term && f.Status.Candidate is not null)
            .Reverse().TakeWhile(f => !f.HasServed).Count();
        var isSeen = known is not null && known != origin;
        var each = group.Spec.Detection.OnProcessCrash == OnProcessCrash.RestartFirst ? WithRestarts : 1;
        var more = isSeen ? each - 1 : each;
        if ((known ?? origin) is not { } newest || (isSeen && more == 0 && unserved == 0 && failover.Status.Origin?.History == known)) return null;

        // A holder that was not seen at work may have begun one beyond what it was told itself.
        var before = isSeen && unserved == 0 ? null : group.Lease?.Record?.Floor;
        var begun = before is not null && MayHaveBegunOne(group.Lease!.Record!, failover) ? each : 0;
        return Merge(new HistoryFloor(newest, (each * unserved) + more), before is null ? null : before with { Unseen = before.Unseen + begun });
    }

    /// <summary>
    /// The lease's last holder, one that the candidate does not know of. Else a member that is given the lease again and again, and cannot serve,
    /// would be asked to leave out more and more names, until no server could do that.
    /// </summary>
    private static bool MayHaveBegunOne(LeaseRecord lease, FailoverRecord failover)
    {
        var isUnclaimed = lease is { IsTermGenuine: true, IsClaimed: false };
        var itself = failover.Status.Candidate is { } candidate && (lease.Holder ?? lease.Release?.Holder) == ProcessIdentity.InLease(candidate);
        return !isUnclaimed && !itself;
    }

    /// <summary>Of what is said of the same log twice, the most.</summary>
    private static HistoryFloor Merge(HistoryFloor one, HistoryFloor? others)
    {
        var rest = others;
        var most = one.Unseen;
        List<HistoryFloor> different = [];
        for (; rest is not null; rest = rest.And)
        {
            if (rest.History == one.History) most = Math.Max(most, rest.Unseen);
            else if (different.FindIndex(f => f.History == rest.History) is var known && known >= 0)
                different[known] = different[known] with { Unseen = Math.Max(different[known].Unseen, rest.Unseen) };
            else different.Add(rest);
        }
        different.Reverse();
        return one with { Unseen = most, And = different.Aggregate((HistoryFloor?)null, (and, floor) => floor with { And = and }) };
    }
}
