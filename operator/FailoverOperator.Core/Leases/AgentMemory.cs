using FailoverOperator.Api.Agents;

namespace FailoverOperator.Core.Leases;

/// <summary>The promise not to be promoted.</summary>
/// <param name="Holder">Whom it was given. Null: to nobody since the agent started.</param>
/// <param name="Term">The holder's term.</param>
/// <param name="Until">When the promise ends, and those given before.</param>
public sealed record Pledge(string? Holder, long Term, TimeSpan GivenAt, TimeSpan Until);

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

    public required TimeSpan StartedAt { get; init; }

    /// <summary>The lease as last read. Null: never read, or there is none.</summary>
    public LeaseRecord? Lease { get; init; }

    /// <summary>The highest genuine term ever seen; anything lower is an old story. Invariant I2.</summary>
    public long HighestTerm { get; init; }

    /// <summary>Null: not the holder.</summary>
    public Tenure? Tenure { get; init; }

    /// <summary>
    /// The server may be writable by a tenure that has been lost since. Null: it surely is not, or <see cref="Tenure"/> says by what right.
    /// </summary>
    public LostTenure? Lost { get; init; }

    /// <summary>The last renewal that was sent. Null: none yet.</summary>
    public Renewal? Sent { get; init; }

    /// <summary>What is still to be written into the lease: that a term is over. Null: nothing.</summary>
    public ReleaseNote? Owed { get; init; }

    /// <summary>The highest term that this agent has given up, whether or not the lease says so yet: never writable by it again.</summary>
    public long ReleasedTerm { get; init; }

    public required Pledge Pledge { get; init; }

    /// <summary>The highest term in which the server was a primary; 0: none since the agent started.</summary>
    public long ServedTerm { get; init; }

    /// <summary>
    /// When the right to write was proven last of a tenure that is over and in which the server was a primary. Whatever anybody else wrote since
    /// was written after that moment. Null: there was none since the agent started.
    /// </summary>
    public TimeSpan? ServedUntil { get; init; }

    /// <summary>The pod is being stopped.</summary>
    public bool IsStopping { get; init; }

    public static AgentMemory Start(string identity, TimeSpan now) =>
        new() { Identity = identity, StartedAt = now, Pledge = new Pledge(null, 0, now, now) };

    /// <summary>
    /// Until when this agent must not be promoted by its own word. What it promised before it started is forgotten, so it behaves as if
    /// that had been just before, and for the longest D that anybody may still live by.
    /// </summary>
    public TimeSpan PledgedUntil
    {
        get
        {
            var started = StartedAt + KnownDuration;
            return started > Pledge.Until ? started : Pledge.Until;
        }
    }

    private TimeSpan KnownDuration => new[] { Lease?.Terms, Lease?.Accepted, Lease?.Pledged }
        .OfType<LeaseTerms>().DefaultIfEmpty(new LeaseTerms()).Max(t => LeaseTimings.Of(t).Duration);

    /// <summary>The lease was read or watched at <paramref name="now"/>. Null: there is none.</summary>
    public AgentMemory Saw(LeaseRecord? lease, TimeSpan now)
    {
        // A lagging replica of the API server may tell an older story.
        if (lease is not null && lease.Term < HighestTerm) return this;
        // A term that somebody else wrote must not make those that the operator gives look old.
        var seen = this with { Lease = lease, HighestTerm = lease is { IsTermGenuine: true } ? lease.Term : HighestTerm };
        if (Tenure is null || (lease?.IsHeldBy(Identity) == true && lease.Term == Tenure.Term)) return seen.Settled();

        // A foreign holder, no holder, no lease: this agent's time is over, at once.
        var bound = now + LeaseTimings.Of(Tenure.Strict).DemoteBound;
        return (seen with { ServedUntil = EndOfService, Tenure = null, Lost = new LostTenure(Tenure.Term, bound < Tenure.KillAt ? bound : Tenure.KillAt) }).Settled();
    }

    /// <summary>
    /// A renewal is about to be sent: <see cref="Sent"/>, with the terms that it is to write as accepted. From now on the holder keeps
    /// these, too, for nobody can tell when the API server carries it out.
    /// </summary>
    /// <param name="applied">The terms that the server has been set to.</param>
    public AgentMemory Renewing(LeaseTerms applied, TimeSpan now)
    {
        if (Lease?.IsHeldBy(Identity) != true || Lease.Term <= ReleasedTerm) return this;
        if (Tenure is not { } tenure) return this with { Sent = new Renewal(Lease.Term, Lease.Terms, now) };
        var accepted = LeavesTime(tenure, applied, now) ? applied : tenure.Terms;
        var offered = accepted == tenure.Terms && tenure.Offered is null ? null : StrictTerms.Of(tenure.Strict, accepted);
        return this with { Sent = new Renewal(tenure.Term, accepted, now), Tenure = tenure with { Offered = offered } };
    }

    /// <summary>The API server acknowledged a renewal, and the lease is like this now. Only the answer to the last one counts.</summary>
    public AgentMemory Renewed(Renewal sent, LeaseRecord lease, TimeSpan now)
    {
        var seen = Saw(lease, now);
        if (sent != seen.Sent || seen.Lost is not null) return seen;
        if (!lease.IsHeldBy(Identity) || lease.Term != sent.Term || lease.Term < seen.HighestTerm || lease.Term <= seen.ReleasedTerm) return seen;
        // An answer that comes when its own time is over is none to begin with.
        if (seen.Tenure is null && now >= sent.SentAt + LeaseTimings.Of(sent.Accepted).StopAfter) return seen;
        var before = seen.Tenure?.ConfirmedAt ?? sent.SentAt;
        return seen with { Tenure = new Tenure(sent.Term, sent.SentAt > before ? sent.SentAt : before, sent.Accepted) };
    }

    /// <summary>
    /// The server is surely not writable any more, whatever the reason: every process has ended, or it said so. The lease
    /// is owed a note of that. To be told before anything else is done with the server: it counts for the tenure of this moment.
    /// </summary>
    public AgentMemory Demoted(ReleaseReason reason, long? positionBytes, string? message) => (Tenure?.Term ?? Lost?.Term) is { } term
        ? (this with { ServedUntil = EndOfService, Tenure = null, Lost = null }).Owing(term, reason, positionBytes, message).Settled()
        : this;

    /// <summary>The server has become a primary.</summary>
    public AgentMemory Served(long term) => Tenure?.Term == term ? this with { ServedTerm = term } : this;

    private TimeSpan? EndOfService => Tenure is { } tenure && tenure.Term == ServedTerm ? tenure.ConfirmedAt : ServedUntil;

    /// <summary>The note is written, or a later term has made it useless.</summary>
    public AgentMemory Released() => this with { Owed = null };

    public AgentMemory Stopping() => (this with { IsStopping = true }).Settled();

    /// <summary>Begins a round of asking the other members. Null: by the terms that may hold, they are not to be asked.</summary>
    public AcknowledgeRound? BeginRound(TimeSpan now)
    {
        if (Tenure is not { Strict: { Failsafe: true } terms }) return null;
        var others = terms.Members.Where(m => LeaseContract.Identity(m.Name, m.Uid) != Identity);
        return new AcknowledgeRound(Identity, Tenure.Term, now, [.. others], terms.LeaseDurationSeconds);
    }

    /// <summary>Every other member acknowledged this holder, in this round, each after it had begun.</summary>
    public AgentMemory AcknowledgedByAll(AcknowledgeRound round) => BeginRound(round.BegunAt) is { } needed && Tenure is { } tenure
        && tenure.Term == round.Term && round.BegunAt > tenure.ConfirmedAt && round.LeaseDurationSeconds >= needed.LeaseDurationSeconds
        && needed.Members.All(n => round.Members.Any(m => m.Uid == n.Uid))
            ? this with { Tenure = tenure with { ConfirmedAt = round.BegunAt } }
            : this;

    /// <summary>Another holder asks to stay writable without the API server.</summary>
    public AcknowledgeOutcome Acknowledge(AcknowledgeRequest request, TimeSpan now)
    {
        if (Objection(request) is { } reason) return new AcknowledgeOutcome.Refused(reason);
        var asked = TimeSpan.FromSeconds(request.LeaseDurationSeconds);
        var until = now + (asked > KnownDuration ? asked : KnownDuration);
        return new AcknowledgeOutcome.Granted(this with
        {
            HighestTerm = request.Term,
            Pledge = new Pledge(request.Holder, request.Term, now, until > Pledge.Until ? until : Pledge.Until),
        });
    }

    /// <summary>Null: none.</summary>
    private string? Objection(AcknowledgeRequest request) =>
        request.Member != Identity ? $"this is {Identity}"
        : request.Holder == Identity ? "it is this member itself"
        : request.Term < HighestTerm ? $"term {HighestTerm} has been seen, {request.Term} is over"
        : Lease?.Term == request.Term && !Lease.IsHeldBy(request.Holder) ? $"the lease of term {request.Term} does not name it"
        : Tenure is not null || Lost is not null ? "this member holds the lease, or held it until now"
        : null;

    /// <summary>Terms that would leave no time for the answer wait for the next renewal, which follows at once.</summary>
    private static bool LeavesTime(Tenure tenure, LeaseTerms applied, TimeSpan now)
    {
        var timings = LeaseTimings.Of(StrictTerms.Of(tenure.Strict, applied));
        return LeaseTimings.Of(applied).IsSafe && tenure.ConfirmedAt + timings.StopAfter >= now + timings.RenewInterval;
    }

    /// <summary>What the lease as it is now means for notes and assignments.</summary>
    private AgentMemory Settled()
    {
        if (Owed is { } note && Lease is { IsTermGenuine: true } lease && (lease.Term > note.Term || lease.Release?.Term == note.Term))
            return Released().Settled();
        if (Tenure is not null || Lost is not null || Lease?.IsHeldBy(Identity) != true || Lease.Term <= ReleasedTerm) return this;
        // Whatever ran before has ended with its container.
        if (Lease.IsClaimed && Sent?.Term != Lease.Term) return Owing(Lease.Term, ReleaseReason.AgentRestarted, null, "the agent was started anew");
        // Said at once, the operator need not wait for this member's deadline.
        return IsStopping ? Owing(Lease.Term, ReleaseReason.HandOver, null, "the pod is being stopped") : this;
    }

    private AgentMemory Owing(long term, ReleaseReason reason, long? positionBytes, string? message) => this with
    {
        Owed = new ReleaseNote(Identity, term, reason, positionBytes, message),
        ReleasedTerm = Math.Max(ReleasedTerm, term),
    };
}
