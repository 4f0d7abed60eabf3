using CsCheck;

namespace FailoverOperator.Core.Tests.Leases.Simulation;

/// <summary>Faults that do most harm together: the few schedules that tell a right protocol from a wrong one are dense among these.</summary>
internal static class Mixes
{
    public static readonly Gen<Schedule> Everything = Schedule.Any();

    /// <summary>The holder is cut off, and answers come late.</summary>
    public static readonly Gen<Schedule> Timing = Schedule.Any(
        Fault.ApiSlow, Fault.Isolation, Fault.Isolation, Fault.AnswersLost, Fault.OperatorRestart);

    /// <summary>The holder lives by the promises of others, who are restarted and stopped meanwhile.</summary>
    public static readonly Gen<Schedule> Promises = Schedule.Any(Fault.ApiCut, Fault.ApiCut, Fault.ContainerRestart, Fault.PodStop, Fault.StaleReads);

    /// <summary>The holder lives by the promises of some, while others join.</summary>
    public static readonly Gen<Schedule> Newcomers = Schedule.Any(
        Fault.ApiCut, Fault.ApiCut, Fault.MemberAdded, Fault.PodForceDelete, Fault.AnswersLost);

    /// <summary>Terms change while nobody is sure what arrived.</summary>
    public static readonly Gen<Schedule> Terms = Schedule.Any(
        Fault.NewTimings, Fault.NewTimings, Fault.AnswersLost, Fault.ApiCut, Fault.Isolation, Fault.MemberAdded);

    /// <summary>Leases are given back while answers are late.</summary>
    public static readonly Gen<Schedule> Releases = Schedule.Any(
        Fault.ApiSlow, Fault.AnswersLost, Fault.PodStop, Fault.ServerCrash, Fault.Revoke, Fault.ContainerRestart);

    /// <summary>People write into the lease.</summary>
    public static readonly Gen<Schedule> Hands = Schedule.Any(Fault.Forge, Fault.DeleteLease, Fault.StaleReads, Fault.Revoke, Fault.ApiCut);

    /// <summary>While the holder lives by promises, the next one is stopped before it could claim.</summary>
    public static readonly Gen<Schedule> GivenBackUnclaimed = Schedule.Story(3, 0,
        (new(Fault.ApiCut, 2000, Holder, 0, 14_000), 0),
        (new(Fault.PodStop, 6500, Second, 0, 100), 4000));

    /// <summary>The lease is to be shorter, and its holder has not heard of it.</summary>
    public static readonly Gen<Schedule> Shortened = Schedule.Story(3, 3,
        (new(Fault.NewTimings, 1500, 0, 1, 100), 3000),
        (new(Fault.Isolation, 2500, Holder, 0, 12_000), 0));

    /// <summary>The lease has become longer, and a member that promises has not heard of it.</summary>
    public static readonly Gen<Schedule> Lengthened = Schedule.Story(2, 1,
        (new(Fault.ApiCut, 1000, Second, 0, 13_000), 0),
        (new(Fault.NewTimings, 2000, 0, 3, 100), 0),
        (new(Fault.ApiCut, 4000, Holder, 0, 14_000), 2500));

    /// <summary>The next holder's pod is replaced, and the new one gets the address of the old, which goes on.</summary>
    public static readonly Gen<Schedule> AddressPassedOn = Schedule.Story(2, 1,
        (new(Fault.ApiCut, 2000, Holder, 0, 12_000), 0),
        (new(Fault.PodForceDelete, 3900, Second, 3, 9000), 1500),
        (new(Fault.ApiCut, 3901, Third, 0, 9000), 1500));

    /// <summary>The answer to the last renewal is late.</summary>
    public static readonly Gen<Schedule> LateAnswers = Schedule.Story(3, 2,
        (new(Fault.ApiSlow, 500, Holder, 0, 14_000), 0),
        (new(Fault.Isolation, 2000, Holder, 0, 12_000), 4000));

    /// <summary>A member that has promised is restarted.</summary>
    public static readonly Gen<Schedule> PromiserRestarted = Schedule.Story(2, 1,
        (new(Fault.ApiCut, 2000, Holder, 0, 12_000), 0),
        (new(Fault.ContainerRestart, 3300, Second, 0, 200), 1500));

    /// <summary>A member joins while the holder cannot hear of it, and lives by the promises of the others.</summary>
    public static readonly Gen<Schedule> Newcomer = Schedule.Story(3, 0,
        (new(Fault.ApiCut, 2000, Holder, 0, 14_000), 0),
        (new(Fault.MemberAdded, 2600, 0, 0, 100), 600));

    /// <summary>The holder accepts a new member, and does not hear that this was carried out.</summary>
    public static readonly Gen<Schedule> AcceptedUnknowing = Schedule.Story(3, 0,
        (new(Fault.MemberAdded, 2000, 0, 0, 100), 0),
        (new(Fault.AnswersLost, 2000, Holder, 0, 16_000), 2500));

    /// <summary>The server crashes while a renewal is under way, several times.</summary>
    public static readonly Gen<Schedule> CrashesInFlight = Schedule.Story(2, 0,
        (new(Fault.ApiSlow, 500, 0, 0, 20_000), 0),
        (new(Fault.ApiSlow, 500, Second, 0, 20_000), 0),
        (new(Fault.ServerCrash, 2000, Holder, 0, 100), 1000),
        (new(Fault.ServerCrash, 6000, Holder, 0, 100), 1500),
        (new(Fault.ServerCrash, 10_000, Holder, 0, 100), 2500),
        (new(Fault.ServerCrash, 14_000, Holder, 0, 100), 3500));

    /// <summary>The lease is to be shorter; its holder is cut off, and somebody deletes the lease.</summary>
    public static readonly Gen<Schedule> DeletedAndShortened = Schedule.Story(
        3,
        3,
        (new(Fault.Isolation, 2000, Holder, 0, 14_000), 0),
        (new(Fault.NewTimings, 2500, 0, 1, 100), 500),
        (new(Fault.DeleteLease, 3500, 0, 0, 100), 1500));

    /// <summary>Any of them.</summary>
    public static readonly Gen<Schedule> All = Gen.OneOf(
        Everything, Everything, Everything, Timing, Promises, Newcomers, Terms, Releases, Hands,
        GivenBackUnclaimed, Shortened, Lengthened, AddressPassedOn, LateAnswers, PromiserRestarted, Newcomer, AcceptedUnknowing, CrashesInFlight,
        DeletedAndShortened);

    // Whom a strike hits: the holder; of two or three that run, the second; of three, the third.
    private const int Holder = 0;
    private const int Second = 1;
    private const int Third = 5;
}
