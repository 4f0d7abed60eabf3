namespace FailoverOperator.Agent;

/// <summary>The init container's part: puts this very binary where the workload's container finds it.</summary>
internal static class Installation
{
    private const UnixFileMode Executable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    public static int Install(string folder)
    {
        var target = Path.Combine(folder, "failover-agent");
        try
        {
            // A running binary cannot be overwritten, but replaced.
            var next = target + ".new";
            File.Copy(Environment.ProcessPath!, next, overwrite: true);
            File.SetUnixFileMode(next, Executable);
            File.Move(next, target, overwrite: true);
            return 0;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"cannot write {target}: {failure.Message}: mount a volume there that this user may write to");
            return 1;
        }
    }
}
