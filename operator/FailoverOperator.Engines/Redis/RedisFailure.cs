using System.Net.Sockets;
using FailoverOperator.Core.Observations;
using StackExchange.Redis;

namespace FailoverOperator.Engines.Redis;

/// <summary>Turns what went wrong while talking to a server into a value.</summary>
internal static class RedisFailure
{
    private static readonly string[] LoginErrors =
        ["NOAUTH", "WRONGPASS", "NOPERM", "ERR invalid password", "ERR Client sent AUTH", "ERR AUTH"];

    /// <summary>Whether the exception is an expected failure, rather than a defect of this program.</summary>
    public static bool IsExpected(Exception exception) => exception is
        RedisException or RedisCommandException or SocketException or TimeoutException or OperationCanceledException
        or ObjectDisposedException or IOException;

    /// <summary>Whether the connection is of no further use. A server's error message came over a working one.</summary>
    public static bool BreaksConnection(Exception exception) => exception is not (RedisServerException or RedisCommandException);

    public static EngineReply ToReply(Exception exception, string server) => exception switch
    {
        _ when Within<SocketException>(exception) is { SocketErrorCode: SocketError.ConnectionRefused } =>
            new EngineReply.Refused($"{server} refuses connections: no Redis server listens there"),
        _ when Within<RedisServerException>(exception) is { } error => ToReply(error.Message, server),
        RedisConnectionException { FailureType: ConnectionFailureType.AuthenticationFailure } =>
            Unauthorized(server, "login failed"),
        RedisCommandException => new EngineReply.Failed($"{server}: {exception.Message}"),
        TimeoutException or OperationCanceledException => new EngineReply.Silent($"{server} did not answer in time"),
        _ => new EngineReply.Silent($"the connection to {server} broke or could not be made"),
    };

    private static EngineReply ToReply(string error, string server) =>
        LoginErrors.Any(prefix => error.Contains(prefix, StringComparison.OrdinalIgnoreCase))
            ? Unauthorized(server, error)
            : new EngineReply.Failed($"{server} answered with an error: {error}");

    private static EngineReply.Unauthorized Unauthorized(string server, string error) => new(
        $"{server} rejects the operator's login ({error}): check spec.engine.redis.username and passwordSecretRef");

    private static T? Within<T>(Exception? exception)
        where T : Exception
    {
        for (; exception is not null; exception = exception.InnerException)
            if (exception is T found)
                return found;
        return null;
    }
}
