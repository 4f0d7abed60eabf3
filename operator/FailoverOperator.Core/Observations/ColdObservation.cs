namespace FailoverOperator.Core.Observations;

/// <summary>What is known of a cold standby's workload. Closed: nested types only.</summary>
public abstract record ColdObservation
{
    private ColdObservation()
    {
    }

    /// <summary>It could not be read just now, which says nothing about it.</summary>
    /// <param name="Why">For people.</param>
    public sealed record Unread(string Why) : ColdObservation;

    /// <summary>It cannot be scaled until a person has done something.</summary>
    /// <param name="Message">What, for people.</param>
    public sealed record Unusable(string Message) : ColdObservation;

    /// <param name="Replicas">That it is to have.</param>
    /// <param name="Version">A write on account of it is refused when there is a newer one.</param>
    public sealed record Seen(int Replicas, string Version) : ColdObservation;
}
