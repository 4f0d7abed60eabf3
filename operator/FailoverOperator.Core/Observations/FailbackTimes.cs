namespace FailoverOperator.Core.Observations;

/// <summary>When <c>failback.schedule</c> was due last and is due next. The times themselves are for people.</summary>
/// <param name="Last">Null: not within the last year.</param>
/// <param name="Next">Null: never again.</param>
public sealed record FailbackTimes(DueTime? Last, DueTime? Next);

/// <param name="Distance">Time since then, or until then.</param>
public sealed record DueTime(TimeSpan Distance, string Time);
