using System.Text;

namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>Texts inside the several languages that PostgreSQL reads.</summary>
internal static class Quoting
{
    private const int MaxMessageLength = 400;

    /// <summary>A value in postgresql.conf, where a backslash means something.</summary>
    public static string Setting(string value) =>
        $"'{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>A connection string of libpq.</summary>
    public static string Connection(IEnumerable<(string Key, string Value)> parts) => string.Join(' ', parts.Select(p =>
        $"{p.Key}='{p.Value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'"));

    /// <summary>A name in pg_hba.conf and pg_ident.conf.</summary>
    public static string Name(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>A string constant in SQL, with standard_conforming_strings.</summary>
    public static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>Foreign words for a message: on one line, and no more than a person reads.</summary>
    public static string Words(string text)
    {
        var words = new StringBuilder();
        foreach (var part in text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            _ = words.Append(words.Length == 0 ? "" : " ").Append(part);
        return words.Length <= MaxMessageLength ? words.ToString() : $"{words.ToString()[..MaxMessageLength]}…";
    }
}
