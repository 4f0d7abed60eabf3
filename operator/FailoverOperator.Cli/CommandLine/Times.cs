using System.CommandLine;
using System.Globalization;
using FailoverOperator.Cli.Views;

namespace FailoverOperator.Cli.CommandLine;

/// <summary>Moments that people type.</summary>
internal static class Times
{
    public static Option<DateTimeOffset?> Option(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "TIME",
        CustomParser = result =>
        {
            if (Moments.Parse(result.Tokens[0].Value) is { } time) return time;
            result.AddError($"{name} takes a time as 2026-11-27T03:00:00Z, not {result.Tokens[0].Value}");
            return null;
        },
    };

    /// <summary>As the API wants it.</summary>
    public static string? Text(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
