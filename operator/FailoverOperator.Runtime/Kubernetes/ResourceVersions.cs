using System.Globalization;

namespace FailoverOperator.Runtime.Kubernetes;

/// <summary>
/// Versions of one object, and of one kind, grow: the API server itself compares them as numbers, though clients are told to take them for mere names.
/// Whatever hangs on it here has to be right, if later, without it.
/// </summary>
public static class ResourceVersions
{
    /// <returns>0: it is not a number, and is taken for older than all.</returns>
    public static ulong Number(string? version) => ulong.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
