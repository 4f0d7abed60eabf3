using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Tests.Leases.Simulation;

/// <summary>One process of the operator that does what the product's own <see cref="Decider"/> says.</summary>
internal sealed partial class WholeOperator : IElector
{
    private static readonly TimeSpan SelfDoubtAfter = TimeSpan.FromSeconds(2);

    private readonly LeaseWorld _world;
    private readonly OperatorStore _store;
    private readonly Clock _clock;
    private readonly TimeSpan _period;
    private int _life;
    private bool _calling;
    private string? _noted;

    public WholeOperator(LeaseWorld world, OperatorStore store, int node, Clock clock, TimeSpan period)
    {
        (_world, _store, Node, _clock, _period) = (world, store, node, clock, period);
        _world.After(period, TickAgain);
    }

    public int Node { get; }

    private TimeSpan Now => _clock.Of(_world.Now);

    private void TickAgain()
    {
        _world.After(_period / _clock.Rate, TickAgain);
        if (!_world.OperatorRuns) return;
        foreach (var pod in _world.Agents.Where(a => a.Exists)) Ask(pod);
        Hang();
        if (!_calling) Call(() => _world.Api.Read(Node), answer => See(answer.Lease));
        Turn();
    }

    /// <summary>Where the simple operators would take the lease, here the server hangs: these take it by themselves.</summary>
    private void Hang()
    {
        if (!_world.RevokeWanted) return;
        _world.RevokeWanted = false;
        if (_world.Agents.FirstOrDefault(a => a.Memory.Tenure is not null) is { } holder) _store.Hung = (holder.Uid, _world.Now + TimeSpan.FromSeconds(9));
    }

    private void Turn()
    {
        if (_calling || !_world.OperatorRuns || _answeredAt is null) return;
        var verdict = Decider.Decide(Observe());
        if (_world.IsNoting) Note(verdict);
        switch (verdict.Decision)
        {
            case Decision.Begin(var plan):
                Call(() => new Answer(_store.Create(plan), _world.Api.Lease));
                break;
            case Decision.Abort(var reason, _):
                var given = verdict.Running!;
                Call(() => new Answer(_store.Write(given, s => s with { Phase = FailoverPhase.Aborted, Reason = reason }), _world.Api.Lease));
                break;
            case Decision.Advance(var steps):
                foreach (var step in steps) Do(step, verdict.Running);
                break;
            case Decision.Wait(var time, _, _):
                Again(time);
                break;
            case Decision.Steady({ } time):
                Again(time);
                break;
        }
    }

    private void Do(Step step, FailoverRecord? running)
    {
        if (step is not (Step.AskMembers or Step.Verify) && !_world.Network.ReachesApi(Node)) return;
        Again(TimeSpan.FromMilliseconds(step is Step.AskMembers ? 60 : 20));
        switch (step)
        {
            case Step.Enter enter:
                Call(() => new Answer(_store.Write(running!, s => OperatorStore.Entering(s, enter)), _world.Api.Lease));
                break;
            case Step.TerminatePod(var member):
                if (_world.Agents.FirstOrDefault(a => a.Uid == member.Uid) is { } pod) _world.StopPod(pod);
                break;
            case Step.AskMembers(var members):
                foreach (var agent in _world.Agents.Where(a => members.Any(m => m.Uid == a.Uid))) Ask(agent);
                break;
            case Step.Label(var member, var role, var term):
                _store.Labels[member.Uid] = (role, term);
                break;
            case Step.PointService(_, _, var selected, var term):
                if (term < _store.PublishedTerm) _world.Check.Broken($"I6: term {term} is published after {_store.PublishedTerm}");
                (_store.PublishedTerm, _store.SelectedPod) = (term, selected);
                break;
            case Step.Verify(var member, _):
                _verified = (running!.Name, _world.Agents.Any(a => a.Uid == member.Uid && a.Server == ServerState.Writable));
                break;
            case Step.AssignLease assign:
                Assign(assign);
                break;
            case Step.RecreateLease(var term, var terms):
                Call(() => _world.Api.Create(ElectorProtocol.Recreate(term, terms), _clock.Wall(_world.Now)), Learn);
                break;
            case Step.RevokeLease revoke:
                Update(revoke.ReadVersion, ElectorProtocol.Revoke);
                break;
            case Step.UpdateLeaseTerms(var terms, var version):
                Update(version, l => l with { Terms = terms });
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(step), step, "a step that a group with agents has no use for");
        }
    }

    private void Assign(Step.AssignLease assign)
    {
        _world.LastTerm = Math.Max(_world.LastTerm, assign.Term);
        var lease = new LeaseRecord
        {
            Holder = assign.Member.Identity,
            Term = assign.Term,
            Assignment = LeaseContract.Assignment(assign.Member.Identity, assign.Term),
            Terms = assign.Terms,
            Pledged = assign.Pledged,
        };
        if (assign.ReadVersion is null) Call(() => _world.Api.Create(lease, _clock.Wall(_world.Now)), Learn);
        else Update(assign.ReadVersion, l => lease with { Release = assign.KeepRelease ? l.Release : null });
    }

    private void Update(string version, Func<LeaseRecord, LeaseRecord> change)
    {
        if (_lease is { } read && read.Version == version) Call(() => _world.Api.Update(read, change(read), _clock.Wall(_world.Now)), Learn);
    }

    private void Learn(Answer answer)
    {
        if (answer.Done) See(answer.Lease);
    }

    private void Again(TimeSpan after)
    {
        var life = _life;
        _world.After((after < TimeSpan.FromMilliseconds(10) ? TimeSpan.FromMilliseconds(10) : after) / _clock.Rate, () =>
        {
            if (life == _life) Turn();
        });
    }

    private void Call(Func<Answer> carryOut, Action<Answer>? answered = null)
    {
        (_calling, var life) = (true, _life);
        _world.Network.Call(Node, TimeSpan.FromSeconds(1), carryOut, answer =>
        {
            if (life != _life) return;
            _calling = false;
            if (answer is not null)
            {
                _failovers = _store.Failovers;
                answered?.Invoke(answer);
            }
            Again(TimeSpan.Zero);
        });
    }

    private void Note(Verdict verdict)
    {
        var what = verdict.Decision switch
        {
            Decision.Advance(var steps) => string.Join(", ", steps.Select(Say)),
            Decision.Begin(var plan) => $"begins {plan.Type} {plan.Term} {plan.Cause} from {plan.From?.Uid}: {string.Join(" | ", plan.Evidence)}",
            Decision.Wait(_, var reason, var message) => $"waits, {reason}: {message}",
            Decision.Steady => "steady",
            var other => other.ToString()!,
        };
        if (what == _noted) return;
        _noted = what;
        _world.Note(FormattableString.Invariant($"operator-{Node} {verdict.Diagnosis.GetType().Name}: {what}"));
    }

    private static string Say(Step step) => step switch
    {
        Step.Enter enter => $"enters {enter.Phase} {enter.Candidate?.Uid} {enter.Fence} {enter.Reason} {enter.Message}",
        Step.AssignLease assign => $"assigns to {assign.Member.Uid} term {assign.Term} {(assign.KeepRelease ? "with the note" : "")} pledged {assign.Pledged?.Members.Count}",
        _ => step.GetType().Name,
    };
}
