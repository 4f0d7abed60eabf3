using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Reporting;

/// <summary>
/// Makes one report of those of the slots. Of each condition the slots that a person has to look at are told, with their names; all slots only when
/// all are the same.
/// </summary>
public static class SlotsReport
{
    /// <summary>A message names so many slots, and counts the others.</summary>
    private const int NamedSlots = 5;

    /// <param name="slots">At least one, by number.</param>
    public static GroupReport Of(IReadOnlyList<(GroupObservation Observation, GroupReport Report)> slots)
    {
        if (slots is [(var only, var report)] && !Slots.AreBound(only.Spec)) return report;
        var reports = slots.Select(s => s.Report).ToList();
        var last = reports.Where(r => r.LastFailoverAge is not null).MinBy(r => r.LastFailoverAge);
        return new GroupReport
        {
            Conditions = [.. reports[0].Conditions.Select(c => Merge([.. slots.Select(s => (s.Observation.Slot, s.Report.Conditions.First(f => f.Type == c.Type)))]))],
            Slots = [.. slots.Select(s => s.Report.Slots[0] with { CountedTerm = Statistics.CountedTerm(s.Observation) })],
            Members = Members(reports),
            OpenCircuits = reports.SelectMany(r => r.OpenCircuits).GroupBy(c => c.Key).ToDictionary(of => of.Key, of => of.Max(c => c.Value)),
            SparesReady = reports.Min(r => r.SparesReady),
            Readiness = Readiness(slots),
            LastFailover = last?.LastFailover,
            LastFailoverAge = last?.LastFailoverAge,
            Statistics = Statistics.Of([.. slots.Select(s => s.Observation)]),
        };
    }

    private static ConditionFact Merge(IReadOnlyList<(string Slot, ConditionFact Fact)> facts)
    {
        var worst = facts.Select(f => Concern(f.Fact)).Max();
        var told = facts.Where(f => Concern(f.Fact) == worst).ToList();
        // What is said of the group as a whole is the same for all.
        if (facts.Select(f => f.Fact.Message).Distinct().Count() == 1) return facts[0].Fact;
        return told[0].Fact with { Message = InWords([.. told.Select(f => (f.Slot, f.Fact.Message))]) };
    }

    /// <summary>The more, the sooner somebody should look at it.</summary>
    private static int Concern(ConditionFact fact) => (fact.Type, fact.Status) switch
    {
        (ConditionTypes.Suppressed, ConditionStatus.True) => 2,
        (ConditionTypes.Suppressed, ConditionStatus.False) => 0,
        // Blocked is not progressing, and not at rest either.
        (ConditionTypes.Progressing, ConditionStatus.False) => fact.Reason == Reasons.Steady ? 0 : 2,
        (ConditionTypes.Progressing, ConditionStatus.True) => 1,
        (_, ConditionStatus.False) => 2,
        (_, ConditionStatus.Unknown) => 1,
        (_, ConditionStatus.True) => 0,
        var (_, status) => throw new ArgumentOutOfRangeException(nameof(fact), status, "unknown status"),
    };

    private static string InWords(IReadOnlyList<(string Slot, string Message)> told)
    {
        var named = string.Join("; ", told.Take(NamedSlots).Select(t => $"slot {t.Slot}: {t.Message}"));
        return told.Count > NamedSlots ? $"{named}; and {told.Count - NamedSlots} more slots" : named;
    }

    /// <summary>A spare is seen by every slot: how far it is behind is as far as it is behind the one that it is furthest behind.</summary>
    private static IReadOnlyList<MemberStatus> Members(IReadOnlyList<GroupReport> reports) =>
    [
        .. reports.SelectMany(r => r.Members).GroupBy(m => m.Name).OrderBy(of => of.Key, StringComparer.Ordinal).Select(seen =>
        {
            var bound = seen.FirstOrDefault(m => m.Role is MemberRole.Active or MemberRole.Fenced);
            if (bound is not null) return bound;
            var worst = seen.MaxBy(m => m.Health switch { MemberHealth.Healthy => 0, MemberHealth.Unknown => 1, MemberHealth.Suspect => 2, _ => 3 })!;
            return worst with { LagBytes = seen.Any(m => m.LagBytes is null) ? null : seen.Max(m => m.LagBytes) };
        }),
    ];

    private static FailoverReadiness Readiness(IReadOnlyList<(GroupObservation Observation, GroupReport Report)> slots)
    {
        var told = slots.Where(s => s.Report.Readiness is { Ready: false }).ToList() is { Count: > 0 } unready ? unready : slots;
        return told[0].Report.Readiness! with { Message = InWords([.. told.Select(s => (s.Observation.Slot, s.Report.Readiness!.Message))]) };
    }
}
