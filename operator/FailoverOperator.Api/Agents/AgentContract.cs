using System.Text.Json.Serialization;

namespace FailoverOperator.Api.Agents;

/// <summary>
/// The agent's HTTP interface on the pod's address. Every request but the liveness probe carries
/// <c>Authorization: Bearer token</c>.
/// </summary>
public static class AgentContract
{
    /// <summary>GET: an <see cref="AgentStatus"/>.</summary>
    public const string StatusPath = "/v1/status";

    /// <summary>POST an <see cref="AcknowledgeRequest"/>, get an <see cref="AcknowledgeReply"/>. From agent to agent.</summary>
    public const string AcknowledgePath = "/v1/acknowledge";

    /// <summary>GET, without a token: 200 while the agent's loop turns. For the kubelet.</summary>
    public const string LivenessPath = "/healthz";

    /// <summary>GET, without a token: 200 while the server answers as primary or standby. For the kubelet.</summary>
    public const string ReadinessPath = "/readyz";

    public const string MetricsPath = "/metrics";

    public const int DefaultPort = 8008;
}

/// <summary>What an agent says of its member. Ages are on its own monotonic clock; no wall clock is compared.</summary>
public sealed record AgentStatus
{
    /// <summary>Identity, as in a lease.</summary>
    public required string Identity { get; init; }

    /// <summary>The highest term that the agent knows of.</summary>
    public long Term { get; init; }

    /// <summary>What the server said of itself. Null: it does not answer, see <see cref="Message"/>.</summary>
    public ServerStatus? Server { get; init; }

    /// <summary>Age of <see cref="Server"/>.</summary>
    public long AgeMilliseconds { get; init; }

    /// <summary>Whether the server's process runs.</summary>
    public bool ProcessRuns { get; init; }

    /// <summary>Since sending the last renewal that was acknowledged. Null: not the holder.</summary>
    public long? RenewedAgoMilliseconds { get; init; }

    /// <summary>
    /// Since the right to write was proven last of a time in which the server was a primary. Null: it is the holder, or was not since the agent started.
    /// </summary>
    public long? ServedAgoMilliseconds { get; init; }

    /// <summary>The holder whom this agent acknowledged last, and how long ago. Null: nobody since it started.</summary>
    public Acknowledged? Acknowledged { get; init; }

    /// <summary>What is the matter, or what is being done.</summary>
    public string? Message { get; init; }
}

/// <summary>A server's state, in the words of the operator's core.</summary>
public sealed record ServerStatus
{
    /// <summary>Primary, Standby or Unknown.</summary>
    public required string Role { get; init; }

    public bool Writable { get; init; }

    public string? Instance { get; init; }

    public long? PositionBytes { get; init; }

    public string? History { get; init; }

    public string? PreviousHistory { get; init; }

    /// <summary>Up, Syncing, Down or Unknown.</summary>
    public string Link { get; init; } = "Unknown";

    public long? LinkDownMilliseconds { get; init; }

    public string? FollowsAddress { get; init; }

    public bool? IsEmpty { get; init; }

    /// <summary>Age of the last write that was replayed. Null: unknown, or a primary.</summary>
    public long? LagMilliseconds { get; init; }

    public string? Message { get; init; }
}

/// <param name="Holder">Identity of the holder.</param>
public sealed record Acknowledged(string Holder, long Term, long AgoMilliseconds);

/// <summary>A holder that cannot reach the API server asks to stay.</summary>
/// <param name="Holder">Identity of the holder.</param>
/// <param name="Member">Identity of the member that is asked: an address may have passed to another pod.</param>
/// <param name="LeaseDurationSeconds">D of the terms that the holder lives by; the member may not have seen these.</param>
public sealed record AcknowledgeRequest(string Holder, long Term, string Member, int LeaseDurationSeconds);

/// <summary>Granted is a promise not to promote for the D that was asked for, counted from giving it.</summary>
public sealed record AcknowledgeReply(bool Granted, string? Reason);

/// <summary>JSON of the agents' contract, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LeaseTerms))]
[JsonSerializable(typeof(ReleaseNote))]
[JsonSerializable(typeof(HistoryFloor))]
[JsonSerializable(typeof(AgentStatus))]
[JsonSerializable(typeof(AcknowledgeRequest))]
[JsonSerializable(typeof(AcknowledgeReply))]
public sealed partial class AgentJson : JsonSerializerContext;
