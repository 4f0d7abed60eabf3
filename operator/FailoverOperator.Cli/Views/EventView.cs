using FailoverOperator.Api;
using k8s.Models;

namespace FailoverOperator.Cli.Views;

/// <summary>What the operator told of a group.</summary>
public sealed record EventView
{
    public required string Namespace { get; init; }

    public required string Group { get; init; }

    /// <summary>Null: unknown.</summary>
    public required DateTimeOffset? At { get; init; }

    public required string Reason { get; init; }

    public required bool IsWarning { get; init; }

    public required string Note { get; init; }

    public static bool IsAboutGroup(Eventsv1Event entity, string? group) =>
        entity.Regarding is { Kind: "RedundancyGroup" } regarding
            && regarding.ApiVersion?.StartsWith(ApiGroup.Name + "/", StringComparison.Ordinal) == true
        && (group is null || regarding.Name == group);

    public static EventView Of(Eventsv1Event entity) => new()
    {
        Namespace = entity.Metadata.NamespaceProperty ?? "",
        Group = entity.Regarding.Name ?? "",
        At = Moments.Of(entity.EventTime) ?? Moments.Of(entity.DeprecatedLastTimestamp) ?? Moments.Of(entity.Metadata.CreationTimestamp),
        Reason = entity.Reason ?? "",
        IsWarning = entity.Type == "Warning",
        Note = entity.Note ?? "",
    };

    /// <summary>In the order in which they happened.</summary>
    public static IReadOnlyList<EventView> InOrder(IEnumerable<Eventsv1Event> events, string? group) =>
        [.. events.Where(e => IsAboutGroup(e, group)).Select(Of).OrderBy(e => e.At ?? DateTimeOffset.MinValue)];
}
