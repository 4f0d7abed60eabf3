using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Decisions;

/// <summary>What to do next about a group. Closed: nested types only.</summary>
public abstract record Decision
{
    private Decision()
    {
    }

    /// <summary>A loss that would let it go on, if a person accepted it. Null: there is none on offer.</summary>
    public AwaitedLoss? Loss { get; init; }

    /// <summary>Nothing: the right member is active.</summary>
    /// <param name="For">When to look again at the latest. Null: nothing runs out.</param>
    public sealed record Steady(TimeSpan? For = null) : Decision;

    /// <summary>Look again when something changes, at the latest after <paramref name="For"/>.</summary>
    /// <param name="Reason">CamelCase, see <see cref="Api.Reasons"/>.</param>
    public sealed record Wait(TimeSpan For, string Reason, string Message) : Decision
    {
        public Wait(TimeSpan @for, string reason, Explanation why)
            : this(@for, reason, why.Message) => Loss = why.Loss;
    }

    /// <summary>Nothing can be done safely until something outside changes.</summary>
    /// <param name="Reason">CamelCase, see <see cref="Api.Reasons"/>.</param>
    /// <param name="Message">A sentence that says what a person can do.</param>
    public sealed record Blocked(string Reason, string Message) : Decision
    {
        public Blocked(string reason, Explanation why)
            : this(reason, why.Message) => Loss = why.Loss;
    }

    /// <summary>Claim the next term by creating the Failover.</summary>
    public sealed record Begin(FailoverSpec Plan) : Decision;

    /// <summary>Do these steps, all at the same time, then look again at once.</summary>
    public sealed record Advance(IReadOnlyList<Step> Steps) : Decision
    {
        public Advance(params Step[] steps)
            : this((IReadOnlyList<Step>)steps)
        {
        }
    }

    /// <summary>Give the running failover up; nothing irreversible has been done yet.</summary>
    public sealed record Abort(string Reason, string Message) : Decision;
}
