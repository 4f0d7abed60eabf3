namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>The data are being copied or rewound.</summary>
internal sealed record CopyWork(string Message, string LeaderAddress);

/// <summary>Makes the data fit the leader's, and the server a standby of it. Results: null, or why it did not work.</summary>
internal sealed class Following(
    DataDirectory data, ConfigurationFiles files, PostgreSqlTools tools, ServerProcess process, LeaderQuestion question)
{
    private volatile CopyWork? _work;

    /// <summary>The timeline that the data were last rewound onto: a second time would change nothing.</summary>
    private uint? _rewoundOnto;

    /// <summary>What is being done. Null: nothing that takes long.</summary>
    public CopyWork? Work => _work;

    /// <param name="told">What the server said just now, before the leader is asked. Null: it does not run, or said nothing.</param>
    public async Task<string?> FollowAsync(Leader leader, StatusAnswer.Told? told, CancellationToken cancellationToken)
    {
        switch (await question.AskAsync(leader, cancellationToken))
        {
            case LeaderAnswer.Unfit unfit:
                // Nothing is given up for it, but there is no harm in waiting as a standby.
                if (process.Runs || data.State != DataState.Present) return unfit.Why;
                return await ComeUpAsync(files.Bearing with { LeaderAddress = leader.Address }, cancellationToken) ?? unfit.Why;
            case LeaderAnswer.Primary primary:
                // Old data, also those of an interrupted time, go when the server is at work again.
                return await FollowAsync(leader, primary, told, cancellationToken) ?? await tools.RemoveAsync(data.Old, cancellationToken);
            case var answer:
                throw new InvalidOperationException($"unknown answer {answer}");
        }
    }

    private async Task<string?> FollowAsync(Leader leader, LeaderAnswer.Primary primary, StatusAnswer.Told? told, CancellationToken cancellationToken)
    {
        var isAsked = data.State == DataState.Present && (!process.Runs || process.LetsNobodyIn);
        var (control, unknown) = isAsked ? await tools.ControlDataAsync(data.Path, cancellationToken) : (null, null);
        if (unknown is not null) return unknown;
        var local = new LocalData(
            data.State, process.Runs, control, control?.SystemId ?? told?.Row.SystemId, told?.Memory.IsSettled == true ? told.Memory.Reached : null,
            told?.Row.IsUp == true, process.Log, _rewoundOnto);

        // Once promoted it waits for standbys if the leader does, see MemberNames.WaitForNobodyYet.
        var bearing = new Bearing(leader.Address, primary.SynchronousNames.Length == 0 ? "" : MemberNames.WaitForNobodyYet);
        return Rejoin.Decide(local, primary) switch
        {
            Rejoin.Stream => await ComeUpAsync(bearing, cancellationToken),
            Rejoin.Rewind rewind =>
                await WorkAsync(leader, $"rewinding, to follow {leader.Name}: {rewind.Why}", () => RewindAsync(leader, primary, cancellationToken))
                ?? await ComeUpAsync(bearing, cancellationToken),
            Rejoin.Copy copy => await WorkAsync(leader, $"copying the data of {leader.Name}: {copy.Why}", () => CloneAsync(leader, cancellationToken))
                ?? await ComeUpAsync(bearing, cancellationToken),
            Rejoin.Refuse refuse => refuse.Why,
            var unforeseen => throw new InvalidOperationException($"unknown decision {unforeseen}"),
        };
    }

    private async Task<string?> ComeUpAsync(Bearing bearing, CancellationToken cancellationToken)
    {
        var (session, problem) = await process.BringUpAsync(bearing, cancellationToken);
        if (session is null) return problem;
        await using var _ = session;
        return await process.SteerAsync(session, bearing, cancellationToken);
    }

    private async Task<string?> WorkAsync(Leader leader, string message, Func<Task<string?>> copy)
    {
        _work = new CopyWork(message, leader.Address);
        try
        {
            return await copy();
        }
        finally
        {
            _work = null;
        }
    }

    private async Task<string?> RewindAsync(Leader leader, LeaderAnswer.Primary primary, CancellationToken cancellationToken)
    {
        _ = await process.StopAsync(cancellationToken);
        // Until its first checkpoint the control file of a new primary tells its old timeline, and pg_rewind would find nothing to do.
        if (primary.CheckpointTimeline != primary.History.Timeline && await question.CheckpointAsync(leader, cancellationToken) is { } problem)
            return problem;

        data.BeginRewinding();
        switch (await tools.RewindAsync(leader, data.Rewinding, cancellationToken))
        {
            case Rewinding.Done:
                data.EndRewinding();
                _rewoundOnto = primary.History.Timeline;
                return null;
            case Rewinding.Untouched untouched:
                data.EndRewinding();
                return untouched.Why;
            case Rewinding.Impossible impossible:
                // What is called so is not data any more: the next step is a copy.
                return await CloneAsync(leader, cancellationToken) is { } failed ? $"{impossible.Why}; then {failed}" : null;
            case var rewinding:
                throw new InvalidOperationException($"unknown end {rewinding}");
        }
    }

    /// <summary>The old data are kept until the copy is complete, if there is room for both.</summary>
    private async Task<string?> CloneAsync(Leader leader, CancellationToken cancellationToken)
    {
        if (data.Problem is { } problem) return problem;
        if (await process.StopNowAsync(cancellationToken) is { } unstopped) return unstopped;
        if (await tools.RemoveAsync(data.New, cancellationToken) is { } newLeft) return newLeft;
        if (await tools.RemoveAsync(data.Old, cancellationToken) is { } oldLeft) return oldLeft;
        var hasRoom = await question.SizeAsync(leader, cancellationToken) is not { } size || size < data.RoomBytes;
        if (!hasRoom && await GiveUpAsync(cancellationToken) is { } kept) return kept;

        var (isFull, failed) = await tools.CloneAsync(leader, data.New, cancellationToken);
        if (failed is null)
        {
            data.Adopt();
            _rewoundOnto = null;
            return null;
        }
        _ = await tools.RemoveAsync(data.New, cancellationToken);
        if (!isFull || data.State == DataState.Absent) return failed;
        return await GiveUpAsync(cancellationToken) ?? $"{failed}; the old data were dropped to make room";
    }

    private async Task<string?> GiveUpAsync(CancellationToken cancellationToken)
    {
        data.GiveUp();
        return await tools.RemoveAsync(data.Old, cancellationToken);
    }
}
