using FailoverOperator.Core.Observations;
using FailoverOperator.Engines;

namespace FailoverOperator.Tests.Operator;

/// <summary>What one pod has of one slot.</summary>
public sealed class FakeShard
{
    public bool IsPrimary { get; set; }

    public long Term { get; set; }

    public string? Follows { get; set; }

    public long Position { get; set; }
}

/// <summary>A server in a pod that keeps a copy of every slot and may be the primary of any.</summary>
public sealed class FakeShardServer(string pod, int slots)
{
    public string Pod => pod;

    public bool Up { get; set; } = true;

    public string Instance { get; set; } = "run-1";

    public IReadOnlyList<FakeShard> Slots { get; } = [.. Enumerable.Range(0, slots).Select(_ => new FakeShard())];

    /// <summary>As a new process: it knows of no primary, and is none.</summary>
    public void Restart(string instance)
    {
        (Up, Instance) = (true, instance);
        foreach (var slot in Slots) (slot.IsPrimary, slot.Follows) = (false, null);
    }
}

/// <summary>The engine of each slot over <see cref="FakeShardServer"/>s, which are checked whenever something is done to one.</summary>
public sealed class FakeShards
{
    private readonly Dictionary<string, FakeShardServer> _byAddress = [];

    public List<string> Violations { get; } = [];

    /// <summary>Promotions hang while their slot is in here.</summary>
    public Dictionary<int, TaskCompletionSource> Held { get; } = [];

    public FakeShardServer this[string address] => _byAddress[address];

    public FakeShardServer Add(string pod, string address, int slots) => _byAddress[address] = new FakeShardServer(pod, slots);

    public void Remove(string address) => _byAddress.Remove(address);

    /// <summary>The pods that write for a slot. Invariant I1: at most one.</summary>
    public IReadOnlyList<string> Primaries(int slot) => [.. _byAddress.Values.Where(s => s.Up && s.Slots[slot].IsPrimary).Select(s => s.Pod).Order(StringComparer.Ordinal)];

    public IEngine Engine(string slot) => new SlotEngine(this, int.Parse(slot, System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Clients write to every primary, and who follows one has it at once.</summary>
    public void Write()
    {
        foreach (var server in _byAddress.Values.Where(s => s.Up))
        {
            foreach (var shard in server.Slots.Where(s => s.IsPrimary)) shard.Position++;
        }
        foreach (var server in _byAddress.Values.Where(s => s.Up))
        {
            for (var slot = 0; slot < server.Slots.Count; slot++)
            {
                if (Source(server.Slots[slot], slot) is { } source) server.Slots[slot].Position = source.Position;
            }
        }
    }

    private FakeShard? Source(FakeShard shard, int slot) =>
        shard is { IsPrimary: false, Follows: { } address } && _byAddress.TryGetValue(address, out var up) && up.Up && up.Slots[slot].IsPrimary ? up.Slots[slot] : null;

    private void Check(FakeShardServer promoted, int slot, long term)
    {
        if (Primaries(slot).Count > 1) Violations.Add($"slot {slot} is written by {string.Join(" and ", Primaries(slot))}");
        if (promoted.Slots.Count(s => s.IsPrimary) > 1) Violations.Add($"{promoted.Pod} has more than one slot");
        var highest = _byAddress.Values.Max(s => s.Slots[slot].Term);
        if (highest > term) Violations.Add($"slot {slot} goes from term {highest} back to {term}");
    }

    private sealed class SlotEngine(FakeShards shards, int slot) : IEngine
    {
        public Task<EngineReply> StatusAsync(MemberEndpoint member, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Task.FromResult(Ask(member.PodAddress));
        }

        public async Task<EngineOutcome> PromoteAsync(MemberEndpoint member, EngineContext context, CancellationToken cancellationToken)
        {
            if (shards.Held.TryGetValue(slot, out var held)) await held.Task.WaitAsync(cancellationToken);
            if (Find(member) is not { } server) return new EngineOutcome.NotDone("no answer");
            var shard = server.Slots[slot];
            (shard.IsPrimary, shard.Follows, shard.Term) = (true, null, context.Term);
            shards.Check(server, slot, context.Term);
            return new EngineOutcome.Done();
        }

        public Task<EngineOutcome> FollowAsync(MemberEndpoint member, MemberEndpoint primary, EngineContext context, CancellationToken cancellationToken)
        {
            if (Find(member) is not { } server) return Task.FromResult<EngineOutcome>(new EngineOutcome.NotDone("no answer"));
            (server.Slots[slot].IsPrimary, server.Slots[slot].Follows) = (false, primary.PodAddress);
            return Task.FromResult<EngineOutcome>(new EngineOutcome.Done());
        }

        public Task<EngineOutcome> DemoteAsync(MemberEndpoint member, EngineContext context, CancellationToken cancellationToken) =>
            Task.FromResult<EngineOutcome>(new EngineOutcome.NotDone("not asked for here"));

        public Task<EngineOutcome> VerifyAsync(MemberEndpoint member, string address, int port, EngineContext context, CancellationToken cancellationToken) =>
            Task.FromResult(Ask(address) is EngineReply.Answered { Status.Writable: true } ? new EngineOutcome.Done() : (EngineOutcome)new EngineOutcome.NotDone("it takes no writes"));

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private FakeShardServer? Find(MemberEndpoint member) => shards._byAddress.TryGetValue(member.PodAddress, out var server) && server.Up ? server : null;

        private EngineReply Ask(string address)
        {
            if (!shards._byAddress.TryGetValue(address, out var server)) return new EngineReply.Silent("nothing at this address");
            if (!server.Up) return new EngineReply.Refused("connection refused");
            var shard = server.Slots[slot];
            var source = shards.Source(shard, slot);
            return new EngineReply.Answered(new EngineStatus
            {
                Role = shard.IsPrimary ? EngineRole.Primary : EngineRole.Standby,
                Writable = shard.IsPrimary,
                Instance = server.Instance,
                PositionBytes = shard.Position,
                Link = shard.IsPrimary ? ReplicationLink.Unknown : source is null ? ReplicationLink.Down : ReplicationLink.Up,
                FollowsAddress = shard.Follows,
                IsEmpty = shard.Position == 0,
            });
        }
    }
}
