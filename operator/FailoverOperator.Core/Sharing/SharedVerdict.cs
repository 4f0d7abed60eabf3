using FailoverOperator.Api;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Reporting;

namespace FailoverOperator.Core.Sharing;

/// <summary>What is known of a group in which nobody is promoted by the operator.</summary>
public sealed record SharedObservation
{
    public required GroupObservation Group { get; init; }

    /// <summary>For how long each member has been fit without a break, by UID, as this process saw it.</summary>
    public IReadOnlyDictionary<string, TimeSpan> FitFor { get; init; } = new Dictionary<string, TimeSpan>();

    /// <summary>Since a member was let in last. Null: not by this process.</summary>
    public TimeSpan? AdmittedAgo { get; init; }
}

/// <summary>What a member is to be. Closed: nested types only.</summary>
public abstract record Standing
{
    private Standing()
    {
    }

    public string Label => this is Serving ? RoleLabels.Active : RoleLabels.Standby;

    /// <summary>Why it is not as one would wish. Null: it is.</summary>
    public abstract string? Why { get; }

    /// <summary>It takes traffic.</summary>
    /// <param name="Doubt">Why it is not sure that it should. Null: it is sure.</param>
    public sealed record Serving(string? Doubt = null) : Standing
    {
        public override string? Why => Doubt;
    }

    /// <summary>It is well, and takes no traffic, or none yet.</summary>
    public sealed record Waiting(string? For) : Standing
    {
        public override string? Why => For;
    }

    /// <summary>It takes no traffic, for a reason of its own.</summary>
    public sealed record Out(string Reason) : Standing
    {
        public override string? Why => Reason;
    }
}

/// <summary>A member, and what it is to be.</summary>
public sealed record Placed(Member Member, Standing Standing);

/// <summary>What was found, and what to do about it.</summary>
public sealed record SharedVerdict
{
    public required IReadOnlyList<Placed> Members { get; init; }

    /// <summary>Condition Available.</summary>
    public required ConditionFact Available { get; init; }

    /// <summary>How many more members may fail.</summary>
    public required int ToSpare { get; init; }

    /// <summary>Whom the members elected. Null: nobody, or there are no elections.</summary>
    public Member? Leader { get; init; }

    /// <summary>In which term it leads.</summary>
    public long? Term { get; init; }

    /// <summary>All at the same time, then look again.</summary>
    public IReadOnlyList<Step> Steps { get; init; } = [];

    /// <summary>What a person asked for and <see cref="Steps"/> answer. Null: nothing.</summary>
    public FailoverRecord? Request { get; init; }

    /// <summary>Why nothing is done. Null: the operator trusts what it sees.</summary>
    public string? Impaired { get; init; }

    /// <summary>When something will be to be done, if all stays as it is. Null: nothing will.</summary>
    public TimeSpan? LookAgainIn { get; init; }

    public IEnumerable<Member> Serving => Members.Where(p => p.Standing is Standing.Serving).Select(p => p.Member);
}
