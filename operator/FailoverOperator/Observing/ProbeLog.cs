using FailoverOperator.Core.Observations;

namespace FailoverOperator.Observing;

/// <summary>How the questions to one member went. Immutable; moments are of <see cref="OperatorClock.Now"/>.</summary>
public sealed record ProbeLog
{
    public static ProbeLog Empty { get; } = new();

    public EngineReply? Reply { get; private init; }

    public TimeSpan AskedAt { get; private init; }

    public int RefusedInARow { get; private init; }

    public TimeSpan? UnansweredSince { get; private init; }

    /// <summary>An answer that was asked for earlier than the last one known changes nothing: it is older.</summary>
    public ProbeLog With(EngineReply reply, TimeSpan askedAt) => Reply is not null && askedAt < AskedAt
        ? this
        : new ProbeLog
        {
            Reply = reply,
            AskedAt = askedAt,
            RefusedInARow = reply is EngineReply.Refused ? RefusedInARow + 1 : 0,
            UnansweredSince = IsAnswer(reply) ? null : UnansweredSince ?? askedAt,
        };

    public ProbeObservation At(TimeSpan now) => Reply is null ? ProbeObservation.NotAsked : new ProbeObservation
    {
        Reply = Reply,
        Age = now - AskedAt,
        RefusedInARow = RefusedInARow,
        UnansweredFor = UnansweredSince is { } since ? now - since : null,
    };

    /// <summary>Whether a decision could come out differently; positions change all the time and are not news.</summary>
    public bool IsNewsAfter(ProbeLog before) => Gist(this) != Gist(before);

    /// <summary>Rejected credentials are no answer about the member, but no silence either.</summary>
    private static bool IsAnswer(EngineReply reply) => reply is EngineReply.Answered or EngineReply.Unauthorized;

    private static (Type?, EngineStatus?, int) Gist(ProbeLog log) => (
        log.Reply?.GetType(),
        log.Reply is not EngineReply.Answered answered ? null : Gist(answered.Status),
        Math.Min(log.RefusedInARow, Core.Detection.PrimaryDetector.DecisiveRefusals));

    private static EngineStatus Gist(EngineStatus status) => status with
    {
        PositionBytes = null,
        LinkDownFor = null,
        ReportedLagBytes = null,
        Message = null,
        Age = TimeSpan.Zero,
        Agent = status.Agent is { } agent ? agent with { RenewedAgo = agent.RenewedAgo is null ? null : TimeSpan.Zero, ServedAgo = null, AcknowledgedAgo = null } : null,
    };
}
