using System.Globalization;
using FailoverOperator.Agent.Supervision;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>A stock PostgreSQL server, 15 or newer, with nothing installed beside it.</summary>
public sealed class PostgreSqlServer : IMemberServer, IAsyncDisposable
{
    private static readonly TimeSpan CheckpointTimeout = TimeSpan.FromSeconds(10);

    private readonly PostgreSqlSettings _settings;
    private readonly TimeProvider _time;
    private readonly Sql _sql;
    private readonly DataDirectory _data;
    private readonly ConfigurationFiles _files;
    private readonly PostgreSqlTools _tools;
    private readonly ServerProcess _process;
    private readonly StatusReader _status;
    private readonly Promotion _promotion;
    private readonly Following _following;
    private readonly ISupervisor _supervisor;

    /// <summary>Why the server ended, and the message of it that was made last.</summary>
    private (string Why, string Message) _atRest;

    public PostgreSqlServer(PostgreSqlSettings settings, ISupervisor supervisor, TimeProvider time)
    {
        (_settings, _supervisor, _time) = (settings, supervisor, time);
        _data = new DataDirectory(settings.DataDirectory);
        _files = new ConfigurationFiles(settings);
        _tools = new PostgreSqlTools(settings, supervisor);
        _sql = new Sql(settings);
        _process = new ServerProcess(settings, _sql, _data, _files, _tools, supervisor, time);
        _status = new StatusReader(settings, _sql, time);
        _promotion = new Promotion(settings, time);
        _following = new Following(_data, _files, _tools, _process, new LeaderQuestion(settings, _sql, time));
    }

    public async Task<EngineReply> StatusAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_following.Work is { } work) return Copying(work);
            if (!_process.Runs) return await AtRestAsync(cancellationToken);
            _process.Refresh();
            return await _status.AskAsync(cancellationToken) switch
            {
                StatusAnswer.Told told => new EngineReply.Answered(Tell(told)),
                StatusAnswer.Untold untold when _process.Runs => untold.Reply,
                StatusAnswer.Untold => await AtRestAsync(cancellationToken),
                var answer => throw new InvalidOperationException($"unknown answer {answer}"),
            };
        }
        catch (Exception exception) when (IsExpected(exception))
        {
            cancellationToken.ThrowIfCancellationRequested();
            return new EngineReply.Failed(Describe(exception));
        }
    }

    public Task<EngineOutcome> ServeAsync(long term, LeaseTerms terms, HistoryFloor? floor, Action beforeWritable, CancellationToken cancellationToken) =>
        DoAsync(() => ServeAsync(terms, floor, beforeWritable, cancellationToken), cancellationToken);

    public Task<EngineOutcome> FollowAsync(Leader leader, CancellationToken cancellationToken) =>
        DoAsync(() => FollowLeaderAsync(leader, cancellationToken), cancellationToken);

    public Task<EngineOutcome> PrepareAsync(LeaseTerms terms, CancellationToken cancellationToken) => DoAsync(async () =>
    {
        await using var session = await _sql.OpenAsync(cancellationToken);
        await _promotion.PrepareAsync(session, terms, cancellationToken);
        return null;
    }, cancellationToken);

    public Task<EngineOutcome> StandByAsync(CancellationToken cancellationToken) =>
        DoAsync(() => StandAsync(new Bearing(null, _files.Bearing.SynchronousNames), cancellationToken), cancellationToken);

    public Task<EngineOutcome> DemoteAsync(CancellationToken cancellationToken) =>
        DoAsync(() => _process.StopNowAsync(cancellationToken), cancellationToken);

    public async Task<long?> ShutDownAsync(CancellationToken cancellationToken)
    {
        try
        {
            await CheckpointAsync(cancellationToken);
            if (await _process.StopAsync(cancellationToken) != 0) return null;
            var (control, _) = await _tools.ControlDataAsync(_data.Path, cancellationToken);
            return control is { EndedInOrder: true } ? control.Known.Bytes : null;
        }
        catch (Exception exception) when (IsExpected(exception))
        {
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _status.DisposeAsync();
        await _sql.DisposeAsync();
    }

    /// <summary>
    /// What the synchronous members are is in effect before the promotion: not one write of the new primary may be
    /// acknowledged without them.
    /// </summary>
    private async Task<string?> ServeAsync(LeaseTerms terms, HistoryFloor? floor, Action beforeWritable, CancellationToken cancellationToken)
    {
        var bearing = new Bearing(null, MemberNames.Synchronous(terms, _settings.PodName));
        if (await CreateIfFirstAsync(cancellationToken) is { } uncreated) return uncreated;
        var (session, problem) = await _process.BringUpAsync(bearing, cancellationToken);
        if (session is null) return problem;
        await using var _ = session;

        // Slots and the new timeline are files that are made durable one after the other: both at once, as everybody waits for them.
        var slots = KeepSlotsAsync(terms, cancellationToken);
        var writable = MakeWritableAsync(session, bearing, floor, beforeWritable, cancellationToken);
        await Task.WhenAll(slots, writable);
        return await writable;
    }

    private async Task<string?> MakeWritableAsync(Session session, Bearing bearing, HistoryFloor? floor, Action beforeWritable, CancellationToken cancellationToken)
    {
        if (await _process.SteerAsync(session, bearing, cancellationToken) is { } unsteered) return unsteered;
        beforeWritable();
        if (await session.IsInRecoveryAsync(cancellationToken))
        {
            if (floor is not null && await ReserveAsync(session, floor, cancellationToken) is { } unreserved) return unreserved;
            if (await _promotion.PromoteAsync(session, cancellationToken) is { } unpromoted) return unpromoted;
        }
        await _promotion.EnsureRoleAsync(session, cancellationToken);
        return null;
    }

    private async Task KeepSlotsAsync(LeaseTerms terms, CancellationToken cancellationToken)
    {
        await using var session = await _sql.OpenAsync(cancellationToken);
        await _promotion.KeepSlotsAsync(session, terms, cancellationToken);
    }

    /// <summary>Its next timeline is one that nobody can have begun yet.</summary>
    private async Task<string?> ReserveAsync(Session session, HistoryFloor floor, CancellationToken cancellationToken)
    {
        // The one that it follows is this one or a later one, whose history it has then.
        var known = await session.TextAsync("select timeline_id::text from pg_control_checkpoint()", cancellationToken);
        if (!uint.TryParse(known, CultureInfo.InvariantCulture, out var timeline) || Timelines.Reserved(timeline, floor) is not { } reserved)
            return $"the lease's annotation {LeaseContract.FloorAnnotation} makes no sense: {floor}";
        _data.ReserveTimelines(reserved);
        return null;
    }

    /// <summary>Whether these are the very first data is the operator's to know: it gives the lease to a member without data only then.</summary>
    private async Task<string?> CreateIfFirstAsync(CancellationToken cancellationToken)
    {
        _data.Settle();
        if (_data.State == DataState.Present) return null;
        if (_data.State == DataState.Unfinished)
            return "the data were being rewound when that was interrupted: this member must copy another one's before it can serve";
        if (_data.State == DataState.Foreign) return "PGDATA holds files that are not PostgreSQL's: empty it, or set PGDATA to another folder";
        if (_settings.SuperuserPassword is null)
            return "POSTGRES_PASSWORD is not set: it becomes the password of the superuser postgres when the first data are created";
        if (_data.Problem is { } problem) return problem;
        _ = _files.Write(_files.Bearing);
        if (await _tools.RemoveAsync(_data.New, cancellationToken) is { } unremoved) return unremoved;
        if (await _tools.CreateAsync(_data.New, cancellationToken) is { } uncreated) return uncreated;
        _data.Adopt();
        return null;
    }

    private async Task<string?> FollowLeaderAsync(Leader leader, CancellationToken cancellationToken)
    {
        // Towards the new leader first: if the logs fit, and mostly they do, no time is lost.
        var bearing = _files.Bearing with { LeaderAddress = leader.Address };
        if (_process.Runs && await StandAsync(bearing, cancellationToken) is { } problem && !_process.LetsNobodyIn) return problem;
        _data.Settle();
        var told = _process is { Runs: true, LetsNobodyIn: false } ? await _status.AskAsync(cancellationToken) as StatusAnswer.Told : null;
        return await _following.FollowAsync(leader, told, cancellationToken);
    }

    /// <summary>A server that is writable is ended first: it becomes a standby by a start. Without data there is nothing to do.</summary>
    private async Task<string?> StandAsync(Bearing bearing, CancellationToken cancellationToken)
    {
        _data.Settle();
        if (!_process.Runs && _data.State != DataState.Present) return null;
        var (session, problem) = await _process.BringUpAsync(bearing, cancellationToken);
        if (session is not null && !await session.IsInRecoveryAsync(cancellationToken))
        {
            await session.DisposeAsync();
            if (await _process.StopNowAsync(cancellationToken) is { } unstopped) return unstopped;
            (session, problem) = await _process.BringUpAsync(bearing, cancellationToken);
        }
        if (session is null) return problem;
        await using var _ = session;
        return await _process.SteerAsync(session, bearing, cancellationToken);
    }

    /// <summary>So that there is little left to write while the server shuts down. It is no harm if it does not end in time.</summary>
    private async Task CheckpointAsync(CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(CheckpointTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            await using var session = await _sql.OpenAsync(either.Token);
            if (!await session.IsInRecoveryAsync(either.Token)) await session.ExecuteAsync("checkpoint", either.Token);
        }
        catch (Exception exception) when (Sql.IsExpected(exception))
        {
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private EngineStatus Tell(StatusAnswer.Told told)
    {
        var parent = told.Memory.Reached is { } reached ? _data.History(reached.Timeline)?.Parent : null;
        var status = told.Memory.Tell(told.Row, _supervisor.Server?.ProcessId ?? 0, parent, _files.Bearing.LeaderAddress, _status.Now);
        status = status with { Message = status.Message ?? Remark(told.Row) };
        // Told so that it is ordered to follow again, and is started anew with larger settings.
        return told.Row.IsPaused && ServerLog.SaysTooSmall(_process.Log) ? status with { Link = ReplicationLink.Down } : status;
    }

    /// <summary>What a person should know of a server that runs.</summary>
    private string? Remark(StatusRow row)
    {
        const long Little = 32 * 1024 * 1024;
        var wanted = _files.Bearing.SynchronousNames;
        if (row.SynchronousNames != wanted)
            return $"synchronous_standby_names is not what the agent has set ({wanted}): undo that with ALTER SYSTEM RESET";
        if (!row.InRecovery && wanted == MemberNames.WaitForNobodyYet) return "writes wait for a standby, but the group has no other member";
        return new DriveInfo(_data.Path).AvailableFreeSpace < Little ? "the disk is nearly full: free space or enlarge the volume" : null;
    }

    private static EngineReply.Answered Copying(CopyWork work) => new(new EngineStatus
    {
        Role = EngineRole.Standby,
        Writable = false,
        Link = ReplicationLink.Syncing,
        FollowsAddress = work.LeaderAddress,
        Message = work.Message,
    });

    /// <summary>The server does not run: what is known from its files and from what it said last.</summary>
    private async Task<EngineReply> AtRestAsync(CancellationToken cancellationToken)
    {
        switch (_data.State)
        {
            case DataState.Absent:
                return new EngineReply.Answered(new EngineStatus { Role = EngineRole.Standby, Writable = false, IsEmpty = true });
            case DataState.Unfinished:
                return new EngineReply.Refused("the server does not run: its data were being rewound when that was interrupted; it will be cloned");
            case DataState.Foreign:
                return new EngineReply.Refused("the server does not run: PGDATA holds files that are not PostgreSQL's");
        }
        var why = _supervisor.Server is null ? "the server has not been started yet" : await _process.WhyEndedAsync();
        if (_atRest.Why != why)
        {
            var (control, problem) = await _tools.ControlDataAsync(_data.Path, cancellationToken);
            _atRest = (why, control is null ? $"{why}; {problem}" : $"{why}; its data: {control.State}, log to {control.Known}");
        }
        return new EngineReply.Refused(_atRest.Message);
    }

    private async Task<EngineOutcome> DoAsync(Func<Task<string?>> order, CancellationToken cancellationToken)
    {
        try
        {
            return await order() is { } problem ? new EngineOutcome.NotDone(problem) : new EngineOutcome.Done();
        }
        catch (Exception exception) when (IsExpected(exception))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var hasEnded = Sql.IsExpected(exception) && _supervisor.Server is { Exited.IsCompleted: true };
            return new EngineOutcome.NotDone(hasEnded ? await _process.WhyEndedAsync() : Describe(exception));
        }
    }

    private static bool IsExpected(Exception exception) => Sql.IsExpected(exception) || exception is UnauthorizedAccessException;

    private static string Describe(Exception exception) => ServerLog.Advise(Sql.Describe(exception));
}
