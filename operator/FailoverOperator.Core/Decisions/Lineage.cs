using System.Collections.Frozen;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Decisions;

/// <summary>
/// Tells members that surely have nothing of the old primary's log, and so are witnesses of what was not acknowledged, from those of which that is
/// not known. Invariant I5, where each acknowledged write is in W of N members and R with R + W &gt; N are heard:
/// <list type="number">
/// <item>A log is begun by one promotion, under a name of its own (<see cref="Recovery.HistoryFloors"/>), with all that its writer had by then.</item>
/// <item>Who is promoted has every write that was acknowledged before (by this rule, at each promotion), and none is acknowledged by those before it
/// after that (I3). So each log has all that was acknowledged in those that were begun before it.</item>
/// <item>A member takes back a part of its log only to follow such a primary, which is nothing that was acknowledged; and one that has lost its volume
/// tells no position until it has copied all that such a primary has. So a member never comes to miss an acknowledged write that it had.</item>
/// <item>Hence each acknowledged write is with one of the R. Had it been written to the old primary's log, that one would have this log, or one that
/// continues it, and not an earlier one. So whoever has an earlier log counts as heard, has no such write, and is no candidate itself; of the others
/// whoever has the latest log, and the most of that, has them all.</item>
/// </list>
/// That a log is earlier is known by what was written down of the terms in which logs were begun, and by what was written down, or any member says, of
/// the log that another one continued. A log of which neither is known may have been begun by one that nobody saw: whoever has it is not counted.
/// </summary>
internal sealed class Lineage
{
    private readonly GroupObservation _group;
    private readonly Benchmark _benchmark;
    private readonly List<EngineStatus> _told;
    private readonly List<(string Log, string Before)> _continuations;

    private Lineage(GroupObservation group, Benchmark benchmark)
    {
        (_group, _benchmark) = (group, benchmark);
        _told = [.. group.Members.Select(m => m.Probe.Status).OfType<EngineStatus>().Where(s => s.History is not null).DistinctBy(s => s.History)];
        _continuations =
        [
            .. Own.Select(f => (Log: f.Status.History, Before: f.Status.Origin?.History)).Concat(_told.Select(s => (Log: s.History, Before: s.PreviousHistory)))
                .Where(c => c is { Log: not null, Before: not null } && c.Log != c.Before).Select(c => (c.Log!, c.Before!)),
        ];
    }

    /// <summary>The benchmark, by which every member's log can be told apart.</summary>
    public static Benchmark Of(GroupObservation group, Benchmark benchmark) => new Lineage(group, benchmark).Classified();

    private IEnumerable<FailoverRecord> Own => _group.Failovers.Where(f => f.IsOwn);

    private Benchmark Classified()
    {
        if (_told.Count < 2 && _benchmark.History is null) return _benchmark;
        var earlier = Before();
        if (_benchmark.History is not null)
        {
            var others = _told.Where(s => _benchmark.KinshipOf(s) == Kinship.Other).Select(s => s.History!).ToList();
            return _benchmark with { Earlier = others.Where(earlier.Contains).ToFrozenSet() };
        }
        // Whichever of these it is, it is the old primary's or continues that, as far as is known.
        var possible = _told.Where(s => _benchmark.KinshipOf(s) == Kinship.Same && !IsOutdated(s)).Select(s => s.History!).ToList();
        var later = possible.Where(h => !earlier.Contains(h) && _benchmark.Origin is { History: var origin } && AncestorsOf([h]).Contains(origin)).ToList();
        // If nobody has that or what it began from, the latest of the others is the one that counts.
        var counts = later.Count > 0 || _told.Any(s => s.History == _benchmark.Origin?.History) ? later : possible;
        var order = InOrder(counts);
        var rest = _told.Select(s => s.History!).Where(h => h != _benchmark.Origin?.History && !order.ContainsKey(h)).ToList();
        return _benchmark with
        {
            Earlier = rest.Where(h => earlier.Contains(h) && !counts.Contains(h)).ToFrozenSet(),
            Strange = rest.Where(h => !earlier.Contains(h) || counts.Contains(h)).ToFrozenSet(),
            Order = order,
        };
    }

    /// <summary>How many of the others each of them continued. Empty: of two of them nobody knows which one was begun later.</summary>
    private FrozenDictionary<string, int> InOrder(List<string> logs)
    {
        var order = logs.ToFrozenDictionary(h => h, h => AncestorsOf([h]).Intersect(logs).Count());
        return order.Values.Distinct().Count() == order.Count ? order : FrozenDictionary<string, int>.Empty;
    }

    /// <summary>What was surely begun before the old primary's log, but for what that began from.</summary>
    private HashSet<string> Before()
    {
        HashSet<string> itself = [.. new[] { _benchmark.History, _benchmark.Origin?.History }.OfType<string>()];
        var begun = BegunBefore().Except(itself).ToList();
        return [.. AncestorsOf([.. itself, .. begun]).Concat(begun).Except(itself)];
    }

    private HashSet<string> AncestorsOf(IReadOnlyCollection<string> logs)
    {
        HashSet<string> found = [];
        var open = new Queue<string>(logs);
        // Each log is found once, and there are no more than were told, whatever is told.
        while (open.TryDequeue(out var log))
        {
            foreach (var (_, before) in _continuations.Where(c => c.Log == log))
                if (found.Add(before)) open.Enqueue(before);
        }
        return found;
    }

    /// <summary>
    /// Of earlier terms than the old primary's, be they logs that nobody continued: all that had been acknowledged in them was in what its own began
    /// from. Where that is not known, the log of the last one that was seen to serve may be just that.
    /// </summary>
    private IEnumerable<string> BegunBefore()
    {
        var choice = Own.LastOrDefault(f => f.Status.Candidate is { Uid: var uid } && uid == _benchmark.From?.Uid);
        var until = choice is { Status.Origin: not null } ? choice : Own.LastOrDefault(f => f.HasServed);
        return until is null ? [] : LogsOf(f => f.Spec.Term < until.Spec.Term).Except(LogsOf(f => f.Spec.Term >= until.Spec.Term));

        IEnumerable<string> LogsOf(Func<FailoverRecord, bool> which) => Own.Where(which).Select(f => f.Status.History).OfType<string>();
    }

    /// <summary>
    /// Another member holds a log that continues this one; or what the old primary's began from, or one that continues that, which this one has
    /// nothing to do with: what this one has may be another story.
    /// </summary>
    private bool IsOutdated(EngineStatus status)
    {
        var history = status.History!;
        if (_benchmark.Origin?.History is not { } origin) return IsContinued(history);
        var hasToDoWithIt = history == origin || status.PreviousHistory == origin || _told.Any(o => o.PreviousHistory == origin && o.History == status.PreviousHistory);
        return !hasToDoWithIt && (IsContinued(origin) || IsContinued(history) || _told.Any(o => o.History == origin));

        bool IsContinued(string log) => _told.Any(o => o.PreviousHistory == log);
    }
}
