using System.Text.Json.Serialization;

namespace FailoverOperator.Agent.Leases;

/// <summary>As much of a Lease as the agent reads. Writes are patches, so that nothing else of it is lost.</summary>
internal sealed record LeaseObject(LeaseMetadata? Metadata, LeaseSpec? Spec);

internal sealed record LeaseMetadata(string? ResourceVersion, IReadOnlyDictionary<string, string?>? Annotations);

internal sealed record LeaseSpec(string? HolderIdentity, int? LeaseDurationSeconds, int? LeaseTransitions);

internal sealed record LeaseList(LeaseMetadata? Metadata, IReadOnlyList<LeaseObject>? Items);

internal sealed record LeaseEvent(string? Type, LeaseObject? Object);

/// <summary>What the API server says of a failure.</summary>
internal sealed record ApiStatus(string? Message, string? Reason, ApiStatusDetails? Details);

internal sealed record ApiStatusDetails(string? Name, string? Kind);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LeaseObject))]
[JsonSerializable(typeof(LeaseList))]
[JsonSerializable(typeof(LeaseEvent))]
[JsonSerializable(typeof(ApiStatus))]
internal sealed partial class LeaseJson : JsonSerializerContext;
