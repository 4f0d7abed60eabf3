using System.Globalization;

namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>What a person decides about the server, read from the environment of the container.</summary>
public sealed record PostgreSqlSettings
{
    public required string PodName { get; init; }

    /// <summary>PGDATA, without a slash at the end. Copies are made beside it, so it must not be the root of a volume.</summary>
    public required string DataDirectory { get; init; }

    public int Port { get; init; } = 5432;

    /// <summary>Of the superuser <c>postgres</c>. Needed for the very first data only; later it is what the database says.</summary>
    public string? SuperuserPassword { get; init; }

    /// <summary>Of the role that standbys replicate as.</summary>
    public required string ReplicationPassword { get; init; }

    /// <summary>Folder of PostgreSQL's programs. Empty: they are found by PATH.</summary>
    public string Binaries { get; init; } = "";

    /// <summary>For the agent's configuration files and its socket. Not on the data's volume: that one may be full.</summary>
    public required string RunDirectory { get; init; }

    public string ListenAddresses { get; init; } = "*";

    /// <summary>A further folder for a socket, where people's tools look for it. Used if it is there and can be written to.</summary>
    public string? SocketDirectory { get; init; }

    /// <summary>A configuration file of the user's, read after the one in PGDATA. Null: none.</summary>
    public string? UserConfiguration { get; init; }

    /// <summary>Lines for pg_hba.conf of the user's, in front of those in PGDATA. Null: none.</summary>
    public string? UserHba { get; init; }

    public IReadOnlyList<string> InitDbArguments { get; init; } = [];

    /// <summary>For one question to the own server.</summary>
    public TimeSpan QuestionTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A program of PostgreSQL's.</summary>
    public string Program(string name) => Binaries.Length == 0 ? name : Path.Combine(Binaries, name);

    /// <param name="variable">Reads a variable of the environment.</param>
    /// <param name="isRoot">Whether the agent runs as root, which PostgreSQL refuses to.</param>
    /// <returns>The settings, or a sentence that says what is wrong with all of the variables.</returns>
    public static (PostgreSqlSettings? Settings, string? Problem) Read(Func<string, string?> variable, string podName, bool isRoot)
    {
        var read = new Reader(variable);
        if (SystemUser.Name() is null)
            read.Problems.Add($"the container's user ({SystemUser.Id()}) is not in /etc/passwd of its image: set runAsUser to one that is");
        if (isRoot)
            read.Problems.Add("PostgreSQL refuses to run as root: set runAsUser (999 for Debian images of postgres, 70 for Alpine ones)");
        var settings = new PostgreSqlSettings
        {
            PodName = podName,
            DataDirectory = read.Folder("PGDATA", null),
            Port = read.Port("FAILOVER_PG_PORT", 5432),
            SuperuserPassword = read.Password("POSTGRES_PASSWORD", isRequired: false),
            ReplicationPassword = read.Password("FAILOVER_REPLICATION_PASSWORD", isRequired: true) ?? "",
            Binaries = read.Text("FAILOVER_PG_BIN") ?? NewestBinaries("/usr/lib/postgresql"),
            RunDirectory = read.Folder("FAILOVER_RUN_DIRECTORY", "/tmp/failover-agent"),
            SocketDirectory = read.Folder("FAILOVER_PG_SOCKET_DIRECTORY", "/var/run/postgresql"),
            UserConfiguration = read.File("FAILOVER_PG_CONFIG"),
            UserHba = read.File("FAILOVER_PG_HBA"),
            InitDbArguments = (read.Text("POSTGRES_INITDB_ARGS") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries),
        };
        return read.Problems.Count == 0 ? (settings, null) : (null, string.Join("; ", read.Problems));
    }

    /// <summary>As Debian lays versions out: root/15/bin. Empty: none there.</summary>
    internal static string NewestBinaries(string root) => !Directory.Exists(root) ? "" : Directory.GetDirectories(root)
        .Where(folder => System.IO.File.Exists(Path.Combine(folder, "bin", "postgres")))
        .OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var version) ? version : 0)
        .Select(folder => Path.Combine(folder, "bin"))
        .FirstOrDefault("");

    /// <summary>Collects what is wrong, so that a person need not find it one by one.</summary>
    private sealed class Reader(Func<string, string?> variable)
    {
        public List<string> Problems { get; } = [];

        public string? Text(string name) => variable(name) is { Length: > 0 } text ? text : null;

        public string Folder(string name, string? otherwise)
        {
            var folder = Text(name) ?? otherwise;
            if (folder is null) Problems.Add($"{name} is not set");
            else if (!Path.IsPathRooted(folder)) Problems.Add($"{name} must be an absolute path, not '{folder}'");
            return folder is null ? "" : Path.TrimEndingDirectorySeparator(folder);
        }

        public string? File(string name)
        {
            var file = Text(name);
            if (file is not null && !Path.IsPathRooted(file)) Problems.Add($"{name} must be an absolute path, not '{file}'");
            return file;
        }

        public int Port(string name, int otherwise)
        {
            if (Text(name) is not { } text) return otherwise;
            if (int.TryParse(text, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536) return port;
            Problems.Add($"{name} must be a port number, not '{text}'");
            return otherwise;
        }

        /// <summary>Programs read passwords by lines. The password itself is never shown.</summary>
        public string? Password(string name, bool isRequired)
        {
            var password = Text(name);
            if (password is null && isRequired) Problems.Add($"{name} is not set");
            if (password?.Any(char.IsControl) == true) Problems.Add($"{name} must not contain line breaks or other control characters");
            return password;
        }
    }
}
