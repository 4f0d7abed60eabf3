using System.Globalization;
using FailoverOperator.Core.Observations;
using StackExchange.Redis;

namespace FailoverOperator.Engines.Redis;

/// <summary>Redis servers (and what speaks their protocol), each talked to directly.</summary>
/// <param name="credentials">Asked before each use of a connection; a change makes a new one.</param>
/// <param name="onDisturbed">
/// Called with the pod's uid when an open connection to its server breaks, so that somebody asks at once. Not called where a
/// question or command met the break first: whoever gave it knows from its outcome. Must not block.
/// </param>
public sealed class RedisEngine(
    RedisSettings settings, Func<RedisCredentials> credentials, TimeProvider time, Action<string>? onDisturbed = null) : IEngine
{
    private const string VerifyKey = "failover-operator.io/verify";

    private readonly RedisConnections _connections = new(settings, credentials, onDisturbed, time);

    public Task<EngineReply> StatusAsync(MemberEndpoint member, CancellationToken cancellationToken) =>
        AskAsync(member, server => StatusAsync(server, Name(member)), cancellationToken);

    public Task<EngineOutcome> PromoteAsync(
        MemberEndpoint member, EngineContext context, CancellationToken cancellationToken) =>
        CommandAsync(member, server => server.ExecuteAsync("REPLICAOF", "NO", "ONE"), cancellationToken);

    public Task<EngineOutcome> FollowAsync(
        MemberEndpoint member, MemberEndpoint primary, EngineContext context, CancellationToken cancellationToken)
    {
        // A server that follows itself never becomes anything again.
        if (member.PodUid == primary.PodUid || member.PodAddress == primary.PodAddress)
            return Task.FromResult<EngineOutcome>(
                new EngineOutcome.NotDone($"{Name(member)} was not ordered to follow itself: member and primary are the same"));
        return CommandAsync(member, server => FollowAsync(server, primary.PodAddress), cancellationToken);
    }

    /// <summary>
    /// Makes the server a read-only replica of an address where nobody listens. Its data stay, writes get READONLY at once,
    /// and it keeps its history, so that following a primary later need not copy everything. Nothing of it is in the
    /// server's configuration file; a restart forgets it: this is a courtesy, not a fence.
    /// </summary>
    public Task<EngineOutcome> DemoteAsync(
        MemberEndpoint member, EngineContext context, CancellationToken cancellationToken) =>
        CommandAsync(member, DemoteAsync, cancellationToken);

    /// <summary>Over a connection of its own: what a client would meet, not what an old connection still sees.</summary>
    public async Task<EngineOutcome> VerifyAsync(
        MemberEndpoint member, string address, int port, EngineContext context, CancellationToken cancellationToken)
    {
        var server = $"Redis at {address}:{(port == 0 ? settings.Port : port)} ({member.PodName})";
        using var deadline = new Deadline(settings.ProbeTimeout, time, cancellationToken);
        try
        {
            await using var connection = await RedisConnection.OpenAsync(
                address, port == 0 ? settings.Port : port, credentials(), settings.ProbeTimeout, deadline.Token);
            return await WriteAndReadAsync(connection.Server, context.Term, server).WaitAsync(deadline.Token);
        }
        catch (Exception exception) when (RedisFailure.IsExpected(exception))
        {
            cancellationToken.ThrowIfCancellationRequested();
            return ToOutcome(RedisFailure.ToReply(exception, server));
        }
    }

    public ValueTask DisposeAsync() => _connections.DisposeAsync();

    private static async Task<EngineReply> StatusAsync(IServer server, string name)
    {
        var info = await InfoAsync(server);
        var required = info.IsPrimary && info.GoodReplicas is not null ? await RequiredReplicasAsync(server) : null;
        return info.ToReply(name, required);
    }

    private static async Task<RedisInfo> InfoAsync(IServer server) =>
        new((string?)await server.ExecuteAsync("INFO") ?? "");

    /// <summary>min-replicas-to-write; INFO tells only that it is set. Null: the server does not let us read it.</summary>
    private static async Task<long?> RequiredReplicasAsync(IServer server)
    {
        try
        {
            var setting = (string?[]?)await server.ExecuteAsync("CONFIG", "GET", "min-replicas-to-write");
            return setting is [_, { } value] && long.TryParse(value, CultureInfo.InvariantCulture, out var number) ? number : null;
        }
        catch (RedisServerException)
        {
            return null;
        }
    }

    private async Task FollowAsync(IServer server, string primaryAddress)
    {
        var login = credentials();
        if (login.Password is { } password)
        {
            // A user name needs Redis 6; the default user's is not set, for the sake of older servers.
            if (login.Username.Length > 0)
                _ = await server.ExecuteAsync("CONFIG", "SET", "masteruser", login.Username);
            _ = await server.ExecuteAsync("CONFIG", "SET", "masterauth", password);
        }
        // Ordering it again would break a link that works.
        if (!(await InfoAsync(server)).Follows(primaryAddress, settings.Port))
            _ = await server.ExecuteAsync("REPLICAOF", primaryAddress, Text(settings.Port));
    }

    private static async Task DemoteAsync(IServer server)
    {
        if ((await InfoAsync(server)).IsPrimary)
            _ = await server.ExecuteAsync("REPLICAOF", RedisInfo.NowhereHost, Text(RedisInfo.NowherePort));
    }

    private static async Task<EngineOutcome> WriteAndReadAsync(IServer server, long term, string name)
    {
        try
        {
            _ = await server.ExecuteAsync("SET", VerifyKey, Text(term), "EX", "60");
        }
        catch (Exception exception) when (IsReadOnly(exception))
        {
            return new EngineOutcome.NotDone($"{name} is read-only: it is a replica, so no write could be verified");
        }
        var read = (string?)await server.ExecuteAsync("GET", VerifyKey);
        return read == Text(term)
            ? new EngineOutcome.Done()
            : new EngineOutcome.NotDone($"{name} took the write of {Text(term)} but gave back '{read}'");
    }

    /// <summary>The server says READONLY; the client library, once it knows that this is a replica, does not even ask.</summary>
    private static bool IsReadOnly(Exception exception) =>
        exception is RedisServerException or RedisCommandException
        && (exception.Message.Contains("READONLY", StringComparison.Ordinal)
            || exception.Message.Contains("cannot be issued to a replica", StringComparison.OrdinalIgnoreCase));

    private async Task<EngineOutcome> CommandAsync(
        MemberEndpoint member, Func<IServer, Task> command, CancellationToken cancellationToken)
    {
        var reply = await AskAsync<EngineOutcome>(
            member,
            async server =>
            {
                await command(server);
                return new EngineOutcome.Done();
            },
            reply => ToOutcome(reply),
            cancellationToken);
        return reply;
    }

    private Task<EngineReply> AskAsync(
        MemberEndpoint member, Func<IServer, Task<EngineReply>> question, CancellationToken cancellationToken) =>
        AskAsync(member, question, reply => reply, cancellationToken);

    private async Task<T> AskAsync<T>(
        MemberEndpoint member, Func<IServer, Task<T>> question, Func<EngineReply, T> failed, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(settings.ProbeTimeout, time, cancellationToken);
        try
        {
            return await OverAnyConnectionAsync(member, question, deadline.Token);
        }
        catch (Exception exception) when (RedisFailure.IsExpected(exception))
        {
            cancellationToken.ThrowIfCancellationRequested();
            return failed(RedisFailure.ToReply(exception, Name(member)));
        }
    }

    /// <summary>
    /// An open connection may be a dead one that nobody has noticed; its breaking says little, a new one says whether the
    /// server refuses, is silent or is back. Questions and commands are idempotent, so asking a second time is safe.
    /// </summary>
    private async Task<T> OverAnyConnectionAsync<T>(
        MemberEndpoint member, Func<IServer, Task<T>> question, CancellationToken deadline)
    {
        if (_connections.Find(member) is { } open)
        {
            try
            {
                return await OverAsync(member, open, question, deadline);
            }
            catch (Exception exception) when (
                RedisFailure.IsExpected(exception) && RedisFailure.BreaksConnection(exception) && !deadline.IsCancellationRequested)
            {
            }
        }
        return await OverAsync(member, await _connections.OpenAsync(member, deadline), question, deadline);
    }

    private async Task<T> OverAsync<T>(
        MemberEndpoint member, RedisConnection connection, Func<IServer, Task<T>> question, CancellationToken deadline)
    {
        try
        {
            return await question(connection.Server).WaitAsync(deadline);
        }
        catch (Exception exception) when (RedisFailure.BreaksConnection(exception))
        {
            _connections.Drop(member, connection);
            throw;
        }
    }

    private static EngineOutcome ToOutcome(EngineReply reply) => new EngineOutcome.NotDone(EngineReply.Describe(reply));

    private string Name(MemberEndpoint member) => $"Redis in {member.PodName} ({member.PodAddress}:{Text(settings.Port)})";

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
