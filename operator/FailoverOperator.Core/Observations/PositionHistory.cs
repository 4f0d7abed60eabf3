namespace FailoverOperator.Core.Observations;

/// <summary>
/// Remembers the primary's position over the span of the recovery point objective, in bounded space, to answer:
/// from which position on does a standby miss no more than the last so many seconds?
/// Immutable; one for each primary.
/// </summary>
public sealed record PositionHistory
{
    /// <summary>Samples kept at most: one for each 128th of the span, and the newest.</summary>
    public const int MaxSamples = 130;

    private readonly Sample[] _samples;
    private readonly TimeSpan _span;

    private PositionHistory(TimeSpan span, Sample[] samples)
    {
        _span = span;
        _samples = samples;
    }

    public static PositionHistory Over(TimeSpan span) => new(span, []);

    /// <summary>Adds what the primary said at <paramref name="at"/>, on any clock that does not go back.</summary>
    public PositionHistory Add(TimeSpan at, long positionBytes)
    {
        // The newest sample is replaced while it is closer than a 128th of the span to the one before it.
        var spacing = _span / 128;
        var settled = _samples.Length > 1 && _samples[^1].At - _samples[^2].At < spacing ? _samples[..^1] : _samples;
        var oldest = at - _span;
        return new(_span, [.. settled.Where(s => s.At >= oldest), new Sample(at, positionBytes)]);
    }

    /// <summary>The newest position. Null: nothing was added.</summary>
    public long? Newest => _samples.Length == 0 ? null : _samples[^1].PositionBytes;

    /// <summary>
    /// The position of the oldest sample within the span before the newest. A standby that has it misses at most the
    /// span; where no sample is as old as the span, the answer errs on the strict side.
    /// </summary>
    public long? Required => _samples.Length == 0 ? null : _samples[0].PositionBytes;

    /// <summary>As <see cref="Required"/>, for a span that is no longer than the one that is remembered.</summary>
    public long? RequiredWithin(TimeSpan span) => _samples.Length == 0 ? null : _samples.First(s => s.At >= _samples[^1].At - span).PositionBytes;

    private sealed record Sample(TimeSpan At, long PositionBytes);
}
