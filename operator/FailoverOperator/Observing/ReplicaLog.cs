using System.Collections.Concurrent;
using FailoverOperator.Core.Ownership;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>
/// The other replicas of the operator, and for how long the heartbeat of each has not changed. Time in which the API server was silent
/// does not count: nobody could be heard then.
/// </summary>
public sealed class ReplicaLog
{
    private readonly ConcurrentDictionary<string, (string Beat, TimeSpan Since, bool HasLeft)> _beats = new();
    private readonly string _self;
    private readonly ApiHealth _health;
    private readonly OperatorClock _clock;

    /// <param name="leases">Null: this process is alone. Given before the watch is started, so that no beat is missed.</param>
    public ReplicaLog(IInformer<V1Lease>? leases, string self, ApiHealth health, OperatorClock clock)
    {
        (Watch, _self, _health, _clock) = (leases, self, health, clock);
        leases?.Subscribe(change => Note(change.Current, change.Change is CacheChange.Deleted or CacheChange.DeletedUnseen));
    }

    public IInformer<V1Lease>? Watch { get; }

    public string Self => _self;

    public IReadOnlyList<Replica> Others()
    {
        var (now, audible) = (_clock.Now, _health.AnsweringFor);
        return [.. _beats.Select(b => new Replica(b.Key, now - b.Value.Since is var silent && silent < audible ? silent : audible, b.Value.HasLeft))];
    }

    private void Note(V1Lease lease, bool isDeleted)
    {
        if (lease.Name() == ReplicaLease.NameOf(_self)) return;
        var name = ReplicaLease.ReplicaOf(lease);
        if (isDeleted)
        {
            _beats.TryRemove(name, out _);
            return;
        }
        // A relist tells the same version again: that is no beat.
        var beat = lease.ResourceVersion() ?? "";
        var hasLeft = string.IsNullOrEmpty(lease.Spec?.HolderIdentity);
        _beats.AddOrUpdate(name, _ => (beat, _clock.Now, hasLeft), (_, before) => before.Beat == beat ? before : (beat, _clock.Now, hasLeft));
    }
}
