using FailoverOperator.Api.Attributes;

namespace FailoverOperator.Api.RedundancyGroups;

/// <summary>What becomes of the slot when the primary's server has crashed.</summary>
public enum OnProcessCrash
{
    Failover,
    RestartFirst,
}

/// <summary>When a member counts as failed.</summary>
public sealed record DetectionSpec
{
    [Description("With agents: the primary's lease has expired when it was not renewed for so long. The primary stops to be writable before that.")]
    [RangeMinimum(2)]
    [RangeMaximum(300)]
    public int LeaseDurationSeconds { get; init; } = 5;

    [Description("With agents: time from one renewal of the lease to the next.")]
    [RangeMinimum(100)]
    [RangeMaximum(60000)]
    public int RenewIntervalMilliseconds { get; init; } = 1000;

    [Description("With agents: what becomes of the slot when the primary's server has crashed. Failover: a standby takes over at once. RestartFirst: the agent tries to start it again within restartTimeoutSeconds, and keeps the lease meanwhile.")]
    public OnProcessCrash OnProcessCrash { get; init; } = OnProcessCrash.Failover;

    [Description("With onProcessCrash RestartFirst: time for the restarted server to take writes again. After it the lease is released.")]
    [RangeMinimum(1)]
    [RangeMaximum(300)]
    public int RestartTimeoutSeconds { get; init; } = 10;

    [Description("A member that is silent or not ready for so long has failed. An ended process or a deleted pod counts at once.")]
    [RangeMinimum(1)]
    [RangeMaximum(3600)]
    public int UnhealthyAfterSeconds { get; init; } = 5;

    [Description("Time from one question to a member's engine to the next.")]
    [RangeMinimum(100)]
    [RangeMaximum(60000)]
    public int ProbeIntervalMilliseconds { get; init; } = 500;

    [Description("A member that has not answered within this time is silent.")]
    [RangeMinimum(100)]
    [RangeMaximum(60000)]
    public int ProbeTimeoutMilliseconds { get; init; } = 1000;
}
