using System.Globalization;
using FailoverOperator.Agent.Supervision;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Observations;
using FailoverOperator.Engines.Redis;

namespace FailoverOperator.Agent.Servers.Redis;

/// <summary>
/// A stock Redis server. It is started as a replica of an address where nobody listens, so that it is read-only whatever its
/// configuration says, and keeps its replication history: whoever it follows later, it need not copy everything.
/// </summary>
public sealed class RedisServer : IMemberServer, IDisposable
{
    private static readonly string NowherePort = RedisInfo.NowherePort.ToString(CultureInfo.InvariantCulture);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private readonly RedisSettings _settings;
    private readonly ISupervisor _supervisor;
    private readonly TimeProvider _time;
    private readonly RedisClient _orders;
    private readonly RedisClient _questions;
    private readonly RedisFence _fence;

    public RedisServer(RedisSettings settings, ISupervisor supervisor, TimeProvider time)
    {
        (_settings, _supervisor, _time) = (settings, supervisor, time);
        (_orders, _questions) = (new RedisClient(settings), new RedisClient(settings));
        _fence = new RedisFence(_orders, time);
    }

    private IServerRun? Running => _supervisor.Server is { Exited.IsCompleted: false } run ? run : null;

    public async Task<EngineReply> StatusAsync(CancellationToken cancellationToken)
    {
        if (Running is null) return new EngineReply.Refused(WhyNotRunning());
        try
        {
            var info = await InfoAsync(_questions, cancellationToken);
            var required = info.IsPrimary && info.GoodReplicas is not null ? await RedisFence.RequiredReplicasAsync(_questions, cancellationToken) : null;
            return info.ToReply("Redis", required);
        }
        catch (RedisErrorException error)
        {
            return IsLogin(error) ? new EngineReply.Unauthorized($"Redis rejects the agent's login ({error.Message}): check FAILOVER_REDIS_PASSWORD") : new EngineReply.Failed($"Redis answered with an error: {error.Message}");
        }
        catch (Exception failure) when (RedisClient.IsExpected(failure))
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Running is null ? new EngineReply.Refused(WhyNotRunning()) : new EngineReply.Silent($"Redis does not answer: {failure.Message}");
        }
    }

    public Task<EngineOutcome> ServeAsync(long term, LeaseTerms terms, HistoryFloor? floor, Action beforeWritable, CancellationToken cancellationToken) => DoAsync(async () =>
    {
        if (await StartAsync(cancellationToken) is { } problem) return problem;
        var info = await LoadedAsync(cancellationToken);
        beforeWritable();
        // First, so that a primary never refuses a write for want of replicas that nobody asked for.
        await _fence.LiftAsync(cancellationToken);
        if (!info.IsPrimary) _ = await _orders.CallAsync(cancellationToken, "REPLICAOF", "NO", "ONE");
        return (await InfoAsync(_orders, cancellationToken)).IsPrimary ? null : "Redis is still a replica although it was promoted";
    }, cancellationToken);

    public Task<EngineOutcome> FollowAsync(Leader leader, CancellationToken cancellationToken) => DoAsync(async () =>
    {
        if (await StartAsync(cancellationToken) is { } problem) return problem;
        if (await InfoAsync(_orders, cancellationToken) is { IsPrimary: true }) await _fence.DemoteAsync(cancellationToken);
        if (_settings.Password is { } password) _ = await _orders.CallAsync(cancellationToken, "CONFIG", "SET", "masterauth", password);
        // Ordering it again would break a link that works.
        if (!(await InfoAsync(_orders, cancellationToken)).Follows(leader.Address, _settings.Port))
            _ = await _orders.CallAsync(cancellationToken, "REPLICAOF", leader.Address, _settings.Port.ToString(CultureInfo.InvariantCulture));
        return null;
    }, cancellationToken);

    /// <summary>A replica stays with whom it follows: what that one has left to send is welcome.</summary>
    public Task<EngineOutcome> StandByAsync(CancellationToken cancellationToken) => DoAsync(async () =>
    {
        var isNew = Running is null;
        if (await StartAsync(cancellationToken) is { } problem) return problem;
        if (!(await InfoAsync(_orders, cancellationToken)).IsPrimary) return null;
        await _fence.DemoteAsync(cancellationToken);
        return isNew ? "Redis started as a primary although it was told to be a replica: the command after -- must pass its arguments on to redis-server" : null;
    }, cancellationToken);

    public Task<EngineOutcome> DemoteAsync(CancellationToken cancellationToken) => DoAsync(async () =>
    {
        if (Running is null) return null;
        await _fence.DemoteAsync(cancellationToken);
        return (await InfoAsync(_orders, cancellationToken)).IsPrimary ? "Redis is still a primary although it was demoted" : null;
    }, cancellationToken);

    /// <summary>
    /// Ends the writing for good, which is what counts; the process is left running, as writing its dump may take long. Whoever waits
    /// for the position need not wait for that.
    /// </summary>
    public async Task<long?> ShutDownAsync(CancellationToken cancellationToken)
    {
        if (Running is null) return null;
        try
        {
            var info = await InfoAsync(_orders, cancellationToken);
            if (!info.IsPrimary) return info.Position;
            await _fence.HoldWritesAsync(cancellationToken);
            var position = (await InfoAsync(_orders, cancellationToken)).Position;
            if (position is { } end) await _fence.DrainAsync(end, cancellationToken);
            await _fence.DemoteAsync(cancellationToken);
            return (await InfoAsync(_orders, cancellationToken)).IsPrimary ? null : position;
        }
        catch (Exception failure) when (RedisClient.IsExpected(failure))
        {
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
    }

    public void Dispose()
    {
        _orders.Dispose();
        _questions.Dispose();
    }

    internal static async Task<RedisInfo> InfoAsync(RedisClient client, CancellationToken cancellationToken) =>
        new(await client.CallAsync(cancellationToken, "INFO") as string ?? "");

    /// <summary>Null: it runs and answers. Otherwise why not.</summary>
    private async Task<string?> StartAsync(CancellationToken cancellationToken)
    {
        if (Running is null)
        {
            var command = _settings.Command with { Arguments = [.. _settings.Command.Arguments, "--replicaof", RedisInfo.NowhereHost, NowherePort, "--replica-read-only", "yes"] };
            if (_supervisor.StartServer(command) is (null, var problem)) return problem;
            _fence.Forget();
        }
        while (Running is not null)
        {
            try
            {
                _ = await InfoAsync(_orders, cancellationToken);
                return null;
            }
            catch (System.Net.Sockets.SocketException)
            {
                // It does not listen yet.
                await Task.Delay(Pause, _time, cancellationToken);
            }
        }
        return WhyNotRunning();
    }

    /// <summary>When it has its data: a big dump takes its time.</summary>
    private async Task<RedisInfo> LoadedAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var info = await InfoAsync(_orders, cancellationToken);
            if (!info.IsLoading) return info;
            await Task.Delay(Pause * 10, _time, cancellationToken);
        }
    }

    private static async Task<EngineOutcome> DoAsync(Func<Task<string?>> order, CancellationToken cancellationToken)
    {
        try
        {
            return await order() is { } problem ? new EngineOutcome.NotDone(problem) : new EngineOutcome.Done();
        }
        catch (Exception failure) when (RedisClient.IsExpected(failure))
        {
            cancellationToken.ThrowIfCancellationRequested();
            return new EngineOutcome.NotDone(failure is RedisErrorException ? $"Redis answered with an error: {failure.Message}" : $"Redis does not answer: {failure.Message}");
        }
    }

    private string WhyNotRunning()
    {
        if (_supervisor.Server is not { Exited.IsCompleted: true } run) return "Redis has not been started yet";
        var last = run.LastOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault();
        return FormattableString.Invariant($"Redis ended with {run.Exited.Result}{(last is null ? "" : $": {last}")}");
    }

    private static bool IsLogin(RedisErrorException error) =>
        error.Message.StartsWith("NOAUTH", StringComparison.Ordinal) || error.Message.StartsWith("WRONGPASS", StringComparison.Ordinal) || error.Message.StartsWith("ERR AUTH", StringComparison.Ordinal);
}
