using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;

namespace FailoverOperator.Core.Tests.Leases.Simulation;

/// <summary>What is true of a server. Promoting may become writable at any moment.</summary>
internal enum ServerState
{
    ReadOnly,
    Promoting,
    Writable,
}

/// <summary>
/// One pod: its agent, which does what the protocol orders, and its server, which takes its time. Timers fire late and killing
/// takes a while, together less than <see cref="LeaseTimings.TimerGranularity"/>.
/// </summary>
internal sealed class Agent
{
    private const int LateMilliseconds = 45;

    private readonly LeaseWorld _world;
    private readonly Clock _clock;
    private int _life;
    private int _run;
    private bool _ending;
    private bool _killing;
    private bool _renewing;
    private bool _renewalFailed;
    private bool _releasing;
    private bool _asking;
    private bool _reading;
    private TimeSpan _roundAt;
    private TimeSpan _readAt;
    private TimeSpan? _wakeAt;
    private long _obeyed;

    public Agent(LeaseWorld world, string name, int incarnation, int node, Clock clock, TimeSpan startedAgo)
    {
        (_world, Name, Uid, Node, _clock) = (world, name, FormattableString.Invariant($"{name}-{incarnation}"), node, clock);
        Memory = AgentMemory.Start(Identity, Now - startedAgo);
        Wake(TimeSpan.Zero);
    }

    public string Name { get; }

    public string Uid { get; }

    public int Node { get; }

    public string Identity => LeaseContract.Identity(Name, Uid);

    /// <summary>Where its peers send to. The address of a pod that is gone may be given to the next one.</summary>
    public required string Address { get; init; }

    public AgentMemory Memory { get; private set; }

    public ServerState Server { get; private set; }

    public long ServerTerm { get; private set; }

    /// <summary>The API server has the pod.</summary>
    public bool Exists { get; set; } = true;

    /// <summary>Its processes have not ended for good.</summary>
    public bool Runs { get; private set; } = true;

    public AgentOrder? Order { get; private set; }

    /// <summary>Grows with every change of what the server is about to do.</summary>
    public int Run => _run;

    private TimeSpan Now => _clock.Of(_world.Now);

    private HolderRules Rules => _world.Holder;

    /// <summary>The lease was read or watched.</summary>
    public void See(LeaseRecord? lease)
    {
        if (!Runs) return;
        _world.Check.Told(this, lease);
        Memory = Rules.Saw(Memory, lease, Now);
        Step();
    }

    public AcknowledgeReply Acknowledge(AcknowledgeRequest request)
    {
        if (Rules.Acknowledge(Memory, request, Now) is not AcknowledgeOutcome.Granted granted) return new AcknowledgeReply(false, null);
        Memory = granted.Memory;
        return new AcknowledgeReply(true, null);
    }

    public void CrashServer()
    {
        if (Runs && Server != ServerState.ReadOnly) Ended(ReleaseReason.ProcessDown);
    }

    /// <summary>Everything in the container ends; it is started again a little later and knows nothing.</summary>
    public void RestartContainer(TimeSpan after)
    {
        if (!Runs) return;
        _life++;
        StopServer();
        (Runs, Order, _obeyed) = (false, null, 0);
        (_renewing, _releasing, _asking, _reading, _renewalFailed, _wakeAt) = (false, false, false, false, false, null);
        var life = _life;
        _world.After(after, () =>
        {
            if (life != _life) return;
            Runs = true;
            Memory = AgentMemory.Start(Identity, Now);
            Wake(TimeSpan.Zero);
        });
    }

    public void StopInOrder()
    {
        if (!Runs) return;
        Memory = Memory.Stopping();
        Step();
    }

    /// <summary>Ended for good, as the kubelet says.</summary>
    public void End()
    {
        _life++;
        StopServer();
        Runs = false;
    }

    public string Describe() => $"{Identity} {(Runs ? "" : "ended ")}{Server} {ServerTerm} {Order}";

    private void Step()
    {
        if (!Runs) return;
        var order = Rules.Decide(Memory, Now);
        if (_world.IsNoting && order.GetType() != Order?.GetType()) _world.Note($"{Identity}: {order}");
        Order = order;
        switch (order)
        {
            case AgentOrder.Serve(var term):
                Obeys(term);
                Serve(term);
                break;
            case AgentOrder.Demote(_, var killAt):
                Demote(killAt);
                break;
            case AgentOrder.HandOver:
                BeginEnd(_world.Noise.Next(50, 1500), ReleaseReason.HandOver);
                break;
            case AgentOrder.Release(var note):
                _world.Check.IsReadOnly(this);
                Release(note);
                break;
            case AgentOrder.Claim(var term):
                _world.Check.IsReadOnly(this);
                Obeys(term);
                break;
            case AgentOrder.Follow(_, var term):
                _world.Check.IsReadOnly(this);
                Obeys(term);
                break;
            case AgentOrder.StandBy:
                _world.Check.IsReadOnly(this);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(order), order, "an order that the simulation does not know");
        }
        Renew();
        AskPeers();
        Read();
        WakeForDeadlines();
    }

    private void Obeys(long term)
    {
        _world.Check.Obeys(this, _obeyed, term);
        _obeyed = Math.Max(_obeyed, term);
    }

    private void Serve(long term)
    {
        if (Server != ServerState.ReadOnly)
        {
            // The right came back in time: the demotion that has begun is broken off.
            if (_ending && !_killing) (_ending, _run) = (false, _run + 1);
            if (Server == ServerState.Promoting && !_killing) Promote(term);
            return;
        }
        (Server, ServerTerm, _run) = (ServerState.Promoting, term, _run + 1);
        Promote(term);
    }

    private void Promote(long term)
    {
        var run = _run;
        _world.After(TimeSpan.FromMilliseconds(_world.Noise.Next(20, 600)), () =>
        {
            if (_run != run || Server != ServerState.Promoting) return;
            Server = ServerState.Writable;
            _world.Check.Writable(this, term);
        });
    }

    private void Demote(TimeSpan killAt)
    {
        if (Server == ServerState.ReadOnly)
        {
            Memory = Memory.Demoted(ReleaseReason.SelfFenced, null, null);
            Wake(TimeSpan.Zero);
            return;
        }
        Memory = Rules.DemotionBegun(Memory);
        // Often the server hangs, and has to be killed.
        BeginEnd(_world.Noise.Next(2) == 0 ? _world.Noise.Next(5, 1000) : 1_000_000, ReleaseReason.SelfFenced);
        if (Now < killAt || _killing) return;
        (_killing, var run) = (true, _run);
        _world.After(TimeSpan.FromMilliseconds(_world.Noise.Next(LateMilliseconds)), () =>
        {
            if (_run == run) Ended(ReleaseReason.SelfFenced);
        });
    }

    private void BeginEnd(int milliseconds, ReleaseReason reason)
    {
        if (_ending) return;
        _ending = true;
        if (Server == ServerState.ReadOnly) milliseconds = 0;
        var run = _run;
        _world.After(TimeSpan.FromMilliseconds(milliseconds), () =>
        {
            if (_run == run && _ending) Ended(reason);
        });
    }

    private void Ended(ReleaseReason reason)
    {
        if (!Runs) return;
        if (_world.IsNoting) _world.Note($"{Identity}: server is read-only, {reason}");
        StopServer();
        Memory = Memory.Demoted(reason, null, null);
        Step();
    }

    private void StopServer() => (Server, _ending, _killing, _run) = (ServerState.ReadOnly, false, false, _run + 1);

    private void Renew()
    {
        if (_renewing || Memory.Lease is not { } lease || Order is not (AgentOrder.Serve or AgentOrder.Claim or AgentOrder.HandOver or AgentOrder.Demote)) return;
        if (Order is AgentOrder.Demote && Memory.Tenure is null) return;
        var applied = Memory.Tenure is { } tenure && _world.Noise.Next(4) == 0 ? tenure.Terms : lease.Terms;
        if (Now < AgentProtocol.NextRenewal(Memory, applied)) return;
        Memory = Rules.Renewing(Memory, applied, Now);
        if (Memory.Sent is not { } sent) return;
        (_renewing, var wallNow) = (true, _clock.Wall(_world.Now));
        Call(700, () => _world.Api.Update(lease, lease.Renewed(sent.Accepted), wallNow, isRenewal: true), answer =>
        {
            (_renewing, _renewalFailed) = (false, answer is null);
            if (answer is { Done: true, Lease: { } renewed })
            {
                _world.Check.Told(this, renewed);
                Memory = Rules.Renewed(Memory, sent, renewed, Now);
            }
            else
            {
                _readAt = TimeSpan.Zero;
            }
        });
    }

    private void Release(ReleaseNote note)
    {
        if (_releasing || Memory.Lease is not { } lease) return;
        (_releasing, var wallNow) = (true, _clock.Wall(_world.Now));
        Call(700, () => _world.Api.Update(lease, lease.Released(note), wallNow), answer =>
        {
            _releasing = false;
            if (answer is { Done: true, Lease: { } released }) Memory = Rules.Saw(Memory, released, Now).Released();
            else _readAt = TimeSpan.Zero;
        });
    }

    private void Read()
    {
        if (_reading || Now < _readAt || (_renewing && Memory.Tenure is not null)) return;
        _reading = true;
        _readAt = Now + TimeSpan.FromMilliseconds(1200);
        Call(700, () => _world.Api.Read(Node), answer =>
        {
            _reading = false;
            if (answer is { } read) See(read.Lease);
        });
    }

    /// <summary>While renewals fail, the other members are asked.</summary>
    private void AskPeers()
    {
        if (!_renewalFailed || _asking || Now < _roundAt || Memory.BeginRound(Now) is not { } round) return;
        var missing = round.Members.Count;
        (_asking, _roundAt, var life) = (true, Now + TimeSpan.FromMilliseconds(500), _life);
        void End()
        {
            if (life == _life) _asking = false;
        }

        if (missing == 0) Memory = Memory.AcknowledgedByAll(round);
        _world.After(TimeSpan.FromMilliseconds(450), End);
        foreach (var member in round.Members)
        {
            if (_world.At(member.Address) is not { } peer) continue;
            _world.Network.Ask(Node, peer.Node, () => peer.Runs ? peer.Acknowledge(round.To(member)) : new AcknowledgeReply(false, null), reply =>
            {
                if (life != _life || !Runs || !reply.Granted || --missing > 0) return;
                Memory = Memory.AcknowledgedByAll(round);
                Step();
            });
        }
    }

    private void Call(int timeoutMilliseconds, Func<Answer> carryOut, Action<Answer?> answered)
    {
        var life = _life;
        _world.Network.Call(Node, TimeSpan.FromMilliseconds(timeoutMilliseconds), carryOut, answer =>
        {
            if (life != _life || !Runs) return;
            answered(answer);
            Step();
        });
    }

    private void WakeForDeadlines()
    {
        var next = _readAt;
        if (Order is AgentOrder.Serve or AgentOrder.Claim or AgentOrder.HandOver && !_renewing)
            next = Min(next, AgentProtocol.NextRenewal(Memory, Memory.Lease?.Terms ?? new LeaseTerms()));
        if (_renewalFailed && Memory.Tenure is not null) next = Min(next, _roundAt);
        if (AgentProtocol.NextDeadline(Memory, Now) is { } deadline && deadline > Now) next = Min(next, deadline);
        if (Order is AgentOrder.Demote(_, var killAt) && killAt > Now) next = Min(next, killAt);
        Wake(next > Now ? next - Now : TimeSpan.FromMilliseconds(50));
    }

    private void Wake(TimeSpan after)
    {
        var at = _world.Now + (after / _clock.Rate) + TimeSpan.FromMilliseconds(_world.Noise.Next(LateMilliseconds));
        if (_wakeAt is { } planned && planned <= at && planned > _world.Now) return;
        (_wakeAt, var life) = (at, _life);
        _world.At(at, () =>
        {
            if (life != _life || _wakeAt != at) return;
            _wakeAt = null;
            Step();
        });
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
