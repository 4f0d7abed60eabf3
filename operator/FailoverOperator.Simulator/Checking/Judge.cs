using System.Text.Json.Nodes;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Simulator.ApiServers;
using FailoverOperator.Simulator.Engines;

namespace FailoverOperator.Simulator.Checking;

/// <summary>An invariant that was broken.</summary>
public sealed record Violation(string Invariant, TimeSpan At, string What)
{
    public override string ToString() => FormattableString.Invariant($"{Invariant} at {At.TotalSeconds:0.0000} s: {What}");
}

/// <summary>Sees everything as it is, not as anybody in the world knows it, and holds the invariants of the design against it.</summary>
public sealed class Judge(SimulatedWorld world)
{
    private readonly List<ServerRun> _primaries = [];
    private readonly List<(int Index, LogRecord Record)> _acknowledged = [];
    private (long Term, string Member) _highest = (0, "");
    private readonly Dictionary<string, long> _published = [];

    public BrakeJudge Brakes => field ??= new BrakeJudge(world);

    /// <summary>The first that was broken. Null: none.</summary>
    public Violation? Violation { get; private set; }

    /// <summary>No acknowledged write may be lost.</summary>
    public bool IsSynchronous { get; set; }

    public IReadOnlyList<ServerRun> Primaries => _primaries;

    /// <summary>Is told of each acknowledged write: its place in the log, and what is there.</summary>
    public Action<int, LogRecord>? WriteAcknowledged { get; set; }

    /// <summary>How often each thing happened of which it is to be known that it does.</summary>
    public SortedDictionary<string, int> Sometimes { get; } = new(StringComparer.Ordinal);

    public void Happened(string what) => Sometimes[what] = Sometimes.GetValueOrDefault(what) + 1;

    public void Break(string invariant, string what)
    {
        if (Violation is not null) return;
        Violation = new(invariant, world.Loop.Now, what);
        world.Trace.Write("judge", $"VIOLATION of {Violation}");
    }

    /// <summary>A server has become something else.</summary>
    public void Changed(ServerRun run)
    {
        var log = $"{run.Volume.Timeline}/{run.Volume.PositionBytes}";
        world.Trace.Write(run.Container.PodName, $"the server (run {run.ProcessId}) is {run.State}, log to {log}");
        Brakes.Changed(run.Container.PodName, run.State == RunState.Standby);
        if (run.State != RunState.Primary)
        {
            _primaries.Remove(run);
            return;
        }
        _primaries.Add(run);
        CheckTerm(run);
        CheckLoss(run.Volume, $"{run.Container.PodName}, primary of term {run.Term},");
    }

    public void Acknowledged(ServerRun run, int index, LogRecord record)
    {
        _acknowledged.Add((index, record));
        WriteAcknowledged?.Invoke(index, record);
        if (_primaries.Count > 1 && run.Term < _highest.Term) Break(
            "I1", $"{run.Container.PodName} acknowledged a write in term {run.Term}, while {_highest.Member} is primary of term {_highest.Term}");
    }

    /// <summary>After every event. I1.</summary>
    public void AfterEvent()
    {
        if (_primaries.Count < 2) return;
        var writable = _primaries.Where(p => p.IsWritable).ToList();
        if (writable.Count > 1) Break("I1", string.Join(
            " and ", writable.Select(w => $"{w.Container.Identity} (term {w.Term})")) + " take writes at the same time");
    }

    /// <summary>I5, for whoever is the primary in the end.</summary>
    public void CheckLoss(Volume volume, string whose)
    {
        if (!IsSynchronous) return;
        foreach (var (index, record) in _acknowledged)
        {
            if (index < volume.Log.Count && volume.Log[index] == record) continue;
            Break("I5", $"{whose} lacks the acknowledged write {record.Number} (record {index} of timeline {record.Timeline}); "
                + $"its log ends with record {volume.Log.Count}, and {_acknowledged.Count} writes were acknowledged");
            return;
        }
    }

    /// <summary>An object has changed.</summary>
    internal void Stored(StoredChange change)
    {
        switch (change.Kind.Kind)
        {
            case "Service":
                CheckPublished(change.After.Json);
                break;
            case "Failover":
                Coverage.Of(this, change);
                CheckFence(change);
                Brakes.Changed(change.Before?.As<Failover>(), change.After.As<Failover>());
                break;
            case "Lease" or "RedundancyGroup":
                Coverage.Of(this, change);
                break;
        }
    }

    /// <summary>I2: one member for each term, and terms only grow.</summary>
    private void CheckTerm(ServerRun run)
    {
        var (term, member) = (run.Term, run.Container.Identity);
        if (term < _highest.Term || (term == _highest.Term && member != _highest.Member))
            Break("I2", $"{member} becomes primary in term {term}, after {_highest.Member} was in term {_highest.Term}");
        else _highest = (term, member);
    }

    /// <summary>I6: traffic never goes back to a lower term.</summary>
    private void CheckPublished(JsonObject service)
    {
        if (!long.TryParse(service["metadata"]?["annotations"]?[ApiGroup.TermLabel]?.GetValue<string>(), out var term)) return;
        var name = service["metadata"]!["name"]!.GetValue<string>();
        var published = _published.GetValueOrDefault(name);
        if (term < published) Break("I6", $"Service {name} was pointed to term {term} after term {published}");
        _published[name] = Math.Max(published, term);
    }

    /// <summary>I3: a proof that is written down is true, and stays so.</summary>
    private void CheckFence(StoredChange change)
    {
        var failover = change.After.As<Failover>();
        if (failover.Status?.Fence is not { } fence || failover.Spec.From is not { } from
            || change.Before?.As<Failover>().Status?.Fence?.Evidence == fence.Evidence) return;
        // The time of a lease may have run out while others keep its holder; the next one waits for that with its claim.
        if (fence.Evidence is FenceEvidence.LeaseExpired or FenceEvidence.Unproven or FenceEvidence.NotNeeded) return;
        if (world.Workload.WritesIn(from.Uid, failover.Spec.Slot) is { } term && term < failover.Spec.Term)
            Break("I3", $"{failover.Metadata.Name} says that {from.Name} is fenced ({fence.Evidence} by {fence.By}), but it takes writes in term {term}");
    }
}
