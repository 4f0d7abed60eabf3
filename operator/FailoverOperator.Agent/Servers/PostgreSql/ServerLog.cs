namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>How a rewinding ended. Closed: nested types only.</summary>
internal abstract record Rewinding
{
    private Rewinding()
    {
    }

    public sealed record Done : Rewinding;

    /// <summary>The data are as they were, and it may work another time.</summary>
    public sealed record Untouched(string Why) : Rewinding;

    /// <summary>It never will work, or the data are in pieces.</summary>
    public sealed record Impossible(string Why) : Rewinding;
}

/// <summary>Reads what PostgreSQL's programs printed (with lc_messages=C), for people and for what to do.</summary>
internal static class ServerLog
{
    /// <summary>What a person can do about it; the first that fits.</summary>
    private static readonly (string Words, string Advice)[] Known =
    [
        ("No space left on device", "the disk is full: free space or enlarge the volume"),
        ("Disk quota exceeded", "the disk quota is used up: free space or enlarge the volume"),
        ("/postgresql.auto.conf\"", "postgresql.auto.conf in PGDATA is corrupt: correct or empty it"),
        ("contains errors", "a configuration file is wrong: correct it"),
        ("unrecognized configuration parameter", "a configuration file is wrong: correct it"),
        ("is not compatible with this version", "the data are of another major version of PostgreSQL than the image"),
        ("database files are incompatible with server", "the data are of another version of PostgreSQL than the image"),
        ("Address already in use", "something else listens on the port of the server: set FAILOVER_PG_PORT"),
        ("insufficient parameter settings", "this standby's settings are smaller than the primary's: make them as large, see its log"),
        ("could not map anonymous shared memory", "there is too little memory for shared_buffers"),
        ("Permission denied", "files do not belong to the user of the server: set fsGroup and runAsUser"),
        ("has invalid permissions", "PGDATA must be accessible to the user of the server alone (mode 0700 or 0750)"),
        ("has wrong ownership", "PGDATA does not belong to the user of the server: set runAsUser"),
        ("could not look up effective user ID", "the user of the container is not in /etc/passwd of the image: set runAsUser to one that is"),
        ("shared_preload_libraries", "a library in shared_preload_libraries is missing in the image"),
    ];

    /// <summary>The data cannot be used by any standby, so that only copying them anew helps.</summary>
    private static readonly string[] Broken =
    [
        "could not locate a valid checkpoint record",
        "could not locate required checkpoint record",
        "could not find redo location",
        "WAL ends before consistent recovery point",
        "WAL ends before end of online backup",
        "is not a valid data directory",
        "could not open file \"base/",
        "could not open file \"global/",
        "could not open file \"pg_xact/",
        LogIsGone,
    ];

    private const string LogIsGone = "has already been removed";

    /// <summary>The data are of a timeline that the primary never was on.</summary>
    private static readonly string[] Diverged =
    [
        "is not a child of this server's history",
        "does not contain minimum recovery point",
        "is not in this server's history",
        "is behind recovery timeline",
    ];

    /// <summary>Why a program ended: the last thing that it complained about, and what a person can do.</summary>
    public static string Explain(string program, int exitCode, string output)
    {
        var complaint = Complaint(output);
        var end = exitCode > 128 ? $"was ended by signal {exitCode - 128}" : $"ended with exit code {exitCode}";
        return Advise(complaint.Length == 0 ? $"{program} {end}" : $"{program} {end}: {Quoting.Words(complaint)}");
    }

    /// <summary>Settings of this standby are smaller than those of the primary whose log it reads.</summary>
    public static bool SaysTooSmall(string output) => output.Contains("insufficient parameter settings", StringComparison.Ordinal);

    /// <summary>The disk was full.</summary>
    public static bool SaysFull(string output) =>
        output.Contains("No space left on device", StringComparison.Ordinal) || output.Contains("Disk quota exceeded", StringComparison.Ordinal);

    /// <summary>Of a server that has ended: what is wrong with its data. Null: nothing is known to be.</summary>
    public static string? SaysBroken(string output) => Last(output, Broken);

    /// <summary>The primary does not have the log any more that this standby needs next.</summary>
    public static string? SaysLogIsGone(string output) => Last(output, [LogIsGone]);

    public static string? SaysDiverged(string output) => Last(output, Diverged);

    /// <summary>Why pg_rewind failed. It says what it goes back to before it changes the first file.</summary>
    public static Rewinding Judge(string output, string problem)
    {
        var hasBegun = output.Contains("rewinding from last common checkpoint", StringComparison.Ordinal);
        var mayWorkLater = SaysFull(output) || output.Contains("connection to server", StringComparison.Ordinal);
        return !hasBegun && mayWorkLater ? new Rewinding.Untouched(problem) : new Rewinding.Impossible(problem);
    }

    /// <summary>A message of any program or of the kernel, with what a person can do about it in front.</summary>
    public static string Advise(string message) =>
        Known.FirstOrDefault(k => message.Contains(k.Words, StringComparison.Ordinal)).Advice is { } advice ? $"{advice}; {message}" : message;

    /// <summary>The most telling line: a known cause, else a panic, else the last severe one, else the last of all.</summary>
    private static string Complaint(string output)
    {
        var lines = output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var last = Array.FindLastIndex(lines, line => IsSevere(line) && Known.Any(k => line.Contains(k.Words, StringComparison.Ordinal)));
        if (last < 0) last = Array.FindLastIndex(lines, line => line.Contains("PANIC:", StringComparison.Ordinal));
        if (last < 0) last = Array.FindLastIndex(lines, IsSevere);
        if (last < 0) return lines.LastOrDefault("");
        // The line before says where: "syntax error in file ... line 3".
        var where = last > 0 && lines[last].Contains("contains errors", StringComparison.Ordinal) ? Text(lines[last - 1]) + "; " : "";
        return where + Text(lines[last]);
    }

    private static bool IsSevere(string line) => Severity(line) >= 0;

    private static int Severity(string line) => new[] { "PANIC:", "FATAL:", "error:" }
        .Select(s => line.IndexOf(s, StringComparison.Ordinal)).FirstOrDefault(at => at >= 0, -1);

    /// <summary>Without the time and process that log_line_prefix puts in front.</summary>
    private static string Text(string line) => Severity(line) is >= 0 and var at ? line[at..]
        : line.IndexOf("LOG:", StringComparison.Ordinal) is >= 0 and var log ? line[(log + 4)..].Trim()
        : line;

    private static string? Last(string output, string[] words) => output.Split('\n')
        .LastOrDefault(line => words.Any(w => line.Contains(w, StringComparison.Ordinal))) is { } found ? Quoting.Words(Text(found)) : null;
}
