using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;

namespace FailoverOperator.Core.Reporting;

/// <summary>Judges a failover against the targets of its group.</summary>
public static class TargetJudge
{
    /// <param name="isLossAccepted">Without a person's word nobody is promoted beyond the recovery point objective.</param>
    public static TargetVerdict Judge(FailoverType type, TargetsSpec targets, long? downtimeMilliseconds, bool isLossAccepted) =>
        type != FailoverType.Failover || downtimeMilliseconds is null ? TargetVerdict.NotJudged
        : isLossAccepted ? TargetVerdict.RpoMissed
        : downtimeMilliseconds <= targets.RtoSeconds * 1000L ? TargetVerdict.Met
        : TargetVerdict.RtoMissed;
}
