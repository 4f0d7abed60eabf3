using System.Runtime.InteropServices;

namespace FailoverOperator.Agent.Supervision;

/// <summary>Starts a program: in a process group of its own, with no signal blocked or ignored, and with three open files only.</summary>
internal static unsafe partial class Spawn
{
    private const short SetGroup = 0x02;            // POSIX_SPAWN_SETPGROUP
    private const short SetDefaults = 0x04;         // POSIX_SPAWN_SETSIGDEF
    private const short SetMask = 0x08;             // POSIX_SPAWN_SETSIGMASK

    // More than glibc's posix_spawnattr_t (336), posix_spawn_file_actions_t (80) and sigset_t (128) on every architecture.
    private const int OpaqueBytes = 1024;

    /// <summary>What is between operator and agents only.</summary>
    private static readonly string[] Secrets = ["FAILOVER_TOKEN"];

    /// <summary>The environment that this process was started with; what it sets for itself is not for its children.</summary>
    private static readonly IReadOnlyDictionary<string, string> Inherited = ReadEnvironment();

    /// <param name="input">Descriptor for its standard input. Null: nothing to read.</param>
    /// <param name="output">Descriptor for its standard output. Null: this process's own.</param>
    /// <param name="error">Descriptor for its standard error. Null: this process's own.</param>
    /// <returns>The process id, or zero and a sentence.</returns>
    public static (int ProcessId, string? Problem) Start(ProcessCommand command, int? input, int? output, int? error)
    {
        var actions = Marshal.AllocHGlobal(OpaqueBytes);
        var attributes = Marshal.AllocHGlobal(OpaqueBytes);
        try
        {
            _ = posix_spawn_file_actions_init(actions);
            _ = posix_spawnattr_init(attributes);
            try
            {
                Arrange(actions, command, input, output, error);
                Arrange(attributes);
                return Start(command, actions, attributes);
            }
            finally
            {
                _ = posix_spawn_file_actions_destroy(actions);
                _ = posix_spawnattr_destroy(attributes);
            }
        }
        finally
        {
            Marshal.FreeHGlobal(actions);
            Marshal.FreeHGlobal(attributes);
        }
    }

    private static void Arrange(nint actions, ProcessCommand command, int? input, int? output, int? error)
    {
        if (command.WorkingDirectory is { } folder) _ = posix_spawn_file_actions_addchdir_np(actions, folder);
        _ = input is { } i
            ? posix_spawn_file_actions_adddup2(actions, i, Native.StandardInput)
            : posix_spawn_file_actions_addopen(actions, Native.StandardInput, "/dev/null", Native.ReadOnly, 0);
        if (output is { } o) _ = posix_spawn_file_actions_adddup2(actions, o, Native.StandardOutput);
        if (error is { } e) _ = posix_spawn_file_actions_adddup2(actions, e, Native.StandardError);
    }

    private static void Arrange(nint attributes)
    {
        var signals = stackalloc byte[OpaqueBytes];
        _ = sigfillset(signals);
        _ = posix_spawnattr_setsigdefault(attributes, signals);
        _ = sigemptyset(signals);
        _ = posix_spawnattr_setsigmask(attributes, signals);
        _ = posix_spawnattr_setpgroup(attributes, 0);
        _ = posix_spawnattr_setflags(attributes, SetGroup | SetDefaults | SetMask);
    }

    private static (int ProcessId, string? Problem) Start(ProcessCommand command, nint actions, nint attributes)
    {
        int pid;
        var arguments = Strings([command.Program, .. command.Arguments]);
        var environment = Strings(Variables(command));
        try
        {
            var error = posix_spawnp(&pid, command.Program, actions, attributes, arguments, environment);
            return error == Native.Success
                ? (pid, null)
                : (0, $"cannot start {command.Program}: {Marshal.GetPInvokeErrorMessage(error)}");
        }
        finally
        {
            Free(arguments);
            Free(environment);
        }
    }

    private static IEnumerable<string> Variables(ProcessCommand command)
    {
        var all = new Dictionary<string, string>(Inherited);
        foreach (var (name, value) in command.Environment)
            if (value is null) all.Remove(name);
            else all[name] = value;
        return all.Select(v => $"{v.Key}={v.Value}");
    }

    private static Dictionary<string, string> ReadEnvironment() => File.ReadAllText("/proc/self/environ")
        .Split('\0', StringSplitOptions.RemoveEmptyEntries)
        .Select(entry => entry.Split('=', 2))
        .Where(parts => parts.Length == 2 && !Secrets.Contains(parts[0]))
        .GroupBy(parts => parts[0], parts => parts[1])
        .ToDictionary(variable => variable.Key, variable => variable.First());

    private static byte** Strings(IEnumerable<string> values)
    {
        var list = values.ToList();
        var array = (byte**)NativeMemory.AllocZeroed((nuint)(list.Count + 1), (nuint)sizeof(byte*));
        for (var i = 0; i < list.Count; i++) array[i] = (byte*)Marshal.StringToCoTaskMemUTF8(list[i]);
        return array;
    }

    private static void Free(byte** strings)
    {
        for (var each = strings; *each != null; each++) Marshal.FreeCoTaskMem((nint)(*each));
        NativeMemory.Free(strings);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawnp(int* pid, string file, nint actions, nint attributes, byte** arguments, byte** environment);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_init(nint actions);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_destroy(nint actions);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_adddup2(nint actions, int descriptor, int target);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn_file_actions_addopen(nint actions, int descriptor, string path, int flags, uint mode);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn_file_actions_addchdir_np(nint actions, string path);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_init(nint attributes);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_destroy(nint attributes);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setflags(nint attributes, short flags);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setpgroup(nint attributes, int group);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setsigdefault(nint attributes, byte* signals);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setsigmask(nint attributes, byte* signals);

    [LibraryImport("libc")]
    private static partial int sigfillset(byte* signals);

    [LibraryImport("libc")]
    private static partial int sigemptyset(byte* signals);
}
