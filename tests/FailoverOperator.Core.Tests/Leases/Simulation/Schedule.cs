using CsCheck;

namespace FailoverOperator.Core.Tests.Leases.Simulation;

/// <summary>What may go wrong, each at any time and to anybody.</summary>
internal enum Fault
{
    /// <summary>Node and API server do not reach each other. What was sent may arrive when they do again.</summary>
    ApiCut,

    /// <summary>The API server hears the node; its answers are lost.</summary>
    AnswersLost,

    /// <summary>The API server takes its time for what the node asks, and so do the answers.</summary>
    ApiSlow,

    /// <summary>The API server answers nobody.</summary>
    ApiOutage,

    /// <summary>One node does not reach one other, in this direction.</summary>
    PeerCut,

    /// <summary>The node reaches nobody.</summary>
    Isolation,

    /// <summary>The node reads old versions of the lease.</summary>
    StaleReads,

    ServerCrash,

    /// <summary>The agent's process stands still for a while, its server's do not.</summary>
    AgentFreeze,

    /// <summary>The container ends and is started again: the agent has forgotten everything.</summary>
    ContainerRestart,

    /// <summary>The pod is stopped in order; another of the same name takes its place.</summary>
    PodStop,

    /// <summary>The pod is removed by force: its processes go on, and another of the same name is started elsewhere.</summary>
    PodForceDelete,

    /// <summary>The operator takes the lease from a holder who still renews.</summary>
    Revoke,

    /// <summary>The group's timings are changed.</summary>
    NewTimings,

    /// <summary>Failsafe is switched.</summary>
    SwitchFailsafe,

    /// <summary>A person names another holder.</summary>
    Forge,

    /// <summary>A person deletes the lease.</summary>
    DeleteLease,

    OperatorRestart,
    OperatorCut,
    MemberAdded,
}

/// <param name="At">When, from the beginning.</param>
/// <param name="Whom">Index of the node or operator.</param>
/// <param name="Other">Index of a second one, or whatever else the fault needs.</param>
internal sealed record Strike(Fault Fault, int AtMilliseconds, int Whom, int Other, int ForMilliseconds);

/// <summary>All that is needed to repeat a run.</summary>
/// <param name="Noise">Seed of delays, losses and choices.</param>
/// <param name="Timings">Index of the group's timings.</param>
/// <param name="Rates">Rates of the clocks: -1 as slow, 1 as fast as is allowed.</param>
internal sealed record Schedule(uint Noise, int Members, int Timings, bool Failsafe, int[] Rates, Strike[] Strikes)
{
    private const int LengthMilliseconds = 25_000;

    private static readonly Gen<bool> FourOfFive = Gen.Frequency((4, Gen.Const(true)), (1, Gen.Const(false)));
    private static readonly Gen<int[]> AnyRates = Gen.Int[-1, 1].Array[10];

    /// <summary>As it is written in a test.</summary>
    public override string ToString()
    {
        var strikes = Strikes.Select(s => $"new(Fault.{s.Fault}, {s.AtMilliseconds}, {s.Whom}, {s.Other}, {s.ForMilliseconds})");
        var failsafe = Failsafe ? "true" : "false";
        return $"new Schedule({Noise}, {Members}, {Timings}, {failsafe}, [{string.Join(", ", Rates)}], [{string.Join(", ", strikes)}])";
    }

    /// <param name="faults">Those that happen; one that is named twice happens twice as often. None: all of them.</param>
    public static Gen<Schedule> Any(params Fault[] faults) => Gen.Select(
        Gen.UInt, Gen.Int[2, 3], Gen.Int[0, LeaseWorld.Timings.Length - 1], FourOfFive, AnyRates, StrikeOf(faults).Array[1, 8],
        (noise, members, timings, failsafe, rates, strikes) => new Schedule(noise, members, timings, failsafe, rates, strikes));

    /// <summary>The same faults in the same order; some of them earlier or later.</summary>
    /// <param name="scenes">Each with the milliseconds by which it may be later; all are late by the same part of that.</param>
    public static Gen<Schedule> Story(int members, int timings, params (Strike Strike, int Span)[] scenes) =>
        Gen.Select(Gen.UInt, AnyRates, Gen.Int[0, 1000], (noise, rates, part) =>
        {
            var strikes = scenes.Select(s => s.Strike with { AtMilliseconds = s.Strike.AtMilliseconds + (s.Span * part / 1000) });
            return new Schedule(noise, members, timings, true, rates, [.. strikes]);
        });

    private static Gen<Strike> StrikeOf(Fault[] faults) => Gen.Select(
        faults.Length == 0 ? Gen.Enum<Fault>() : Gen.Int[0, faults.Length - 1].Select(i => faults[i]),
        Gen.Int[0, LengthMilliseconds], Gen.Int[0, 7], Gen.Int[0, 7], Gen.Int[100, 12_000],
            (fault, at, whom, other, howLong) => new Strike(fault, at, whom, other, howLong));
}
