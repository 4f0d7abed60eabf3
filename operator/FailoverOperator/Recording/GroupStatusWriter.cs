using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Reporting;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Recording;

/// <summary>
/// Writes the group's status: at once when something changed that a person would act on, and now and then for numbers
/// that change all the time.
/// </summary>
public sealed class GroupStatusWriter(IKubernetesApi api, OperatorClock clock)
{
    private static readonly TimeSpan NumbersEvery = TimeSpan.FromSeconds(30);

    /// <summary>Two operators that see things differently for a while must not answer each other's writes as fast as they can.</summary>
    private static readonly TimeSpan LeastPause = TimeSpan.FromMilliseconds(250);

    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, TimeSpan> _writtenAt = new();

    /// <returns>When there will be something to write that was put off. Null: there is nothing.</returns>
    public async Task<TimeSpan?> WriteAsync(RedundancyGroup group, GroupReport report, CancellationToken cancellationToken)
    {
        var next = Merge(group, report, clock.WallNow);
        if (DueIn(group, next) is not { } pause) return null;
        if (pause > TimeSpan.Zero) return pause;
        await api.ReplaceStatusAsync(new RedundancyGroup { Metadata = group.Metadata, Spec = group.Spec, Status = next }, cancellationToken);
        _writtenAt[group.Uid()] = clock.Now;
        return null;
    }

    public void Forget(RedundancyGroup group) => _writtenAt.TryRemove(group.Uid(), out _);

    /// <summary>Null: it is as it should be.</summary>
    private TimeSpan? DueIn(RedundancyGroup group, RedundancyGroupStatus next)
    {
        TimeSpan pause;
        if (group.Status is not { } before || !HasSameGist(before, next)) pause = LeastPause;
        else if (!HasSameNumbers(before, next)) pause = NumbersEvery;
        else return null;
        var passed = _writtenAt.TryGetValue(group.Uid(), out var at) ? clock.Now - at : pause;
        return passed >= pause ? TimeSpan.Zero : pause - passed;
    }

    private static RedundancyGroupStatus Merge(RedundancyGroup group, GroupReport report, DateTimeOffset now)
    {
        var before = group.Status ?? new RedundancyGroupStatus();
        var status = before with
        {
            ObservedGeneration = group.Metadata.Generation,
            // Where all are active there are none, also if there were before.
            Slots = group.Spec.Mode == RedundancyMode.ActiveActive ? []
                : report.Slots.Any(s => s.Holder is not null) ? [.. report.Slots.Select(s => Slot(before, s, now))] : [.. before.Slots.Select(s => s with { LossToAccept = null })],
            Members = report.Members,
            SparesReady = report.SparesReady,
            FailoverReadiness = report.Readiness,
            LastFailover = report.LastFailover ?? before.LastFailover,
            Statistics = report.Statistics is { } statistics && statistics != before.Statistics
                ? statistics with { Since = statistics.Since ?? Seconds(now), AsOf = Seconds(now) }
                : before.Statistics,
            Conditions = [.. report.Conditions.Select(fact => Condition(before, fact, group.Metadata.Generation, now))],
        };
        return status with { Active = ActiveColumn.Of(status.Slots, status.Members) };
    }

    private static SlotStatus Slot(RedundancyGroupStatus before, SlotFact slot, DateTimeOffset now)
    {
        var known = before.Slots.FirstOrDefault(s => s.Name == slot.Name);
        var same = known is not null && known.Holder == slot.Holder && known.Term == slot.Term;
        var since = same ? known!.Since : slot.Holder is null ? null : Seconds(now);
        return new SlotStatus
        {
            Name = slot.Name,
            Holder = slot.Holder,
            Term = slot.Term,
            Since = since,
            CountedTerm = slot.CountedTerm,
            LossToAccept = slot.AwaitedLoss is { } loss ? new LossToAccept { Word = loss.Word, Message = loss.Message } : null,
        };
    }

    /// <summary>A condition's transition time is kept while its status is the same.</summary>
    private static Condition Condition(RedundancyGroupStatus before, ConditionFact fact, long? generation, DateTimeOffset now)
    {
        var known = before.Conditions.FirstOrDefault(c => c.Type == fact.Type);
        return new Condition
        {
            Type = fact.Type,
            Status = fact.Status,
            ObservedGeneration = generation,
            LastTransitionTime = known?.Status == fact.Status ? known.LastTransitionTime : Seconds(now),
            Reason = fact.Reason,
            Message = fact.Message,
        };
    }

    /// <summary>What a person would act on.</summary>
    private static bool HasSameGist(RedundancyGroupStatus one, RedundancyGroupStatus other) =>
        one.ObservedGeneration == other.ObservedGeneration
        && one.Active == other.Active
        && one.SparesReady == other.SparesReady
        && one.FailoverReadiness?.Candidate == other.FailoverReadiness?.Candidate
        && one.LastFailover == other.LastFailover
        && one.Statistics?.CountedTerm == other.Statistics?.CountedTerm
        && AreSame(one.Slots, other.Slots, (a, b) => (a.Name, a.Holder, a.Term, a.CountedTerm, a.LossToAccept?.Word) == (b.Name, b.Holder, b.Term, b.CountedTerm, b.LossToAccept?.Word))
        && AreSame(one.Members, other.Members, (a, b) => (a.Name, a.Role, a.Slot, a.Health, a.Node, a.Zone) == (b.Name, b.Role, b.Slot, b.Health, b.Node, b.Zone))
        && AreSame(one.Conditions, other.Conditions, (a, b) => (a.Type, a.Status, a.Reason) == (b.Type, b.Status, b.Reason));

    private static bool HasSameNumbers(RedundancyGroupStatus one, RedundancyGroupStatus other) =>
        one.Statistics == other.Statistics
        && AreSame(one.Slots, other.Slots, (a, b) => a.LossToAccept?.Message == b.LossToAccept?.Message)
        && AreSame(one.Members, other.Members, (a, b) => a.LagBytes == b.LagBytes && a.Message == b.Message)
        && AreSame(one.Conditions, other.Conditions, (a, b) => a.Message == b.Message);

    private static bool AreSame<T>(IReadOnlyList<T> one, IReadOnlyList<T> other, Func<T, T, bool> isSame)
    {
        if (one.Count != other.Count) return false;
        for (var n = 0; n < one.Count; n++)
            if (!isSame(one[n], other[n])) return false;
        return true;
    }

    private static string Seconds(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
