using System.Collections.Concurrent;
using FailoverOperator.Core.Observations;
using FailoverOperator.Runtime.Informers;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>Remembers pods that went, and whether their kubelet had confirmed their end. Bounded by age.</summary>
public sealed class DepartureLog
{
    private static readonly TimeSpan Memory = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<string, Entry> _entries = new();
    private readonly OperatorClock _clock;

    public DepartureLog(IInformer<V1Pod> pods, OperatorClock clock)
    {
        _clock = clock;
        pods.Subscribe(Note);
    }

    /// <summary>
    /// The departure of one pod. For a pod that this process never saw go, the time counts from the first question.
    /// </summary>
    public Departure Of(string uid, string name, string? nodeName, Func<string, NodeObservation> nodes)
    {
        var entry = _entries.GetOrAdd(uid, _ => new Entry(name, false, nodeName, _clock.Now));
        var node = entry.NodeName is { } known ? nodes(known) : null;
        // What its kubelet did not confirm is proven by how long the node has been ready in one piece since then.
        if (!entry.Confirmed && node is not { State: NodeState.Ready }) _entries[uid] = entry = entry with { At = _clock.Now };
        return new Departure(uid, name, entry.Confirmed, _clock.Now - entry.At, node);
    }

    private void Note(CacheEvent<V1Pod> change)
    {
        if (change.Change is not (CacheChange.Deleted or CacheChange.DeletedUnseen)) return;
        // A last state that nobody saw proves nothing, and neither does a pod that was removed by force: its containers ran on.
        var confirmed = change.Change == CacheChange.Deleted && PodReader.EveryContainerEnded(change.Current);
        _entries[change.Current.Uid()] = new Entry(change.Current.Name(), confirmed, change.Current.Spec?.NodeName, _clock.Now);
        foreach (var (uid, entry) in _entries)
        {
            if (_clock.Now - entry.At > Memory) _entries.TryRemove(uid, out _);
        }
    }

    private sealed record Entry(string Name, bool Confirmed, string? NodeName, TimeSpan At);
}
