using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;

namespace FailoverOperator.Core.Reporting;

/// <summary>Judges a failover against the targets of its group.</summary>
public static class TargetJudge
{
    /// <summary>The recovery point objective is kept by not promoting anybody beyond it, so that only time is judged here.</summary>
    public static TargetVerdict Judge(FailoverType type, TargetsSpec targets, long? downtimeMilliseconds) =>
        type != FailoverType.Failover || downtimeMilliseconds is null ? TargetVerdict.NotJudged
        : downtimeMilliseconds <= targets.RtoSeconds * 1000L ? TargetVerdict.Met
        : TargetVerdict.RtoMissed;
}
