using FailoverOperator.Api;
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
        var every = Gist(group.Status) != Gist(next) ? LeastPause : Numbers(group.Status) != Numbers(next) ? NumbersEvery : (TimeSpan?)null;
        if (every is not { } pause) return null;
        var passed = _writtenAt.TryGetValue(group.Uid(), out var at) ? clock.Now - at : pause;
        return passed >= pause ? TimeSpan.Zero : pause - passed;
    }

    private static RedundancyGroupStatus Merge(RedundancyGroup group, GroupReport report, DateTimeOffset now)
    {
        var before = group.Status ?? new RedundancyGroupStatus();
        return before with
        {
            ObservedGeneration = group.Metadata.Generation,
            Slots = report.Holder is null ? before.Slots : [Slot(before, report, now)],
            Members = report.Members,
            SparesReady = report.SparesReady,
            FailoverReadiness = report.Readiness,
            LastFailover = report.LastFailover ?? before.LastFailover,
            Conditions = [.. report.Conditions.Select(fact => Condition(before, fact, group.Metadata.Generation, now))],
        };
    }

    private static SlotStatus Slot(RedundancyGroupStatus before, GroupReport report, DateTimeOffset now)
    {
        var known = before.Slots.FirstOrDefault();
        var same = known?.Holder == report.Holder && known?.Term == report.Term;
        return new SlotStatus { Name = ApiGroup.FirstSlot, Holder = report.Holder, Term = report.Term, Since = same ? known!.Since : Seconds(now) };
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
    private static string? Gist(RedundancyGroupStatus? status) => status is null ? null : string.Join('|',
        status.ObservedGeneration,
        string.Join(',', status.Slots.Select(s => $"{s.Holder}:{s.Term}")),
        string.Join(',', status.Members.Select(m => $"{m.Name}:{m.Role}:{m.Health}:{m.Node}:{m.Zone}")),
        status.SparesReady,
        status.FailoverReadiness?.Candidate,
        status.LastFailover,
        string.Join(',', status.Conditions.Select(c => $"{c.Type}:{c.Status}:{c.Reason}")));

    private static string? Numbers(RedundancyGroupStatus? status) => status is null ? null : string.Join('|',
        string.Join(',', status.Members.Select(m => $"{m.LagBytes}:{m.Message}")), string.Join(',', status.Conditions.Select(c => c.Message)));

    private static string Seconds(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
