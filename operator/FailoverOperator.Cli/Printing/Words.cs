using System.Globalization;
using System.Text;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Cli.Views;

namespace FailoverOperator.Cli.Printing;

/// <summary>How times and amounts are put into words. What is not known is "unknown", never 0.</summary>
internal static class Words
{
    public const string Unknown = "unknown";

    /// <summary>There is none, which is known.</summary>
    public const string None = "-";

    /// <summary>Clocks of two machines differ by less than that.</summary>
    private static readonly TimeSpan ClockDifference = TimeSpan.FromMinutes(1);

    public static string Ago(DateTimeOffset? time, DateTimeOffset now)
    {
        if (time is not { } known) return Unknown;
        if (now - known < -ClockDifference) return $"at {At(known)}, which is yet to come by this machine's clock";
        return now - known < TimeSpan.FromSeconds(1) ? "just now" : $"{Duration(now - known)} ago";
    }

    /// <summary>In its largest unit, rounded down.</summary>
    public static string Duration(TimeSpan time) => time switch
    {
        { TotalSeconds: < 60 } => Invariant($"{Math.Max(0, (int)time.TotalSeconds)} s"),
        { TotalMinutes: < 60 } => Invariant($"{(int)time.TotalMinutes} min"),
        { TotalHours: < 48 } => Invariant($"{(int)time.TotalHours} h"),
        _ => Invariant($"{(int)time.TotalDays} d"),
    };

    public static string At(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string Bytes(long? bytes) => bytes switch
    {
        null => Unknown,
        < 1024 => Invariant($"{bytes} B"),
        < 1024 * 1024 => Invariant($"{bytes / 1024.0:0.#} KiB"),
        < 1024L * 1024 * 1024 => Invariant($"{bytes / (1024.0 * 1024):0.#} MiB"),
        _ => Invariant($"{bytes / (1024.0 * 1024 * 1024):0.#} GiB"),
    };

    public static string Number(long? number) => number is { } known ? Invariant($"{known}") : Unknown;

    /// <summary>A phase that was skipped or has not ended took no time that could be told.</summary>
    public static string Phase(long? milliseconds) => milliseconds is { } known ? Invariant($"{known}") : None;

    /// <summary>What a failover cost is not known before it has ended, and elections, adoptions and requests interrupt nobody.</summary>
    public static string Cost(FailoverView failover, long? amount) =>
        amount is { } known ? Invariant($"{known}")
        : !failover.IsEnded || failover.Request is not null || failover.Type is FailoverType.Election or FailoverType.Adoption ? None
        : Unknown;

    /// <summary>What others wrote may hold anything: nothing of it moves the cursor or colours the terminal.</summary>
    public static string Printable(string? text)
    {
        if (string.IsNullOrEmpty(text)) return "";
        var safe = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var category = Rune.GetUnicodeCategory(rune);
            if (rune.Value is '\n' or '\t' or '\r') safe.Append(' ');
            else if (category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
                safe.Append('\uFFFD');
            else safe.Append(rune.ToString());
        }
        return safe.ToString();
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
