using FailoverOperator.Api.Agents;

namespace FailoverOperator.Core.Leases;

/// <summary>A time of holding the lease. Moments are of the agent's own monotonic clock.</summary>
/// <param name="ConfirmedAt">
/// When the last request was <em>sent</em> that proved the right to write: a renewal that the API server acknowledged, or a round
/// that every other member acknowledged. Never when the answer came: it may have been under way for long.
/// </param>
/// <param name="Terms">The terms that the holder lives by.</param>
public sealed record Tenure(long Term, TimeSpan ConfirmedAt, LeaseTerms Terms)
{
    /// <summary>From then on the demotion begins.</summary>
    public TimeSpan StopAt => ConfirmedAt + LeaseTimings.Of(Terms).StopAfter;

    /// <summary>From then on every process of the server is killed.</summary>
    public TimeSpan KillAt => StopAt + LeaseTimings.Of(Terms).DemoteBound;
}

/// <summary>A tenure that ended while the server was writable.</summary>
/// <param name="KillAt">From then on every process of the server is killed.</param>
public sealed record LostTenure(long Term, TimeSpan KillAt);

/// <summary>
/// The promise not to be promoted for a whole lease duration. Holder null: given by starting, for what was promised before is forgotten.
/// </summary>
public sealed record Pledge(string? Holder, TimeSpan GivenAt);

/// <summary>Whether a holder is acknowledged. Closed: nested types only.</summary>
public abstract record AcknowledgeOutcome
{
    private AcknowledgeOutcome()
    {
    }

    public sealed record Granted(AgentMemory Memory) : AcknowledgeOutcome;

    public sealed record Refused(string Reason) : AcknowledgeOutcome;
}

/// <summary>
/// What one agent knows of its slot's lease, and how it learns. Immutable; <see cref="AgentProtocol"/> decides from it.
/// Moments are of the agent's own monotonic clock.
/// </summary>
public sealed record AgentMemory
{
    /// <summary>This agent's pod and uid.</summary>
    public required string Identity { get; init; }

    /// <summary>The lease as last read. Null: never read, or there is none.</summary>
    public LeaseRecord? Lease { get; init; }

    /// <summary>The highest term ever seen; anything lower is an old story. Invariant I2.</summary>
    public long HighestTerm { get; init; }

    /// <summary>Null: not the holder.</summary>
    public Tenure? Tenure { get; init; }

    /// <summary>
    /// The server may be writable by a tenure that has been lost since. Null: it surely is not, or <see cref="Tenure"/> says by what right.
    /// </summary>
    public LostTenure? Lost { get; init; }

    /// <summary>What is still to be written into the lease: that a term is over. Null: nothing.</summary>
    public ReleaseNote? Owed { get; init; }

    /// <summary>The highest term that this agent has given back; the lease may still name it for a moment.</summary>
    public long ReleasedTerm { get; init; }

    public required Pledge Pledge { get; init; }

    /// <summary>The pod is being stopped.</summary>
    public bool IsStopping { get; init; }

    private bool HasReadLease { get; init; }

    /// <summary>
    /// An agent that starts does not know what it promised before it was restarted, so it starts with a pledge of a whole
    /// lease duration.
    /// </summary>
    public static AgentMemory Start(string identity, TimeSpan now) => new() { Identity = identity, Pledge = new Pledge(null, now) };

    /// <summary>Until when this agent must not be promoted by its own word. D is the longer one where it is being changed.</summary>
    public TimeSpan PledgedUntil
    {
        get
        {
            var terms = new[] { Lease?.Terms, Lease?.Accepted }.OfType<LeaseTerms>().DefaultIfEmpty(new LeaseTerms());
            return Pledge.GivenAt + terms.Max(t => LeaseTimings.Of(t).Duration);
        }
    }

    /// <summary>The lease was read or watched at <paramref name="now"/>. Null: there is none.</summary>
    public AgentMemory Saw(LeaseRecord? lease, TimeSpan now)
    {
        // A lagging replica of the API server may tell an older story.
        if (lease is not null && lease.Term < HighestTerm) return this;
        var seen = this with { HasReadLease = true, Lease = lease, HighestTerm = Math.Max(HighestTerm, lease?.Term ?? 0) };
        if (!HasReadLease && lease?.IsHeldBy(Identity) == true)
            return seen with { Owed = Note(lease.Term, ReleaseReason.AgentRestarted, null, "the agent was started anew") };
        if (Tenure is null || (lease?.IsHeldBy(Identity) == true && lease.Term == Tenure.Term)) return seen;

        // A foreign holder, no holder, no lease: this agent's time is over, at once.
        var bound = now + LeaseTimings.Of(Tenure.Terms).DemoteBound;
        return seen with { Tenure = null, Lost = new LostTenure(Tenure.Term, bound < Tenure.KillAt ? bound : Tenure.KillAt) };
    }

    /// <summary>The API server acknowledged a renewal that was sent at <paramref name="sentAt"/>.</summary>
    /// <param name="lease">The lease as it is after the renewal; its accepted terms are what the holder lives by now.</param>
    public AgentMemory Renewed(LeaseRecord lease, TimeSpan sentAt, TimeSpan now)
    {
        var seen = Saw(lease, now);
        if (!lease.IsHeldBy(Identity) || seen.HighestTerm > lease.Term || lease.Term <= ReleasedTerm || seen.Owed is not null || seen.Lost is not null) return seen;
        var before = seen.Tenure?.ConfirmedAt ?? sentAt;
        return seen with { Tenure = new Tenure(lease.Term, sentAt > before ? sentAt : before, lease.Accepted ?? lease.Terms) };
    }

    /// <summary>
    /// The server is surely not writable any more, whatever the reason: every process has ended, or it said so. The lease
    /// is owed a note of that.
    /// </summary>
    public AgentMemory Demoted(ReleaseReason reason, long? positionBytes, string? message) => (Tenure?.Term ?? Lost?.Term) is { } term
        ? this with { Tenure = null, Lost = null, Owed = Note(term, reason, positionBytes, message) }
        : this;

    /// <summary>Every other member acknowledged this holder in a round that was begun at <paramref name="sentAt"/>.</summary>
    public AgentMemory AcknowledgedByAll(long term, TimeSpan sentAt) => Tenure is { } tenure && tenure.Term == term && tenure.Terms.Failsafe && sentAt > tenure.ConfirmedAt
        ? this with { Tenure = tenure with { ConfirmedAt = sentAt } }
        : this;

    /// <summary>The note is written, or a later term has made it useless.</summary>
    public AgentMemory Released() => this with { Owed = null, ReleasedTerm = Math.Max(ReleasedTerm, Owed?.Term ?? 0) };

    public AgentMemory Stopping() => this with { IsStopping = true };

    /// <summary>Another holder asks to stay writable without the API server.</summary>
    public AcknowledgeOutcome Acknowledge(AcknowledgeRequest request, TimeSpan now)
    {
        if (request.Holder == Identity) return new AcknowledgeOutcome.Refused("it is this member itself");
        if (request.Term < HighestTerm) return new AcknowledgeOutcome.Refused($"term {HighestTerm} has been seen, {request.Term} is over");
        if (Lease is { } lease && lease.Term == request.Term && !lease.IsHeldBy(request.Holder)) return new AcknowledgeOutcome.Refused($"the lease of term {lease.Term} does not name it");
        if (Tenure is not null || Lost is not null) return new AcknowledgeOutcome.Refused("this member holds the lease, or held it until now");
        return new AcknowledgeOutcome.Granted(this with { HighestTerm = request.Term, Pledge = new Pledge(request.Holder, now) });
    }

    private ReleaseNote Note(long term, ReleaseReason reason, long? positionBytes, string? message) => new(Identity, term, reason, positionBytes, message);
}
