namespace FailoverOperator.Api;

/// <summary>Types of the conditions of a RedundancyGroup.</summary>
public static class ConditionTypes
{
    /// <summary>The spec is valid and what it names exists.</summary>
    public const string Accepted = nameof(Accepted);

    /// <summary>A primary takes writes.</summary>
    public const string Available = nameof(Available);

    /// <summary>At least <c>spec.spares</c> standbys could take over.</summary>
    public const string Redundant = nameof(Redundant);

    /// <summary>A failover would work now, and the message says to whom, or why not.</summary>
    public const string FailoverReady = nameof(FailoverReady);

    /// <summary>The last failover met <c>spec.targets</c>, and by the settings the next one can.</summary>
    public const string TargetsMet = nameof(TargetsMet);

    /// <summary>The primary is being changed.</summary>
    public const string Progressing = nameof(Progressing);

    /// <summary>A failover is needed, or would be, and something keeps the operator from beginning it by itself; the message says what.</summary>
    public const string Suppressed = nameof(Suppressed);

    public static IReadOnlyList<string> All { get; } = [Accepted, Available, Redundant, FailoverReady, TargetsMet, Progressing, Suppressed];
}

/// <summary>
/// Reasons of conditions and of blocked or failed failovers. CamelCase, part of the contract: alerts may match on them.
/// </summary>
public static class Reasons
{
    // Accepted
    public const string Valid = nameof(Valid);
    public const string InvalidSpec = nameof(InvalidSpec);
    public const string WorkloadNotFound = nameof(WorkloadNotFound);
    public const string WorkloadClaimed = nameof(WorkloadClaimed);
    public const string TooFewReplicas = nameof(TooFewReplicas);
    public const string ServiceNotFound = nameof(ServiceNotFound);
    public const string ServiceWithoutSelector = nameof(ServiceWithoutSelector);
    public const string ServiceSelectsNothing = nameof(ServiceSelectsNothing);
    public const string ServiceClaimed = nameof(ServiceClaimed);
    public const string SecretNotFound = nameof(SecretNotFound);
    public const string SecretKeyNotFound = nameof(SecretKeyNotFound);
    public const string ScheduleInvalid = nameof(ScheduleInvalid);
    public const string DependencyNotFound = nameof(DependencyNotFound);
    public const string DependencyCycle = nameof(DependencyCycle);

    // Available, Redundant, FailoverReady
    public const string PrimaryServing = nameof(PrimaryServing);
    public const string PrimaryNotServing = nameof(PrimaryNotServing);
    public const string NoPrimary = nameof(NoPrimary);
    public const string EnoughSpares = nameof(EnoughSpares);
    public const string TooFewSpares = nameof(TooFewSpares);
    public const string TargetInfeasible = nameof(TargetInfeasible);
    public const string ZoneConcentrated = nameof(ZoneConcentrated);
    public const string NodeConcentrated = nameof(NodeConcentrated);
    public const string Ready = nameof(Ready);
    public const string NoCandidate = nameof(NoCandidate);
    public const string LagUnknown = nameof(LagUnknown);
    public const string BeyondRpo = nameof(BeyondRpo);
    public const string MembersUnknown = nameof(MembersUnknown);
    public const string CredentialsRejected = nameof(CredentialsRejected);
    public const string EngineFailed = nameof(EngineFailed);
    public const string SplitBrainSuspected = nameof(SplitBrainSuspected);
    public const string OperatorImpaired = nameof(OperatorImpaired);
    public const string AllMembersDown = nameof(AllMembersDown);
    public const string PrimaryIsolated = nameof(PrimaryIsolated);
    public const string LeaseForged = nameof(LeaseForged);
    public const string LeaseDeleted = nameof(LeaseDeleted);
    public const string LeaseUnreadable = nameof(LeaseUnreadable);
    public const string NotInLease = nameof(NotInLease);
    public const string QuorumNotHeard = nameof(QuorumNotHeard);
    public const string NotAccepted = nameof(NotAccepted);

    // Of groups that promote nobody
    public const string EnoughActive = nameof(EnoughActive);
    public const string TooFewActive = nameof(TooFewActive);
    public const string QuorumLost = nameof(QuorumLost);
    public const string NoLeader = nameof(NoLeader);
    public const string StaleLeader = nameof(StaleLeader);

    // TargetsMet
    public const string NoFailoverYet = nameof(NoFailoverYet);
    public const string WithinTargets = nameof(WithinTargets);
    public const string RtoExceeded = nameof(RtoExceeded);
    public const string RpoExceeded = nameof(RpoExceeded);

    // Progressing
    public const string Steady = nameof(Steady);
    public const string Repairing = nameof(Repairing);
    public const string FailoverRunning = nameof(FailoverRunning);
    public const string FailureSuspected = nameof(FailureSuspected);
    public const string WaitingForMembers = nameof(WaitingForMembers);
    public const string DisruptionWaits = nameof(DisruptionWaits);

    // Suppressed
    public const string NotSuppressed = nameof(NotSuppressed);
    public const string Suspended = nameof(Suspended);
    public const string CoolingDown = nameof(CoolingDown);
    public const string BudgetExhausted = nameof(BudgetExhausted);
    public const string RecentlyFailed = nameof(RecentlyFailed);
    public const string ClusterDisruption = nameof(ClusterDisruption);
    public const string WaitingForDependency = nameof(WaitingForDependency);
    public const string ApprovalRequired = nameof(ApprovalRequired);
    public const string ManualOnly = nameof(ManualOnly);

    // Failover
    public const string FenceUnproven = nameof(FenceUnproven);
    public const string FenceConfirmationInvalid = nameof(FenceConfirmationInvalid);
    public const string FencingForbidden = nameof(FencingForbidden);
    public const string PrimaryRecovered = nameof(PrimaryRecovered);
    public const string PrimaryMoved = nameof(PrimaryMoved);
    public const string PromotionTimedOut = nameof(PromotionTimedOut);
    public const string CatchingUp = nameof(CatchingUp);
    public const string CatchUpTimedOut = nameof(CatchUpTimedOut);
    public const string ColdStandby = nameof(ColdStandby);
    public const string StartingStandby = nameof(StartingStandby);
    public const string StandbyNotStarted = nameof(StandbyNotStarted);
    public const string StandbyUnavailable = nameof(StandbyUnavailable);
    public const string CandidateLost = nameof(CandidateLost);
    public const string VerificationFailed = nameof(VerificationFailed);
    public const string Verified = nameof(Verified);
    public const string Superseded = nameof(Superseded);

    // A request
    public const string NotRequestable = nameof(NotRequestable);
    public const string RequestInvalid = nameof(RequestInvalid);
    public const string HolderChanged = nameof(HolderChanged);
    public const string AlreadyActive = nameof(AlreadyActive);
    public const string DryRun = nameof(DryRun);
    public const string Scheduled = nameof(Scheduled);
    public const string NotReadyYet = nameof(NotReadyYet);
    public const string Executing = nameof(Executing);
    public const string DeadlineExceeded = nameof(DeadlineExceeded);
    public const string SwitchedBack = nameof(SwitchedBack);
    public const string SpecChanged = nameof(SpecChanged);
}
