using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Tests.Leases.Simulation;

/// <summary>What the process remembers and sees: all of it may be old.</summary>
internal sealed partial class WholeOperator
{
    private readonly Dictionary<string, (EngineReply Reply, TimeSpan AskedAt, TimeSpan? UnansweredSince)> _probes = [];
    private readonly Dictionary<string, (FailoverPhase Phase, TimeSpan Since)> _phases = [];
    private readonly Dictionary<string, TimeSpan> _notReadySince = [];
    private readonly Dictionary<string, TimeSpan> _departures = [];
    private IReadOnlyList<FailoverRecord> _failovers = [];
    private (string Failover, bool Done) _verified = ("", false);
    private (string Uid, TimeSpan At)? _served;
    private LeaseRecord? _lease;
    private TimeSpan? _answeredAt;
    private TimeSpan _changedAt;

    public void Restart()
    {
        _life++;
        _probes.Clear();
        _phases.Clear();
        _notReadySince.Clear();
        _departures.Clear();
        (_lease, _answeredAt, _calling, _failovers, _verified, _served) = (null, null, false, [], ("", false), null);
    }

    public void See(LeaseRecord? lease)
    {
        if (_answeredAt is null || Now - _answeredAt > SelfDoubtAfter || lease?.Version != _lease?.Version) _changedAt = Now;
        (_lease, _answeredAt, _failovers) = (lease, Now, _store.Failovers);
        Again(TimeSpan.Zero);
    }

    private void Ask(Agent agent)
    {
        var (askedAt, life, answered) = (Now, _life, false);
        _world.Network.Ask(Node, agent.Node, () => agent.Runs && !agent.IsFrozen ? Reply(agent) : new EngineReply.Silent("nobody answers", agent.Runs), reply =>
        {
            if (life != _life || answered) return;
            answered = true;
            Learn(agent.Uid, reply, askedAt);
        });
        _world.After(TimeSpan.FromSeconds(1) / _clock.Rate, () =>
        {
            if (life == _life && !answered) Learn(agent.Uid, new EngineReply.Silent("no answer", Connected: false), askedAt);
            answered = true;
        });
    }

    private void Learn(string uid, EngineReply reply, TimeSpan askedAt)
    {
        if (_probes.TryGetValue(uid, out var before) && before.AskedAt > askedAt) return;
        _probes[uid] = (reply, askedAt, reply is EngineReply.Answered ? null : before.UnansweredSince ?? askedAt);
        if (reply is EngineReply.Answered { Status: { Role: EngineRole.Primary, Writable: true } }) _served = (uid, askedAt);
    }

    private EngineReply Reply(Agent agent)
    {
        if (_store.Hung.Uid == agent.Uid && _world.Now < _store.Hung.Until) return new EngineReply.Failed("the server hangs");
        var (memory, writable) = (agent.Memory, agent.Server == ServerState.Writable);
        return new EngineReply.Answered(new EngineStatus
        {
            Role = writable ? EngineRole.Primary : EngineRole.Standby,
            Writable = writable,
            PositionBytes = 100,
            History = "log",
            Link = writable ? ReplicationLink.Unknown : ReplicationLink.Up,
            IsEmpty = false,
            Agent = new AgentFacts
            {
                Term = memory.HighestTerm,
                ProcessRuns = true,
                AcknowledgedHolder = memory.Pledge.Holder,
                AcknowledgedTerm = memory.Pledge.Term,
                AcknowledgedAgo = memory.Pledge.Holder is null ? null : agent.Now - memory.Pledge.GivenAt,
            },
        });
    }

    private GroupObservation Observe()
    {
        var group = new GroupObservation
        {
            Name = "db",
            Spec = Spec(),
            WorkloadReplicas = _world.Pods.Count(),
            Members = [.. _world.Agents.Where(a => a.Exists).OrderBy(a => a.Name, StringComparer.Ordinal).Select(Member)],
            Failovers = [.. _failovers.Select(f => f with { PhaseFor = PhaseFor(f), Verification = _verified == (f.Name, true) ? new EngineOutcome.Done() : null })],
            Services = [Service()],
            Lease = new LeaseObservation(_lease, _answeredAt!.Value - _changedAt),
            Operator = new OperatorObservation(Synced: true, Now - _answeredAt.Value <= SelfDoubtAfter ? TimeSpan.Zero : TimeSpan.FromSeconds(9)),
        };
        return group with
        {
            Departures = [.. Departures(group)],
            PrimaryMemory = _served is var (uid, at) && SlotHolder.Of(group).Holder?.Uid == uid
                ? new PrimaryMemory { Uid = uid, PositionBytes = 100, RequiredPositionBytes = 100, History = "log", LastServiceAge = Now - at }
                : null,
        };
    }

    private RedundancyGroupSpec Spec() => GivenAgents.Spec with
    {
        Engine = new EngineSpec { Type = EngineType.Redis },
        Targets = new TargetsSpec(),
        Detection = new DetectionSpec { LeaseDurationSeconds = _world.Wanted.LeaseDurationSeconds, RenewIntervalMilliseconds = _world.Wanted.RenewIntervalMilliseconds },
        Fencing = new FencingSpec
        {
            Policy = [FencingMethod.SelfFence, FencingMethod.PodTermination],
            StopAfterMilliseconds = _world.Wanted.StopAfterMilliseconds,
            DemoteTimeoutMilliseconds = _world.Wanted.DemoteTimeoutMilliseconds,
            Failsafe = _world.Wanted.Failsafe ? Failsafe.Enabled : Failsafe.Disabled,
        },
        Promotion = new PromotionSpec { TimeoutSeconds = 20 },
        Protection = ProtectionSpec.Off,
    };

    private Member Member(Agent agent)
    {
        var ready = agent.Runs;
        if (ready) _notReadySince.Remove(agent.Uid);
        else _notReadySince.TryAdd(agent.Uid, Now);
        var (role, term) = _store.Labels.GetValueOrDefault(agent.Uid);
        return new Member
        {
            Name = agent.Name,
            Uid = agent.Uid,
            Address = agent.Address,
            Pod = new PodObservation { Phase = PodPhase.Running, Ready = ready, NotReadyFor = ready ? null : Now - _notReadySince[agent.Uid], Terminating = agent.IsStopping },
            Node = new NodeObservation { Name = FormattableString.Invariant($"node-{agent.Node}"), State = NodeState.Ready },
            Probe = _probes.TryGetValue(agent.Uid, out var probe)
                ? new ProbeObservation { Reply = probe.Reply, Age = Now - probe.AskedAt, UnansweredFor = Now - probe.UnansweredSince }
                : ProbeObservation.NotAsked,
            RoleLabel = role,
            TermLabel = term,
        };
    }

    private TimeSpan PhaseFor(FailoverRecord failover)
    {
        if (!_phases.TryGetValue(failover.Name, out var known) || known.Phase != failover.Status.Phase) _phases[failover.Name] = known = (failover.Status.Phase, Now);
        return Now - known.Since;
    }

    private ServiceObservation Service() => new()
    {
        Name = "db-rw",
        Role = TrafficRole.Active,
        SelectedRole = _store.PublishedTerm is null ? null : RoleLabels.Active,
        SelectedPod = _store.SelectedPod,
        PublishedTerm = _store.PublishedTerm,
        Addresses = [.. _world.Agents.Where(a => a is { Exists: true, Runs: true } && a.Name == _store.SelectedPod && _store.Labels.GetValueOrDefault(a.Uid).Role == RoleLabels.Active).Select(a => a.Address)],
    };

    /// <summary>Who was removed by force has not ended, as far as anybody can tell.</summary>
    private IEnumerable<Departure> Departures(GroupObservation group)
    {
        var concerned = _failovers.SelectMany(f => f.Rivals.Append(f.Spec.From).Append(f.Status.Candidate)).OfType<MemberReference>().Select(m => (m.Uid, m.Name))
            .Concat(new[] { _lease?.Accepted, _lease?.Pledged }.OfType<LeaseTerms>().SelectMany(t => t.Members).Select(m => (m.Uid, m.Name)));
        foreach (var (uid, name) in concerned.Distinct().Where(c => group.Members.All(m => m.Uid != c.Uid)))
        {
            _departures.TryAdd(uid, Now);
            yield return new Departure(uid, name, _world.EndedAt(uid) is not null, Now - _departures[uid], new NodeObservation { Name = "node", State = NodeState.Ready });
        }
    }
}
