using FailoverOperator.Api.Failovers;
using FailoverOperator.Cli.Views;

namespace FailoverOperator.Cli.Printing;

/// <summary>What a person asked for, and what became of it.</summary>
internal static class RequestPage
{
    /// <param name="executed">The Failover that carried it out. Null: none, or not known.</param>
    public static void Write(Page page, FailoverView request, FailoverView? executed, DateTimeOffset now)
    {
        var asked = request.Request!;
        page.Heading($"{(asked.DryRun ? "Dry run" : "Request")} {request.Name}");
        page.Line($"{request.Type} of {request.Group} to {asked.Target ?? "the best standby"}{(asked.Reason is { Length: > 0 } reason ? $": {reason}" : "")}");
        if (asked.ScheduledAt is { } at && at > now) page.Line($"not before {Words.At(at)}");
        page.Line(new Cell(Outcome(request), ToneOf(request.Phase)), $"{(request.Message is { Length: > 0 } message ? $": {message}" : "")}");
        if (executed is null && asked.ExecutedAs is { } name) page.Line($"carried out as {name}");
        if (executed is null) return;
        page.Line();
        HistoryPage.WriteTable(page, [executed], now, isWide: false);
    }

    private static string Outcome(FailoverView request) => request.Reason is { Length: > 0 } reason ? $"{request.Phase}, {reason}"
        : request.Phase.ToString();

    private static Tone ToneOf(FailoverPhase phase) => phase switch
    {
        FailoverPhase.Completed => Tone.Good,
        FailoverPhase.Failed or FailoverPhase.Aborted => Tone.Bad,
        _ => Tone.Doubtful,
    };
}
