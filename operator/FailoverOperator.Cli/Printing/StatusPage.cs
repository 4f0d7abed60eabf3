using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.Views;

namespace FailoverOperator.Cli.Printing;

/// <summary>One group on one screen, or many on a line each.</summary>
internal static class StatusPage
{
    public static void WriteOne(Page page, GroupView group, DateTimeOffset now)
    {
        page.Heading($"{group.Namespace}/{group.Name}");
        page.Line(FormattableString.Invariant($"{group.Mode} of {group.Workload}; targets: RTO {group.RtoSeconds} s, RPO {group.RpoSeconds} s"));
        page.Line("failover ready: ", Readiness(group));
        if (group.Statistics is { } statistics) page.Line(StatisticsLine.Of(statistics));
        page.Line();
        if (group.Mode == RedundancyMode.ActiveActive) page.Line(WhoTakesTraffic(group));
        else if (group.Slots.Count == 0) page.Line("slots: unknown", Tone.Doubtful);
        else page.Table(["SLOT", "HOLDER", "TERM", "SINCE"], group.Slots.Select(
            s => (IReadOnlyList<Cell>)[s.Name, s.Holder is null ? new Cell("nobody", Tone.Bad) : s.Holder, Words.Number(s.Term),
                Words.Ago(s.Since, now)]));
        page.Line();
        if (group.Members.Count == 0) page.Line("members: unknown", Tone.Doubtful);
        else page.Table(["MEMBER", "ROLE", "HEALTH", new Column("LAG", IsNumber: true), "NODE", "ZONE", "NOTE"], group.Members.Select(Row));
        WriteConcerns(page, group.Concerns, now);
        if (group.Failovers.Count == 0) return;
        page.Heading("Last failovers (times in ms)");
        HistoryPage.WriteTable(page, group.Failovers, now, isWide: false);
    }

    public static void WriteMany(Page page, IReadOnlyList<GroupView> groups, DateTimeOffset now)
    {
        page.Table(["NAMESPACE", "GROUP", "ACTIVE", "TERM", "SINCE", "SPARES", "FAILOVER READY", "LAST FAILOVER"], groups.Select(g => Row(g, now)));
        foreach (var group in groups.Where(g => g.Concerns.Count > 0))
        {
            page.Heading($"{group.Namespace}/{group.Name}: not as wished");
            WriteTable(page, group.Concerns, now);
        }
    }

    public static void WriteConcerns(Page page, IReadOnlyList<Concern> concerns, DateTimeOffset now)
    {
        if (concerns.Count == 0)
        {
            page.Line();
            page.Line("everything is as wished", Tone.Good);
            return;
        }
        page.Heading("Not as wished");
        WriteTable(page, concerns, now);
    }

    private static void WriteTable(Page page, IReadOnlyList<Concern> concerns, DateTimeOffset now) =>
        page.Table(["CONDITION", "STATUS", "SINCE", "REASON", "MESSAGE"], concerns.Select(c => (IReadOnlyList<Cell>)
            [c.About, c.Status?.ToString() ?? Words.None, c.Since is null ? Words.None : Words.Ago(c.Since, now), new Cell(c.Reason, Tone.Bad),
                c.Message]));

    private static Cell Readiness(GroupView group) => group.FailoverReadiness switch
    {
        null => new(Words.Unknown, Tone.Doubtful),
        { Ready: true } ready => new($"yes, {ready.Message}", Tone.Good),
        var not => new($"no, {not.Reason}: {not.Message}", Tone.Bad),
    };

    private static IReadOnlyList<Cell> Row(MemberView member) =>
    [
        member.Name,
        new Cell(member.Role == MemberRole.Unknown ? Words.Unknown : member.Role.ToString(), member.Role == MemberRole.Active ? Tone.Good
            : Tone.Plain),
        Health(member.Health),
        member.Role == MemberRole.Active && member.LagBytes is null ? Words.None : Words.Bytes(member.LagBytes),
        member.Node ?? Words.Unknown,
        member.Zone ?? Words.Unknown,
        member.Message,
    ];

    private static string WhoTakesTraffic(GroupView group) =>
        FormattableString.Invariant($"{group.Members.Count(m => m.Role == MemberRole.Active)} of {group.Members.Count} members take traffic");

    private static Cell Health(MemberHealth health) => health switch
    {
        MemberHealth.Unknown => new(Words.Unknown, Tone.Doubtful),
        MemberHealth.Healthy => new("Healthy", Tone.Good),
        MemberHealth.Suspect => new("Suspect", Tone.Doubtful),
        MemberHealth.Failed => new("Failed", Tone.Bad),
        _ => throw new ArgumentOutOfRangeException(nameof(health), health, "unknown health"),
    };

    private static IReadOnlyList<Cell> Row(GroupView group, DateTimeOffset now)
    {
        var holders = group.Slots.Select(s => s.Holder ?? "nobody").ToList();
        var slot = group.Slots.Count == 1 ? group.Slots[0] : null;
        var last = group.Failovers.Count > 0 ? group.Failovers[0] : null;
        return
        [
            group.Namespace,
            group.Name,
            group.Mode == RedundancyMode.ActiveActive ? WhoTakesTraffic(group)
                : holders.Count == 0 ? new Cell(Words.Unknown, Tone.Doubtful) : string.Join(", ", holders),
            slot is null ? Words.None : Words.Number(slot.Term),
            slot is null ? Words.None : Words.Ago(slot.Since, now),
            FormattableString.Invariant($"{Words.Number(group.SparesReady)} of {group.SparesWanted}"),
            group.FailoverReadiness switch
            {
                null => new Cell(Words.Unknown, Tone.Doubtful),
                { Ready: true, Candidate: null } => new Cell("yes", Tone.Good),
                { Ready: true } ready => new Cell($"to {ready.Candidate}", Tone.Good),
                var not => new Cell($"no: {not.Reason}", Tone.Bad),
            },
            last is null ? Words.None : $"{last.Phase} {Words.Ago(last.EndedAt ?? last.BeganAt, now)}",
        ];
    }
}
