using System.Globalization;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Engines.Redis;

/// <summary>The fields of a server's answer to INFO.</summary>
internal sealed class RedisInfo
{
    /// <summary>Where a demoted server is sent: nobody listens there. Kept out of what it is said to follow.</summary>
    public const string NowhereHost = "127.0.0.1";
    public const int NowherePort = 1;

    private readonly Dictionary<string, string> _fields = new(StringComparer.Ordinal);

    public RedisInfo(string text)
    {
        foreach (var line in text.AsSpan().EnumerateLines())
            if (line.IndexOf(':') is > 0 and var colon && line[0] != '#')
                _fields[line[..colon].ToString()] = line[(colon + 1)..].ToString();
    }

    /// <summary>Replicas that keep up, told only where min-replicas-to-write is set. Null: it is not.</summary>
    public long? GoodReplicas => Number("min_slaves_good_slaves");

    public bool IsLoading => Flag("loading");

    /// <summary>How far its own data go. Null: not told.</summary>
    public long? Position => Number(IsPrimary ? "master_repl_offset" : "slave_repl_offset");

    /// <summary>How far the replicas that are connected have confirmed.</summary>
    public IReadOnlyList<long> ReplicaPositions => [.. _fields
        .Where(replica => replica.Key.StartsWith("slave", StringComparison.Ordinal) && replica.Value.Contains("state=online", StringComparison.Ordinal))
        .SelectMany(replica => replica.Value.Split(','))
        .Where(part => part.StartsWith("offset=", StringComparison.Ordinal))
        .Select(part => long.TryParse(part.AsSpan("offset=".Length), CultureInfo.InvariantCulture, out var offset) ? offset : 0)];

    public bool IsPrimary => Text("role") == "master";

    public bool Follows(string address, int port) =>
        Text("role") == "slave" && Text("master_host") == address && Number("master_port") == port;

    /// <param name="requiredReplicas">min-replicas-to-write. Null: not set, or unknown.</param>
    public EngineReply ToReply(string server, long? requiredReplicas)
    {
        if (IsLoading)
            return new EngineReply.Failed($"{server} is still loading its data");
        return Text("role") switch
        {
            "master" => new EngineReply.Answered(Primary(requiredReplicas)),
            "slave" => new EngineReply.Answered(Standby()),
            var role => new EngineReply.Failed($"{server} tells no role that is known in INFO (role: '{role}')"),
        };
    }

    private EngineStatus Primary(long? requiredReplicas) => Common() with
    {
        Role = EngineRole.Primary,
        // Not known to refuse writes means that it may take them.
        Writable = !(GoodReplicas is { } good && requiredReplicas is { } required && good < required),
        PositionBytes = Number("master_repl_offset"),
    };

    private EngineStatus Standby()
    {
        var link = Link();
        return Common() with
        {
            Role = EngineRole.Standby,
            Writable = Text("slave_read_only") == "0",
            // How far its own data go; master_repl_offset of a replica counts what it could pass on. Meaningless in a full copy.
            PositionBytes = link == ReplicationLink.Syncing ? null : Number("slave_repl_offset"),
            Link = link,
            LinkDownFor = link == ReplicationLink.Up ? null : LinkDownFor(),
            FollowsAddress = Follows(NowhereHost, NowherePort) ? null : Text("master_host"),
        };
    }

    private EngineStatus Common() => new()
    {
        Role = EngineRole.Unknown,
        Writable = false,
        Instance = Text("run_id"),
        // An offset means something only within its replication history.
        History = Text("master_replid"),
        PreviousHistory = Text("master_replid2") is { } previous && previous.Any(c => c != '0') ? previous : null,
        IsEmpty = !_fields.Any(field => field.Key.StartsWith("db", StringComparison.Ordinal)
            && field.Value.StartsWith("keys=", StringComparison.Ordinal)),
    };

    private ReplicationLink Link() => Text("master_link_status") switch
    {
        "up" => ReplicationLink.Up,
        _ when Flag("master_sync_in_progress") => ReplicationLink.Syncing,
        "down" => ReplicationLink.Down,
        _ => ReplicationLink.Unknown,
    };

    /// <summary>The server says -1 where the link has never been up.</summary>
    private TimeSpan? LinkDownFor() =>
        Number("master_link_down_since_seconds") is >= 0 and var seconds ? TimeSpan.FromSeconds(seconds) : null;

    private bool Flag(string name) => Text(name) == "1";

    private string? Text(string name) => _fields.GetValueOrDefault(name);

    private long? Number(string name) =>
        long.TryParse(Text(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
}
