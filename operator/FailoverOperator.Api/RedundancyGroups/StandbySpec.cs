using FailoverOperator.Api.Attributes;

namespace FailoverOperator.Api.RedundancyGroups;

/// <summary>How much a standby still has to do before it can be promoted.</summary>
public enum StandbyTemperature
{
    /// <summary>It replicates all the time, and is promoted at once if it is within the recovery point objective, or not at all.</summary>
    Hot,

    /// <summary>It runs, but takes in what it receives later: it is given time to catch up to within the recovery point objective first.</summary>
    Warm,
}

/// <summary>What is done for a standby that has to catch up.</summary>
public sealed record WarmSpec
{
    public const int DefaultSyncTimeoutSeconds = 60;

    [Description("For so long, after the old primary has been fenced, a standby whose lag is known and beyond targets.rpoSeconds is waited for. After that the failover is blocked, and says how far behind it is.")]
    [RangeMinimum(1)]
    [RangeMaximum(86400)]
    public int SyncTimeoutSeconds { get; init; } = DefaultSyncTimeoutSeconds;
}
