using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Tests.Leases.Simulation;

/// <summary>One process of the operator.</summary>
internal interface IElector
{
    /// <summary>Where it runs.</summary>
    int Node { get; }

    /// <summary>It forgets everything.</summary>
    void Restart();

    /// <summary>The lease was read or watched.</summary>
    void See(LeaseRecord? lease);
}

/// <summary>
/// One process of the operator, reduced to the lease: whom to assign it, when. It goes by what it sees, which may be old, and picks
/// whoever is allowed, however unwise.
/// </summary>
internal sealed class Elector : IElector
{
    private static readonly TimeSpan SelfDoubtAfter = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan BlockedAfter = TimeSpan.FromSeconds(6);

    private readonly LeaseWorld _world;
    private readonly Clock _clock;
    private readonly TimeSpan _period;
    private LeaseRecord? _lease;
    private TimeSpan? _answeredAt;
    private TimeSpan _changedAt;
    private TimeSpan _settledAt;
    private bool _isFirst;
    private bool _calling;
    private int _life;

    public Elector(LeaseWorld world, int node, Clock clock, TimeSpan period)
    {
        (_world, Node, _clock, _period) = (world, node, clock, period);
        _world.After(period, TickAgain);
    }

    public int Node { get; }

    private TimeSpan Now => _clock.Of(_world.Now);

    private string Name => FormattableString.Invariant($"operator-{Node}");

    public void Restart()
    {
        _life++;
        (_lease, _answeredAt, _calling) = (null, null, false);
    }

    public void See(LeaseRecord? lease)
    {
        if (_answeredAt is null || Now - _answeredAt > SelfDoubtAfter || lease?.Version != _lease?.Version)
            (_changedAt, _isFirst) = (Now, _answeredAt is null);
        (_lease, _answeredAt) = (lease, Now);
        // As soon as it may.
        if (_changedAt == Now && lease?.Holder is not null) _world.After(Duration(lease) / _clock.Rate, Tick);
        // Neither a lease that was made anew nor a forged term says that anybody claimed it.
        if (lease is { Accepted.Members.Count: > 0, IsTermGenuine: true }) _world.LastClaimedTerm = Math.Max(_world.LastClaimedTerm, lease.Term);
    }

    private void TickAgain()
    {
        _world.After(_period / _clock.Rate, TickAgain);
        Tick();
    }

    private void Tick()
    {
        if (_calling || !_world.OperatorRuns) return;
        // It doubts itself first: what it has not seen for long it does not act on.
        if (_answeredAt is { } answered && Now - answered <= SelfDoubtAfter && Act()) return;
        Call(() => _world.Api.Read(Node), answer =>
        {
            See(answer.Lease);
            Act();
        });
    }

    /// <summary>True: a write is under way.</summary>
    private bool Act()
    {
        if (_lease is not { } lease) return ActWithoutLease();
        // A create that arrived after everybody had forgotten it, or a person's copy: nobody obeys it, and it hides who may write.
        if (lease.Term < _world.LastClaimedTerm)
            return Update(lease, _world.Elector.Recreate(_world.LastTerm, _world.Wanted), "makes anew what is of an older term");
        var view = new ElectorView(_answeredAt!.Value, _changedAt, _isFirst, _clock.Wall(_world.Now) - _world.Api.RenewTime(lease));
        var observed = new LeaseObservation(lease, _world.Elector.UnchangedFor(view));
        if (TakeFrom(lease)) return Update(lease, ElectorProtocol.Revoke(lease), "revokes");
        var terminated = _world.IsTerminated(lease);
        if (IsFine(lease, observed) && !terminated)
        {
            _settledAt = Now;
            var isTime = lease.Terms != _world.Wanted && _world.Noise.Next(3) == 0;
            return isTime && Update(lease, lease with { Terms = _world.Wanted }, "changes the terms");
        }
        var expired = !lease.IsReleased && !terminated;
        if (expired && !_world.Elector.IsOver(observed, _world.Wanted)) return Blocked();
        var ended = _world.EndedFor(_clock, Duration(lease));
        var candidates = _world.Pods.Where(p => _world.Elector.MayBeAssigned(lease, p.Uid, expired, ended)).ToList();
        if (candidates.Count == 0) return Blocked();
        return Assign(lease, expired, candidates[_world.Noise.Next(candidates.Count)]);
    }

    private bool ActWithoutLease()
    {
        if (_world.LastTerm > 0) return Create(_world.Elector.Recreate(_world.LastTerm, _world.Wanted), "makes the lease anew");
        var pods = _world.Pods.ToList();
        return pods.Count > 0 && Assign(null, expired: false, pods[_world.Noise.Next(pods.Count)]);
    }

    private TimeSpan Duration(LeaseRecord lease) =>
        new LeaseObservation(lease, TimeSpan.Zero).Duration(LeaseTimings.Of(_world.Wanted).Duration);

    /// <summary>Somebody holds it, and has either claimed it or not had much time to.</summary>
    private bool IsFine(LeaseRecord lease, LeaseObservation observed)
    {
        var patience = TimeSpan.FromMilliseconds(1500 + (500 * (lease.Term % 5)));
        return lease.IsAuthentic && (lease.IsClaimed ? !_world.Elector.IsOver(observed, _world.Wanted) : observed.UnchangedFor < patience);
    }

    private bool TakeFrom(LeaseRecord lease)
    {
        if (!_world.RevokeWanted || !lease.IsAuthentic) return false;
        _world.RevokeWanted = false;
        return true;
    }

    private bool Assign(LeaseRecord? lease, bool expired, Agent pod)
    {
        _world.LastTerm = Math.Max(_world.LastTerm, lease?.Term ?? 0) + 1;
        _world.HolderOf[_world.LastTerm] = pod.Uid;
        var assigned = _world.Elector.Assign(lease, expired, pod.Identity, _world.LastTerm, _world.Wanted);
        return lease is null
            ? Create(assigned, $"creates for {pod.Identity}")
            : Update(lease, assigned, $"assigns{(expired ? " what expired" : "")} to {pod.Identity}");
    }

    /// <summary>The next way to fence: the pods of those who may still hold the lease are deleted.</summary>
    private bool Blocked()
    {
        if (Now - _settledAt < BlockedAfter) return false;
        _settledAt = Now;
        foreach (var pod in _world.PossibleHolders().ToList()) _world.StopPod(pod);
        return false;
    }

    private bool Create(LeaseRecord lease, string what) => Write(() => _world.Api.Create(lease, _clock.Wall(_world.Now)), what);

    private bool Update(LeaseRecord read, LeaseRecord changed, string what) =>
        Write(() => _world.Api.Update(read, changed, _clock.Wall(_world.Now)), what);

    private bool Write(Func<Answer> carryOut, string what)
    {
        if (_world.IsNoting) _world.Note($"{Name} {what}");
        Call(carryOut, answer =>
        {
            if (answer.Done) See(answer.Lease);
        });
        return true;
    }

    private void Call(Func<Answer> carryOut, Action<Answer> answered)
    {
        (_calling, var life) = (true, _life);
        _world.Network.Call(Node, TimeSpan.FromSeconds(1), carryOut, answer =>
        {
            if (life != _life) return;
            _calling = false;
            if (answer is not null) answered(answer);
        });
    }
}
