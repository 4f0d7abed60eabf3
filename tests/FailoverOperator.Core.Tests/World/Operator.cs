using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Tests.World;

/// <summary>The operator's side: what it remembers, sees and does.</summary>
internal sealed partial class World
{
    // ---- persisted: survives an operator crash
    private readonly List<FailoverRecord> _failovers = [];
    private readonly Dictionary<string, TimeSpan> _ended = [];
    private readonly Dictionary<string, TimeSpan> _servedAt = [];
    private readonly Dictionary<string, TimeSpan> _fencedAt = [];
    private string? _acknowledged;
    private readonly Dictionary<string, long> _stoppedAt = [];
    private int _requests;
    private long _publishedTerm;
    private string? _selectedPod;
    private string? _traffic;

    // ---- remembered: lost with the operator
    private readonly Dictionary<string, Seen> _departures = [];
    private readonly Dictionary<string, ProbeObservation> _probes = [];
    private readonly Dictionary<string, TimeSpan> _notReadySince = [];
    private readonly Dictionary<string, ((int Container, string? Instance) Run, TimeSpan Since)> _runs = [];
    private PrimaryMemory? _memory;
    private string? _memoryInstance;
    private PositionHistory _positions = PositionHistory.Over(TimeSpan.FromSeconds(30));
    private TimeSpan _memoryAt;
    private TimeSpan _phaseSince;
    private EngineOutcome? _verification;
    private TimeSpan _apiSilentUntil;

    public IReadOnlyList<FailoverRecord> Failovers => _failovers;

    public long PublishedTerm => _publishedTerm;

    public string? SelectedPod => _selectedPod;

    public Verdict? Last { get; private set; }

    /// <summary>Asks every member, as the prober does once in each interval.</summary>
    public void Probe()
    {
        foreach (var pod in _pods.Where(p => p.Exists))
        {
            Ask(pod);
            Track(pod);
        }
        foreach (var gone in _probes.Keys.Where(uid => _pods.All(p => p.Uid != uid || !p.Exists)).ToList()) _probes.Remove(gone);
        if (SlotHolder.Of(See()).Holder is not { } holder || !_probes.TryGetValue(holder.Uid, out var probe)) return;
        if (probe.Status is not { Role: EngineRole.Primary, Writable: true, PositionBytes: { } position } status) return;
        var before = _memory?.Uid == holder.Uid && _memoryInstance == status.Instance ? _memory : null;
        _positions = (before is null ? PositionHistory.Over(TimeSpan.FromSeconds(30)) : _positions).Add(Now, position);
        _memory = new PrimaryMemory { Uid = holder.Uid, PositionBytes = position, RequiredPositionBytes = _positions.Required, Positions = _positions, History = null, Instance = status.Instance, ContainerId = SureContainer(holder.Uid) ?? before?.ContainerId, LastServiceAge = TimeSpan.Zero };
        (_memoryInstance, _memoryAt) = (status.Instance, Now);
    }

    private void Track(Pod pod)
    {
        var run = (pod.ReportedRun, _probes[pod.Uid].Status?.Instance);
        if (!_runs.TryGetValue(pod.Uid, out var seen) || seen.Run != run) _runs[pod.Uid] = (run, Now);
    }

    /// <summary>The container of a run that has been the same for so long that no report of a restart is still on its way.</summary>
    private string? SureContainer(string uid) =>
        Find(uid) is { ReportedRunning: true } && _runs[uid] is var (run, since) && Now - since >= TimeSpan.FromSeconds(10) ? $"run-{run.Container}" : null;

    /// <summary>One look and what it leads to. <paramref name="crashAfter"/>: the operator dies after so many of the steps.</summary>
    public void Act(int crashAfter = int.MaxValue)
    {
        var group = See();
        var verdict = Last = Decider.Decide(group);
        if (verdict.Decision is not Decision.Steady) Note($"{verdict.Diagnosis.GetType().Name} -> {Describe(verdict.Decision)}");
        switch (verdict.Decision)
        {
            case Decision.Begin(var plan):
                Check.Terms(this, plan);
                Check.Pace(this, plan);
                _failovers.Add(new FailoverRecord { Name = $"db-0-{plan.Term}", Spec = plan });
                if (_memory is not null && _memory.Uid == plan.From?.Uid) _servedAt[$"db-0-{plan.Term}"] = _memoryAt;
                Entered();
                break;
            case Decision.Abort(var reason, _):
                Write(verdict.Running!, s => s with { Phase = FailoverPhase.Aborted, Reason = reason });
                break;
            case Decision.Advance(var steps):
                foreach (var step in steps.Take(crashAfter)) Do(step, verdict.Running);
                if (crashAfter < steps.Count) CrashOperator();
                break;
        }
    }

    private static string Describe(Decision decision) => decision is Decision.Advance(var steps)
        ? string.Join(", ", steps.Select(s => s is Step.Enter enter ? $"Enter {enter.Phase} {enter.Candidate?.Uid} {enter.Fence} {enter.Reason}" : s.GetType().Name))
        : decision is Decision.Begin(var plan) ? $"Begin {plan.Type} {plan.Term} {plan.Cause} from {plan.From?.Uid}"
        : decision.ToString()!;

    private void Do(Step step, FailoverRecord? running)
    {
        switch (step)
        {
            case Step.Enter enter: Check.Enter(this, running!, enter); Write(running!, s => Entering(s, enter)); break;
            case Step.TerminatePod(var member) when Find(member.Uid) is { Exists: true } pod: Check.Terminate(this, pod, running); Terminate(pod, 4); break;
            case Step.AskMembers(var members): foreach (var m in members) AskByUid(m.Uid); break;
            case Step.Demote(var member, _): Demote(member.Uid); AskByUid(member.Uid); break;
            case Step.Promote(var member, var term): Promote(member.Uid, term); AskByUid(member.Uid); break;
            case Step.Follow(var member, var primary, _): Follow(member.Uid, primary.Uid); AskByUid(member.Uid); break;
            case Step.Label(var member, var role, var term) when Find(member.Uid) is { Exists: true } pod: (pod.RoleLabel, pod.TermLabel) = (role, term); break;
            case Step.PointService(_, _, var pod, var term): Check.Publish(this, term); (_publishedTerm, _selectedPod) = (term, pod); break;
            case Step.Verify(var member, _): _verification = Reach(member.Uid) is { Writable: true } ? new EngineOutcome.Done() : new EngineOutcome.NotDone("no"); break;
        }
        Check.Traffic(this);
        var active = _pods.Where(p => p.Exists && p.RoleLabel == "active" && (_selectedPod ?? p.Name) == p.Name && p.Ready).ToList();
        _traffic = active is [var one] && _publishedTerm > 0 ? one.Address : null;
    }

    private static FailoverStatus Entering(FailoverStatus status, Step.Enter enter) => status with
    {
        Phase = enter.Phase,
        Reason = enter.Reason,
        Candidate = enter.Candidate ?? status.Candidate,
        LostBytes = enter.LostBytes ?? status.LostBytes,
        End = enter.End ?? status.End,
        ExecutedAs = enter.ExecutedAs ?? status.ExecutedAs,
        Rivals = [.. status.Rivals, .. enter.Rivals],
        Fence = enter.Fence is { } evidence ? new FenceRecord { Evidence = evidence, By = enter.FencedBy!, At = "" } : status.Fence,
    };

    private void Promote(string uid, long term)
    {
        if (Reach(uid) is not { } process) return;
        (process.Writable, process.Term, process.Follows) = (true, Math.Max(term, process.Term), null);
        Log = Math.Max(Log, process.Position);
        Note($"{uid} is promoted, server {process.Id}");
    }

    private void Demote(string uid)
    {
        if (Reach(uid) is not { } process) return;
        (process.Writable, process.Follows) = (false, null);
        _stoppedAt[uid] = process.Position;
        Note($"{uid} is stopped at {process.Position}");
    }

    /// <summary>What a person asks for, who gives it a time of 1 s to 13 s.</summary>
    private void AskForSwitchover(int howLong) => _failovers.Insert(0, new FailoverRecord
    {
        Name = $"ask-{++_requests}",
        Uid = $"uid-ask-{_requests}",
        IsOwn = false,
        Spec = new FailoverSpec { GroupRef = new GroupReference { Name = "db" }, Type = FailoverType.Switchover, DeadlineSeconds = 1 + howLong },
    });

    /// <summary>Where its log ended when it was stopped last. Null: it never was.</summary>
    public long? StoppedAt(string uid) => _stoppedAt.TryGetValue(uid, out var position) ? position : null;

    private void Follow(string uid, string primary)
    {
        if (Reach(uid) is not { } process || Find(primary) is not { } to) return;
        (process.Writable, process.Follows) = (false, primary);
        process.Position = to.Process.Position;
    }

    private Pod? Find(string uid) => _pods.FirstOrDefault(p => p.Uid == uid);

    private Process? Reach(string uid) =>
        Find(uid) is { Node.Up: true, Process: { Alive: true, Frozen: false } } pod && pod.ProbeLostUntil <= Now ? pod.Process : null;

    private void Write(FailoverRecord failover, Func<FailoverStatus, FailoverStatus> change)
    {
        var index = _failovers.FindIndex(f => f.Name == failover.Name);
        var before = _failovers[index].Status;
        _failovers[index] = _failovers[index] with { Status = change(before) };
        if (_failovers[index].Status.Phase != before.Phase) Entered();
        if (before.Fence is null && _failovers[index].Status.Fence is not null) _fencedAt[failover.Name] = Now;
        if (_failovers[index].IsEnded) _ended[failover.Name] = Now;
    }

    /// <summary>Null: it runs.</summary>
    public TimeSpan? EndedFor(FailoverRecord failover) => _ended.TryGetValue(failover.Name, out var at) ? Now - at : null;

    private TimeSpan? SilentFor(FailoverRecord failover) =>
        _servedAt.TryGetValue(failover.Name, out var at) ? (_fencedAt.TryGetValue(failover.Name, out var fenced) ? fenced : Now) - at : null;

    public ProtectionSpec Protection => _spec.Protection;

    /// <summary>0: none.</summary>
    public long AcknowledgedTerm => _acknowledged is { } name ? long.Parse(name["db-0-".Length..], System.Globalization.CultureInfo.InvariantCulture) : 0;

    /// <summary>The person on call does what the message says.</summary>
    public void Obey()
    {
        if (Last?.Decision is Decision.Blocked { Reason: Reasons.BudgetExhausted, Message: var message }) _acknowledged = message[(message.LastIndexOf('=') + 1)..];
    }

    private void Entered()
    {
        _phaseSince = Now;
        _verification = null;
    }

    public void CrashOperator()
    {
        _departures.Clear();
        _probes.Clear();
        _notReadySince.Clear();
        _runs.Clear();
        (_memory, _phaseSince, _verification) = (null, Now, null);
    }

    private void AskByUid(string uid)
    {
        if (Find(uid) is { Exists: true } pod) Ask(pod);
    }

    private void Ask(Pod pod)
    {
        var before = _probes.GetValueOrDefault(pod.Uid);
        EngineReply reply = Reach(pod.Uid) is { } process ? new EngineReply.Answered(StatusOf(process))
            : pod.Node.Up && !pod.Process.Alive && pod.ProbeLostUntil <= Now ? new EngineReply.Refused("refused")
            : new EngineReply.Silent("silent");
        var answered = reply is EngineReply.Answered;
        _probes[pod.Uid] = new ProbeObservation
        {
            Reply = reply,
            Age = Now,
            RefusedInARow = reply is EngineReply.Refused ? (before?.RefusedInARow ?? 0) + 1 : 0,
            UnansweredFor = answered ? null : before?.UnansweredFor ?? Now,
        };
    }

    private EngineStatus StatusOf(Process process) => new()
    {
        Role = process.Writable ? EngineRole.Primary : EngineRole.Standby,
        Writable = process.Writable,
        Instance = TellsInstance ? $"server-{process.Id}" : null,
        PositionBytes = process.Position,
        Link = process.Writable ? ReplicationLink.Unknown : process is { Follows: not null, LinkDownSince: null } ? ReplicationLink.Up : ReplicationLink.Down,
        LinkDownFor = process.LinkDownSince is { } since ? Now - since : null,
        FollowsAddress = Find(process.Follows ?? "")?.Address,
        IsEmpty = process.Position == 0,
    };

    /// <summary>What the operator sees. Probes and departures hold the moment; here they become ages.</summary>
    public GroupObservation See() => new()
    {
        Name = "db",
        Spec = _spec,
        WorkloadReplicas = Names.Count(),
        Members = [.. _pods.Where(p => p.Exists).OrderBy(p => p.Name, StringComparer.Ordinal).Select(SeeMember)],
        Departures = [.. KnownDepartures()],
        Failovers = [.. _failovers.Select(f => f with { PhaseFor = Now - _phaseSince, Verification = _verification, EndedFor = EndedFor(f) ?? TimeSpan.Zero, SilentFor = SilentFor(f) })],
        Acknowledged = _acknowledged,
        Services = [new ServiceObservation { Name = "db-rw", Role = TrafficRole.Active, SelectedRole = _publishedTerm > 0 ? "active" : null, SelectedPod = _selectedPod, PublishedTerm = _publishedTerm > 0 ? _publishedTerm : null, Addresses = _traffic is null ? [] : [_traffic] }],
        PrimaryMemory = _memory is null ? null : _memory with { LastServiceAge = Now - _memoryAt },
        Operator = new OperatorObservation(true, Now < _apiSilentUntil ? TimeSpan.FromSeconds(6) : TimeSpan.Zero),
    };

    private Member SeeMember(Pod pod)
    {
        if (pod.Ready) _notReadySince.Remove(pod.Uid);
        else _notReadySince.TryAdd(pod.Uid, Now);
        var probe = _probes.GetValueOrDefault(pod.Uid);
        return new Member
        {
            Name = pod.Name,
            Uid = pod.Uid,
            Address = pod.Address,
            Node = SeeNode(pod.Node),
            Pod = new PodObservation
            {
                Phase = PodPhase.Running,
                Ready = pod.Ready,
                NotReadyFor = pod.Ready ? null : Now - _notReadySince[pod.Uid],
                Terminating = pod.Terminating,
                EngineContainer = pod.ReportedRunning ? ContainerState.Running : ContainerState.Waiting,
                ContainerId = $"run-{pod.ReportedRun}",
                EndedContainerId = pod.EndedRun is { } ended ? $"run-{ended}" : null,
            },
            Probe = probe is null ? ProbeObservation.NotAsked : probe with { Age = Now - probe.Age, UnansweredFor = Now - probe.UnansweredFor },
            RoleLabel = pod.RoleLabel,
            TermLabel = pod.TermLabel,
        };
    }

    /// <summary>The API server calls a node not ready 40 s after its kubelet's last word.</summary>
    private NodeObservation SeeNode(Node node) => new()
    {
        Name = node.Name,
        State = node.Up || Now - node.DownSince < TimeSpan.FromSeconds(40) ? NodeState.Ready : NodeState.NotReady,
    };

    /// <summary>For a pod that nobody saw go, the time counts from the first look, as in the operator.</summary>
    private IEnumerable<Departure> KnownDepartures()
    {
        foreach (var uid in _failovers.SelectMany(f => f.Rivals.Select(r => r.Uid).Append(f.Spec.From?.Uid).Append(f.Status.Candidate?.Uid)).OfType<string>().Distinct())
        {
            if (_pods.Any(p => p.Uid == uid && p.Exists)) continue;
            if (!_departures.TryGetValue(uid, out var seen)) _departures[uid] = seen = new Seen(false, Now);
            var name = uid[..uid.LastIndexOf('-')];
            yield return new Departure(uid, name, seen.Confirmed, Now - seen.At, SeeNode(_pods.First(p => p.Name == name).Node));
        }
    }

    private sealed record Seen(bool Confirmed, TimeSpan At);
}
