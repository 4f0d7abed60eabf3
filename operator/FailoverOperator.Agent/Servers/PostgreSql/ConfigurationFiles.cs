namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>
/// The agent's configuration files in the run directory. The user's postgresql.conf, postgresql.auto.conf, pg_hba.conf and
/// pg_ident.conf are read, never written.
/// </summary>
internal sealed class ConfigurationFiles(PostgreSqlSettings settings)
{
    /// <summary>A name that nobody has, if the image does not know this one: then the server does not let the agent in, and says so.</summary>
    private readonly string _user = SystemUser.Name() ?? $"uid {SystemUser.Id()}";

    private DateTime[] _usersFilesChanged = [];

    /// <summary>The folder of the socket over which the agent talks to the server; nobody else may look into it.</summary>
    public string Socket => settings.RunDirectory;

    /// <summary>As written last.</summary>
    public Bearing Bearing { get; private set; } = new(null, MemberNames.WaitForNobodyYet);

    /// <summary>Whether the user has changed a file since the last writing.</summary>
    public bool IsStale => !Changed().SequenceEqual(_usersFilesChanged);

    /// <returns>Whether the server must read them again: something changed, of the agent's or of the user's.</returns>
    public bool Write(Bearing bearing)
    {
        if (!Directory.Exists(settings.RunDirectory))
            _ = Directory.CreateDirectory(settings.RunDirectory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var changed = Changed();
        var hasChanged = !changed.SequenceEqual(_usersFilesChanged);
        _usersFilesChanged = changed;
        var hba = Text(settings.UserHba) + Text(InData("pg_hba.conf"));
        hasChanged |= Replace("pg_hba.conf", ServerConfiguration.Hba(hba));
        hasChanged |= Replace("pg_ident.conf", ServerConfiguration.Identities(_user, Text(InData("pg_ident.conf"))));
        hasChanged |= Replace("postgresql.conf", ServerConfiguration.Settings(settings, bearing, DiskBytes()));
        Bearing = bearing;
        return hasChanged;
    }

    public IReadOnlyList<string> Arguments(int version, IReadOnlyDictionary<string, long> floors) =>
        ServerConfiguration.Arguments(settings, Sockets(), version, floors);

    /// <summary>A server that cannot write to one of its socket folders does not start, so the user's is tried first.</summary>
    private List<string> Sockets()
    {
        List<string> sockets = [Socket];
        if (settings.SocketDirectory is not { } folder || folder == Socket || !Directory.Exists(folder)) return sockets;
        var probe = Path.Combine(folder, ".failover-agent");
        try
        {
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
            sockets.Add(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
        }
        return sockets;
    }

    private DateTime[] Changed() => [.. UsersFiles().Select(file => file is null ? default : File.GetLastWriteTimeUtc(file))];

    /// <summary>postgresql.conf is not copied but included: the user reloads it as always.</summary>
    private IEnumerable<string?> UsersFiles() => [settings.UserHba, settings.UserConfiguration, InData("pg_hba.conf"), InData("pg_ident.conf")];

    private string InData(string name) => Path.Combine(settings.DataDirectory, name);

    private long DiskBytes() => new DriveInfo(Path.GetDirectoryName(settings.DataDirectory) ?? "/").TotalSize;

    private static string Text(string? file) => file is not null && File.Exists(file) ? $"# {file}\n{File.ReadAllText(file).TrimEnd()}\n" : "";

    /// <summary>Whole or not at all: the server may read it at any moment.</summary>
    private bool Replace(string name, string text)
    {
        var file = Path.Combine(settings.RunDirectory, name);
        if (File.Exists(file) && File.ReadAllText(file) == text) return false;
        File.WriteAllText(file + ".new", text);
        File.SetUnixFileMode(file + ".new", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        File.Move(file + ".new", file, overwrite: true);
        return true;
    }
}
