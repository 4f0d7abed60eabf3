using FailoverOperator.Api;

namespace FailoverOperator.Cli.Views;

/// <summary>What a person can do about a reason, where the condition's own message does not say it.</summary>
internal static class Advice
{
    /// <summary>Their messages say what to do, or nothing is to be done about them.</summary>
    public static IReadOnlySet<string> SayItThemselves { get; } = new HashSet<string>
    {
        Reasons.Valid, Reasons.WorkloadNotFound, Reasons.WorkloadClaimed, Reasons.TooFewReplicas, Reasons.ServiceNotFound,
        Reasons.ServiceWithoutSelector, Reasons.ServiceSelectsNothing, Reasons.ServiceClaimed, Reasons.SecretNotFound, Reasons.SecretKeyNotFound, Reasons.ScheduleInvalid, Reasons.DependencyNotFound, Reasons.DependencyCycle,
        Reasons.PrimaryServing, Reasons.EnoughSpares, Reasons.Ready, Reasons.NoFailoverYet, Reasons.WithinTargets, Reasons.Steady,
        Reasons.Repairing, Reasons.DisruptionWaits, Reasons.FailoverRunning, Reasons.Verified, Reasons.Superseded, Reasons.NotRequestable, Reasons.SpecChanged,
        Reasons.FenceUnproven, Reasons.FenceConfirmationInvalid, Reasons.FencingForbidden, Reasons.PrimaryRecovered, Reasons.PrimaryMoved,
        Reasons.CandidateLost, Reasons.CatchUpTimedOut, Reasons.ColdStandby, Reasons.StandbyUnavailable, Reasons.EnoughActive, Reasons.TooFewActive, Reasons.StaleLeader, Reasons.QuorumNotHeard, Reasons.LeaseUnreadable,
        Reasons.NotSuppressed, Reasons.Suspended, Reasons.ApprovalRequired, Reasons.ManualOnly, Reasons.TargetInfeasible, Reasons.ZoneConcentrated, Reasons.NodeConcentrated, Reasons.CoolingDown, Reasons.BudgetExhausted, Reasons.RecentlyFailed,
        Reasons.ClusterDisruption, Reasons.WaitingForDependency,
        // Of requests, which tell it themselves.
        Reasons.RequestInvalid, Reasons.HolderChanged, Reasons.AlreadyActive, Reasons.DryRun, Reasons.Scheduled, Reasons.NotReadyYet,
        Reasons.Executing, Reasons.DeadlineExceeded, Reasons.SwitchedBack,
    };

    public static string? For(string reason, string group) => reason switch
    {
        Reasons.InvalidSpec => "correct the spec; kubectl explain redundancygroup.spec says what each field takes",
        Reasons.PrimaryNotServing or Reasons.NoPrimary => $"see which step it is at: kubectl failover history {group}",
        Reasons.TooFewSpares => $"see whose health or lag is the hindrance: kubectl failover status {group}; then that pod's log",
        Reasons.NoCandidate => "bring a standby back: it must be ready, tell its position, and follow the primary",
        Reasons.LagUnknown => "a standby whose position is unknown is not promoted; see whether it answers, and follows the primary; "
            + $"if nobody with more comes back: {AcceptLoss(group)}",
        Reasons.BeyondRpo => $"bring back whoever has more, the old primary with its data included; if nobody comes back: {AcceptLoss(group)}; "
            + "how much may be lost without a person's word is targets.rpoSeconds",
        Reasons.CatchingUp => "wait, or find out why the standbys take in the log so late; warm.syncTimeoutSeconds bounds the wait of a failover",
        Reasons.StartingStandby or Reasons.StandbyNotStarted => "see why the standby's pod is not ready, or is not promoted: kubectl describe pod, and its log",
        Reasons.MembersUnknown => "see whether the operator's pod reaches the members' pods: network policies, ports",
        Reasons.CredentialsRejected => "let the Secret that the group names hold what the members accept",
        Reasons.EngineFailed => "see the logs of the members' pods, and of their hooks",
        Reasons.SplitBrainSuspected => "let nobody write to the other member; the operator makes it a standby",
        Reasons.OperatorImpaired => "see the operator's log, and whether the API server answers in time",
        Reasons.QuorumLost => "bring members back; where they are lost for good, recover by the workload's own means: the operator does not",
        Reasons.NoLeader => "an election takes a moment; if it lasts, see the logs of the members' pods",
        Reasons.AllMembersDown => "bring the members back; the last primary, or who has all that it acknowledged, goes on",
        Reasons.PrimaryIsolated => "mend the primary's way to the API server; until then the other members keep it",
        Reasons.LeaseForged or Reasons.LeaseDeleted => "find out who, beside the operator and the agents, may write Leases here",
        Reasons.NotInLease => "bring the old primary's node back, or prove its end: kubectl annotate as the Failover's message says",
        Reasons.NotAccepted => "see condition Accepted first",
        Reasons.RtoExceeded => $"see which phase took longest: kubectl failover history {group}",
        Reasons.RpoExceeded => $"what was lost, and what was known of it: kubectl failover history {group}",
        Reasons.FailureSuspected => "wait: it either passes, or becomes a failover",
        Reasons.WaitingForMembers => "wait for the members to come up, or see why their pods do not",
        Reasons.PromotionTimedOut => "see the log of the candidate's pod; promotion.timeoutSeconds bounds it",
        Reasons.VerificationFailed => "see whether the Services' endpoints and selectors lead to the primary",
        "NotReported" or "Outdated" => "see whether the operator runs: kubectl get pods -A -l app.kubernetes.io/name=failover-operator",
        _ => null,
    };

    private static string AcceptLoss(string group) => $"kubectl failover accept-loss {group}";
}
