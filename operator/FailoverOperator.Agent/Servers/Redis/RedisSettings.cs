using System.Globalization;
using System.Net;
using FailoverOperator.Agent.Supervision;

namespace FailoverOperator.Agent.Servers.Redis;

/// <summary>What a person decides about the server.</summary>
/// <param name="Command">As given; the agent adds arguments to it.</param>
/// <param name="Password">Of the default user, on this and the other members. Null: none.</param>
public sealed record RedisSettings(ProcessCommand Command, int Port, string? Password)
{
    private const int DefaultPort = 6379;

    /// <summary>Where the agent talks to it.</summary>
    public IPAddress Host { get; init; } = IPAddress.Loopback;

    /// <returns>The settings, or a sentence that says what is wrong.</returns>
    public static (RedisSettings? Settings, string? Problem) Read(IReadOnlyList<string> command, Func<string, string?> variable)
    {
        if (command.Count == 0) return (null, "no command is given: write it after --, for example: run --engine Redis -- redis-server --port 6379");
        var (source, text) = variable("FAILOVER_REDIS_PORT") is { Length: > 0 } told ? ("FAILOVER_REDIS_PORT", told) : ("--port", LastPort(command));
        if (text is not null && !IsPort(text))
            return (null, $"{source} must be a port number from 1 to 65535, not '{text}': the agent talks to Redis without TLS, on the loopback address");
        var port = text is null ? DefaultPort : int.Parse(text, CultureInfo.InvariantCulture);
        var password = variable("FAILOVER_REDIS_PASSWORD") is { Length: > 0 } secret ? secret : null;
        if (password?.Any(char.IsControl) == true) return (null, "FAILOVER_REDIS_PASSWORD must not contain line breaks or other control characters");
        return (new RedisSettings(new ProcessCommand(command[0], [.. command.Skip(1)]), port, password), null);
    }

    /// <summary>The password stays out of logs and messages.</summary>
    public override string ToString() => FormattableString.Invariant($"{Command.Program} on port {Port}");

    private static string? LastPort(IReadOnlyList<string> arguments)
    {
        for (var i = arguments.Count - 2; i >= 0; i--)
            if (arguments[i] == "--port")
                return arguments[i + 1];
        return null;
    }

    private static bool IsPort(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536;
}
