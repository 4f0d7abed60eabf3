using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;

namespace FailoverOperator.Core.Tests.Leases.Simulation;

/// <summary>What the agent asks of the API server and of its peers, one call of each kind at a time.</summary>
internal sealed partial class Agent
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(700);

    private bool _renewing;
    private bool _renewalFailed;
    private bool _isConflict;
    private bool _releasing;
    private bool _asking;
    private bool _reading;
    private TimeSpan _roundAt;
    private TimeSpan _readAt;

    private void Renew()
    {
        if (_renewing || Memory.Lease is not { } lease) return;
        // Also while it demotes: the answer may come in time.
        if (Order is not (AgentOrder.Serve or AgentOrder.Claim or AgentOrder.HandOver) && Memory.Tenure is null) return;
        var applied = Memory.Tenure is { } tenure && _world.Noise.Next(4) == 0 ? tenure.Terms : lease.Terms;
        if (Now < AgentProtocol.NextRenewal(Memory, applied) && (!_isConflict || _reading || _readAt <= Now)) return;
        Memory = Rules.Renewing(Memory, applied, Now);
        if (Memory.Sent is not { } sent) return;
        (_renewing, var wallNow) = (true, _clock.Wall(_world.Now));
        var patience = LeaseTimings.Of(sent.Accepted).AnswerWithin;
        Call(patience, () => _world.Api.Update(lease, lease.Renewed(sent.Accepted), wallNow, isRenewal: true), answer =>
        {
            // What was changed by somebody else is read, and tried again at once.
            (_renewing, _renewalFailed, _isConflict) = (false, answer is not { Done: true }, answer is { Done: false });
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
        Call(Patience, () => _world.Api.Update(lease, lease.Released(note), wallNow), answer =>
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
        Call(Patience, () => _world.Api.Read(Node), answer =>
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
            _world.Network.Ask(Node, peer.Node, () => peer.Acknowledge(round.To(member)), reply => WhenAwake(() =>
            {
                if (life != _life || reply is not { Granted: true } || --missing > 0) return;
                Memory = Memory.AcknowledgedByAll(round);
                Step();
            }));
        }
    }

    private void Call(TimeSpan timeout, Func<Answer> carryOut, Action<Answer?> answered)
    {
        var life = _life;
        _world.Network.Call(Node, timeout / _clock.Rate, carryOut, answer =>
        {
            if (life == _life) WhenAwake(() => Answered(answer));
        });

        void Answered(Answer? answer)
        {
            answered(answer);
            Step();
        }
    }

    private void ForgetCalls() =>
        (_renewing, _releasing, _asking, _reading, _renewalFailed, _isConflict) = (false, false, false, false, false, false);
}
