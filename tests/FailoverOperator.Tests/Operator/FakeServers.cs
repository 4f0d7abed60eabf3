using FailoverOperator.Core.Observations;
using FailoverOperator.Engines;

namespace FailoverOperator.Tests.Operator;

/// <summary>A server in a pod: what a replicated store looks like from outside.</summary>
public sealed class FakeServer
{
    public required string Address { get; init; }

    public bool Up { get; set; } = true;

    public bool Hangs { get; set; }

    public string Instance { get; set; } = "run-1";

    public string? Follows { get; set; }

    public bool IsPrimary { get; set; }

    /// <summary>It was made read-only: what it has still reaches those that follow it.</summary>
    public bool IsStopped { get; set; }

    public long Position { get; set; } = 100;

    /// <summary>Orders to follow fail.</summary>
    public bool RefusesToFollow { get; set; }

    /// <summary>How often it was asked, and told to follow.</summary>
    public int Questions { get; set; }

    public int Orders { get; set; }

    /// <summary>It receives, and takes nothing in: its position stands still, whomever it follows.</summary>
    public bool IsLate { get; set; }

    /// <summary>In which it leads, where servers elect. Null: it tells none.</summary>
    public long? Term { get; set; }
}

/// <summary>The engine over <see cref="FakeServer"/>s, and a record of the commands they got.</summary>
public sealed class FakeServers
{
    private readonly Dictionary<string, FakeServer> _byAddress = [];

    public List<string> Commands { get; } = [];

    /// <summary>New servers take writes, all of them.</summary>
    public bool StartWritable { get; set; }

    /// <summary>What every question waits for before it is answered. Null: nothing.</summary>
    public Func<CancellationToken, Task>? Before { get; set; }

    public FakeServer this[string address] => _byAddress[address];

    public FakeServer? Find(string address) => _byAddress.GetValueOrDefault(address);

    public FakeServer Add(string address)
    {
        var server = new FakeServer { Address = address, IsPrimary = StartWritable };
        _byAddress[address] = server;
        return server;
    }

    public void Remove(string address) => _byAddress.Remove(address);

    public IReadOnlyList<FakeServer> Primaries => [.. _byAddress.Values.Where(s => s is { Up: true, IsPrimary: true })];

    public IEngine Engine() => new FakeEngine(this);

    private EngineReply Ask(string address)
    {
        if (!_byAddress.TryGetValue(address, out var server)) return new EngineReply.Silent("nothing at this address");
        server.Questions++;
        if (!server.Up) return new EngineReply.Refused("connection refused");
        if (server.Hangs) return new EngineReply.Silent("no answer");
        var source = server.Follows is { } followed && _byAddress.TryGetValue(followed, out var up) && up is { Up: true } and ({ IsPrimary: true } or { IsStopped: true }) ? up : null;
        if (source is not null && !server.IsLate) server.Position = source.Position;
        return new EngineReply.Answered(new EngineStatus
        {
            Role = server.IsPrimary ? EngineRole.Primary : EngineRole.Standby,
            Writable = server.IsPrimary,
            Term = server.IsPrimary ? server.Term : null,
            Instance = server.Instance,
            PositionBytes = server.Position,
            Link = server.IsPrimary ? ReplicationLink.Unknown : source is null ? ReplicationLink.Down : ReplicationLink.Up,
            FollowsAddress = server.Follows,
            IsEmpty = server.Position == 0,
        });
    }

    private EngineOutcome.NotDone? Refuses(string address)
    {
        if (!_byAddress.TryGetValue(address, out var server)) return null;
        server.Orders++;
        return server.RefusesToFollow ? new EngineOutcome.NotDone("hook follow ended with exit code 1") : null;
    }

    private EngineOutcome Do(string address, string command, Action<FakeServer> action)
    {
        if (!_byAddress.TryGetValue(address, out var server) || !server.Up || server.Hangs) return new EngineOutcome.NotDone("no answer");
        Commands.Add(command);
        action(server);
        return new EngineOutcome.Done();
    }

    private sealed class FakeEngine(FakeServers servers) : IEngine
    {
        public async Task<EngineReply> StatusAsync(MemberEndpoint member, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (servers.Before is { } before) await before(cancellationToken);
            return servers.Ask(member.PodAddress);
        }

        public Task<EngineOutcome> PromoteAsync(MemberEndpoint member, EngineContext context, CancellationToken cancellationToken) =>
            Task.FromResult(servers.Do(member.PodAddress, $"promote {member.PodName} {context.Term}", s => (s.IsPrimary, s.IsStopped, s.Follows) = (true, false, null)));

        public Task<EngineOutcome> FollowAsync(MemberEndpoint member, MemberEndpoint primary, EngineContext context, CancellationToken cancellationToken) =>
            Task.FromResult(servers.Refuses(member.PodAddress) ?? servers.Do(member.PodAddress, $"follow {member.PodName} {primary.PodName}", s => (s.IsPrimary, s.IsStopped, s.Follows) = (false, false, primary.PodAddress)));

        public Task<EngineOutcome> DemoteAsync(MemberEndpoint member, EngineContext context, CancellationToken cancellationToken) =>
            Task.FromResult(servers.Do(member.PodAddress, $"demote {member.PodName}", s => (s.IsPrimary, s.IsStopped) = (false, true)));

        public Task<EngineOutcome> VerifyAsync(MemberEndpoint member, string address, int port, EngineContext context, CancellationToken cancellationToken) =>
            Task.FromResult(servers.Ask(address) is EngineReply.Answered { Status.Writable: true } ? new EngineOutcome.Done() : (EngineOutcome)new EngineOutcome.NotDone("it takes no writes"));

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
