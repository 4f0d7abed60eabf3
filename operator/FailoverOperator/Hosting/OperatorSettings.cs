using System.Globalization;

namespace FailoverOperator.Hosting;

/// <summary>The process's settings, from environment variables.</summary>
public sealed record OperatorSettings
{
    /// <summary>Namespace to watch. Null: all.</summary>
    public string? WatchNamespace { get; init; }

    /// <summary>Whether the operator has the right to read nodes. Without, it does not even ask for them.</summary>
    public bool ReadNodes { get; init; } = true;

    /// <summary>Port of <c>/metrics</c>, <c>/healthz</c> and <c>/readyz</c>.</summary>
    public int HttpPort { get; init; } = 8080;

    /// <summary>Port of the webhook that is told of evictions.</summary>
    public int WebhookPort { get; init; } = 8443;

    /// <summary>Folder with <c>tls.crt</c>, <c>tls.key</c> and <c>token</c>, the secret part of the webhook's path. Null: there is no webhook.</summary>
    public string? WebhookFolder { get; init; }

    /// <summary>So many failovers that the operator began by itself run at the same time. 0: as many as there are.</summary>
    public int MaxConcurrentFailovers { get; init; } = 100;

    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>Log as JSON rather than as text.</summary>
    public bool LogJson { get; init; } = true;

    /// <summary>Who reports events.</summary>
    public string Instance { get; init; } = "failover-operator";

    /// <summary>Where the operator's replicas tell each other that they live. Null: there is only this one.</summary>
    public string? Namespace { get; init; }

    /// <summary>Of the pod that the process runs in. Null: unknown.</summary>
    public string? PodUid { get; init; }

    /// <summary>Reads the settings; on a bad one throws <see cref="FormatException"/> with a sentence that names the variable.</summary>
    public static OperatorSettings Read(Func<string, string?> variable) => new()
    {
        WatchNamespace = Read(variable, "FAILOVER_WATCH_NAMESPACE", null),
        ReadNodes = bool.TryParse(Read(variable, "FAILOVER_READ_NODES", "true"), out var readNodes)
            ? readNodes : throw new FormatException("FAILOVER_READ_NODES must be true or false"),
        HttpPort = int.TryParse(Read(variable, "FAILOVER_HTTP_PORT", "8080"), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535
            ? port : throw new FormatException("FAILOVER_HTTP_PORT must be a port number, 1 to 65535"),
        MaxConcurrentFailovers = int.TryParse(Read(variable, "FAILOVER_MAX_CONCURRENT_FAILOVERS", "100"), NumberStyles.None, CultureInfo.InvariantCulture, out var cap)
            ? cap : throw new FormatException("FAILOVER_MAX_CONCURRENT_FAILOVERS must be a whole number, 0 or more"),
        LogLevel = Enum.TryParse<LogLevel>(Read(variable, "FAILOVER_LOG_LEVEL", "Information"), ignoreCase: true, out var level) && Enum.IsDefined(level)
            ? level : throw new FormatException($"FAILOVER_LOG_LEVEL must be one of {string.Join(", ", Enum.GetNames<LogLevel>())}"),
        LogJson = Read(variable, "FAILOVER_LOG_FORMAT", "json") switch
        {
            "json" => true,
            "text" => false,
            _ => throw new FormatException("FAILOVER_LOG_FORMAT must be json or text"),
        },
        WebhookPort = int.TryParse(Read(variable, "FAILOVER_WEBHOOK_PORT", "8443"), NumberStyles.None, CultureInfo.InvariantCulture, out var webhookPort) && webhookPort is > 0 and <= 65535
            ? webhookPort : throw new FormatException("FAILOVER_WEBHOOK_PORT must be a port number, 1 to 65535"),
        WebhookFolder = Read(variable, "FAILOVER_WEBHOOK_FOLDER", null),
        Instance = Read(variable, "POD_NAME", null) ?? "failover-operator",
        // Without a name of its own it cannot be told apart from the others.
        Namespace = Read(variable, "POD_NAME", null) is null ? null : Read(variable, "POD_NAMESPACE", null),
        PodUid = Read(variable, "POD_UID", null),
    };

    private static string? Read(Func<string, string?> variable, string name, string? otherwise) => variable(name) is { Length: > 0 } value ? value : otherwise;
}
