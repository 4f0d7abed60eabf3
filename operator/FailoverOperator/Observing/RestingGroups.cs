using System.Collections.Concurrent;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Detection;
using FailoverOperator.Runtime.Informers;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>
/// The groups of which the last look found that all is well and nothing is to be done. That their holder goes on to renew is no news to them: they
/// are looked at again before the lease that was seen runs out, whatever comes. Every other group is looked at with each renewal.
/// </summary>
public sealed class RestingGroups
{
    private readonly ConcurrentDictionary<ObjectKey, bool> _resting = new();

    /// <summary>It is being looked at, and what that will find is not known.</summary>
    public void Wake(ObjectKey group) => _resting.TryRemove(group, out _);

    /// <param name="verdicts">On each of its slots.</param>
    public void Note(ObjectKey group, params IReadOnlyList<Verdict> verdicts)
    {
        if (verdicts.All(v => v is { Diagnosis: Diagnosis.Healthy, Running: null, Decision: Decision.Steady })) _resting[group] = true;
        else Wake(group);
    }

    public bool IsConcerned(ObjectKey group, CacheEvent<V1Lease> change) => !_resting.ContainsKey(group)
        || change is not { Change: CacheChange.Updated, Previous: { } before } || !LeaseCodec.IsMereRenewal(before, change.Current);
}
