using FailoverOperator.Api.Agents;

namespace FailoverOperator.Core.Leases;

/// <summary>A slot's lease as it is stored.</summary>
public sealed record LeaseRecord
{
    /// <summary>Identity of the holder. Null: nobody holds it.</summary>
    public string? Holder { get; init; }

    public long Term { get; init; }

    /// <summary>What the operator wrote when it assigned, see <see cref="LeaseContract.AssignmentAnnotation"/>.</summary>
    public string? Assignment { get; init; }

    public LeaseTerms Terms { get; init; } = new();

    /// <summary>The terms that the holder lives by. Null: it has accepted none yet.</summary>
    public LeaseTerms? Accepted { get; init; }

    /// <summary>Who released last. Null: nobody.</summary>
    public ReleaseNote? Release { get; init; }

    /// <summary>resourceVersion: what a write on account of this must carry.</summary>
    public string Version { get; init; } = "";

    /// <summary>The operator itself assigned this holder and term; nobody edited either since.</summary>
    public bool IsAuthentic => Holder is not null && Assignment == LeaseContract.Assignment(Holder, Term);

    public bool IsHeldBy(string identity) => Holder == identity && IsAuthentic;
}
