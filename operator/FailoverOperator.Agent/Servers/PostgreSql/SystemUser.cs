using System.Globalization;

namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>
/// Who the agent is to the server, which goes by names. Read from the files: the C library's way loads modules named in
/// nsswitch.conf of whatever image this is, which ends a static program.
/// </summary>
internal static class SystemUser
{
    /// <summary>The effective user id of this process.</summary>
    public static int Id() => File.ReadLines("/proc/self/status")
        .Where(line => line.StartsWith("Uid:", StringComparison.Ordinal))
        .Select(line => int.Parse(line.Split('\t')[2], CultureInfo.InvariantCulture))
        .First();

    /// <param name="passwd">Lines as in /etc/passwd.</param>
    public static string? Name(IEnumerable<string> passwd, int id) => passwd
        .Select(line => line.Split(':'))
        .FirstOrDefault(fields => fields.Length > 2 && fields[2] == id.ToString(CultureInfo.InvariantCulture))?[0];

    /// <summary>Null: the image does not know this process's user.</summary>
    public static string? Name() => File.Exists("/etc/passwd") ? Name(File.ReadLines("/etc/passwd"), Id()) : null;
}
