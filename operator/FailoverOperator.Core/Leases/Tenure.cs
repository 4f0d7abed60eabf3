using FailoverOperator.Api.Agents;

namespace FailoverOperator.Core.Leases;

/// <summary>A time of holding the lease. Moments are of the agent's own monotonic clock.</summary>
/// <param name="ConfirmedAt">
/// When the last request was <em>sent</em> that proved the right to write: a renewal that the API server acknowledged, or a round
/// that every other member acknowledged. Never when the answer came: it may have been under way for long.
/// </param>
/// <param name="Terms">The terms that the holder lives by: those of its last acknowledged renewal.</param>
public sealed record Tenure(long Term, TimeSpan ConfirmedAt, LeaseTerms Terms)
{
    /// <summary>
    /// What later renewals offered that are not acknowledged. The lease may say either, and the operator goes by what it says;
    /// so the holder keeps both. Null: nothing else was offered.
    /// </summary>
    public LeaseTerms? Offered { get; init; }

    /// <summary>From then on the demotion begins.</summary>
    public TimeSpan StopAt => ConfirmedAt + LeaseTimings.Of(Strict).StopAfter;

    /// <summary>From then on every process of the server is killed.</summary>
    public TimeSpan KillAt => StopAt + LeaseTimings.Of(Strict).DemoteBound;

    internal LeaseTerms Strict => Offered is { } offered ? StrictTerms.Of(Terms, offered) : Terms;
}

/// <summary>A tenure that ended while the server was writable.</summary>
/// <param name="KillAt">From then on every process of the server is killed.</param>
public sealed record LostTenure(long Term, TimeSpan KillAt);

/// <summary>A renewal that was sent. The answer may never come, and yet the renewal be carried out, even later.</summary>
/// <param name="Accepted">What it writes into the lease as accepted.</param>
/// <param name="SentAt">Taken before the request goes out.</param>
public sealed record Renewal(long Term, LeaseTerms Accepted, TimeSpan SentAt);

/// <summary>A round of asking every other member, without the API server.</summary>
/// <param name="Holder">Identity of the holder.</param>
/// <param name="BegunAt">Taken before the first request goes out.</param>
/// <param name="Members">Who has to acknowledge: every one of them.</param>
/// <param name="LeaseDurationSeconds">For how long they promise.</param>
public sealed record AcknowledgeRound(string Holder, long Term, TimeSpan BegunAt, IReadOnlyList<LeaseMember> Members, int LeaseDurationSeconds)
{
    /// <summary>The question to one of the members.</summary>
    public AcknowledgeRequest To(LeaseMember member) => new(Holder, Term, LeaseContract.Identity(member.Name, member.Uid), LeaseDurationSeconds);
}

/// <summary>Terms that keep two others at once.</summary>
internal static class StrictTerms
{
    public static LeaseTerms Of(LeaseTerms a, LeaseTerms b) => new()
    {
        LeaseDurationSeconds = Math.Max(a.LeaseDurationSeconds, b.LeaseDurationSeconds),
        RenewIntervalMilliseconds = Math.Min(a.RenewIntervalMilliseconds, b.RenewIntervalMilliseconds),
        StopAfterMilliseconds = Math.Min(a.StopAfterMilliseconds, b.StopAfterMilliseconds),
        DemoteTimeoutMilliseconds = Math.Min(a.DemoteTimeoutMilliseconds, b.DemoteTimeoutMilliseconds),
        Failsafe = a.Failsafe && b.Failsafe,
        RestartTimeoutSeconds = Math.Min(a.RestartTimeoutSeconds, b.RestartTimeoutSeconds),
        // The later address of a pod that has moved.
        Members = [.. b.Members.Concat(a.Members).DistinctBy(m => m.Uid)
            .OrderBy(m => m.Name, StringComparer.Ordinal).ThenBy(m => m.Uid, StringComparer.Ordinal)],
        SynchronousStandbys = Math.Max(a.SynchronousStandbys, b.SynchronousStandbys),
    };
}
