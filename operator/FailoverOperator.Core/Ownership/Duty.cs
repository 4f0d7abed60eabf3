namespace FailoverOperator.Core.Ownership;

/// <summary>Something that has to be done for a group, by this replica's own verdict.</summary>
/// <param name="IsClaim">To create the failover's record; whoever does it first has the term.</param>
/// <param name="PendingFor">For how long this very work has stood undone: as soon as somebody has done it, another verdict comes.</param>
public sealed record PendingWork(bool IsClaim, TimeSpan PendingFor);

/// <summary>Whether this replica acts for a group. Closed: nested types only.</summary>
public abstract record Duty
{
    private Duty()
    {
    }

    /// <summary>It owns the group: it acts, and reports how the group is.</summary>
    public sealed record Own : Duty;

    /// <summary>Those before it have left the work undone for too long: it acts beside them.</summary>
    public sealed record StandIn : Duty;

    /// <summary>Another one acts.</summary>
    /// <param name="LookAgainIn">When it may be this one's turn. Null: nothing is to be done.</param>
    public sealed record Leave(TimeSpan? LookAgainIn) : Duty;
}

/// <summary>
/// Divides the groups over the replicas, without an election and its pause: each replica judges every group, and acts when it is its turn.
/// Invariant: nothing rests on there being one only. Every action is a compare-and-swap, so whoever is wrong about the others loses a race.
/// </summary>
public static class DutyRoster
{
    /// <summary>To claim takes one write: an owner that lives has done it long before.</summary>
    public static readonly TimeSpan ClaimDelay = TimeSpan.FromSeconds(1);

    /// <summary>A step may wait for a slow server; an owner that lives gets more time for it before somebody does it beside it.</summary>
    public static readonly TimeSpan StepDelay = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LeastPause = TimeSpan.FromMilliseconds(5);

    /// <param name="others">All but oneself; nobody doubts that it lives itself.</param>
    /// <param name="work">Null: nothing is to be done.</param>
    public static Duty Of(string group, string self, IReadOnlyCollection<Replica> others, PendingWork? work)
    {
        var before = Rendezvous.Order(group, others.Where(r => r.IsLive).Select(r => r.Name).Append(self)).TakeWhile(r => r != self).ToHashSet();
        if (before.Count == 0) return new Duty.Own();
        if (work is null) return new Duty.Leave(null);
        var left = (before.Count * (work.IsClaim ? ClaimDelay : StepDelay)) - work.PendingFor;
        if (left <= TimeSpan.Zero) return new Duty.StandIn();
        // Death comes unannounced: the next moment at which one of them may prove dead.
        var life = others.Where(r => before.Contains(r.Name)).Min(r => Replica.DeadAfter - r.UnchangedFor);
        var next = life < left ? life : left;
        return new Duty.Leave(next < LeastPause ? LeastPause : next);
    }
}
