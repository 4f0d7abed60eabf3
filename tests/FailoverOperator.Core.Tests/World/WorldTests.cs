using CsCheck;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Detection;

namespace FailoverOperator.Core.Tests.World;

/// <summary>
/// Random faults in a world that the pure core governs. Every invariant is checked after each tick, and once the
/// faults stop the group must end with one primary, whatever happened before.
/// </summary>
public sealed class WorldTests
{
    /// <summary>Few for every day. <c>FAILOVER_WORLDS=5000</c> searches for a night.</summary>
    private static readonly int Worlds = int.Parse(Environment.GetEnvironmentVariable("FAILOVER_WORLDS") ?? "20", System.Globalization.CultureInfo.InvariantCulture);

    private static readonly Gen<Event> AnyEvent =
        Gen.Select(Gen.Enum<Fault>(), Gen.Int[0, 4], Gen.Int[0, 12], Gen.Int[0, 3]).Select((fault, whom, howLong, crash) => new Event(fault, whom, howLong, crash));

    private static readonly Gen<Event[]> Script = Gen.Frequency(
        (3, Gen.Const(new Event(Fault.None, 0, 0, 9))), (1, AnyEvent)).Array[40, 160];

    /// <summary>Brakes that a short script gets to feel.</summary>
    private static readonly ProtectionSpec Brisk = new() { CooldownSeconds = 4, CooldownMaximumSeconds = 12, MaxFailoversPerHour = 3, ReturnAfterSeconds = 10 };

    internal sealed record Event(Fault Fault, int Whom, int HowLong, int CrashAfter);

    [Theory]
    [InlineData(StartState.ReadOnly, UnprovenFence.Block, true)]
    [InlineData(StartState.ReadOnly, UnprovenFence.Block, false)]
    [InlineData(StartState.Writable, UnprovenFence.Block, true)]
    [InlineData(StartState.Writable, UnprovenFence.Block, false)]
    [InlineData(StartState.ReadOnly, UnprovenFence.Proceed, true)]
    public void Whatever_happens_one_writes_and_in_the_end_one_is_primary(StartState startsAs, UnprovenFence whenUnproven, bool tellsInstance) =>
        Gen.Select(Gen.Int[2, 4], Script).Sample((members, script) => Run(new World(members, startsAs, whenUnproven, tellsInstance), script), iter: Worlds, threads: 1);

    [Fact]
    public void Failovers_keep_their_pace_and_the_person_on_call_is_obeyed() => Gen.Select(Gen.Int[2, 4], Script).Sample((members, script) =>
        Run(new World(members, StartState.ReadOnly, UnprovenFence.Block, protection: Brisk), script), iter: 2 * Worlds, threads: 1);

    /// <summary>It is what the other worlds do not often come to: nothing fails for long enough.</summary>
    [Theory]
    [InlineData(StartState.ReadOnly)]
    [InlineData(StartState.Writable)]
    public void Switchovers_that_are_asked_for_happen(StartState startsAs)
    {
        var ends = new List<FailoverPhase>();
        Gen.Select(Gen.Int[2, 4], Gen.Frequency((8, Gen.Const(new Event(Fault.None, 0, 0, 9))), (1, AnyEvent), (1, Gen.Int[0, 12].Select(time => new Event(Fault.SwitchoverRequested, 0, time, 9)))).Array[40, 120])
            .Sample((members, script) =>
            {
                var world = new World(members, startsAs, UnprovenFence.Block);
                Run(world, script);
                ends.AddRange(world.Failovers.Where(f => f is { IsOwn: true, IsPlanned: true }).Select(f => f.Status.Phase));
            }, iter: Worlds, threads: 1);
        Assert.Contains(FailoverPhase.Completed, ends);
    }

    private static void Run(World world, IReadOnlyList<Event> script)
    {
        for (var i = 0; i < 12; i++) Step(world, 9);
        foreach (var e in script)
        {
            world.Strike(e.Fault, e.Whom, e.HowLong);
            Step(world, e.CrashAfter == 0 && e.Fault != Fault.None ? e.HowLong % 2 : 9);
        }
        world.StopFaults();
        // Long enough for the slowest proof, the kubelet that catches up, and for one failed promotion after it.
        for (var i = 0; i < 2 * 300 && !(i > 20 && IsSteady(world)); i++) Step(world, 9);
        Check.Holds(world, IsSteady(world), $"L1: it ends at {world.Last}");
        Check.Holds(world, world.Writable.Count() == 1, "L1: one primary");
    }

    private static bool IsSteady(World world) => world.Last is { Diagnosis: Diagnosis.Healthy, Decision: Decision.Steady };

    private static void Step(World world, int crashAfter)
    {
        world.Pass();
        world.Probe();
        Check.OneWriter(world);
        // Steps without a wait between them follow each other within the tick.
        for (var i = 0; i < 4; i++)
        {
            world.Act(crashAfter);
            world.Obey();
            Check.OneWriter(world);
        }
    }
}
