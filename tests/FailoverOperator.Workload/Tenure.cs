namespace FailoverOperator.Workload;

/// <summary>Writes of one client that one server acknowledged, one after the other. Moments are of the machine's monotonic clock.</summary>
/// <param name="FirstAcknowledgedMilliseconds">When the first one was acknowledged: at the latest then the server was primary.</param>
/// <param name="SentMilliseconds">When each one was sent: the server was primary at some time after that.</param>
public sealed record Tenure(ServerIdentity Server, long FirstAcknowledgedMilliseconds, IReadOnlyList<long> SentMilliseconds);

/// <summary>Finds writes that prove two primaries at the same time. Pure.</summary>
public static class DualWrites
{
    /// <summary>
    /// Counts the writes that a server acknowledged although they were sent after its successor had acknowledged one. Only what is
    /// certain counts: between sending and acknowledgement nobody knows when the server did it.
    /// </summary>
    /// <param name="tenures">Of one client, or of several that share a clock.</param>
    public static long Count(IEnumerable<Tenure> tenures)
    {
        var servers = tenures.GroupBy(tenure => tenure.Server).Select(server => new Reign(
            server.Key, server.Min(tenure => tenure.FirstAcknowledgedMilliseconds), [.. server.SelectMany(tenure => tenure.SentMilliseconds)])).ToList();
        return servers.Sum(old => servers.Where(other => other.Succeeds(old)).Select(other => other.Since).DefaultIfEmpty(long.MaxValue).Min() is var end
            ? old.Sent.Count(sent => sent > end) : 0L);
    }

    private sealed record Reign(ServerIdentity Server, long Since, IReadOnlyList<long> Sent)
    {
        /// <summary>Terms tell who succeeds whom; without them, who came later.</summary>
        public bool Succeeds(Reign other) => this != other && (Server.Term is { } term && other.Server.Term is { } otherTerm && term != otherTerm
            ? term > otherTerm
            : Since > other.Since || (Since == other.Since && string.CompareOrdinal(Server.Instance, other.Server.Instance) > 0));
    }
}
