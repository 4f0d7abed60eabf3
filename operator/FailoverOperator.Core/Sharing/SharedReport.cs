using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Reporting;

namespace FailoverOperator.Core.Sharing;

/// <summary>What the status of a group is to say in which nobody is promoted by the operator.</summary>
public static class SharedReport
{
    public static GroupReport Of(GroupObservation group, AcceptanceVerdict acceptance, SharedVerdict verdict)
    {
        var readiness = Readiness(verdict);
        return new GroupReport
        {
            Conditions =
            [
                new(ConditionTypes.Accepted, Is(acceptance.Accepted), acceptance.Reason, acceptance.Message),
                verdict.Available,
                Redundant(group, verdict, MemberBudgets.Complaint(group)),
                new(ConditionTypes.FailoverReady, verdict.Impaired is null ? Is(readiness.Ready) : ConditionStatus.Unknown, readiness.Reason, readiness.Message),
                new(ConditionTypes.TargetsMet, ConditionStatus.Unknown, Reasons.NoFailoverYet, $"mode {group.Spec.Mode} has no failovers that could be judged"),
                Progressing(verdict),
                Restraint.Of(group) is { } restraint
                    ? new(ConditionTypes.Suppressed, ConditionStatus.True, restraint.Reason, restraint.Message)
                    : new(ConditionTypes.Suppressed, ConditionStatus.False, Reasons.NotSuppressed, "nothing keeps the operator from acting"),
            ],
            Slots = verdict is { Leader: { } leader, Term: { } term } ? [new SlotFact(group.Slot, leader.Name, term, null)] : [],
            Members = [.. MemberReport.Of(group, null, null).Zip(verdict.Members, Describe)],
            OpenCircuits = MemberReport.OpenCircuits(group),
            SparesReady = verdict.ToSpare,
            Readiness = readiness,
        };
    }

    private static MemberStatus Describe(MemberStatus status, Placed placed) => status with
    {
        Role = placed.Standing is Standing.Serving ? MemberRole.Active : MemberRole.Standby,
        LagBytes = null,
        Message = placed.Standing.Why ?? status.Message,
    };

    /// <param name="unguarded">Why no PodDisruptionBudget guards the members. Null: one does.</param>
    private static ConditionFact Redundant(GroupObservation group, SharedVerdict verdict, string? unguarded)
    {
        if (verdict.Impaired is { } doubt) return new(ConditionTypes.Redundant, ConditionStatus.Unknown, Reasons.OperatorImpaired, doubt);
        var note = unguarded is null ? "" : $"; {unguarded}";
        if (verdict.ToSpare < group.Spec.Spares)
        {
            return new(ConditionTypes.Redundant, ConditionStatus.False, Reasons.TooFewSpares,
                $"{MayFail(verdict.ToSpare)}, {group.Spec.Spares} wanted (spares){note}");
        }
        return Placement.Concentration(group) is var (reason, message)
            ? new(ConditionTypes.Redundant, ConditionStatus.False, reason, message + note)
            : new(ConditionTypes.Redundant, ConditionStatus.True, Reasons.EnoughSpares,
                $"{MayFail(verdict.ToSpare)}, {group.Spec.Spares} wanted (spares){note}");
    }

    private static FailoverReadiness Readiness(SharedVerdict verdict) => verdict switch
    {
        { Impaired: { } doubt } => new() { Ready = false, Reason = Reasons.OperatorImpaired, Message = doubt },
        { ToSpare: > 0 and var spare } => new() { Ready = true, Reason = Reasons.Ready, Message = MayFail(spare) },
        _ => new() { Ready = false, Reason = Reasons.TooFewSpares, Message = $"{MayFail(0)}: {verdict.Available.Message}" },
    };

    private static ConditionFact Progressing(SharedVerdict verdict)
    {
        if (verdict.Impaired is { } doubt)
            return new(ConditionTypes.Progressing, ConditionStatus.True, Reasons.OperatorImpaired, $"the operator cannot trust what it sees and does nothing: {doubt}");
        if (verdict.Steps.Count > 0) return new(ConditionTypes.Progressing, ConditionStatus.True, Reasons.Repairing, "labels, Services or members are being put right");
        var waiting = verdict.Members.Where(p => p.Standing is Standing.Waiting { For: not null }).ToList();
        return waiting.Count == 0
            ? new(ConditionTypes.Progressing, ConditionStatus.False, Reasons.Steady, "the right members are active")
            : new(ConditionTypes.Progressing, ConditionStatus.True, Reasons.WaitingForMembers,
                string.Join("; ", waiting.Select(p => $"{p.Member.Name} {p.Standing.Why}")));
    }

    private static string MayFail(int members) => members switch
    {
        0 => "no more member may fail",
        1 => "1 more member may fail",
        _ => $"{members} more members may fail",
    };

    private static ConditionStatus Is(bool value) => value ? ConditionStatus.True : ConditionStatus.False;
}
