using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using FailoverOperator.Engines;
using FailoverOperator.Recording;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>The operator's doubts about itself, from the state of its watches and of the API server.</summary>
public interface ISelfObservation
{
    OperatorObservation Observe();
}

/// <summary>Gathers everything that is known of one slot of a group into one <see cref="GroupObservation"/>.</summary>
public sealed class GroupObserver(ClusterView cluster, LeaseLog leases, DepartureLog departures, OperatorClock clock, ISelfObservation self, EvictionSight evictions, ScaleLog scales)
{
    /// <summary>A kubelet reports a restart within a second or two; after so long none can still be on its way.</summary>
    private static readonly TimeSpan ReportsHaveArrived = TimeSpan.FromSeconds(10);

    private readonly Durations<bool> _readiness = new(clock);
    private readonly Durations<bool> _nodes = new(clock);
    private readonly Durations<(bool IsIdle, string Slot)> _idleness = new(clock);
    private readonly Durations<FailoverPhase> _phases = new(clock);
    private readonly Durations<bool> _fitness = new(clock);
    private readonly Durations<bool> _failures = new(clock);
    private readonly Durations<bool> _signs = new(clock);
    private readonly Durations<bool> _ends = new(clock);

    public GroupObservation Observe(RedundancyGroup group, V1StatefulSet workload, GroupSession session)
    {
        var cold = cluster.PodsOf(group, scales.SelectorOf(group), workload).Select(session.Pods.Newest).ToList();
        var pods = cluster.PodsOf(workload).Select(session.Pods.Newest).Concat(cold).ToList();
        session.Keep([.. pods.Select(p => p.Uid())]);
        var now = clock.Now;
        var all = session.Newest(cluster, group).Select(f => Read(group, f, session)).OrderBy(f => f.Spec.Term).ThenBy(f => f.IsOwn).ToList();
        var observation = Slots.View(new GroupObservation
        {
            Name = group.Name(),
            Spec = group.Spec,
            WorkloadReplicas = workload.Spec.Replicas ?? 1,
            Members = [.. pods.Select(p => Read(p) with { IsCold = cold.Contains(p) }).OrderBy(m => m.Name, StringComparer.Ordinal)],
            Cold = scales.Observe(group),
            Failovers = all,
            Services = [.. Slots.Services(group.Spec, session.Slot).Select(s => Read(group, s, session)).OfType<ServiceObservation>()],
            Lease = group.Spec.Agent is null ? null : leases.Observe(group),
            SuspendedUntil = group.Spec.Suspended is { } suspension ? ScheduleOf(suspension.Until) : null,
            Acknowledged = group.Metadata.Annotations?.TryGetValue(ApiGroup.AcknowledgedAnnotation, out var acknowledged) == true ? acknowledged : null,
            AcceptedLosses = LossWords.Read(group.Metadata.Annotations?.TryGetValue(ApiGroup.DataLossAcceptedAnnotation, out var losses) == true ? losses : null),
            Dependencies = DependencyReader.Read(group, cluster),
            DependencyGraph = DependencyReader.Graph(group, cluster),
            Domains = cluster.Domains(),
            FailbackTimes = session.Failbacks.Observe(group.Spec.Failback, clock.WallNow),
            Statistics = StatisticsOf(group, session.Slot),
            Budgets = cluster.Budgets.Observe(group, workload, pods, evictions.IsOpen),
            Rollout = RolloutReader.Read(workload),
            Operator = self.Observe(),
            AskingFor = now - session.OpenedAt,
        }, session.Slot);
        // Nobody is asked in vain: what a member does for another slot is that slot's business.
        session.Prober.Follow([.. pods.Where(p => HasAddress(p) && observation.Members.Any(m => m.Uid == p.Uid())).Select(Endpoint)]);
        observation = observation with { Members = [.. observation.Members.Select(m => m with { Probe = session.Prober[m.Uid].At(now), Circuits = session.Engine.OpenOf(m.Uid) })] };
        foreach (var member in observation.Members)
        {
            BindRun(member, session);
            session.Note(member);
        }
        var holder = SlotHolder.Of(observation).Holder;
        observation = observation with
        {
            Members = [.. observation.Members.Select(m => m with { IdleFor = IdleFor(m, holder, observation) })],
            Departures = [.. MissingOf(observation.Failovers, holder, observation)],
            PrimaryMemory = session.Primaries.Recall(holder?.Uid, now),
        };
        observation = observation with { EndProvenFor = EndProvenFor(observation, holder), LastServiceAt = LastServiceAt(observation) };
        return observation with { WantedFitFor = WantedFitFor(observation), FailedSince = FailedSince(group, observation) };
    }

    private FailureTime? FailedSince(RedundancyGroup group, GroupObservation observation)
    {
        if (group.Spec.DependsOn.Count == 0) return null;
        var diagnosis = PrimaryDetector.Diagnose(observation);
        var hasFailed = Dependencies.HasFailed(diagnosis);
        var since = _failures.Of($"{group.Uid()}/{observation.Slot}", hasFailed);
        var unwell = _signs.Of($"{group.Uid()}/{observation.Slot}", Dependencies.IsUnwell(diagnosis));
        return hasFailed ? new(since, clock.WallAt(clock.Now - since), unwell) : null;
    }

    /// <summary>As this process has heard it, else as another one has written it down.</summary>
    private string? LastServiceAt(GroupObservation observation)
    {
        var heard = Benchmark.MemoryOf(observation) is { } memory ? clock.WallAt(clock.Now - memory.LastServiceAge)
            : Timestamps.Parse(observation.Failovers.LastOrDefault(f => f is { IsOwn: true, IsEnded: false })?.Spec.LastServiceAt);
        return heard?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
    }

    private TimeSpan? EndProvenFor(GroupObservation observation, MemberReference? holder)
    {
        if (holder is null) return null;
        var isProven = DataLoss.IsEndProven(observation);
        var since = _ends.Of(holder.Uid, isProven);
        return isProven ? since : null;
    }

    private TimeSpan? WantedFitFor(GroupObservation group)
    {
        if (group.Spec.Failback.Policy == FailbackPolicy.Never || Failback.Wanted(group) is not { } wanted) return null;
        var isFit = Failback.IsFit(group, wanted);
        var since = _fitness.Of(wanted.Uid, isFit);
        return isFit ? since : null;
    }

    private StatisticsObservation StatisticsOf(RedundancyGroup group, string slot)
    {
        var last = group.Status?.Statistics;
        var observed = new StatisticsObservation(last, AgeOf(last?.Since), AgeOf(last?.AsOf));
        return Slots.AreBound(group.Spec) ? observed with { CountedTerm = group.Status?.Slots.FirstOrDefault(s => s.Name == slot)?.CountedTerm ?? 0 } : observed;
    }

    private TimeSpan? IdleFor(Member member, MemberReference? holder, GroupObservation group)
    {
        if (!Slots.AreBound(group.Spec) || member.SlotLabel != group.Slot) return null;
        var isIdle = member.Uid != holder?.Uid && group.Failovers.All(f => !f.IsOwn || f.IsEnded);
        var since = _idleness.Of(member.Uid, (isIdle, group.Slot));
        return isIdle ? since : null;
    }

    public static MemberEndpoint Endpoint(V1Pod pod) => new(pod.Namespace(), pod.Name(), pod.Uid(), pod.Status.PodIP);

    /// <summary>Forgets what is remembered of objects that are gone.</summary>
    public void Forget()
    {
        var pods = cluster.Pods.Items().Select(p => p.Uid()).ToHashSet();
        _idleness.Keep(pods);
        _readiness.Keep(pods);
        _fitness.Keep(pods);
        _nodes.Keep(cluster.Nodes.Items().Select(n => n.Name()).ToHashSet());
        var slots = cluster.Groups.Items().SelectMany(g => Slots.Names(g.Spec).Select(slot => $"{g.Uid()}/{slot}")).ToHashSet();
        _failures.Keep(slots);
        _signs.Keep(slots);
        _phases.Keep(cluster.Failovers.Items().Select(f => f.Uid()).ToHashSet());
        _ends.Keep(cluster.Failovers.Items().Select(f => f.Status?.Candidate?.Uid).OfType<string>().ToHashSet());
    }

    /// <summary>Learns in which container a member's server runs, once both have been the same for long enough.</summary>
    private void BindRun(Member member, GroupSession session)
    {
        var sameFor = session.Runs.Of(member.Uid, (member.Pod.ContainerId, member.Probe.Status?.Instance));
        if (sameFor >= ReportsHaveArrived && member is { Pod: { EngineContainer: ContainerState.Running, ContainerId: { } id }, IsWritablePrimary: true })
            session.Primaries.Bind(member.Uid, member.Probe.Status?.Instance, id);
    }

    private static bool HasAddress(V1Pod pod) => !string.IsNullOrEmpty(pod.Status?.PodIP);

    private Member Read(V1Pod pod) => new()
    {
        Name = pod.Name(),
        Uid = pod.Uid(),
        Address = HasAddress(pod) ? pod.Status.PodIP : null,
        Pod = PodReader.Read(pod, ready => _readiness.Of(pod.Uid(), ready)),
        Node = string.IsNullOrEmpty(pod.Spec?.NodeName) ? new NodeObservation { Name = "", State = NodeState.Absent } : Node(pod.Spec.NodeName),
        Version = pod.ResourceVersion() ?? "",
        SlotLabel = pod.Label(ApiGroup.SlotLabel),
        RoleLabel = pod.Label(ApiGroup.RoleLabel),
        TermLabel = Term(pod.Label(ApiGroup.TermLabel)),
        EvictionRequestedAgo = RolloutReader.EvictionRequestedAgo(pod, clock.WallNow),
        Revision = pod.Label(RolloutReader.RevisionLabel),
    };

    private NodeObservation Node(string name)
    {
        var node = cluster.Node(name);
        // Time in which nobody could look does not count.
        var since = _nodes.Of(name, node.IsSeenDown);
        return node.IsSeenDown ? node with { NotReadyFor = since } : node;
    }

    private FailoverRecord Read(RedundancyGroup group, Failover failover, GroupSession session) => new()
    {
        Name = failover.Name(),
        Uid = failover.Uid() ?? "",
        Schedule = ScheduleOf(failover.Spec.ScheduledAt),
        Spec = failover.Spec,
        Status = failover.Status ?? new FailoverStatus(),
        Version = failover.ResourceVersion() ?? "",
        PhaseFor = _phases.Of(failover.Uid(), failover.Status?.Phase ?? FailoverPhase.Pending),
        InPhaseFor = AgeOf(failover.Status?.Steps.LastOrDefault(s => s.Phase == failover.Status.Phase)?.BeganAt),
        EndedFor = AgeOf(failover.Status?.EndedAt),
        IsOwn = GroupOwnership.Owns(group, failover.Metadata),
        SpecChanged = failover.Metadata.Generation > 1,
        IsApproved = failover.Metadata.Annotations?.TryGetValue(ApiGroup.ApprovedAnnotation, out var approved) == true && approved == "true",
        SilentFor = SilentFor(failover),
        FenceConfirmedFor = failover.Metadata.Annotations?.TryGetValue(ApiGroup.FenceConfirmedAnnotation, out var pod) == true ? pod : null,
        Verification = session.Verifications.GetValueOrDefault(failover.Name()),
        FencingJob = group.Spec.Fencing.Job is null ? new JobObservation.NotCreated()
            : session.JobRefusals.Of(failover.Name()) ?? FencingJobReader.Read(cluster.FencingJobOf(failover), failover),
    };

    private TimeSpan? SilentFor(Failover failover) => Timestamps.Parse(failover.Status?.LastServiceAt ?? failover.Spec.LastServiceAt) is { } heard
        ? (Timestamps.Parse(failover.Status?.Fence?.At) ?? clock.WallNow) - heard
        : null;

    /// <summary>Zero for what is not a time, or is yet to come.</summary>
    private TimeSpan AgeOf(string? text) => Timestamps.Parse(text) is { } time && clock.WallNow is var now && now > time ? now - time : TimeSpan.Zero;

    private Schedule ScheduleOf(string? text) =>
        string.IsNullOrEmpty(text) ? new Schedule.AtOnce()
        : Timestamps.Parse(text) is { } time ? new Schedule.At(time - clock.WallNow)
        : new Schedule.Unreadable();

    private ServiceObservation? Read(RedundancyGroup group, ServiceReference reference, GroupSession session)
    {
        if (cluster.Service(group.Namespace(), reference.Name) is not { } cached) return null;
        if (session.Services.Newest(cached) is not { Spec.Selector.Count: > 0 } service) return null;
        return new ServiceObservation
        {
            Name = reference.Name,
            Role = reference.Role,
            SelectedRole = service.Spec.Selector.TryGetValue(ApiGroup.RoleLabel, out var role) ? role : null,
            SelectedPod = service.Spec.Selector.TryGetValue(ApiGroup.PodNameLabel, out var pod) ? pod : null,
            SelectedSlot = service.Spec.Selector.TryGetValue(ApiGroup.SlotLabel, out var slot) ? slot : null,
            PublishedTerm = Term(service.Metadata.Annotations?.TryGetValue(ApiGroup.TermLabel, out var term) == true ? term : null),
            Addresses = [.. cluster.Endpoints.Of(group.Namespace(), reference.Name).Select(e => e.Address).Distinct()],
        };
    }

    /// <summary>
    /// Whose pods do not exist any more: the primary, and whom the last holder asks to keep it, or one before that; while a failover runs the old
    /// primary, rivals, and all who were given the lease.
    /// </summary>
    private IEnumerable<Departure> MissingOf(IReadOnlyCollection<FailoverRecord> failovers, MemberReference? holder, GroupObservation observation)
    {
        var running = failovers.Where(f => !f.IsEnded).ToList();
        var concerned = running.Count == 0 ? [holder] : running.SelectMany(f => f.Rivals.Append(f.Spec.From)).Concat(failovers.Select(f => f.Status.Candidate));
        // Also before one runs: whether anybody could be promoted, so that one begins, may depend on them.
        var keepers = new[] { observation.Lease?.Record?.Accepted, observation.Lease?.Record?.Pledged }
            .OfType<LeaseTerms>().SelectMany(t => t.Members).Select(m => new MemberReference { Name = m.Name, Uid = m.Uid });
        return Gone(concerned.OfType<MemberReference>().Concat(keepers).DistinctBy(m => m.Uid), observation);
    }

    private IEnumerable<Departure> Gone(IEnumerable<MemberReference> members, GroupObservation observation) => members
        .Where(from => observation.Members.All(m => m.Uid != from.Uid))
        .Select(from => departures.Of(from.Uid, from.Name, from.Node, cluster.Node));

    private static long? Term(string? text) => long.TryParse(text, out var term) ? term : null;
}

/// <summary>Short ways to metadata.</summary>
internal static class MetadataExtensions
{
    public static string? Label(this V1Pod pod, string name) => pod.Metadata.Labels?.TryGetValue(name, out var value) == true ? value : null;
}
