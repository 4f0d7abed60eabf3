using System.Collections.Frozen;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Decisions;

/// <summary>How a member's log stands to the old primary's.</summary>
public enum Kinship
{
    /// <summary>Another story, as far as is known.</summary>
    Other,

    /// <summary>A log that was begun before that one: it has nothing of the old primary's log, see <see cref="Lineage"/>.</summary>
    Earlier,

    /// <summary>The log that the old primary's began from: it has nothing that was written in the old primary's term.</summary>
    Parent,

    /// <summary>The old primary's, or one that continues it. Or nobody knows better.</summary>
    Same,
}

/// <summary>What a candidate is measured by.</summary>
/// <param name="From">The old primary. Null: there was none.</param>
/// <param name="PrimaryPositionBytes">Its last known position.</param>
/// <param name="RequiredPositionBytes">The least position within the recovery point objective. Null: unknown.</param>
/// <param name="History">The log that the positions belong to. Null: not told.</param>
/// <param name="Preferred">Pod that a person wants to be promoted, if it may be. Null: none.</param>
public sealed record Benchmark(MemberReference? From, long? PrimaryPositionBytes, long? RequiredPositionBytes, string? History, string? Preferred = null)
{
    /// <summary>
    /// What the old primary's log began from: all that had been acknowledged before its term is in so much of that log. Null: unknown.
    /// </summary>
    public LogPoint? Origin { get; init; }

    /// <summary>Logs that surely were begun before what the old primary's log began from, or beside that; see <see cref="Lineage"/>.</summary>
    internal IReadOnlySet<string> Earlier { get; init; } = FrozenSet<string>.Empty;

    /// <summary>Logs that may be another story, although nobody remembers which one was the old primary's.</summary>
    internal IReadOnlySet<string> Strange { get; init; } = FrozenSet<string>.Empty;

    /// <summary>Of the logs that may be the old primary's, or continue it, the later one has the higher number.</summary>
    internal IReadOnlyDictionary<string, int> Order { get; init; } = FrozenDictionary<string, int>.Empty;

    /// <summary>
    /// Of the holder, as this process has seen it at work in its term. A holder that traffic was never led to is measured by what its own
    /// failover was measured by: the log is still that of the primary before it, which the standbys still follow.
    /// </summary>
    public static Benchmark Of(GroupObservation group)
    {
        var slot = SlotHolder.Of(group);
        var origin = slot.Choice?.Status.Origin;
        if (slot.Holder is { } holder && MemoryOf(group) is { } memory)
        {
            return new(ProcessIdentity.Sure(holder, memory), memory.PositionBytes, memory.RequiredPositionBytes, memory.History) { Origin = origin };
        }
        var from = slot.Holder is null ? null : slot.Holder with { ContainerId = null };
        return slot is { NeverServed: true, Choice.Spec: var plan } && NeverHadTraffic(group, slot)
            ? Carried(Of(plan), origin) with { From = from! with { Address = plan.From?.Address } }
            : new(from, null, null, HistoryOf(group, slot)) { Origin = origin };
    }

    /// <summary>What this process remembers of the present holder, in its term. Null: nothing.</summary>
    public static PrimaryMemory? MemoryOf(GroupObservation group) =>
        SlotHolder.Of(group) is var slot && group.PrimaryMemory is { } memory && memory.Uid == slot.Holder?.Uid && !IsOfAnEarlierTerm(memory, slot) ? memory : null;

    /// <summary>
    /// What was written down of the holder's log. Null: nothing, or it may have begun others since: who starts a crashed server again in the same
    /// term does.
    /// </summary>
    private static string? HistoryOf(GroupObservation group, SlotHolder slot) =>
        group.Spec.Detection.OnProcessCrash == OnProcessCrash.RestartFirst ? null : slot.Choice?.Status.History;

    public static Benchmark Of(FailoverSpec plan) =>
        new(plan.From, plan.PrimaryPositionBytes, plan.RequiredPositionBytes, plan.PrimaryHistory, plan.Target) { Origin = plan.PrimaryOrigin };

    public Kinship KinshipOf(EngineStatus status) =>
        status.History is not { } history || history == History ? Kinship.Same
        : history == Origin?.History ? Kinship.Parent
        : Earlier.Contains(history) ? Kinship.Earlier
        : Strange.Contains(history) ? Kinship.Other
        : History is null || History == status.PreviousHistory ? Kinship.Same
        : Kinship.Other;

    /// <summary>How far a member is in the old primary's log: of the log before it only what that one began with is the same for sure.</summary>
    public long? PositionOf(EngineStatus status) => KinshipOf(status) == Kinship.Parent && status.PositionBytes > Origin!.PositionBytes
        ? Origin.PositionBytes
        : status.PositionBytes;

    /// <summary>It may lack what had been acknowledged before the old primary's term.</summary>
    public bool IsShort(EngineStatus status) =>
        status.History is { } history && history == Origin?.History && !(status.PositionBytes >= Origin.PositionBytes);

    /// <summary>
    /// Who is chosen from the log before is so because nothing had been acknowledged in the one after it; so that the log before is
    /// the one that counts from then on.
    /// </summary>
    private static Benchmark Carried(Benchmark before, LogPoint? origin) =>
        origin is not null && before.Origin?.History == origin.History ? before with { History = origin.History } : before;

    /// <summary>The same pod was the primary before, and has not been seen as one since.</summary>
    private static bool IsOfAnEarlierTerm(PrimaryMemory memory, SlotHolder slot) => memory.Term is { } term && term < slot.Term;

    private static bool NeverHadTraffic(GroupObservation group, SlotHolder slot) =>
        group.Services.Any(s => s.Role == TrafficRole.Active) && group.Services.All(s => s.PublishedTerm is not { } term || term < slot.Term);
}
