using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Sharing;

namespace FailoverOperator.Core.Decisions;

/// <summary>What was found, and what to do about it.</summary>
public sealed record Verdict(Diagnosis Diagnosis, FailoverRecord? Running, Decision Decision);

/// <summary>
/// Judges and decides for one group. Pure: from one observation always the same verdict.
/// </summary>
public static class Decider
{
    public static Verdict Decide(GroupObservation group)
    {
        var diagnosis = PrimaryDetector.Diagnose(group);
        var running = group.Failovers.Where(f => f is { IsOwn: true, IsEnded: false }).ToList();
        if (diagnosis is Diagnosis.OperatorImpaired impaired)
        {
            return new(diagnosis, running.LastOrDefault(), new Decision.Wait(
                TimeSpan.FromSeconds(1), Reasons.OperatorImpaired, $"the operator cannot trust what it sees and does nothing: {impaired.Why}"));
        }

        if (Requests.Next(group, diagnosis, isFree: running.Count == 0) is { } answer) return answer;

        // At most one is acted on: the highest own term. Others are ended first.
        if (running is [var older, .., var newest]) return new(diagnosis, older, FailoverProcedure.Supersede(older, newest));
        if (running is [var only] && group.Failovers.LastOrDefault(f => f.IsOwn) is { } last && last != only)
            return new(diagnosis, only, FailoverProcedure.Supersede(only, last));
        return running is [var current]
            ? new(diagnosis, current, FailoverProcedure.Next(group, current))
            : new(diagnosis, null, OnDiagnosis(group, diagnosis));
    }

    private static Decision OnDiagnosis(GroupObservation group, Diagnosis diagnosis) => diagnosis switch
    {
        Diagnosis.Healthy => OnHealthy(group),
        Diagnosis.SplitBrainSuspected => Mend(group, LookAgainIn(group)),
        Diagnosis.PrimaryIsolated isolated => Mend(group, isolated.LookAgainIn),
        Diagnosis.PrimaryDemoted demoted when SlotHolder.Of(group).PromotionTimedOut => OnFailure(group, new Diagnosis.PrimaryFailed(
            FailoverCause.PrimaryUnresponsive, [$"{demoted.Primary.Name} was to become primary and did not within promotion.timeoutSeconds"])),
        Diagnosis.PrimaryDemoted when Rivals.Carried(group) is [var rival, ..] => OnFailure(group, new Diagnosis.PrimaryFailed(
            FailoverCause.PrimaryMoved, [$"{rival.Name} said that it takes writes, and has not been heard since"])),
        Diagnosis.PrimaryDemoted demoted when Elections.HasLostItsData(group, demoted.Primary) => OnFailure(group, new Diagnosis.PrimaryFailed(
            FailoverCause.PrimaryProcessDown, [$"{demoted.Primary.Name} has become a standby, and holds no data any more"])),
        Diagnosis.PrimaryDemoted demoted => new Decision.Advance(new Step.Promote(demoted.Primary, SlotHolder.Of(group).Term)),
        Diagnosis.PrimaryMoved moved => Begin(group, FailoverType.Adoption, FailoverCause.PrimaryMoved,
            [$"{moved.Primary.Name} takes writes, and {SlotHolder.Of(group).Holder!.Name} has become a standby, without the operator"]),
        // Who held a lease that was deleted can say only in a new one that it has gone.
        Diagnosis.PrimarySuspected or Diagnosis.PrimaryFailed when group.Lease is { Record: null } =>
            new Decision.Advance(new Step.RecreateLease(SlotHolder.Of(group).Term, LeasePlan.TermsFor(group))),
        Diagnosis.PrimarySuspected suspected =>
            new Decision.Wait(suspected.DecisiveIn ?? TimeSpan.FromSeconds(1), suspected.Reason, suspected.Evidence),
        Diagnosis.CredentialsRejected rejected => new Decision.Blocked(Reasons.CredentialsRejected,
            "the operator cannot log in, so nothing is known of the members; "
            + $"correct the Secret that {SecretField(group)} names: {rejected.Message}"),
        // A budget of an earlier mode is never more important than an election; but who waits for the first primary may wait for long.
        Diagnosis.NewGroup => OnNewGroup(group) is var next && next is Decision.Wait or Decision.Blocked && MemberBudgets.Superfluous(group) is { Count: > 0 } earlier
            ? new Decision.Advance(earlier)
            : next,
        Diagnosis.PrimaryFailed failed => OnFailure(group, failed),
        Diagnosis.OperatorImpaired => throw new InvalidOperationException("an impaired operator decides nothing"),
        _ => throw new ArgumentOutOfRangeException(nameof(diagnosis), diagnosis, "unknown diagnosis"),
    };

    private static Decision OnHealthy(GroupObservation group)
    {
        if (ColdStandby.Rest(group) is { } rest) return new Decision.Advance(rest);
        var mended = Mend(group, Least(LookAgainIn(group), Failback.WaitsFor(group)));
        if (mended is not Decision.Steady) return mended;
        return Disruption.Next(group) ?? Rollout.Next(group) ?? (Failback.Due(group) is { } plan ? new Decision.Begin(plan) : mended);
    }

    private static TimeSpan? LookAgainIn(GroupObservation group) => Least(group.HasAgents ? group.LeaseExpiresIn : null, Requests.LookAgainIn(group));

    private static TimeSpan? Least(TimeSpan? one, TimeSpan? other) => one is null || other < one ? other : one;

    private static string SecretField(GroupObservation group) => group.HasAgents ? "agent.tokenSecretRef" : "engine.redis.passwordSecretRef";

    /// <param name="lookAgainIn">When something runs out that has to be noticed. Null: nothing.</param>
    private static Decision Mend(GroupObservation group, TimeSpan? lookAgainIn)
    {
        var slot = SlotHolder.Of(group);
        var primary = slot.MemberIn(group)!;
        var steps = Repairs.Needed(group, primary, slot.Term);
        // Only a primary that says so itself is one to follow.
        if (!primary.IsWritablePrimary) steps = [.. steps.Where(s => s is not Step.Follow)];
        steps = [.. steps, .. Budgets.Needed(group)];
        if (group.HasAgents && Repairs.NewTerms(group, primary) is { } terms) steps = [.. steps, terms];
        return steps.Count == 0 ? new Decision.Steady(lookAgainIn) : new Decision.Advance(steps);
    }

    private static Decision OnNewGroup(GroupObservation group)
    {
        var rejected = group.Members.Select(m => m.Probe.Reply).OfType<EngineReply.Unauthorized>().FirstOrDefault();
        if (rejected is not null) return OnDiagnosis(group, new Diagnosis.CredentialsRejected(rejected.Message));

        if (group.HasAgents) return OnNewGroupWithAgents(group);
        if (Slots.AreSparesPromised(group) && !group.Members.Any(m => m.SlotLabel == group.Slot))
            return new Decision.Wait(TimeSpan.FromSeconds(1), Reasons.WaitingForMembers, $"the spares that are there are for {group.PromisedSpares} slots that are more important");

        var primaries = group.Members.Where(m => m.IsWritablePrimary).ToList();
        var atWork = primaries is [var one]
            && group.Members.Any(m => m.Probe.Status is { Role: EngineRole.Standby, Link: ReplicationLink.Up } s && s.FollowsAddress == one.Address);
        if (!atWork && !Elections.AllAnswer(group))
        {
            return new Decision.Wait(TimeSpan.FromSeconds(1), Reasons.WaitingForMembers,
                $"the first primary is chosen when all {group.WorkloadReplicas} members have answered; missing: {Elections.Missing(group)}");
        }

        var choice = primaries.Count > 0 && primaries.Any(p => p.Probe.Status!.IsEmpty != true) ? Elections.Found(group) : Elections.First(group);
        if (choice is Choice.Nobody nobody) return new Decision.Blocked(nobody.Reason, nobody.Why);
        return primaries.Contains(((Choice.Candidate)choice).Member)
            ? Begin(group, FailoverType.Adoption, FailoverCause.NewGroup, [$"{((Choice.Candidate)choice).Member.Name} is primary already"])
            : Begin(group, FailoverType.Election, FailoverCause.NewGroup, ["no member is primary"]);
    }

    /// <summary>Nobody is adopted. A lease that somebody else's records gave is waited for, or goes on in a new term.</summary>
    private static Decision OnNewGroupWithAgents(GroupObservation group) => LeaseElections.First(group) switch
    {
        Choice.Candidate(var member, _) when group.Lease?.Record is { } lease && lease.Holder != member.Identity && !LeaseFence.IsOver(group) =>
            new Decision.Wait(group.LeaseExpiresIn, Reasons.WaitingForMembers,
                $"the lease still names {lease.Holder ?? "nobody"}, who does not serve: waiting until it has run out"),
        Choice.Candidate => Begin(group, FailoverType.Election, FailoverCause.NewGroup, ["no member is primary"]),
        Choice.Nobody { Reason: Reasons.MembersUnknown } nobody =>
            new Decision.Wait(TimeSpan.FromSeconds(1), Reasons.WaitingForMembers, nobody.Message),
        Choice.Nobody nobody => new Decision.Blocked(nobody.Reason, nobody.Why),
        var choice => throw new ArgumentOutOfRangeException(nameof(group), choice, "unknown choice"),
    };

    /// <summary>Begun as soon as there is hope: what the lease's time alone does not allow, a better proof may.</summary>
    private static Decision OnFailureWithAgents(GroupObservation group, Diagnosis.PrimaryFailed failed) =>
        LeaseElections.Prospect(group, Benchmark.Of(group)) switch
        {
            Choice.Candidate => Begin(group, FailoverType.Failover, failed.Cause, failed.Evidence),
            Choice.Nobody when CatchUp.IsHoped(group, Benchmark.Of(group)) => Begin(group, FailoverType.Failover, failed.Cause, failed.Evidence),
            Choice.Nobody nobody => new Decision.Blocked(
                nobody.Reason == Reasons.NoCandidate && !group.Members.Any(m => m.Answers) ? Reasons.AllMembersDown : nobody.Reason,
                nobody.Why.Within(why => $"{string.Join(", ", failed.Evidence)}; {why}")),
            var choice => throw new ArgumentOutOfRangeException(nameof(group), choice, "unknown choice"),
        };

    private static Decision OnFailure(GroupObservation group, Diagnosis.PrimaryFailed failed)
    {
        if (Restraint.OnFailure(group) is { } restraint) return restraint.ToDecision(failed.Evidence);
        if ((Brakes.On(group) ?? Dependencies.On(group)) is { } brake) return InPlace(group, failed) ?? brake.ToDecision(failed.Evidence);
        if (Dependencies.SettlesIn(group) is { } moment)
        {
            return new Decision.Wait(moment, Reasons.FailureSuspected,
                $"{string.Join(", ", failed.Evidence)}; about to fail over, unless a group of dependsOn has failed, too");
        }
        if (group.HasAgents) return OnFailureWithAgents(group, failed);
        var holder = SlotHolder.Of(group).Holder!;
        var benchmark = Benchmark.Of(group);
        var candidates = Candidates.Of(group, benchmark, FailoverProcedure.ReadinessBound(group.Spec));
        if (candidates.Ranked(group.Members).Count > 0 || CatchUp.IsHoped(group, benchmark) || Choice.Candidate.AtALoss(candidates, group) is not null) return Begin(group, FailoverType.Failover, failed.Cause, failed.Evidence);
        // The same pod runs one process at a time. A new pod of its name proves nothing of the old one's end: that is fenced.
        if (Elections.Returned(group, holder, benchmark) is { } back && back.Uid != holder.Uid && Fence.Proof(group, holder, null, TimeSpan.Zero) is null)
            return Begin(group, FailoverType.Failover, failed.Cause, failed.Evidence);
        if (Elections.Returned(group, holder, benchmark) is not null)
        {
            return Begin(group, FailoverType.Election, FailoverCause.AllMembersDown,
                [.. failed.Evidence, $"{holder.Name} is back with its data, and nobody else may be promoted"]);
        }
        if (ColdStandby.IsHoped(group)) return Begin(group, FailoverType.Failover, failed.Cause, failed.Evidence);
        if (ColdStandby.Prospect(group) is { IsReady: not true } prospect)
            return new Decision.Blocked(prospect.Reason, $"{string.Join(", ", failed.Evidence)}; nobody who runs may be promoted, and {prospect.Message}");
        if (Elections.Emptied(group, holder, benchmark) is { } emptied) return new Decision.Blocked(emptied.Reason, $"{string.Join(", ", failed.Evidence)}; {emptied.Message}");
        var refusals = candidates.Refusals(group.Members);
        // A slot does not see who is bound to the others: these may well be up.
        var reason = refusals.FirstOrDefault(r => r.IsForLoss)?.Reason
            ?? (Slots.AreBound(group.Spec) || group.Members.Any(m => m.Answers) ? Reasons.NoCandidate : Reasons.AllMembersDown);
        return new Decision.Blocked(reason,
            Elections.Explain($"{string.Join(", ", failed.Evidence)}; nobody may be promoted: {FailoverProcedure.Explain(candidates, group)}", refusals, group));
    }

    /// <summary>The failed primary has come back, and gets its own place again: that moves nothing. Null: it has not, or not surely with its data.</summary>
    private static Decision.Begin? InPlace(GroupObservation group, Diagnosis.PrimaryFailed failed)
    {
        var holder = SlotHolder.Of(group).Holder!;
        IReadOnlyList<string> evidence = [.. failed.Evidence, $"{holder.Name} is back"];
        if (group.HasAgents)
        {
            var plan = Plan.For(group, FailoverType.Failover, failed.Cause, evidence) with { Target = holder.Name };
            return LeaseElections.Prospect(group, Benchmark.Of(plan)) is Choice.Candidate(var same, _) && same.Uid == holder.Uid ? new(plan) : null;
        }
        return Elections.Returned(group, holder, Benchmark.Of(group)) is { } back && (back.Uid == holder.Uid || Fence.Proof(group, holder, null, TimeSpan.Zero) is not null)
            ? Begin(group, FailoverType.Election, failed.Cause, evidence)
            : null;
    }

    private static Decision.Begin Begin(GroupObservation group, FailoverType type, FailoverCause cause, IReadOnlyList<string> evidence) =>
        new(Plan.For(group, type, cause, evidence));
}
