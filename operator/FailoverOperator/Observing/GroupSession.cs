using System.Collections.Concurrent;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Engines;
using FailoverOperator.Engines.Guarding;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>
/// What this process keeps in memory about one slot of a group: connections to its members, what they said, outcomes of steps.
/// Losing it loses no safety, only time: everything that decides is in the API server or can be asked again.
/// </summary>
public sealed class GroupSession : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Failover> _written = new();
    private readonly ConcurrentDictionary<string, (string? Container, bool Ready)> _containers = new();

    public GroupSession(string slot, RedundancyGroupSpec spec, IEngine engine, OperatorClock clock, Action onNews)
    {
        Slot = slot;
        OpenedAt = clock.Now;
        Engine = new GuardedEngine(engine, TimeSpan.FromSeconds(spec.Detection.UnhealthyAfterSeconds), clock.Steady);
        JobRefusals = new JobRefusals(clock);
        Runs = new Durations<(string? Container, string? Instance)>(clock);
        Primaries = new PrimaryLog(TimeSpan.FromSeconds(spec.Targets.RpoSeconds), FailoverProcedure.ReadinessBound(spec));
        Prober = new MemberProber(Engine, clock, spec.Detection, (uid, log, isNews) =>
        {
            Primaries.Note(uid, log);
            if (isNews) onNews();
        });
    }

    public string Slot { get; }

    public TimeSpan OpenedAt { get; }

    /// <summary>Calls that keep failing are not tried for a while.</summary>
    public GuardedEngine Engine { get; }

    public MemberProber Prober { get; }

    public PrimaryLog Primaries { get; }

    public FailbackCalendar Failbacks { get; } = new();

    /// <summary>For how long each pod's server has been the same run in the same container.</summary>
    public Durations<(string? Container, string? Instance)> Runs { get; }

    /// <summary>Outcome of the last verifying write, by failover.</summary>
    public ConcurrentDictionary<string, EngineOutcome> Verifications { get; } = new();

    public JobRefusals JobRefusals { get; }

    public WriteMemory<V1Pod> Pods { get; } = new();

    public WriteMemory<V1Service> Services { get; } = new();

    /// <summary>Forgets all pods but these.</summary>
    public void Keep(IReadOnlyCollection<string> podUids)
    {
        Pods.Keep(podUids);
        Engine.Keep(podUids);
        _containers.KeepOnly(podUids);
        Runs.Keep(podUids);
    }

    /// <summary>What kept failing on a pod is tried again when its container was started anew, or its kubelet thinks otherwise of it.</summary>
    public void Note(Member member)
    {
        var run = (member.Pod.ContainerId, member.Pod.Ready);
        if (_containers.TryGetValue(member.Uid, out var before) && before != run) Engine.Forgive(member.Uid);
        _containers[member.Uid] = run;
    }

    /// <summary>Remembers the answer to a write of our own, until the watch has caught up with it.</summary>
    public void Wrote(Failover failover) => _written[failover.Name()] = failover;

    /// <summary>The group's failovers: the newer of the cached object and what was written last.</summary>
    public IEnumerable<Failover> Newest(ClusterView cluster, RedundancyGroup group)
    {
        // In this order: see there.
        var upTo = cluster.Failovers.Version;
        return Newest(cluster.FailoversOf(group), upTo);
    }

    /// <param name="cached">All that the watch has told.</param>
    /// <param name="upTo">Everything up to this version is in it.</param>
    public IEnumerable<Failover> Newest(IReadOnlyList<Failover> cached, ulong upTo)
    {
        foreach (var failover in cached)
        {
            if (_written.TryGetValue(failover.Name(), out var written) && Version(written) > Version(failover) && written.Uid() == failover.Uid())
            {
                yield return written;
                continue;
            }
            _written.TryRemove(failover.Name(), out _);
            yield return failover;
        }
        var known = cached.Select(f => f.Name()).ToHashSet();
        foreach (var (name, created) in _written)
        {
            if (known.Contains(name)) continue;
            // Somebody deleted it: what was written to it last does not bring it back.
            if (Version(created) <= upTo) _written.TryRemove(name, out _);
            else yield return created;
        }
    }

    public void Forget(string failover) => _written.TryRemove(failover, out _);

    public async ValueTask DisposeAsync()
    {
        await Prober.DisposeAsync();
        await Engine.DisposeAsync();
    }

    private static ulong Version(Failover failover) => ResourceVersions.Number(failover.ResourceVersion());
}
