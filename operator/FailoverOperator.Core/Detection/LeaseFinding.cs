using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Detection;

/// <summary>What a slot's lease says of its holder. Closed: nested types only.</summary>
public abstract record LeaseFinding
{
    private LeaseFinding()
    {
    }

    /// <summary>The holder has renewed it within D.</summary>
    /// <param name="ExpiresIn">What is left of D.</param>
    public sealed record Held(TimeSpan ExpiresIn) : LeaseFinding;

    /// <summary>The holder has not renewed it for D.</summary>
    public sealed record Expired : LeaseFinding;

    /// <summary>The holder gave it back: it is surely not writable any more.</summary>
    public sealed record Released(ReleaseNote Note) : LeaseFinding;

    /// <summary>It is still that of an earlier holder: this one was chosen, and never came to hold it.</summary>
    public sealed record NotAssigned(string To) : LeaseFinding;

    /// <summary>It is gone, or was made anew since and the holder has not said anything yet.</summary>
    /// <param name="ExpiresIn">Until the holder has surely noticed. Zero: it has.</param>
    public sealed record Deleted(TimeSpan ExpiresIn) : LeaseFinding;

    /// <summary>Somebody else than the operator wrote a holder or a term into it, or emptied it.</summary>
    /// <param name="Says">What it says.</param>
    /// <param name="ExpiresIn">As for <see cref="Deleted"/>.</param>
    public sealed record Forged(string Says, TimeSpan ExpiresIn) : LeaseFinding;

    /// <param name="identity">The holder by the records of the failovers.</param>
    /// <param name="term">Its term.</param>
    /// <param name="served">It is known to have claimed the lease of that term.</param>
    public static LeaseFinding Of(GroupObservation group, string identity, long term, bool served = false)
    {
        var rest = group.LeaseExpiresIn;
        if (group.Lease?.Record is not { } lease) return new Deleted(rest);
        if (lease.Term < term && !served && (lease.IsAuthentic || lease.IsReleased)) return new NotAssigned(lease.Holder ?? lease.Release!.Holder);
        if (lease.Term != term) return new Forged($"names {lease.Holder ?? "nobody"} in term {lease.Term}", rest);
        if (lease.IsHeldBy(identity)) return rest > TimeSpan.Zero ? new Held(rest) : new Expired();
        if (lease.IsReleased && lease.Release!.Holder == identity) return new Released(lease.Release);
        // Made anew: nobody is known to have promised anything to its last holder.
        if (lease is { Holder: null, Accepted.Members.Count: 0 }) return new Deleted(rest);
        return new Forged(lease.Holder is null ? "names nobody" : $"names {lease.Holder}, which the operator did not assign", rest);
    }

    public static LeaseFinding Of(GroupObservation group, SlotHolder slot) => Of(group, ProcessIdentity.InLease(slot.Holder!), slot.Term, slot.Choice!.HasServed);
}
