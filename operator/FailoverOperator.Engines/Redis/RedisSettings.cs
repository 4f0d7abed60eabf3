namespace FailoverOperator.Engines.Redis;

/// <summary>How the operator talks to Redis servers.</summary>
public sealed record RedisSettings
{
    public int Port { get; init; } = 6379;

    /// <summary>Time for one question or command, connecting included.</summary>
    public TimeSpan ProbeTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A connection unused for so long is closed.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Bound of the open connections; the least recently used one makes room.</summary>
    public int MaxConnections { get; init; } = 64;
}

/// <summary>What to log in with. An empty user name is the default user; a null password means no login.</summary>
public sealed record RedisCredentials(string Username, string? Password)
{
    public static readonly RedisCredentials None = new("", null);

    /// <summary>The password stays out of logs and messages.</summary>
    public override string ToString() => $"user '{(Username.Length == 0 ? "default" : Username)}'";
}
