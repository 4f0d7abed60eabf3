using FailoverOperator.Api;

namespace FailoverOperator.Core.Decisions;

/// <summary>A loss that a failover waits for a person to accept.</summary>
/// <param name="Word">By which it is accepted, see <see cref="LossWords"/>.</param>
/// <param name="Message">What would be lost, as far as it is known.</param>
public sealed record AwaitedLoss(string Word, string Message);

/// <summary>What <see cref="ApiGroup.DataLossAcceptedAnnotation"/> holds: a word for each slot, with commas between them.</summary>
public static class LossWords
{
    public static IReadOnlyList<string> Read(string? annotation) =>
        annotation?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>The annotation's next value. An older word of the slot is over; those of other slots stay.</summary>
    public static string With(IEnumerable<string> accepted, string group, string slot, string word) =>
        string.Join(',', accepted.Where(a => !a.StartsWith($"{group}-{slot}-", StringComparison.Ordinal)).Append(word));
}
