using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Observations;
using FailoverOperator.Engines;
using FailoverOperator.Testing;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>The agents of one group, and the engine by which the operator asks them.</summary>
public sealed class FakeAgents(FakeKubernetesApi server, FakeServers servers, Func<TimeSpan> now)
{
    private readonly Dictionary<string, FakeAgent> _byIdentity = [];

    /// <summary>When the world began.</summary>
    public static readonly DateTimeOffset Epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public TimeSpan Now => now();

    public IReadOnlyCollection<FakeAgent> All => _byIdentity.Values;

    /// <summary>Every instant at which two servers took writes. Invariant I1: none.</summary>
    public List<string> DualWriters { get; } = [];

    public V1Lease? Lease() => server.Peek<V1Lease>("shop", "db-0");

    public FakeAgent? Find(string identity) => _byIdentity.GetValueOrDefault(identity);

    public FakeAgent Of(V1Pod pod) => _byIdentity[LeaseContract.Identity(pod.Name(), pod.Uid())];

    public FakeServer? ServerAt(string? address) => address is null ? null : servers.Find(address);

    /// <summary>A container starts: its agent remembers nothing of one that ran before in the same pod.</summary>
    public FakeAgent Start(V1Pod pod, FakeServer of)
    {
        var identity = LeaseContract.Identity(pod.Name(), pod.Uid());
        return _byIdentity[identity] = new FakeAgent(identity, server.Connect(), of, this);
    }

    public void Tick()
    {
        foreach (var agent in _byIdentity.Values) agent.Tick();
        var writers = _byIdentity.Values.Where(a => a.IsWritable).ToList();
        if (writers.Count > 1) DualWriters.Add($"{Now}: {string.Join(", ", writers.Select(w => w.Identity))}");
        foreach (var writer in writers) writer.Server.Position += 10;
        foreach (var standby in _byIdentity.Values.Where(a => a is { IsAlive: true, IsIsolated: false, Server: { Up: true, IsPrimary: false } }))
        {
            if (writers.FirstOrDefault(w => w.Server.Address == standby.Server.Follows) is { IsIsolated: false } source) standby.Server.Position = source.Server.Position;
        }
    }

    public IEngine Engine() => new AskingEngine(this);

    private sealed class AskingEngine(FakeAgents agents) : IEngine
    {
        public Task<EngineReply> StatusAsync(MemberEndpoint member, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Task.FromResult(agents.Find(LeaseContract.Identity(member.PodName, member.PodUid))?.Status() ?? new EngineReply.Silent("nobody has this address", Connected: false));
        }

        public Task<EngineOutcome> PromoteAsync(MemberEndpoint member, EngineContext context, CancellationToken cancellationToken) => throw new NotSupportedException("agents are not told to promote");

        public Task<EngineOutcome> FollowAsync(MemberEndpoint member, MemberEndpoint primary, EngineContext context, CancellationToken cancellationToken) => throw new NotSupportedException("agents are not told whom to follow");

        public Task<EngineOutcome> DemoteAsync(MemberEndpoint member, EngineContext context, CancellationToken cancellationToken) => throw new NotSupportedException("agents are not told to demote");

        public Task<EngineOutcome> VerifyAsync(MemberEndpoint member, string address, int port, EngineContext context, CancellationToken cancellationToken)
        {
            var writer = agents.All.FirstOrDefault(a => a.Server.Address == address);
            return Task.FromResult<EngineOutcome>(writer is { IsWritable: true, IsIsolated: false } ? new EngineOutcome.Done() : new EngineOutcome.NotDone("it takes no writes"));
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
