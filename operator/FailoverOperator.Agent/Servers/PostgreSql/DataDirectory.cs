namespace FailoverOperator.Agent.Servers.PostgreSql;

internal enum DataState
{
    /// <summary>Nothing: this member holds no data.</summary>
    Absent,

    /// <summary>A whole data directory.</summary>
    Present,

    /// <summary>Rewinding was interrupted: neither the old data nor the new. Only a clone helps.</summary>
    Unfinished,

    /// <summary>Files, but not PostgreSQL's.</summary>
    Foreign,
}

/// <summary>
/// PGDATA and the folders beside it. Invariant: whatever has the name PGDATA is whole. A copy is made as <c>.new</c>, is complete as
/// <c>.ready</c>, and takes the place of PGDATA, which becomes <c>.old</c>; data that are being rewound are called
/// <c>.rewinding</c>. Each step is one rename, and <see cref="Settle"/> completes what was begun, in the same order.
/// </summary>
internal sealed class DataDirectory(string path)
{
    /// <summary>A history file that tells of nothing.</summary>
    private const string Reservation = "# The failover agent left this timeline to a primary that was lost.\n";

    public string Path => path;

    /// <summary>A copy in the making.</summary>
    public string New => path + ".new";

    /// <summary>What nobody needs any more.</summary>
    public string Old => path + ".old";

    private string Ready => path + ".ready";

    private string Log => System.IO.Path.Combine(path, "pg_wal");

    /// <summary>Data that are being rewound.</summary>
    public string Rewinding => path + ".rewinding";

    public DataState State => IsEmpty(path)
        ? Directory.Exists(Rewinding) ? DataState.Unfinished : DataState.Absent
        : File.Exists(System.IO.Path.Combine(path, "global", "pg_control")) ? DataState.Present
        : DataState.Foreign;

    /// <summary>Major version of the data. Null: unknown.</summary>
    public int? Version
    {
        get
        {
            var file = System.IO.Path.Combine(path, "PG_VERSION");
            return File.Exists(file) && int.TryParse(File.ReadAllText(file).Trim(), out var version) ? version : null;
        }
    }

    /// <summary>Why nothing can be renamed to PGDATA. Null: it can.</summary>
    public string? Problem
    {
        get
        {
            var mounts = File.Exists("/proc/self/mountinfo") ? File.ReadAllLines("/proc/self/mountinfo") : [];
            return mounts.Any(line => line.Split(' ') is { Length: > 4 } fields && fields[4] == path)
                ? $"PGDATA must not be the root of a volume, because copies are made beside it: set it to a folder in there, say {path}/pgdata"
                : null;
        }
    }

    /// <summary>Free on the volume.</summary>
    public long RoomBytes => new DriveInfo(System.IO.Path.GetDirectoryName(path) ?? "/").AvailableFreeSpace;

    /// <summary>Completes an interrupted exchange.</summary>
    public void Settle()
    {
        if (Directory.Exists(Ready)) Exchange();
    }

    /// <summary>The copy in <see cref="New"/> is complete.</summary>
    public void Adopt()
    {
        Directory.Move(New, Ready);
        Exchange();
    }

    /// <summary>
    /// From now on the data are no data, until <see cref="EndRewinding"/>. pg_rewind completes a crash recovery in a mode that no
    /// standby has, and in which nobody can reach the server.
    /// </summary>
    public void BeginRewinding()
    {
        Directory.Move(path, Rewinding);
        File.Delete(System.IO.Path.Combine(Rewinding, "standby.signal"));
    }

    public void EndRewinding() => Directory.Move(Rewinding, path);

    /// <summary>Gives up the data, to make room: they become what nobody needs.</summary>
    public void GiveUp()
    {
        var data = Directory.Exists(Rewinding) ? Rewinding : path;
        if (Directory.Exists(data)) Directory.Move(data, Old);
    }

    /// <summary>
    /// Whatever is in the data, the server comes up as a standby: it reads the log to its end and stays read-only until it is
    /// promoted. Every start goes through here.
    /// </summary>
    public void MakeStandby()
    {
        CloseToOthers();
        var signal = System.IO.Path.Combine(path, "standby.signal");
        if (!File.Exists(signal)) File.WriteAllBytes(signal, []);
        // Would end the recovery, and make it writable, at a point of its own.
        File.Delete(System.IO.Path.Combine(path, "recovery.signal"));
        ReleaseTimelines();
    }

    /// <summary>
    /// A promotion begins the timeline after the last one whose history file is there: these numbers are not for it. A server that runs takes no
    /// other notice of a history in which its own timeline does not occur.
    /// </summary>
    public void ReserveTimelines(IEnumerable<uint> timelines)
    {
        foreach (var file in timelines.Select(HistoryFile).Where(f => !File.Exists(f))) File.WriteAllText(file, Reservation);
    }

    /// <summary>A standby goes for the newest timeline at its start, and one that is only reserved leads nowhere.</summary>
    private void ReleaseTimelines()
    {
        if (!Directory.Exists(Log)) return;
        var files = Directory.GetFiles(Log, "????????.history").OrderDescending(StringComparer.Ordinal);
        foreach (var file in files.TakeWhile(f => File.ReadAllText(f) == Reservation)) File.Delete(file);
    }

    /// <summary>
    /// PostgreSQL refuses data that others may change or read. The kubelet opens them to the group of <c>fsGroup</c> when it mounts the volume
    /// for another pod.
    /// </summary>
    private void CloseToOthers()
    {
        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        const UnixFileMode refused = UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        if ((File.GetUnixFileMode(path) & refused) != 0) File.SetUnixFileMode(path, owner);
    }

    /// <summary>From the data's own history file. Null: there is none, or it cannot be understood.</summary>
    public TimelineHistory? History(uint timeline)
    {
        var file = HistoryFile(timeline);
        return File.Exists(file) ? TimelineHistory.Parse(timeline, File.ReadAllText(file)) : null;
    }

    private string HistoryFile(uint timeline) => System.IO.Path.Combine(Log, FormattableString.Invariant($"{timeline:X8}.history"));

    /// <summary>Nothing is called Old when this begins: who makes a copy has removed it.</summary>
    private void Exchange()
    {
        GiveUp();
        if (Directory.Exists(path)) Directory.Delete(path); // Empty, or this fails.
        Directory.Move(Ready, path);
    }

    /// <summary>ext4 puts a folder of its own into every volume.</summary>
    private static bool IsEmpty(string folder) =>
        !Directory.Exists(folder) || Directory.EnumerateFileSystemEntries(folder).All(entry => System.IO.Path.GetFileName(entry) == "lost+found");
}
