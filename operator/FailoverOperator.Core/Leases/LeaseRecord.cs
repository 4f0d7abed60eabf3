using FailoverOperator.Api.Agents;

namespace FailoverOperator.Core.Leases;

/// <summary>A slot's lease as it is stored, and what the holder's agent may make of it; see <see cref="ElectorProtocol"/> for the operator.</summary>
public sealed record LeaseRecord
{
    /// <summary>Identity of the holder. Null: nobody holds it.</summary>
    public string? Holder { get; init; }

    public long Term { get; init; }

    /// <summary>What the operator wrote when it assigned, see <see cref="LeaseContract.AssignmentAnnotation"/>.</summary>
    public string? Assignment { get; init; }

    public LeaseTerms Terms { get; init; } = new();

    /// <summary>The terms that the holder lives by. Null: it has accepted none yet, so it never renewed in this term.</summary>
    public LeaseTerms? Accepted { get; init; }

    /// <summary>
    /// What an earlier holder accepted whose lease expired: until this one's first renewal that one may still be writable, by the
    /// promises of these members (none: nobody knows whose, for there was no lease). Null: no earlier holder can be writable.
    /// </summary>
    public LeaseTerms? Pledged { get; init; }

    /// <summary>Who released last. Null: nobody.</summary>
    public ReleaseNote? Release { get; init; }

    /// <summary>Which assignment is to be handed over, see <see cref="LeaseContract.HandOverAnnotation"/>. Null: none.</summary>
    public string? HandOver { get; init; }

    /// <summary>resourceVersion: what a write on account of this must carry.</summary>
    public string Version { get; init; } = "";

    /// <summary>The operator itself assigned this holder and term; nobody edited either since.</summary>
    public bool IsAuthentic => Holder is not null && Assignment == LeaseContract.Assignment(Holder, Term);

    /// <summary>The operator asks its holder to hand over.</summary>
    public bool IsToHandOver => IsAuthentic && HandOver == Assignment;

    /// <summary>The last holder says that it is not writable any more.</summary>
    public bool IsReleased => Holder is null && Release?.Term == Term;

    /// <summary>The term is one that the operator gave. Without a holder and without a note nothing vouches for it.</summary>
    public bool IsTermGenuine => IsAuthentic || IsReleased;

    /// <summary>
    /// The holder renewed at least once in this term. It does so only when no promise binds it, so no earlier holder is writable any
    /// more. If it did not, it was never writable, and will not be once the lease has been written by somebody else.
    /// </summary>
    public bool IsClaimed => Accepted is not null;

    public bool IsHeldBy(string identity) => Holder == identity && IsAuthentic;

    /// <summary>What a renewal writes.</summary>
    public LeaseRecord Renewed(LeaseTerms accepted) => this with { Accepted = accepted };

    /// <summary>What a release writes.</summary>
    public LeaseRecord Released(ReleaseNote note) => this with { Holder = null, Assignment = null, Release = note };
}
