using System.Collections.Concurrent;
using FailoverOperator.Core.Ownership;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Informers;

namespace FailoverOperator.Controllers;

/// <summary>Remembers for how long the work of each group has stood undone, and asks the roster whose turn it is.</summary>
public sealed class Duties(ReplicaLog replicas, OperatorClock clock)
{
    /// <summary>
    /// Who has stood in once goes on for so long: to wait before each step anew would make the failover a slow one. After that the owner,
    /// which may live again, is left to it until work stands undone once more.
    /// </summary>
    private static readonly TimeSpan StandsInFor = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<(ObjectKey Group, string Slot), Pending> _pending = new();

    /// <summary>All slots of a group are one replica's, so that one replica reports; another one may stand in for one of them.</summary>
    /// <param name="work">Names what is to be done; another name means that somebody has gone on. Null: nothing.</param>
    /// <param name="isUnderWay">A failover runs.</param>
    public Duty Of(ObjectKey group, string slot, string? work, bool isClaim, bool isUnderWay)
    {
        var key = (group, slot);
        if (work is null && !isUnderWay) _pending.TryRemove(key, out _);
        var pending = work is null ? _pending.GetValueOrDefault(key) : _pending.AddOrUpdate(
            key, _ => new(work, clock.Now, TimeSpan.Zero), (_, before) => before.Work == work ? before : before with { Work = work, Since = clock.Now });
        var duty = DutyRoster.Of(group.ToString(), replicas.Self, replicas.Others(),
            work is null || pending is null ? null : new PendingWork(isClaim, clock.Now - pending.Since));
        if (duty is Duty.Leave && pending is not null && clock.Now < pending.StandsInUntil) return new Duty.StandIn();
        if (duty is Duty.StandIn && pending is not null) _pending[key] = pending with { StandsInUntil = clock.Now + StandsInFor };
        return duty;
    }

    public void Forget(ObjectKey group)
    {
        foreach (var key in _pending.Keys.Where(k => k.Group == group).ToList()) _pending.TryRemove(key, out _);
    }

    private sealed record Pending(string Work, TimeSpan Since, TimeSpan StandsInUntil);
}
