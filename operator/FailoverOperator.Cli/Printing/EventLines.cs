using FailoverOperator.Cli.Views;

namespace FailoverOperator.Cli.Printing;

/// <summary>Events, one line each, so that they can follow each other for ever.</summary>
internal static class EventLines
{
    private const int ReasonWidth = 20;

    public static void Write(Page page, EventView one) => page.Line(
        $"{(one.At is { } at ? Words.At(at) : Words.Unknown)}  {one.Namespace}/{one.Group}  ",
        new Cell(one.Reason.PadRight(ReasonWidth), one.IsWarning ? Tone.Bad : Tone.Good), $"  {one.Note}");
}
