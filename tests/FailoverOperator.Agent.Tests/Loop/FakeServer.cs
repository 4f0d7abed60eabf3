using FailoverOperator.Agent.Servers;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Agent.Tests.Loop;

/// <summary>A server that does what it is told, or hangs in it.</summary>
internal sealed class FakeServer : IMemberServer
{
    private readonly FakeSupervisor supervisor;
    private readonly TimeProvider time;

    public FakeServer(FakeSupervisor supervisor, TimeProvider time)
    {
        (this.supervisor, this.time) = (supervisor, time);
        supervisor.Ended += () => IsWritable = false;
    }

    public bool IsWritable { get; private set; }

    public void TurnReadOnly() => IsWritable = false;

    public string? FollowsAddress { get; private set; }

    public long? Term { get; private set; }

    public LeaseTerms? Terms { get; private set; }

    /// <summary>Orders never end but with their token, and status is never told.</summary>
    public bool IsHung { get; set; }

    /// <summary>Orders do not even end with their token, but when this does.</summary>
    public TaskCompletionSource? Stuck { get; set; }

    public TimeSpan ServeTakes { get; set; }

    public TimeSpan ShutDownTakes { get; set; }

    /// <summary>What serving fails with. Null: it does not.</summary>
    public string? ServeProblem { get; set; }

    /// <summary>So often its process ends once it takes writes, before whoever made it writable hears of it.</summary>
    public int EndsOnceWritable { get; set; }

    /// <summary>How often it was made writable.</summary>
    public int Served { get; private set; }

    public List<string> Orders { get; } = [];

    public async Task<EngineReply> StatusAsync(CancellationToken cancellationToken)
    {
        if (IsHung) await Task.Delay(Timeout.InfiniteTimeSpan, time, CancellationToken.None);
        if (!supervisor.Runs) return new EngineReply.Refused("the server does not run");
        return new EngineReply.Answered(new EngineStatus
        {
            Role = IsWritable ? EngineRole.Primary : EngineRole.Standby,
            Writable = IsWritable,
            FollowsAddress = FollowsAddress,
            Link = FollowsAddress is null ? ReplicationLink.Unknown : ReplicationLink.Up,
        });
    }

    public Task<EngineOutcome> ServeAsync(long term, LeaseTerms terms, HistoryFloor? floor, Action beforeWritable, CancellationToken cancellationToken) => DoAsync($"serve {term}", ServeTakes, () =>
    {
        if (ServeProblem is { } problem) return new EngineOutcome.NotDone(problem);
        beforeWritable();
        (IsWritable, FollowsAddress, Term, Terms) = (true, null, term, terms);
        Served++;
        if (EndsOnceWritable-- <= 0) return new EngineOutcome.Done();
        supervisor.Crash(139);
        return new EngineOutcome.NotDone("the server does not answer");
    }, cancellationToken);

    public Task<EngineOutcome> FollowAsync(Leader leader, CancellationToken cancellationToken) => DoAsync($"follow {leader.Name} {leader.Address}", TimeSpan.Zero, () =>
    {
        (IsWritable, FollowsAddress) = (false, leader.Address);
        return new EngineOutcome.Done();
    }, cancellationToken);

    /// <summary>How often it was asked to prepare a promotion, and whether it ends with its token only.</summary>
    public int Prepared { get; private set; }

    public bool HangsPreparing { get; set; }

    public async Task<EngineOutcome> PrepareAsync(LeaseTerms terms, CancellationToken cancellationToken)
    {
        Prepared++;
        if (HangsPreparing) await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
        return new EngineOutcome.Done();
    }

    public Task<EngineOutcome> StandByAsync(CancellationToken cancellationToken) => DoAsync("stand by", TimeSpan.Zero, () =>
    {
        IsWritable = false;
        return new EngineOutcome.Done();
    }, cancellationToken);

    public Task<EngineOutcome> DemoteAsync(CancellationToken cancellationToken) => DoAsync("demote", TimeSpan.Zero, () =>
    {
        IsWritable = false;
        return new EngineOutcome.Done();
    }, cancellationToken);

    public async Task<long?> ShutDownAsync(CancellationToken cancellationToken)
    {
        Orders.Add("shut down");
        if (IsHung) await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
        await Task.Delay(ShutDownTakes, time, cancellationToken);
        IsWritable = false;
        return 1234;
    }

    private async Task<EngineOutcome> DoAsync(string order, TimeSpan takes, Func<EngineOutcome> carryOut, CancellationToken cancellationToken)
    {
        Orders.Add(order);
        if (IsHung) await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
        if (takes > TimeSpan.Zero) await Task.Delay(takes, time, cancellationToken);
        if (Stuck is { } stuck) await stuck.Task;
        if (!supervisor.Runs) supervisor.Start();
        return carryOut();
    }
}
