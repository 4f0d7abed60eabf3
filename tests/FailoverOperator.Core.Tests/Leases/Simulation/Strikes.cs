using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;

namespace FailoverOperator.Core.Tests.Leases.Simulation;

/// <summary>The run of a schedule, and what its faults do.</summary>
internal sealed partial class LeaseWorld
{
    private static readonly TimeSpan Begin = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    /// <summary>How long the slowest way out may take: a lease that expires, promises that do, pods that are deleted one after another.</summary>
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(90);

    /// <summary>The first thing that went wrong. Null: nothing did.</summary>
    public string? Run(bool untilSteady = true)
    {
        foreach (var strike in _schedule.Strikes) At(Begin + TimeSpan.FromMilliseconds(strike.AtMilliseconds), () => Hit(strike));
        var last = TimeSpan.FromMilliseconds(_schedule.Strikes.Max(s => s.AtMilliseconds + s.ForMilliseconds));
        RunUntil(Begin + last + TimeSpan.FromSeconds(3));
        if (!untilSteady) return Check.Violation;
        Heal();
        var since = TimeSpan.MaxValue;
        RunUntil(Now + Recovery, () =>
        {
            if (!IsSteady()) since = TimeSpan.MaxValue;
            else if (since > Now) since = Now;
            return Now - since > TimeSpan.FromSeconds(2);
        });
        if (Check.Violation is null && !IsSteady())
            Check.Broken($"L1: nobody holds the lease for good: {string.Join("; ", Agents.Select(a => a.Describe()))}; the lease: {Api.Lease}");
        return Check.Violation;
    }

    /// <summary>The lease's holder is writable, and all others know it.</summary>
    private bool IsSteady() => Api.Lease is { } lease && lease.Terms == Wanted && lease.Accepted == Wanted
        && _agents.All(a => !a.Runs || (a.Exists && IsAtWork(a, lease))) && _agents.Any(a => lease.IsHeldBy(a.Identity));

    private static bool IsAtWork(Agent agent, LeaseRecord lease) => lease.IsHeldBy(agent.Identity)
        ? agent.Server == ServerState.Writable && agent.ServerTerm == lease.Term
        : agent.Order is AgentOrder.Follow(var holder, var term) && holder == lease.Holder && term == lease.Term;

    private void Heal()
    {
        Note("heal");
        Network.Heal();
        OperatorRuns = true;
        RevokeWanted = false;
        foreach (var lingering in _agents.Where(a => !a.Exists && a.Runs)) EndPod(lingering);
    }

    private void Hit(Strike strike)
    {
        var until = Now + TimeSpan.FromMilliseconds(strike.ForMilliseconds);
        var running = _agents.Where(a => a.Runs).ToList();
        if (running.Count == 0) return;
        // The holder is hit as often as all the others together.
        var holder = running.FirstOrDefault(a => a.Memory.Tenure is not null);
        var agent = holder is not null && strike.Whom % 2 == 0 ? holder : running[strike.Whom % running.Count];
        var other = running[strike.Other % running.Count];
        if (IsNoting) Note($"{strike.Fault} {agent.Identity} {other.Identity} until {until.TotalSeconds:0.0}");
        switch (strike.Fault)
        {
            case Fault.ApiCut: Network.CutApi(agent.Node, until); break;
            case Fault.AnswersLost: Network.LoseAnswers(agent.Node, until); break;
            case Fault.ApiSlow: Network.MakeSlow(agent.Node, until); break;
            case Fault.ApiOutage: Network.StopApi(until); break;
            case Fault.PeerCut: Network.CutPeer(agent.Node, other.Node, until); break;
            case Fault.Isolation: Network.Isolate(agent.Node, until); break;
            case Fault.StaleReads: Network.MakeStale(agent.Node, until); break;
            case Fault.ServerCrash: agent.CrashServer(); break;
            case Fault.AgentFreeze: agent.Freeze(until); break;
            case Fault.ContainerRestart: agent.RestartContainer(TimeSpan.FromMilliseconds(strike.ForMilliseconds / 10)); break;
            case Fault.PodStop: StopPod(agent); break;
            case Fault.PodForceDelete: ForceDelete(agent, until, strike.Other); break;
            case Fault.Revoke: RevokeWanted = true; break;
            case Fault.NewTimings: ChangeTimings(Timings[strike.Other % Timings.Length]); break;
            case Fault.SwitchFailsafe: Wanted = Wanted with { Failsafe = !Wanted.Failsafe }; break;
            case Fault.Forge: Forge(other, strike.ForMilliseconds % 5); break;
            case Fault.DeleteLease: Api.Overwrite(null); break;
            case Fault.OperatorRestart: Electors[strike.Whom % 2].Restart(); break;
            case Fault.OperatorCut: Network.CutApi(Electors[strike.Whom % 2].Node, until); break;
            case Fault.MemberAdded: AddMember(); break;
            default: throw new ArgumentOutOfRangeException(nameof(strike), strike, "a fault that the simulation does not know");
        }
    }

    private void Forge(Agent other, int how)
    {
        if (Api.Lease is not { } lease) return;
        Api.Overwrite(how switch
        {
            0 => lease with { Holder = other.Identity },
            1 => lease with { Holder = other.Identity, Term = lease.Term + 1 },
            2 => lease with { Term = lease.Term + 3 },
            3 => lease with { Assignment = null, Terms = new LeaseTerms(), Accepted = null, Pledged = null, Release = null },
            _ => lease with { Holder = null },
        });
    }

    private void ChangeTimings(LeaseTerms timings) => Wanted = timings with { Failsafe = Wanted.Failsafe, Members = Wanted.Members };

    private void AddMember()
    {
        if (Pods.Count() < 4) AddPod(FormattableString.Invariant($"db-{_incarnations}"), _incarnations % 8, TimeSpan.Zero);
    }

    /// <summary>In order: a kubelet that is reached says so when it has ended; then the next one of this name is started.</summary>
    public void StopPod(Agent pod)
    {
        if (!pod.Exists || pod.IsStopping) return;
        pod.StopInOrder();
        AwaitEnd(pod, Now + Grace);
    }

    private void AwaitEnd(Agent pod, TimeSpan at) => At(at, () =>
    {
        if (!pod.Exists) return;
        if (!Network.ReachesApi(pod.Node))
        {
            AwaitEnd(pod, Now + TimeSpan.FromSeconds(1));
            return;
        }
        EndPod(pod);
        After(TimeSpan.FromMilliseconds(300), () => AddPod(pod.Name, pod.Node, TimeSpan.Zero, Noise.Next(2) == 0 ? pod.Address : null));
    });

    private void EndPod(Agent pod)
    {
        pod.End();
        pod.Exists = false;
        _endedAt[pod.Uid] = Now;
        if (IsNoting) Note($"{pod.Identity} has ended");
    }

    /// <summary>The API server has forgotten the pod, but its node has not been told, or cannot be.</summary>
    private void ForceDelete(Agent pod, TimeSpan until, int how)
    {
        if (!pod.Exists || pod.IsStopping) return;
        pod.Exists = false;
        if (how % 2 == 0) Network.Isolate(pod.Node, until);
        AddPod(pod.Name, (pod.Node + 4) % 8, TimeSpan.Zero, how % 3 == 0 ? pod.Address : null);
    }
}
