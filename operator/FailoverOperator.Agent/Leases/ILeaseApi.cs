using FailoverOperator.Core.Leases;

namespace FailoverOperator.Agent.Leases;

/// <summary>How a call to the API server ended. Closed: nested types only.</summary>
public abstract record LeaseReply
{
    private LeaseReply()
    {
    }

    /// <summary>The lease as it is now.</summary>
    public sealed record Found(LeaseRecord Lease) : LeaseReply;

    /// <summary>There is no such lease.</summary>
    public sealed record Absent : LeaseReply;

    /// <summary>It has changed since it was read: read again.</summary>
    public sealed record Conflict : LeaseReply;

    /// <summary>No answer, or an error: the write may or may not have been done.</summary>
    public sealed record Failed(string Message) : LeaseReply;
}

/// <summary>The one lease that this agent may read and update. Every call ends within its timeout; only the token throws.</summary>
public interface ILeaseApi
{
    Task<LeaseReply> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Renews: sets <c>renewTime</c> (and, with it, the accepted terms), guarded by the version that was read.</summary>
    Task<LeaseReply> RenewAsync(LeaseRecord read, Api.Agents.LeaseTerms accepted, CancellationToken cancellationToken);

    /// <summary>Empties the holder and leaves the note, guarded by the version that was read.</summary>
    Task<LeaseReply> ReleaseAsync(LeaseRecord read, Api.Agents.ReleaseNote note, CancellationToken cancellationToken);

    /// <summary>
    /// The lease whenever it changes, from now on; the first is what it is now. Null: it was deleted. Ends when the watch does
    /// (the caller watches again), silent for longer than the given bound included.
    /// </summary>
    IAsyncEnumerable<LeaseRecord?> WatchAsync(CancellationToken cancellationToken);
}
