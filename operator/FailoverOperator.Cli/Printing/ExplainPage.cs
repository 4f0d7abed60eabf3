using FailoverOperator.Cli.Views;

namespace FailoverOperator.Cli.Printing;

/// <summary>Why a group is as it is, for people.</summary>
internal static class ExplainPage
{
    public static void Write(Page page, ExplanationView group, DateTimeOffset now)
    {
        page.Heading($"{group.Namespace}/{group.Name}");
        page.Line(new Cell(Title(group.State), ToneOf(group.State)), $": {group.Summary}");
        if (group.Running is { } running) WriteRunning(page, running, now);
        foreach (var request in group.Requests) RequestPage.Write(page, request, null, now);
        if (group.Causes.Count > 0) WriteCauses(page, group.Causes, now);
        // While it is being changed, the next question is how that ends.
        if (group.Running is not null || group.Expectations.Count == 0) return;
        page.Heading("If the primary failed now");
        page.Table(["IF", "IT IS NOTICED", "THE PROOF THAT IT CANNOT WRITE"],
            group.Expectations.Select(e => (IReadOnlyList<Cell>)[e.If, e.Noticed, e.Fenced]));
        page.Line();
        if (group.HeldBack is { } why) page.Line(new Cell("not by itself", Tone.Bad), $": {why}");
        page.Line("then ", new Cell(group.Then, group.WouldWork switch { true => Tone.Good, false => Tone.Bad, null => Tone.Doubtful }));
    }

    private static void WriteRunning(Page page, FailoverView running, DateTimeOffset now)
    {
        page.Heading($"{running.Type} {running.Name}");
        page.Line($"cause: {running.Cause}{(running.Evidence.Count > 0 ? $": {string.Join(", ", running.Evidence)}" : "")}");
        page.Line($"from {running.From ?? Words.None} to {running.To ?? "somebody who is yet to be chosen"}, began {Words.Ago(running.BeganAt, now)}");
        page.Line($"at phase {running.Phase} since {(running.PhaseBeganAt is { } at ? Words.Duration(now - at) : Words.Unknown)}");
        if (running.Fence is { } fence) page.Line($"fenced: {fence.Evidence} by {fence.By}");
        if (running.Reason is { Length: > 0 }) page.Line($"{running.Reason}: {running.Message}", Tone.Bad);
    }

    private static void WriteCauses(Page page, IReadOnlyList<Cause> causes, DateTimeOffset now)
    {
        page.Heading("Not as wished");
        var given = new HashSet<string>();
        foreach (var (concern, advice) in causes)
        {
            var since = concern.Since is { } at ? $", for {Words.Duration(now - at)}" : "";
            page.Line(new Cell($"{concern.About} {concern.Reason}", Tone.Bad), $"{since}: {concern.Message}");
            if (advice is not null && given.Add(advice)) page.Line($"    {advice}", Tone.Quiet);
        }
    }

    private static string Title(GroupState state) => state switch
    {
        GroupState.NotReported => "not reported",
        GroupState.NotAccepted => "not accepted",
        GroupState.Steady => "steady",
        GroupState.Working => "working",
        GroupState.FailoverRunning => "failing over",
        GroupState.Blocked => "blocked",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "unknown state"),
    };

    private static Tone ToneOf(GroupState state) => state switch
    {
        GroupState.Steady => Tone.Good,
        GroupState.Working or GroupState.FailoverRunning => Tone.Doubtful,
        _ => Tone.Bad,
    };
}
