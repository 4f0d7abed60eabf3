using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;

namespace FailoverOperator.Core.Tests.Leases.Simulation;

/// <summary>
/// One pod: its agent, which does what the protocol orders, and its server, which takes its time. Timers fire late and killing
/// takes a while, together less than <see cref="LeaseTimings.TimerGranularity"/>.
/// </summary>
internal sealed partial class Agent
{
    private const int LateMilliseconds = 48;

    private readonly LeaseWorld _world;
    private readonly Clock _clock;
    private int _life;
    private TimeSpan? _wakeAt;
    private TimeSpan _frozenUntil;
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

    /// <summary>The API server has the pod.</summary>
    public bool Exists { get; set; } = true;

    /// <summary>It has been told to stop.</summary>
    public bool IsStopping { get; private set; }

    /// <summary>Its processes have not ended for good.</summary>
    public bool Runs { get; private set; } = true;

    public AgentOrder? Order { get; private set; }

    public TimeSpan Now => _clock.Of(_world.Now);

    public bool IsFrozen => _world.Now < _frozenUntil;

    private HolderRules Rules => _world.Holder;

    /// <summary>The lease was read or watched.</summary>
    public void See(LeaseRecord? lease) => WhenAwake(() =>
    {
        _world.Check.Told(this, lease);
        Memory = Rules.Saw(Memory, lease, Now);
        Step();
    });

    /// <summary>Null: there is nobody to answer.</summary>
    public AcknowledgeReply? Acknowledge(AcknowledgeRequest request)
    {
        if (!Runs || IsFrozen) return null;
        if (Rules.Acknowledge(Memory, request, Now) is not AcknowledgeOutcome.Granted granted) return new AcknowledgeReply(false, null);
        Memory = granted.Memory;
        return new AcknowledgeReply(true, null);
    }

    /// <summary>Everything in the container ends; it is started again a little later and knows nothing.</summary>
    public void RestartContainer(TimeSpan after)
    {
        if (!Runs) return;
        _life++;
        StopServer();
        (Runs, Order, _obeyed, _frozenUntil) = (false, null, 0, TimeSpan.Zero);
        _wakeAt = null;
        ForgetCalls();
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
        IsStopping = true;
        WhenAwake(() =>
        {
            Memory = Memory.Stopping();
            Step();
        });
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
        if (order is not (AgentOrder.Serve or AgentOrder.Demote or AgentOrder.HandOver)) _world.Check.IsReadOnly(this);
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
                Release(note);
                break;
            case AgentOrder.Claim(var term):
                Obeys(term);
                break;
            case AgentOrder.Follow(_, var term):
                Obeys(term);
                break;
            case AgentOrder.StandBy:
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

    /// <summary>Now, or as soon as the agent goes on; never after it has ended.</summary>
    private void WhenAwake(Action action)
    {
        if (!Runs) return;
        var life = _life;
        if (!IsFrozen) action();
        else _world.At(_frozenUntil + Late(), () =>
        {
            if (life == _life) WhenAwake(action);
        });
    }

    /// <summary>A deadline is never put off by what is due already: that waits for an answer, which wakes the agent itself.</summary>
    private void WakeForDeadlines()
    {
        var deadlines = new List<TimeSpan?> { _readAt, AgentProtocol.NextDeadline(Memory, Now), (Order as AgentOrder.Demote)?.KillAt };
        if (Order is AgentOrder.Serve or AgentOrder.Claim or AgentOrder.HandOver && !_renewing)
            deadlines.Add(AgentProtocol.NextRenewal(Memory, Memory.Lease!.Terms));
        if (_renewalFailed) deadlines.Add(_roundAt);
        Wake((deadlines.Where(d => d > Now).Min() ?? Now + TimeSpan.FromSeconds(1)) - Now);
    }

    private void Wake(TimeSpan after)
    {
        var at = _world.Now + (after / _clock.Rate) + Late();
        if (_wakeAt is { } planned && planned <= at && planned > _world.Now) return;
        (_wakeAt, var life) = (at, _life);
        _world.At(at, () =>
        {
            if (life != _life || _wakeAt != at) return;
            WhenAwake(() =>
            {
                _wakeAt = null;
                Step();
            });
        });
    }

    /// <summary>Often as late as can be.</summary>
    private TimeSpan Late() => TimeSpan.FromMilliseconds(_world.Noise.Next(2) == 0 ? LateMilliseconds : _world.Noise.Next(LateMilliseconds));
}
