namespace FailoverOperator.Engines;

/// <summary>A foreign text, short and on one line, for a message.</summary>
internal static class Quote
{
    private const int MaxLength = 200;

    public static string Of(string? text)
    {
        var trimmed = text?.Trim() ?? "";
        var line = new string([.. trimmed.Take(MaxLength).Select(c => char.IsControl(c) ? ' ' : c)]);
        return trimmed.Length > MaxLength ? line + "…" : line;
    }
}
