using FailoverOperator.Api;

namespace FailoverOperator.Core.Decisions;

/// <summary>A loss that a failover waits for a person to accept.</summary>
/// <param name="Word">By which it is accepted, see <see cref="LossWords"/>.</param>
/// <param name="Message">What would be lost, as far as it is known.</param>
public sealed record AwaitedLoss(string Word, string Message);

/// <summary>Why nobody is promoted, for people.</summary>
/// <param name="Message">If a loss is on offer, with what a person can do to accept it.</param>
/// <param name="Loss">Null: none is on offer, or it has been accepted.</param>
public sealed record Explanation(string Message, AwaitedLoss? Loss)
{
    /// <summary>The same as a part of a longer sentence.</summary>
    public Explanation Within(Func<string, string> sentence) => new(sentence(Message), Loss is null ? null : Loss with { Message = sentence(Loss.Message) });
}

/// <summary>What <see cref="ApiGroup.DataLossAcceptedAnnotation"/> holds: a word for each slot, with commas between them.</summary>
public static class LossWords
{
    public static IReadOnlyList<string> Read(string? annotation) =>
        annotation?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>The annotation's next value. An older word of the slot is over; those of other slots stay.</summary>
    public static string With(IEnumerable<string> accepted, string group, string slot, string word) =>
        string.Join(',', accepted.Where(a => !a.StartsWith($"{group}-{slot}-", StringComparison.Ordinal)).Append(word));
}
