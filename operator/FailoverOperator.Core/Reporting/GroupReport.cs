using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Reporting;

/// <summary>A condition without its times.</summary>
public sealed record ConditionFact(string Type, ConditionStatus Status, string Reason, string Message);

/// <summary>A slot's status without its times.</summary>
/// <param name="Holder">Null: nobody was ever chosen.</param>
/// <param name="CountedTerm">Null: not told for each slot.</param>
public sealed record SlotFact(string Name, string? Holder, long? Term, long? CountedTerm)
{
    /// <summary>Null: no failover waits for one.</summary>
    public AwaitedLoss? AwaitedLoss { get; init; }
}

/// <summary>What the group's status is to say.</summary>
public sealed record GroupReport
{
    private const string SeeAccepted = "the group is not accepted, see condition Accepted";

    public required IReadOnlyList<ConditionFact> Conditions { get; init; }

    /// <summary>Of each slot, see <see cref="SlotsReport"/>.</summary>
    public IReadOnlyList<SlotFact> Slots { get; init; } = [];

    public IReadOnlyList<MemberStatus> Members { get; init; } = [];

    /// <summary>By name of the member: how many circuits of it are open.</summary>
    public IReadOnlyDictionary<string, int> OpenCircuits { get; init; } = new Dictionary<string, int>();

    public int SparesReady { get; init; }

    public FailoverReadiness? Readiness { get; init; }

    public LastFailover? LastFailover { get; init; }

    /// <summary>Time since it ended. Null: there was none.</summary>
    public TimeSpan? LastFailoverAge { get; init; }

    /// <summary>Null: as they are.</summary>
    public GroupStatistics? Statistics { get; init; }

    /// <summary>For a group that cannot be taken on: nothing is known of its members, and the conditions say so.</summary>
    public static GroupReport OfRefused(AcceptanceVerdict acceptance) => new()
    {
        Conditions =
        [
            Accepted(acceptance),
            .. new[] { ConditionTypes.Available, ConditionTypes.Redundant, ConditionTypes.FailoverReady, ConditionTypes.TargetsMet }
                .Select(type => Fact(type, ConditionStatus.Unknown, Reasons.NotAccepted, SeeAccepted)),
            Fact(ConditionTypes.Progressing, ConditionStatus.False, Reasons.NotAccepted, SeeAccepted),
            Fact(ConditionTypes.Suppressed, ConditionStatus.Unknown, Reasons.NotAccepted, SeeAccepted),
        ],
        Readiness = new FailoverReadiness { Ready = false, Reason = Reasons.NotAccepted, Message = acceptance.Message },
    };

    public static GroupReport Of(GroupObservation group, AcceptanceVerdict acceptance, Verdict verdict)
    {
        var slot = SlotHolder.Of(group);
        var candidates = Candidates.Of(group, Benchmark.Of(group), FailoverProcedure.ReadinessBound(group.Spec));
        // A second writer is no standby until it follows.
        var standbys = verdict.Diagnosis is Diagnosis.SplitBrainSuspected split ? [.. group.Members.Except(split.Others)] : group.Members;
        var ranked = slot.Holder is null ? [] : candidates.Ranked(standbys);
        var judged = JudgeReadiness(group, verdict, slot, candidates, ranked);
        var readiness = verdict.Diagnosis is Diagnosis.OperatorImpaired ? judged : LeaseReport.Amend(judged, group);
        var last = group.Failovers.LastOrDefault(f => f.IsOwn && f.IsEnded && f.Spec.Type == FailoverType.Failover);
        return new GroupReport
        {
            Conditions =
            [
                Accepted(acceptance),
                Available(verdict, slot),
                verdict.Diagnosis is Diagnosis.OperatorImpaired blind
                    ? Fact(ConditionTypes.Redundant, ConditionStatus.Unknown, Reasons.OperatorImpaired, blind.Why)
                    : Redundant(group.Spec.Spares, ranked.Count + (ColdStandby.IsHoped(group) && !ColdStandby.IsActive(group) ? 1 : 0), candidates, group),
                Fact(
                    ConditionTypes.FailoverReady, IsUnknown(group, verdict, readiness) ? ConditionStatus.Unknown : Is(readiness.Ready),
                    readiness.Reason, readiness.Message),
                TargetsMet(group, last),
                Progressing(group, verdict),
                Suppressed(group, verdict),
            ],
            Slots = [new SlotFact(group.Slot, slot.Holder?.Name, slot.Holder is null ? null : slot.Term, null) { AwaitedLoss = verdict.Decision.Loss }],
            Members = MemberReport.Of(
                group, slot.Holder?.Uid, fencedUid: verdict.Running is { Spec.Type: FailoverType.Failover } running ? running.Spec.From?.Uid : null),
            OpenCircuits = MemberReport.OpenCircuits(group),
            SparesReady = ranked.Count,
            Readiness = readiness,
            LastFailover = last is null ? null : Summary(last),
            LastFailoverAge = last?.EndedFor,
            Statistics = Reporting.Statistics.Of(group),
        };
    }

    /// <summary>The operator is blind, or nobody can tell before a cold standby runs.</summary>
    private static bool IsUnknown(GroupObservation group, Verdict verdict, FailoverReadiness readiness) => verdict.Diagnosis is Diagnosis.OperatorImpaired
        || (ColdStandby.Prospect(group) is { IsReady: null } cold && cold.Reason == readiness.Reason);

    private static ConditionFact Accepted(AcceptanceVerdict verdict) =>
        Fact(ConditionTypes.Accepted, Is(verdict.Accepted), verdict.Reason, verdict.Message);

    private static ConditionFact Available(Verdict verdict, SlotHolder slot)
    {
        var primary = slot.Holder?.Name;
        if (verdict.Running is { Spec.Type: not FailoverType.Adoption, Status.Phase: var phase } running
            && running is not { IsPlanned: true, Status.Phase: FailoverPhase.Pending or FailoverPhase.Fencing }
            && verdict.Diagnosis is not Diagnosis.OperatorImpaired)
            return Fact(ConditionTypes.Available, ConditionStatus.False, Reasons.PrimaryNotServing, $"{running.Name} is at phase {phase}");
        return verdict.Diagnosis switch
        {
            Diagnosis.Healthy => Fact(ConditionTypes.Available, ConditionStatus.True, Reasons.PrimaryServing, $"{primary} takes writes"),
            Diagnosis.SplitBrainSuspected split => Fact(ConditionTypes.Available, ConditionStatus.True, Reasons.SplitBrainSuspected,
                $"{primary} is the primary, but {string.Join(", ", split.Others.Select(m => m.Name))} also says that it takes writes; "
                + "it is made a standby"),
            Diagnosis.PrimaryIsolated isolated => Fact(ConditionTypes.Available, ConditionStatus.True, Reasons.PrimaryIsolated,
                $"{primary} takes writes, but cannot reach the API server; the other members keep it: {string.Join(", ", isolated.Evidence)}"),
            Diagnosis.NewGroup => Fact(ConditionTypes.Available, ConditionStatus.False, Reasons.NoPrimary, "no primary has been chosen yet"),
            Diagnosis.PrimaryFailed failed => Fact(ConditionTypes.Available, ConditionStatus.False, failed.Reason,
                $"{failed.Cause}: {string.Join(", ", failed.Evidence)}"),
            Diagnosis.PrimaryDemoted => Fact(ConditionTypes.Available, ConditionStatus.False, Reasons.PrimaryNotServing,
                $"{primary} was made a standby without the operator; it is promoted again"),
            Diagnosis.PrimaryMoved moved => Fact(ConditionTypes.Available, ConditionStatus.Unknown, Reasons.PrimaryNotServing,
                $"{moved.Primary.Name} was made the primary without the operator"),
            Diagnosis.PrimarySuspected suspected => Fact(ConditionTypes.Available, ConditionStatus.Unknown, suspected.Reason, suspected.Evidence),
            Diagnosis.CredentialsRejected rejected =>
                Fact(ConditionTypes.Available, ConditionStatus.Unknown, Reasons.CredentialsRejected, rejected.Message),
            Diagnosis.OperatorImpaired impaired => Fact(ConditionTypes.Available, ConditionStatus.Unknown, Reasons.OperatorImpaired, impaired.Why),
            _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict.Diagnosis, "unknown diagnosis"),
        };
    }

    private static ConditionFact Redundant(int wanted, int ready, Candidates candidates, GroupObservation group) => ready >= wanted
        ? Placement.Concentration(group) is var (reason, message)
            ? Fact(ConditionTypes.Redundant, ConditionStatus.False, reason, message)
            : Fact(ConditionTypes.Redundant, ConditionStatus.True, Reasons.EnoughSpares, $"{ready} standbys could take over, {wanted} are wanted")
        : Fact(ConditionTypes.Redundant, ConditionStatus.False, Reasons.TooFewSpares,
            $"{ready} standbys could take over, {wanted} are wanted: {FailoverProcedure.Explain(candidates, group)}");

    private static FailoverReadiness JudgeReadiness(
        GroupObservation group, Verdict verdict, SlotHolder slot, Candidates candidates, IReadOnlyList<Member> ranked)
    {
        if (verdict.Diagnosis is Diagnosis.OperatorImpaired impaired) return NotReady(Reasons.OperatorImpaired, impaired.Why);
        if (slot.Holder is null)
        {
            return verdict.Decision is Decision.Blocked(var reason, var message)
                ? NotReady(reason, message)
                : NotReady(Reasons.NoPrimary, (verdict.Decision as Decision.Wait)?.Message ?? "no primary has been chosen yet");
        }
        if (ranked is [var best, ..])
        {
            var lag = (candidates.Judge(best) as Eligibility.Eligible)?.LagBytes is { } bytes ? $", {bytes} bytes behind" : "";
            var message = $"{best.Name} would take over{lag}";
            return new FailoverReadiness { Ready = true, Candidate = best.Name, Reason = Reasons.Ready, Message = message };
        }
        if (ColdStandby.Prospect(group) is { } cold) return new FailoverReadiness { Ready = cold.IsReady == true, Reason = cold.Reason, Message = cold.Message };
        if (CatchUp.IsHoped(group, Benchmark.Of(group)))
            return NotReady(Reasons.CatchingUp, FormattableString.Invariant($"a failover would wait for up to {CatchUp.Timeout(group.Spec).TotalSeconds:0} s: {CatchUp.Describe(group, Benchmark.Of(group))}"));
        if (candidates.MissingQuorum(group.Members) is { } missing) return NotReady(Reasons.QuorumNotHeard, missing);
        var refusals = group.Members.Where(m => m.Uid != slot.Holder.Uid).Select(candidates.Judge).OfType<Eligibility.Ineligible>().ToList();
        var telling = refusals.FirstOrDefault(r => r.Reason == Reasons.NotInLease) ?? refusals.FirstOrDefault();
        return NotReady(telling?.Reason ?? Reasons.NoCandidate,
            refusals.Count > 0 ? string.Join("; ", refusals.Select(r => r.Message)) : "there is no standby");
    }

    /// <summary>What was missed is said first, then what could be.</summary>
    private static ConditionFact TargetsMet(GroupObservation group, FailoverRecord? last)
    {
        return last?.Status.Targets is not (TargetVerdict.RtoMissed or TargetVerdict.RpoMissed) && Infeasible(group) is { Length: > 0 } why
            ? Fact(ConditionTypes.TargetsMet, ConditionStatus.False, Reasons.TargetInfeasible, why)
            : TargetsMet(group.Spec.Targets, last);
    }

    /// <summary>Empty: both targets can be met.</summary>
    private static string Infeasible(GroupObservation group)
    {
        var (ofTime, ofLoss) = (Feasibility.Of(group), LossFeasibility.Of(group));
        return string.Join("; ", new[]
        {
            ofTime.Meets(group.Spec.Targets) ? null : ofTime.Explain(group.Spec.Targets),
            ofLoss is { IsMet: false } ? ofLoss.Explain() : null,
        }.OfType<string>());
    }

    private static ConditionFact TargetsMet(TargetsSpec targets, FailoverRecord? last) => last?.Status.Targets switch
    {
        null => Fact(ConditionTypes.TargetsMet, ConditionStatus.Unknown, Reasons.NoFailoverYet, "there was no failover yet"),
        TargetVerdict.NotJudged => Fact(ConditionTypes.TargetsMet, ConditionStatus.Unknown, last.Status.Reason ?? Reasons.NoFailoverYet,
            $"{last.Name} did not end with a verified write"),
        TargetVerdict.Met => Fact(ConditionTypes.TargetsMet, ConditionStatus.True, Reasons.WithinTargets,
            $"{last.Name} took {last.Status.DowntimeMilliseconds} ms, {targets.RtoSeconds} s were allowed"),
        TargetVerdict.RtoMissed => Fact(ConditionTypes.TargetsMet, ConditionStatus.False, Reasons.RtoExceeded,
            $"{last.Name} took {last.Status.DowntimeMilliseconds} ms, {targets.RtoSeconds} s were allowed; see its phases"),
        TargetVerdict.RpoMissed => Fact(ConditionTypes.TargetsMet, ConditionStatus.False, Reasons.RpoExceeded,
            $"in {last.Name} a person accepted a loss: {last.Status.AcceptedLoss}"),
        _ => throw new ArgumentOutOfRangeException(nameof(last), last.Status.Targets, "unknown verdict"),
    };

    private static ConditionFact Progressing(GroupObservation group, Verdict verdict) => verdict.Decision switch
    {
        Decision.Blocked(var reason, var message) => Fact(ConditionTypes.Progressing, ConditionStatus.False, reason, message),
        Decision.Wait(_, var reason, var message) => Fact(ConditionTypes.Progressing, ConditionStatus.True, reason, message),
        Decision.Begin(var plan) => Fact(ConditionTypes.Progressing, ConditionStatus.True, Reasons.FailoverRunning,
            $"{plan.Type} begins: {plan.Cause}"),
        Decision.Advance or Decision.Abort when verdict.Running is { } running => Fact(
            ConditionTypes.Progressing, ConditionStatus.True, Reasons.FailoverRunning, $"{running.Name} is at phase {running.Status.Phase}"),
        Decision.Advance or Decision.Abort => Fact(
            ConditionTypes.Progressing, ConditionStatus.True, Reasons.Repairing, "labels, Services, standbys or the lease are being put right"),
        Decision.Steady => Fact(ConditionTypes.Progressing, ConditionStatus.False, Reasons.Steady, WhoIsActive(group)),
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict.Decision, "unknown decision"),
    };

    private static string WhoIsActive(GroupObservation group) =>
        Failback.Describe(group) ?? string.Join("; ", new[] { "the right member is active", Budgets.Complaint(group), Rollout.Unguided(group) }.OfType<string>());

    private static ConditionFact Suppressed(GroupObservation group, Verdict verdict) => (Restraint.Of(group) ?? Restraint.Keeping(verdict.Decision)) switch
    {
        { } restraint => Fact(ConditionTypes.Suppressed, ConditionStatus.True, restraint.Reason, restraint.Message),
        null => Fact(ConditionTypes.Suppressed, ConditionStatus.False, Reasons.NotSuppressed, "nothing keeps the operator from acting"),
    };

    private static LastFailover Summary(FailoverRecord last) => new()
    {
        Name = last.Name,
        Cause = last.Spec.Cause,
        Result = last.Status.Phase,
        DowntimeMilliseconds = last.Status.DowntimeMilliseconds,
        LostBytes = last.Status.LostBytes,
        Targets = last.Status.Targets,
    };

    private static FailoverReadiness NotReady(string reason, string message) => new() { Ready = false, Reason = reason, Message = message };

    private static ConditionStatus Is(bool value) => value ? ConditionStatus.True : ConditionStatus.False;

    private static ConditionFact Fact(string type, ConditionStatus status, string reason, string message) => new(type, status, reason, message);
}
