using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Testing;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>
/// An agent and its server in virtual time: the core's own protocol against the API server in memory. It lives from one
/// <see cref="Tick"/> to the next; what it writes takes as long as its connection does.
/// </summary>
public sealed class FakeAgent(string identity, FakeKubernetesApi api, FakeServer server, FakeAgents all)
{
    private static readonly TimeSpan PromotionTime = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RestartTime = TimeSpan.FromMilliseconds(700);

    private AgentMemory _memory = AgentMemory.Start(identity, all.Now);
    private AgentOrder? _order;
    private TimeSpan _orderedAt;
    private TimeSpan? _downSince;
    private bool _isTalking;

    public string Identity => identity;

    public FakeServer Server => server;

    public FakeKubernetesApi Api => api;

    public AgentMemory Memory => _memory;

    /// <summary>Its process runs. With it ends everything in its container.</summary>
    public bool IsAlive { get; private set; } = true;

    /// <summary>As by SIGSTOP: nothing of its container runs on, and nothing has ended.</summary>
    public bool IsFrozen { get; set; }

    /// <summary>Its node's network is down: it reaches nobody, and nobody reaches it.</summary>
    public bool IsIsolated
    {
        get => field;
        set => field = api.IsCutOff = value;
    }

    /// <summary>Its node has no power: nobody even refuses a connection.</summary>
    public bool IsLost { get; private set; }

    public bool IsWritable => IsAlive && !IsFrozen && server is { Up: true, IsPrimary: true };

    public void Kill(bool isLost = false)
    {
        (IsAlive, IsLost) = (false, isLost);
        (server.Up, server.IsPrimary) = (false, false);
    }

    /// <summary>The kubelet asks the container to end.</summary>
    public void Stop() => _memory = _memory.Stopping();

    /// <summary>The deadlines first: whatever it was doing, it looks at the clock before it does anything.</summary>
    public void Tick()
    {
        if (!IsAlive || IsFrozen) return;
        if (!api.IsCutOff) _memory = _memory.Saw(all.Lease() is { } lease ? Read(lease) : null, all.Now);
        if (!server.Up) NoteDown();
        var order = AgentProtocol.Decide(_memory, all.Now);
        if (order.GetType() != _order?.GetType()) _orderedAt = all.Now;
        Obey(_order = order);
        AskToStayInTime();
        if (!_isTalking) _ = TalkAsync(order);
    }

    public AcknowledgeOutcome? Acknowledge(AcknowledgeRequest request)
    {
        if (!IsAlive || IsFrozen || IsIsolated) return null;
        var outcome = _memory.Acknowledge(request, all.Now);
        if (outcome is AcknowledgeOutcome.Granted granted) _memory = granted.Memory;
        return outcome;
    }

    /// <summary>What the operator is told.</summary>
    public EngineReply Status()
    {
        if (IsLost || IsIsolated) return new EngineReply.Silent("no answer", Connected: false);
        if (!IsAlive) return new EngineReply.Refused("no agent runs there");
        if (IsFrozen) return new EngineReply.Silent("no answer, though its pod takes connections", Connected: true);
        if (!server.Up) return new EngineReply.Refused("the server does not run");
        if (server.Hangs) return new EngineReply.Failed("the server does not answer its agent");
        var source = all.ServerAt(server.Follows);
        return new EngineReply.Answered(new EngineStatus
        {
            Role = server.IsPrimary ? EngineRole.Primary : EngineRole.Standby,
            Writable = server.IsPrimary,
            Instance = server.Instance,
            PositionBytes = server.Position,
            History = "one",
            Link = server.IsPrimary ? ReplicationLink.Unknown : source is { Up: true, IsPrimary: true } ? ReplicationLink.Up : ReplicationLink.Down,
            LinkDownFor = server.IsPrimary || source is { Up: true, IsPrimary: true } ? null : TimeSpan.FromSeconds(1),
            FollowsAddress = server.Follows,
            IsEmpty = server.Position == 0,
            Agent = new AgentFacts
            {
                Term = _memory.HighestTerm,
                ProcessRuns = true,
                RenewedAgo = _memory.Tenure is { } tenure ? all.Now - tenure.ConfirmedAt : null,
                AcknowledgedHolder = _memory.Pledge.Holder,
                AcknowledgedTerm = _memory.Pledge.Holder is null ? 0 : _memory.HighestTerm,
                AcknowledgedAgo = _memory.Pledge.Holder is null ? null : all.Now - _memory.Pledge.GivenAt,
            },
        });
    }

    /// <summary>A server that has ended is said to have, and started again.</summary>
    private void NoteDown()
    {
        server.IsPrimary = false;
        _downSince ??= all.Now;
        _memory = _memory.Demoted(ReleaseReason.ProcessDown, server.Position, "the server has ended");
        if (all.Now - _downSince < RestartTime || _memory.IsStopping) return;
        (_downSince, server.Up, server.Instance) = (null, true, server.Instance + "+");
    }

    private void Obey(AgentOrder order)
    {
        switch (order)
        {
            case AgentOrder.Serve:
                if (all.Now - _orderedAt >= PromotionTime && server is { Up: true, Hangs: false }) (server.IsPrimary, server.Follows) = (true, null);
                break;
            case AgentOrder.Demote demote when server.Hangs && all.Now < demote.KillAt:
                break;
            case AgentOrder.Demote demote:
                // A server that does not hear has to be killed.
                if (server.Hangs) (server.Up, server.Hangs) = (false, false);
                server.IsPrimary = false;
                _memory = _memory.Demoted(ReleaseReason.SelfFenced, server.Position, demote.Why);
                break;
            case AgentOrder.HandOver:
                (server.Up, server.IsPrimary) = (false, false);
                _memory = _memory.Demoted(ReleaseReason.HandOver, server.Position, null);
                break;
            case AgentOrder.Follow follow:
                server.IsPrimary = false;
                server.Follows = _memory.Lease!.Terms.Members.FirstOrDefault(m => LeaseContract.Identity(m.Name, m.Uid) == follow.Holder)?.Address;
                break;
            case AgentOrder.Claim or AgentOrder.Release or AgentOrder.StandBy:
                server.IsPrimary = false;
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(order), order, "unknown order");
        }
    }

    private async Task TalkAsync(AgentOrder order)
    {
        _isTalking = true;
        try
        {
            if (order is AgentOrder.Release release) await ReleaseAsync(release.Note);
            if (order is AgentOrder.Claim or AgentOrder.Serve && all.Now >= AgentProtocol.NextRenewal(_memory, _memory.Lease!.Terms)) await RenewAsync(_memory.Lease);
        }
        finally
        {
            _isTalking = false;
        }
    }

    private async Task RenewAsync(LeaseRecord seen)
    {
        _memory = _memory.Renewing(seen.Terms, all.Now);
        var sent = _memory.Sent!;
        try
        {
            var written = await WriteAsync(seen.Renewed(sent.Accepted));
            if (IsAlive) _memory = _memory.Renewed(sent, written, all.Now);
        }
        catch (KubernetesApiException)
        {
            // The next one is due soon.
        }
    }

    /// <summary>
    /// Where no renewal has been acknowledged for half of the time, be it refused or still under way, every other member of the accepted terms
    /// is asked to acknowledge.
    /// </summary>
    private void AskToStayInTime()
    {
        if (IsIsolated || _memory.Tenure is not { } tenure || all.Now - tenure.ConfirmedAt < LeaseTimings.Of(tenure.Terms).StopAfter / 2) return;
        if (_memory.BeginRound(all.Now) is not { Members.Count: > 0 } round) return;
        if (round.Members.All(m => all.Find(LeaseContract.Identity(m.Name, m.Uid))?.Acknowledge(round.To(m)) is AcknowledgeOutcome.Granted))
            _memory = _memory.AcknowledgedByAll(round);
    }

    private async Task ReleaseAsync(ReleaseNote note)
    {
        try
        {
            await WriteAsync(_memory.Lease!.Released(note));
            if (IsAlive) _memory = _memory.Released();
        }
        catch (KubernetesApiException)
        {
            // The next tick tries again.
        }
    }

    /// <summary>What it has seen is what it may overwrite.</summary>
    private async Task<LeaseRecord> WriteAsync(LeaseRecord record)
    {
        var now = FakeAgents.Epoch + all.Now;
        if (all.Lease() is not { } current) throw new KubernetesApiException(ApiFailure.NotFound, "there is no lease");
        var lease = LeaseCodec.Write(current, "shop", "db", record, now);
        lease.Metadata.ResourceVersion = record.Version;
        lease.Spec.RenewTime = now.UtcDateTime;
        return Read(await api.ReplaceAsync(lease, CancellationToken.None));
    }

    /// <summary>As the agent's own codec: terms that cannot be read, or are not there, are never accepted.</summary>
    private static LeaseRecord Read(V1Lease lease) =>
        LeaseCodec.Read(lease).Record is var record && record.Terms.Members.Count > 0 ? record : record with { Terms = new LeaseTerms { LeaseDurationSeconds = 0 } };
}
