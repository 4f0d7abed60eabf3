using System.Globalization;

namespace FailoverOperator.Cli.Views;

/// <summary>Reads the times that objects carry. What cannot be read is unknown.</summary>
internal static class Moments
{
    public static DateTimeOffset? Parse(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time
            : null;

    public static DateTimeOffset? Of(DateTime? time) =>
        time is { } known ? new DateTimeOffset(DateTime.SpecifyKind(known.ToUniversalTime(), DateTimeKind.Utc)) : null;
}
