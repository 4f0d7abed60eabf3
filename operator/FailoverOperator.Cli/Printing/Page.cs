using Spectre.Console;

namespace FailoverOperator.Cli.Printing;

/// <summary>How a thing is, for those who see colours.</summary>
internal enum Tone
{
    Plain,
    Good,
    Doubtful,
    Bad,
    Quiet,
}

/// <summary>One cell of a table.</summary>
internal sealed record Cell(string Text, Tone Tone = Tone.Plain)
{
    public static implicit operator Cell(string? text) => new(text ?? "");
}

/// <summary>A column of a table: its heading, and on which side its cells stand.</summary>
internal sealed record Column(string Heading, bool IsNumber = false)
{
    public static implicit operator Column(string heading) => new(heading);
}

/// <summary>Writes lines and tables: with colours in a terminal, plain into a pipe.</summary>
internal sealed class Page(IAnsiConsole console)
{
    private bool _hasLines;

    public void Line(string text = "", Tone tone = Tone.Plain)
    {
        if (text.Length > 0) console.Write(new Text(Words.Printable(text), Style(tone)));
        console.WriteLine();
        _hasLines = true;
    }

    /// <summary>A line of several tones.</summary>
    public void Line(params Cell[] parts)
    {
        var line = new Paragraph();
        foreach (var part in parts) line.Append(Words.Printable(part.Text), Style(part.Tone));
        console.Write(line);
        console.WriteLine();
        _hasLines = true;
    }

    /// <summary>An empty line before, unless it is the first.</summary>
    public void Heading(string text)
    {
        if (_hasLines) console.WriteLine();
        console.Write(new Text(Words.Printable(text), new Style(decoration: Decoration.Bold)));
        console.WriteLine();
        _hasLines = true;
    }

    public void Table(IReadOnlyList<Column> columns, IEnumerable<IReadOnlyList<Cell>> rows)
    {
        var table = new Table().NoBorder();
        foreach (var (heading, isNumber) in columns) table.AddColumn(new TableColumn(new Text(heading, Style(Tone.Quiet)))
        {
            Padding = new Padding(0, 0, 2, 0),
            Alignment = isNumber ? Justify.Right : Justify.Left,
        });
        foreach (var row in rows) table.AddRow(row.Select(cell => new Text(Words.Printable(cell.Text), Style(cell.Tone))));
        console.Write(table);
        _hasLines = true;
    }

    private static Style Style(Tone tone) => tone switch
    {
        Tone.Plain => Spectre.Console.Style.Plain,
        Tone.Good => new Style(Color.Green),
        Tone.Doubtful => new Style(Color.Yellow),
        Tone.Bad => new Style(Color.Red),
        Tone.Quiet => new Style(decoration: Decoration.Dim),
        _ => throw new ArgumentOutOfRangeException(nameof(tone), tone, "unknown tone"),
    };
}
