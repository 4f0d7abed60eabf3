namespace FailoverOperator.Workload;

/// <summary>Who acknowledged a write.</summary>
/// <param name="Instance">One run of one server; a restarted or promoted one is another one, where the engine tells so much.</param>
/// <param name="Term">Grows with each promotion. Null: the engine counts none.</param>
public sealed record ServerIdentity(string Instance, long? Term = null);

/// <summary>How one write ended. Closed: nested types only.</summary>
public abstract record WriteOutcome
{
    private WriteOutcome()
    {
    }

    /// <summary>The server confirmed it: it counts, and may not be lost.</summary>
    public sealed record Acknowledged(ServerIdentity Server) : WriteOutcome;

    /// <summary>The server said no, or there was none: it did not happen.</summary>
    public sealed record Refused(string Why) : WriteOutcome;

    /// <summary>No answer: it may or may not have happened. Counts as neither.</summary>
    public sealed record Unknown(string Why) : WriteOutcome;
}
