using System.Globalization;
using FailoverOperator.Engines.Redis;

namespace FailoverOperator.Agent.Servers.Redis;

/// <summary>Keeps clients from writing to a primary, step by step, and lets them again.</summary>
internal sealed class RedisFence(RedisClient client, TimeProvider time)
{
    private const string Setting = "min-replicas-to-write";

    /// <summary>More replicas than there can be: every write is refused with NOREPLICAS.</summary>
    private const string Unreachable = "1000000";

    /// <summary>So long the standbys are waited for; they confirm within milliseconds when asked.</summary>
    private static readonly TimeSpan DrainBound = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>What the user had set before the first fence. Null: nothing is fenced.</summary>
    private string? _before;

    /// <summary>min-replicas-to-write. Null: the server does not let us read it.</summary>
    public static async Task<long?> RequiredReplicasAsync(RedisClient client, CancellationToken cancellationToken) =>
        long.TryParse(await ReadAsync(client, cancellationToken), CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>A new process has the user's setting.</summary>
    public void Forget() => _before = null;

    /// <summary>
    /// Writes are refused at once, then it becomes a replica, then the clients are sent away: they come back through the Service,
    /// which knows better.
    /// </summary>
    public async Task DemoteAsync(CancellationToken cancellationToken)
    {
        // A courtesy where the server allows it: becoming a replica is what counts.
        _ = await RaiseAsync(cancellationToken);
        _ = await client.CallAsync(cancellationToken, "REPLICAOF", RedisInfo.NowhereHost, RedisInfo.NowherePort.ToString(CultureInfo.InvariantCulture));
        await TryAsync(cancellationToken, "CLIENT", "KILL", "TYPE", "normal");
        await TryAsync(cancellationToken, "CLIENT", "UNPAUSE");
    }

    /// <summary>Writes are refused from now on; where that cannot be set, they wait. (A pause would hold back the standbys' answers, too.)</summary>
    public async Task HoldWritesAsync(CancellationToken cancellationToken)
    {
        var bound = (DrainBound * 2).TotalMilliseconds.ToString(CultureInfo.InvariantCulture);
        if (!await RaiseAsync(cancellationToken)) await TryAsync(cancellationToken, "CLIENT", "PAUSE", bound, "WRITE");
    }

    /// <summary>Until one standby that is connected has everything, if any is.</summary>
    public async Task DrainAsync(long position, CancellationToken cancellationToken)
    {
        for (var began = time.GetTimestamp(); time.GetElapsedTime(began) < DrainBound;)
        {
            // Asks the standbys how far they are, which they would tell only once a second; more of them than there are, so that it asks.
            await TryAsync(cancellationToken, "WAIT", Unreachable, "20");
            var replicas = (await RedisServer.InfoAsync(client, cancellationToken)).ReplicaPositions;
            if (replicas.Count == 0 || replicas.Max() >= position) return;
            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    /// <summary>As the user had it.</summary>
    public async Task LiftAsync(CancellationToken cancellationToken)
    {
        await TryAsync(cancellationToken, "CLIENT", "UNPAUSE");
        if (_before is not { } before) return;
        _ = await client.CallAsync(cancellationToken, "CONFIG", "SET", Setting, before);
        _before = null;
    }

    /// <summary>False: the server does not allow it.</summary>
    private async Task<bool> RaiseAsync(CancellationToken cancellationToken)
    {
        if (_before is null && await ReadAsync(client, cancellationToken) is { } current) _before = current == Unreachable ? "0" : current;
        return _before is not null && await TryAsync(cancellationToken, "CONFIG", "SET", Setting, Unreachable);
    }

    private static async Task<string?> ReadAsync(RedisClient client, CancellationToken cancellationToken)
    {
        try
        {
            return await client.CallAsync(cancellationToken, "CONFIG", "GET", Setting) is List<object?> { Count: 2 } pair ? pair[1] as string : null;
        }
        catch (RedisErrorException)
        {
            return null;
        }
    }

    /// <summary>False: the server refused, for its version or its access rules.</summary>
    private async Task<bool> TryAsync(CancellationToken cancellationToken, params string[] command)
    {
        try
        {
            _ = await client.CallAsync(cancellationToken, command);
            return true;
        }
        catch (RedisErrorException)
        {
            return false;
        }
    }
}
