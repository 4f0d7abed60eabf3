using System.Buffers.Binary;
using FailoverOperator.Agent.Supervision;

namespace FailoverOperator.Agent.Watchdogs;

/// <summary>
/// The second process of the agent. Reads moments from its input: at the last one it kills every process of the server, and then the
/// agent, which has failed to do so. It does as little as can be, so that nothing stops it: no allocation, no other thread, no log.
/// </summary>
internal static class WatchdogProcess
{
    public const string Verb = "watchdog";
    public const long Nothing = long.MaxValue;

    /// <summary>A moment, and the server's process id (0: it does not run).</summary>
    public const int RecordBytes = 2 * sizeof(long);

    private const int MostRounds = 500;
    private const int RoundMilliseconds = 10;

    /// <param name="mark">What everything that the agent starts carries in its environment.</param>
    public static int Run(string mark, TimeProvider time)
    {
        var agent = ParentOf(Environment.ProcessId);
        var (killAt, server, done) = (Nothing, 0, Nothing);
        Span<byte> buffer = stackalloc byte[RecordBytes * 64];
        while (true)
        {
            var left = killAt == Nothing ? -1 : Math.Max(0, killAt - Now(time));
            Span<Native.PollDescriptor> input = [new() { Descriptor = Native.StandardInput, Events = Native.Readable }];
            if (Native.Poll(input, left < 0 ? -1 : ToMilliseconds(left)) > 0)
            {
                var count = Native.Read(Native.StandardInput, buffer);
                if (count < RecordBytes)
                {
                    // The agent has ended. Where it was the first process, so has all else.
                    KillAll(() => LeftBy(server, mark));
                    return 0;
                }
                var last = buffer[(count - RecordBytes)..count];
                (killAt, server) = (BinaryPrimitives.ReadInt64LittleEndian(last), (int)BinaryPrimitives.ReadInt64LittleEndian(last[sizeof(long)..]));
                // An agent that goes on after that may tell it once more, before it knows.
                if (killAt == done) killAt = Nothing;
            }
            else if (killAt != Nothing && Now(time) >= killAt)
            {
                KillAll(() => ProcessTable.OwnedBy(agent, [Environment.ProcessId]));
                // The first process cannot be killed from here; it will find that its server has ended.
                _ = Native.Kill(agent, Native.SignalKill);
                (killAt, done) = (Nothing, killAt);
            }
        }
    }

    /// <summary>The server's process tree, and whoever left it and still shows its mark; servers that set their title hide that.</summary>
    private static List<ProcessEntry> LeftBy(int server, string mark)
    {
        var all = ProcessTable.Read();
        return [.. all.Where(p => server != 0 && p.Id == server), .. server == 0 ? [] : ProcessTable.Below(server, all), .. ProcessTable.Carrying(mark)];
    }

    private static int ParentOf(int id) => ProcessTable.Read().Single(p => p.Id == id).Parent;

    private static long Now(TimeProvider time) => time.GetElapsedTime(0).Ticks;

    /// <summary>Rounded up: not a moment too early, for nothing.</summary>
    private static int ToMilliseconds(long ticks) => (int)Math.Min(int.MaxValue, (ticks + TimeSpan.TicksPerMillisecond - 1) / TimeSpan.TicksPerMillisecond);

    private static void KillAll(Func<List<ProcessEntry>> who)
    {
        for (var round = 0; round < MostRounds; round++)
        {
            // A stopped agent reaps nobody: what is dead stays visible.
            var alive = who().Where(p => !p.IsDead && Native.Kill(p.Id, Native.SignalKill) != Native.NotPermitted);
            if (!alive.Any()) return;
            Native.Poll([], RoundMilliseconds);
        }
    }
}
