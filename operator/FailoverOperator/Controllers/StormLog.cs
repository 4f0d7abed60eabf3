using FailoverOperator.Core.Decisions;
using FailoverOperator.Hosting;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Informers;

namespace FailoverOperator.Controllers;

/// <summary>
/// Which slots' failovers run or wait in this process, as each one's own look at itself tells; <see cref="Storm"/> decides who may begin. To
/// look and to begin is one step here: of two that look at the same time only one gets the last place.
/// </summary>
public sealed class StormLog(OperatorSettings settings, OperatorClock clock, Action<ObjectKey> enqueue)
{
    /// <summary>Every group is looked at more often than this: who has not been any more keeps nobody waiting.</summary>
    private static readonly TimeSpan Forgets = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly Dictionary<(ObjectKey Group, string Slot), Entry> _entries = [];

    private int Cap => settings.MaxConcurrentFailovers;

    /// <summary>
    /// Takes in how the group stands. A failover that is to begin has begun with this, or is kept back by what is returned.
    /// </summary>
    public Verdict Admit(ObjectKey group, string slot, int priority, Verdict verdict)
    {
        if (Cap == 0) return verdict;
        var key = (group, slot);
        IReadOnlyList<ObjectKey> next;
        lock (_gate)
        {
            Expire();
            (var part, verdict) = Judge(key, priority, verdict);
            next = Set(key, priority, part);
        }
        foreach (var waiting in next) enqueue(waiting);
        return verdict;
    }

    /// <summary>It is gone, or another replica's.</summary>
    public void Forget(ObjectKey group)
    {
        List<ObjectKey> next;
        lock (_gate) next = [.. _entries.Keys.Where(k => k.Group == group).ToList().SelectMany(key => Set(key, 0, null))];
        foreach (var waiting in next) enqueue(waiting);
    }

    /// <inheritdoc cref="Forget(ObjectKey)"/>
    public void Forget(ObjectKey group, string slot)
    {
        IReadOnlyList<ObjectKey> next;
        lock (_gate) next = Set((group, slot), 0, null);
        foreach (var waiting in next) enqueue(waiting);
    }

    private (StormPart? Part, Verdict Verdict) Judge((ObjectKey Group, string Slot) key, int priority, Verdict verdict)
    {
        switch (verdict)
        {
            case { Decision: Decision.Blocked }:
                return (null, verdict);
            case { Running: { IsEnded: false } running }:
                return (Storm.Concerns(running.Spec) ? StormPart.Running : null, verdict);
            case { Decision: Decision.Begin begin } when Storm.Concerns(begin.Plan):
                var waits = _entries.TryGetValue(key, out var known) && known.Part == StormPart.Waiting ? clock.Now - known.Since : TimeSpan.Zero;
                return Storm.On(new StormEntry(NameOf(key), priority, StormPart.Waiting, waits), All(), Cap) is { } restraint
                    ? (StormPart.Waiting, verdict with { Decision = restraint.ToDecision(begin.Plan.Evidence) })
                    : (StormPart.Running, verdict);
            default:
                return (null, verdict);
        }
    }

    /// <returns>Whose turn it is, if a place has become free.</returns>
    private IReadOnlyList<ObjectKey> Set((ObjectKey Group, string Slot) key, int priority, StormPart? part)
    {
        var before = _entries.GetValueOrDefault(key);
        if (part is { } now) _entries[key] = new(priority, now, before?.Part == now ? before.Since : clock.Now, clock.Now);
        else _entries.Remove(key);
        if (before is null || before.Part == part) return [];
        // Who gave up waiting lets the next one go, too.
        var next = Storm.Next(All(), Cap).ToHashSet();
        return next.Count == 0 ? [] : [.. _entries.Keys.Where(k => next.Contains(NameOf(k))).Select(k => k.Group).Distinct()];
    }

    private static string NameOf((ObjectKey Group, string Slot) key) => $"{key.Group}/{key.Slot}";

    private List<StormEntry> All() => [.. _entries.Select(e => new StormEntry(NameOf(e.Key), e.Value.Priority, e.Value.Part, clock.Now - e.Value.Since))];

    private void Expire()
    {
        foreach (var (key, _) in _entries.Where(e => clock.Now - e.Value.SeenAt > Forgets).ToList()) _entries.Remove(key);
    }

    private sealed record Entry(int Priority, StormPart Part, TimeSpan Since, TimeSpan SeenAt);
}
