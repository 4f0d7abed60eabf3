using FailoverOperator.Core.Leases;

namespace FailoverOperator.Core.Observations;

/// <summary>The slot's lease as the operator sees it.</summary>
/// <param name="Record">Null: there is no lease.</param>
/// <param name="UnchangedFor">
/// Since this process observed its last change (or that there is none), on its own monotonic clock, and only as long as the API
/// server has answered all the while: what could not have been seen has not been observed.
/// </param>
public sealed record LeaseObservation(LeaseRecord? Record, TimeSpan UnchangedFor)
{
    /// <summary>The annotations that cannot be read. What cannot be read is taken for as little as is safe.</summary>
    public IReadOnlyList<string> Unreadable { get; init; } = [];

    /// <summary>
    /// D: of the terms that the holder accepted and those written since, the longer one, lest a shortened lease be taken for expired
    /// while its holder does not know yet.
    /// </summary>
    public TimeSpan Duration(TimeSpan wanted)
    {
        return Longer(Record?.Terms, Longer(Record?.Accepted, wanted));

        static TimeSpan Longer(Api.Agents.LeaseTerms? terms, TimeSpan than) =>
            terms is not null && LeaseTimings.Of(terms).Duration is var duration && duration > than ? duration : than;
    }
}
