using FailoverOperator.Api.Agents;
using FailoverOperator.Api.RedundancyGroups;
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
        if ((known ?? origin) is not { } newest || (isSeen && unserved == 0 && failover.Status.Origin?.History == known)) return null;

        var each = group.Spec.Detection.OnProcessCrash == OnProcessCrash.RestartFirst ? WithRestarts : 1;
        var unseen = (each * unserved) + (isSeen ? each - 1 : each);
        // A holder that was not seen at work may have begun one beyond what it was told itself.
        var before = isSeen && unserved == 0 ? null : group.Lease?.Record?.Floor;
        return new HistoryFloor(newest, unseen, before is null ? null : before with { Unseen = before.Unseen + each });
    }
}
