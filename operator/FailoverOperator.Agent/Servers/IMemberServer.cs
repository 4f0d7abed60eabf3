using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Agent.Servers;

/// <summary>Whom to replicate from.</summary>
/// <param name="Name">Pod name.</param>
/// <param name="Address">IP address.</param>
public sealed record Leader(string Name, string Address, long Term);

/// <summary>
/// The stateful server that this agent looks after, of whatever engine. The agent gives one order at a time and repeats it until
/// <see cref="StatusAsync"/> says that it is fulfilled: every order is idempotent, ends with the token at the latest, and
/// continues what an earlier, interrupted one has begun. Failures are values; only a cancelled token throws.
/// A server that <see cref="ServeAsync"/> was not called for is never writable, whatever its data and configuration say.
/// </summary>
public interface IMemberServer
{
    /// <summary>Asks the server; <see cref="EngineReply.Refused"/> while its process does not run, with what is known from its files.</summary>
    Task<EngineReply> StatusAsync(CancellationToken cancellationToken);

    /// <summary>Be the primary of this term: start if need be (creating the very first data), promote, apply the synchronous members.</summary>
    /// <param name="floor">If it is promoted now, its log must have a name that none of these can have. Null: any new one.</param>
    /// <param name="beforeWritable">Called before the server's process that runs now can acknowledge a write. If it throws, that must not come to be.</param>
    Task<EngineOutcome> ServeAsync(long term, LeaseTerms terms, HistoryFloor? floor, Action beforeWritable, CancellationToken cancellationToken);

    /// <summary>Be a standby of the leader: start if need be, cloning or rewinding the data first if they do not fit.</summary>
    Task<EngineOutcome> FollowAsync(Leader leader, CancellationToken cancellationToken);

    /// <summary>
    /// Do beforehand what a promotion would have to wait for. Asked now and then of a standby that follows; no harm comes of it if that fails.
    /// </summary>
    Task<EngineOutcome> PrepareAsync(LeaseTerms terms, CancellationToken cancellationToken) => Task.FromResult<EngineOutcome>(new EngineOutcome.Done());

    /// <summary>Be there, not writable, following nobody: start if there are data, so that the position can be told.</summary>
    Task<EngineOutcome> StandByAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Become not writable, fast; the caller kills everything at its deadline. Done means: no write is acknowledged from now on.
    /// </summary>
    Task<EngineOutcome> DemoteAsync(CancellationToken cancellationToken);

    /// <summary>
    /// End in order: no new writes, everything logged is sent to the standbys that are connected, then stop. Null: not known to be so.
    /// </summary>
    Task<long?> ShutDownAsync(CancellationToken cancellationToken);
}
