using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;

namespace FailoverOperator.Cli.Views;

/// <summary>A loss that a failover waits for a person to accept.</summary>
public sealed record LossView
{
    public required string Namespace { get; init; }

    public required string Group { get; init; }

    public required string Slot { get; init; }

    /// <summary>The primary whose writes are lost. Null: unknown.</summary>
    public required string? Holder { get; init; }

    /// <summary>By which it is accepted: the failover that made the primary one, and when that was heard last.</summary>
    public required string Word { get; init; }

    /// <summary>What would be lost, as far as it is known.</summary>
    public required string Message { get; init; }

    /// <summary>A person has accepted it, and the operator has not acted on it yet.</summary>
    public required bool IsAccepted { get; init; }

    /// <summary>In the order of the slots.</summary>
    public static IReadOnlyList<LossView> Of(RedundancyGroup group)
    {
        var accepted = LossWords.Read(Annotation(group));
        return [.. (group.Status?.Slots ?? []).Where(s => s.LossToAccept is not null).Select(s => new LossView
        {
            Namespace = group.Metadata.NamespaceProperty ?? "",
            Group = group.Metadata.Name,
            Slot = s.Name,
            Holder = s.Holder,
            Word = s.LossToAccept!.Word,
            Message = s.LossToAccept.Message,
            IsAccepted = accepted.Contains(s.LossToAccept.Word),
        })];
    }

    /// <summary>What the annotation is to hold when this loss is accepted, too.</summary>
    public string Accepting(RedundancyGroup group) => LossWords.With(LossWords.Read(Annotation(group)), Group, Slot, Word);

    private static string? Annotation(RedundancyGroup group) =>
        group.Metadata.Annotations?.TryGetValue(ApiGroup.DataLossAcceptedAnnotation, out var value) == true ? value : null;
}
