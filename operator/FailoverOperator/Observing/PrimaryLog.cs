using System.Collections.Concurrent;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Observing;

/// <summary>What this process has seen of each member while it was a writable primary.</summary>
/// <param name="gap">Members are asked now and then: two answers that are no further apart leave nothing out.</param>
public sealed class PrimaryLog(TimeSpan rpo, TimeSpan gap = default)
{
    /// <summary>
    /// So many are remembered, the latest ones. Which pods exist says nothing: what a primary had that has gone is what the next failover needs.
    /// </summary>
    public const int Most = 16;

    private readonly ConcurrentDictionary<string, Entry> _entries = new();
    private readonly ConcurrentDictionary<string, Beginning> _beginnings = new();

    /// <summary>
    /// This process itself gives it the place of the primary: whoever has as much as it had lacks nothing but what was written since
    /// <paramref name="at"/>, the end of the primary before. So a term younger than the recovery point objective costs no more than that, see
    /// <see cref="PositionHistory"/>. Only who decided it knows, by its own clock, and writes it down when the next failover begins
    /// (<c>requiredPositionBytes</c>); after a restart in between it is not known any more, and is not guessed.
    /// </summary>
    /// <param name="positionBytes">What it had when it was chosen, after that end.</param>
    public void Begin(string podUid, long term, TimeSpan at, long positionBytes)
    {
        if (rpo == TimeSpan.Zero) return;
        _beginnings[podUid] = new(term, at, positionBytes);
        Bound(_beginnings, b => b.At);
    }

    /// <summary>Takes an answer in; of no interest unless it is a writable primary's.</summary>
    public void Note(string podUid, ProbeLog log)
    {
        if (log.Reply is not EngineReply.Answered { Status: { Role: EngineRole.Primary, Writable: true } status })
        {
            NoteIdle(podUid, log);
            return;
        }
        _entries.AddOrUpdate(podUid, _ => Next(null), (_, before) => Next(before.History == status.History && before.Instance == status.Instance ? before : null));
        Bound(_entries, e => e.LastServiceAt);

        Entry Next(Entry? before)
        {
            // What an agent tells is some time old; the history of positions wants a clock that does not go back.
            var told = log.AskedAt - status.Age;
            var at = before is not null && told < before.LastServiceAt ? before.LastServiceAt : told;
            var positions = before?.Positions ?? From(podUid, status, at);
            if (status.PositionBytes is { } position) positions = positions.Add(at, position);
            return new Entry(positions, status.History, status.Instance, status.Agent?.Term, before?.ContainerId, at, at);
        }
    }

    private PositionHistory From(string podUid, EngineStatus status, TimeSpan at)
    {
        var none = PositionHistory.Over(rpo);
        // What a pod said in an earlier term of its own is another story.
        return _beginnings.TryGetValue(podUid, out var begun) && status.Agent?.Term == begun.Term && at >= begun.At && status.PositionBytes >= begun.PositionBytes
            ? none.Add(begun.At, begun.PositionBytes)
            : none;
    }

    /// <summary>It takes no writes, by its own word or because nobody listens; after a longer silence that says nothing of the time before.</summary>
    private void NoteIdle(string podUid, ProbeLog log)
    {
        var told = log.Reply switch
        {
            EngineReply.Answered { Status: { Writable: false } status } => log.AskedAt - status.Age,
            EngineReply.Refused => log.AskedAt,
            _ => (TimeSpan?)null,
        };
        if (told is { } at && _entries.TryGetValue(podUid, out var entry) && at > entry.HeardAt && at - entry.HeardAt <= gap)
            _entries.TryUpdate(podUid, entry with { HeardAt = at }, entry);
    }

    /// <summary>This run of the server surely is in this container.</summary>
    public void Bind(string podUid, string? instance, string containerId)
    {
        if (_entries.TryGetValue(podUid, out var entry) && entry.Instance == instance) _entries.TryUpdate(podUid, entry with { ContainerId = containerId }, entry);
    }

    /// <summary>Null: this process has not seen it at work.</summary>
    public PrimaryMemory? Recall(string? podUid, TimeSpan now) => podUid is not null && _entries.TryGetValue(podUid, out var entry)
        ? new PrimaryMemory
        {
            Uid = podUid,
            PositionBytes = entry.Positions.Newest,
            RequiredPositionBytes = entry.Positions.Required,
            Positions = entry.Positions,
            History = entry.History,
            Instance = entry.Instance,
            Term = entry.Term,
            ContainerId = entry.ContainerId,
            LastServiceAge = now - entry.LastServiceAt,
            HeardAge = now - entry.HeardAt,
        }
        : null;

    private static void Bound<T>(ConcurrentDictionary<string, T> log, Func<T, TimeSpan> at)
    {
        if (log.Count <= Most) return;
        foreach (var (uid, _) in log.OrderByDescending(e => at(e.Value)).Skip(Most)) log.TryRemove(uid, out _);
    }

    private sealed record Beginning(long Term, TimeSpan At, long PositionBytes);

    private sealed record Entry(PositionHistory Positions, string? History, string? Instance, long? Term, string? ContainerId, TimeSpan LastServiceAt, TimeSpan HeardAt);
}
