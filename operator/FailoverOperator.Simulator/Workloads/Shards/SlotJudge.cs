using FailoverOperator.Api.Failovers;
using FailoverOperator.Simulator.Engines;

namespace FailoverOperator.Simulator.Workloads.Shards;

/// <summary>
/// Holds the invariants against what is really so in each slot: one writer, terms that only grow, no more acknowledged writes lost than allowed; and
/// no member that has two slots.
/// </summary>
/// <param name="allowed">So much of the last acknowledged writes may be lost with a primary.</param>
/// <param name="copiesOf">The data of a slot that could be saved.</param>
internal sealed class SlotJudge(SimulatedWorld world, TimeSpan allowed, Func<string, IEnumerable<ShardData>> copiesOf)
{
    private readonly SortedDictionary<string, Slot> _slots = new(StringComparer.Ordinal);
    private bool _isSuspicious;

    /// <summary>Who calls itself the primary of the slot, the last one last.</summary>
    public IReadOnlyList<ShardServer> PrimariesOf(string slot) => Of(slot).Primaries;

    public void Promoted(ShardServer server)
    {
        var slot = Of(server.Slot);
        var (term, member) = (server.Term, server.Member.Identity);
        if (term < slot.Term || (term == slot.Term && member != slot.Member))
            world.Judge.Break("I2", $"{member} becomes primary of slot {server.Slot} in term {term}, after {slot.Member} was in term {slot.Term}");
        else (slot.Term, slot.Member) = (term, member);
        CheckSwitchover(server);
        CheckLoss(server, "the new primary");
        Changed(server);
    }

    /// <summary>Who says that nothing was lost in a switchover is to be believed to the last write.</summary>
    private void CheckSwitchover(ShardServer server)
    {
        var lossless = world.Cluster.All<Failover>().Any(f => f.Spec is { Type: FailoverType.Switchover, From: not null } plan && plan.Slot == server.Slot && plan.Term == server.Term
            && f.Status is { LostBytes: 0, End: not null, Candidate: { } candidate } && candidate.Uid == server.Member.PodUid);
        if (!lossless) return;
        world.Judge.Happened("a switchover without agents");
        if (Of(server.Slot).LackingIn(server.Volume) is { Count: > 0 } lost)
            world.Judge.Break("I5", $"{server.Member.Identity} takes slot {server.Slot} over in a switchover that is said to lose nothing, and lacks {lost.Count} acknowledged writes");
    }

    /// <summary>A server has become something else.</summary>
    public void Changed(ShardServer server)
    {
        var primaries = Of(server.Slot).Primaries;
        primaries.Remove(server);
        if (server.IsPrimary) primaries.Add(server);
        else if (server.Term == Of(server.Slot).Term) Of(server.Slot).LastCount = server.Volume.Log.Count;
        world.Trace.Write(server.Member.PodName, server.IsPrimary
            ? $"is primary of slot {server.Slot} in term {server.Term}, log to {server.Volume.PositionBytes}"
            : $"is no more primary of slot {server.Slot}, log to {server.Volume.PositionBytes}");
        _isSuspicious = _slots.Values.Any(s => s.Primaries.Count > 1)
            || _slots.Values.SelectMany(s => s.Primaries).GroupBy(p => p.Member.PodName).Any(of => of.Count() > 1);
    }

    public void Acknowledged(ShardServer server, int index, LogRecord record) =>
        Of(server.Slot).Acknowledged.Add(new(index, record, world.Loop.Now));

    /// <summary>After every event.</summary>
    public void AfterEvent()
    {
        if (!_isSuspicious) return;
        foreach (var slot in _slots.Values)
        {
            var writable = slot.Primaries.Where(p => p.IsWritable).ToList();
            if (writable.Count > 1) world.Judge.Break("I1", $"slot {writable[0].Slot}: "
                + string.Join(" and ", writable.Select(w => $"{w.Member.Identity} (term {w.Term})")) + " take writes at the same time");
        }
        foreach (var of in _slots.Values.SelectMany(s => s.Primaries).Where(p => p.IsWritable).GroupBy(p => p.Member.Identity).Where(g => g.Count() > 1))
            world.Judge.Break("two slots", $"{of.Key} takes writes of slots {string.Join(" and ", of.Select(p => p.Slot))}");
    }

    /// <summary>I5, as far as the recovery point objective promises it.</summary>
    public void CheckLoss(ShardServer server, string whose)
    {
        var slot = Of(server.Slot);
        var lost = slot.LackingIn(server.Volume);
        if (lost.Count == 0) return;
        var (span, others) = (slot.SpanOf(lost), copiesOf(server.Slot).Select(c => slot.SpanOf(slot.LackingIn(c.Volume))).DefaultIfEmpty(TimeSpan.MaxValue).Min());
        var isAccepted = world.Cluster.All<Failover>().Any(f => f.Spec.Slot == server.Slot && f.Spec.Term == server.Term && f.Status?.AcceptedLoss is not null);
        world.Judge.Happened(isAccepted ? "acknowledged writes are lost, as a person accepted" : span <= allowed ? "acknowledged writes are lost, as allowed" : "acknowledged writes are lost that nobody has");
        // With less than is allowed to be missing, another one could have been chosen.
        if (span > allowed && others <= allowed && !isAccepted) world.Judge.Break("I5", FormattableString.Invariant(
            $"{whose} of slot {server.Slot}, {server.Member.PodName} in term {server.Term}, lacks {lost.Count} acknowledged writes of {span.TotalSeconds:0.0} s")
            + FormattableString.Invariant($"; another member lacks {others.TotalSeconds:0.0} s, and {allowed.TotalSeconds:0.0} s are allowed"));
        slot.Acknowledged.RemoveAll(lost.Contains);
    }

    /// <summary>Nobody serves the slot, and whoever could lacks something that its last primary had: what that is, only a person can know.</summary>
    public bool IsBeyondHelp(string slot) => PrimariesOf(slot).Count == 0 && copiesOf(slot).All(c => c.Volume.Log.Count < Of(slot).LastCount);

    /// <summary>No member is written down as the holder of two slots: whoever was chosen last for each.</summary>
    public void CheckHolders()
    {
        var holders = world.Cluster.All<Failover>().Where(f => f.Status?.Candidate is not null)
            .GroupBy(f => f.Spec.Slot).Select(of => (Slot: of.Key, of.MaxBy(f => f.Spec.Term)!.Status!.Candidate!.Uid)).ToList();
        foreach (var of in holders.GroupBy(h => h.Uid).Where(g => g.Count() > 1))
            world.Judge.Break("two slots", $"slots {string.Join(" and ", of.Select(h => h.Slot))} are both given to the pod {of.Key}");
    }

    private Slot Of(string name) => _slots.TryGetValue(name, out var known) ? known : _slots[name] = new Slot();

    private sealed record Acknowledgement(int Index, LogRecord Record, TimeSpan At);

    private sealed class Slot
    {
        public List<ShardServer> Primaries { get; } = [];

        public List<Acknowledgement> Acknowledged { get; } = [];

        public List<Acknowledgement> LackingIn(Volume volume) =>
            [.. Acknowledged.Where(w => w.Index >= volume.Log.Count || volume.Log[w.Index] != w.Record)];

        /// <summary>From the oldest of these to the last one that was acknowledged.</summary>
        public TimeSpan SpanOf(List<Acknowledgement> lost) => lost.Count == 0 ? TimeSpan.Zero : Acknowledged[^1].At - lost[0].At;

        /// <summary>So much the last primary had when it ended.</summary>
        public int LastCount { get; set; }

        public long Term { get; set; }

        public string Member { get; set; } = "";
    }
}
