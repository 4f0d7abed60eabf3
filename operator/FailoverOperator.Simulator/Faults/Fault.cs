namespace FailoverOperator.Simulator.Faults;

/// <summary>What can go wrong.</summary>
public enum Fault
{
    ServerCrash,
    ServerHang,
    ServerUnkillable,
    ServerWontStart,
    VolumeLost,
    AgentPause,
    ContainerFreeze,
    ContainerKill,
    PowerCut,
    PowerCutEverywhere,
    KubeletHang,
    NodeCutOff,
    NodeCutFromApi,
    NodeDeaf,
    NodeMute,
    PeersCut,
    PeersCutOneWay,
    ZoneCutOff,
    SlowNode,
    PacketLoss,
    OperatorCrash,
    OperatorCrashBeforeWrite,
    OperatorCrashAfterWrite,
    OperatorPause,
    OperatorCutFromApi,
    OperatorCutFromNodes,
    OperatorCutOff,
    ApiOutage,
    ApiHang,
    ApiErrors,
    ApiSlow,
    AnswersLost,
    OperatorAnswersLost,
    WatchesLag,
    WatchesBreak,
    WatchesSilent,
    HistoryCompacted,
    PodDeleted,
    PodForceDeleted,
    RollingRestart,
    LeaseHolderEdited,
    LeaseTermEdited,
    LeaseEmptied,
    LeaseDeleted,
    LabelsEdited,
    FailsafeSwitched,
    TimingsChanged,
    WallClockStep,

    // What people ask for, see Schedule.Planned.
    SwitchoverRequested,
    FailoverRequested,
    GroupSuspended,

    // What only some modes know, see Schedule.In.
    MemberSick,
    NodeDestroyed,
}

/// <summary>One fault of a schedule. Numbers instead of names, so that any schedule makes sense in any world.</summary>
/// <param name="AtMilliseconds">From when the group was steady.</param>
/// <param name="Whom">Even: the primary or its node. Odd: any of them.</param>
/// <param name="Other">A second one, or which of several ways.</param>
/// <param name="Failover">0: none. Else the time counts from when the failover of this number began.</param>
public sealed record Strike(Fault Fault, int AtMilliseconds, int Whom, int Other, int ForMilliseconds, int Failover = 0)
{
    private string After => Failover > 0 ? FormattableString.Invariant($"failover {Failover} + ") : "";

    public override string ToString() => FormattableString.Invariant(
        $"{After}{AtMilliseconds / 1000.0:0.000} {Fault} {Whom} {Other} for {ForMilliseconds / 1000.0:0.000}");
}
