using System.Collections.Concurrent;
using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Sharing;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>
/// What this process remembers of groups in which nobody is promoted: for how long members have been fit, and when one was let in last.
/// Losing it makes a member wait anew, and takes nobody out.
/// </summary>
public sealed class SharedMemory(ClusterView cluster, OperatorClock clock)
{
    private readonly Durations<bool> _fitness = new(clock);
    private readonly ConcurrentDictionary<string, TimeSpan> _admissions = new();
    private readonly ConcurrentDictionary<string, IReadOnlySet<string>> _serving = new();

    public SharedObservation Observe(RedundancyGroup group, GroupObservation observation)
    {
        NoteAdmissions(group, observation);
        return Remembered(group, observation);
    }

    private SharedObservation Remembered(RedundancyGroup group, GroupObservation observation) => new()
    {
        Group = observation,
        FitFor = observation.Members.Select(m => (m.Uid, Fitness: Fitness.Of(m, group.Spec))).ToList()
            .Select(m => (m.Uid, IsFit: m.Fitness is Fitness.Fit, For: _fitness.Of(m.Uid, m.Fitness is Fitness.Fit)))
            .Where(m => m.IsFit).ToDictionary(m => m.Uid, m => m.For),
        AdmittedAgo = _admissions.TryGetValue(group.Uid(), out var at) ? clock.Now - at : null,
    };

    /// <summary>Those by other replicas, too: who stands in for one of them goes on with its pauses.</summary>
    private void NoteAdmissions(RedundancyGroup group, GroupObservation observation)
    {
        HashSet<string> serving = [.. observation.Members.Where(m => m.RoleLabel == RoleLabels.Active).Select(m => m.Uid)];
        if (_serving.TryGetValue(group.Uid(), out var before) && !serving.IsSubsetOf(before)) Admitted(group);
        _serving[group.Uid()] = serving;
    }

    /// <summary>A member takes traffic from now on.</summary>
    public void Admitted(RedundancyGroup group) => _admissions[group.Uid()] = clock.Now;

    public void Forget(RedundancyGroup group)
    {
        _admissions.TryRemove(group.Uid(), out _);
        _serving.TryRemove(group.Uid(), out _);
        _fitness.Keep(cluster.Pods.Items().Select(p => p.Uid()).ToHashSet());
    }
}
