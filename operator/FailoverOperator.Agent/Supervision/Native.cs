using System.Runtime.InteropServices;

namespace FailoverOperator.Agent.Supervision;

/// <summary>The calls to the kernel that .NET has no words for.</summary>
internal static unsafe partial class Native
{
    public const int Success = 0;
    public const int Interrupted = 4;       // EINTR
    public const int NoSuchProcess = 3;     // ESRCH
    public const int NotPermitted = 1;      // EPERM
    public const int CloseOnExec = 0x80000;     // O_CLOEXEC
    public const int NonBlocking = 0x800;       // O_NONBLOCK
    public const int ReadOnly = 0;              // O_RDONLY
    public const int StandardInput = 0;
    public const int StandardOutput = 1;
    public const int StandardError = 2;
    public const int SignalKill = 9;
    public const int SignalTerminate = 15;
    public const short Readable = 1;        // POLLIN
    public const short Writable = 4;        // POLLOUT
    private const int DoNotWait = 1;        // WNOHANG
    private const int AnyChild = 0;         // P_ALL
    private const int HasEnded = 4;         // WEXITED
    private const int LeaveIt = 0x01000000; // WNOWAIT
    private const int SiginfoBytes = 128;
    private const int SetChildSubreaper = 36;
    private const int GetFlags = 3;         // F_GETFL
    private const int SetFlags = 4;         // F_SETFL

    [StructLayout(LayoutKind.Sequential)]
    public struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    /// <summary>Who has ended, without waiting. Null: nobody, for now or ever.</summary>
    public static (int ProcessId, int ExitCode)? Reap()
    {
        int status, pid;
        do pid = waitpid(-1, &status, DoNotWait);
        while (pid < 0 && Marshal.GetLastPInvokeError() == Interrupted);
        if (pid <= 0) return null;
        var signal = status & 0x7f;
        return (pid, signal == 0 ? (status >> 8) & 0xff : 128 + signal);
    }

    /// <summary>Blocks until a child has ended, and leaves it to <see cref="Reap"/>. False: there is no child.</summary>
    public static bool AwaitEndedChild()
    {
        var info = stackalloc byte[SiginfoBytes];
        int result;
        do result = waitid(AnyChild, 0, info, HasEnded | LeaveIt);
        while (result != Success && Marshal.GetLastPInvokeError() == Interrupted);
        return result == Success;
    }

    /// <summary>Zero, or the error.</summary>
    public static int Kill(int pid, int signal) => kill(pid, signal) == Success ? Success : Marshal.GetLastPInvokeError();

    /// <summary>What loses its parent below this process becomes its child, as if it were the first process.</summary>
    public static void BecomeSubreaper() => _ = prctl(SetChildSubreaper, 1, 0, 0, 0);

    /// <summary>A pipe whose ends no child inherits.</summary>
    public static (int Read, int Write) OpenPipe()
    {
        var ends = stackalloc int[2];
        if (pipe2(ends, CloseOnExec) != Success) throw new IOException($"cannot make a pipe (error {Marshal.GetLastPInvokeError()})");
        return (ends[0], ends[1]);
    }

    public static void SetNonBlocking(int descriptor) => _ = fcntl(descriptor, SetFlags, fcntl(descriptor, GetFlags, 0) | NonBlocking);

    /// <summary>The number of bytes, zero at the end, negative on error.</summary>
    public static int Read(int descriptor, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            nint count;
            do count = read(descriptor, start, (nuint)buffer.Length);
            while (count < 0 && Marshal.GetLastPInvokeError() == Interrupted);
            return (int)count;
        }
    }

    /// <summary>The number of bytes written, negative on error.</summary>
    public static int Write(int descriptor, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            nint count;
            do count = write(descriptor, start, (nuint)bytes.Length);
            while (count < 0 && Marshal.GetLastPInvokeError() == Interrupted);
            return (int)count;
        }
    }

    public static void Close(int descriptor) => _ = close(descriptor);

    /// <summary>Waits until something can be done with one of these. Zero: the time is over, or a signal came.</summary>
    public static int Poll(Span<PollDescriptor> descriptors, int timeoutMilliseconds)
    {
        fixed (PollDescriptor* start = descriptors)
            return Math.Max(0, poll(start, (nuint)descriptors.Length, timeoutMilliseconds));
    }

    /// <summary>Sets a variable in the process itself, where native libraries look for it; .NET keeps a copy of its own.</summary>
    public static void SetEnvironment(string name, string value) => _ = setenv(name, value, 1);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int waitpid(int pid, int* status, int options);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int waitid(int idType, int id, byte* info, int options);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int pipe2(int* ends, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int descriptor, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int descriptor, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(PollDescriptor* descriptors, nuint count, int timeout);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);
}
