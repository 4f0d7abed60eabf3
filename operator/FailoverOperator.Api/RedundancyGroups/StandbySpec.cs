using FailoverOperator.Api.Attributes;

namespace FailoverOperator.Api.RedundancyGroups;

/// <summary>How much a standby still has to do before it can be promoted.</summary>
public enum StandbyTemperature
{
    /// <summary>It replicates all the time, and is promoted at once if it is within the recovery point objective, or not at all.</summary>
    Hot,

    /// <summary>It runs, but takes in what it receives later: it is given time to catch up to within the recovery point objective first.</summary>
    Warm,

    /// <summary>It does not run: its workload has no replicas, and is scaled up when it is needed.</summary>
    Cold,
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

/// <summary>Where a cold standby has its data from, and so what is known of its lag.</summary>
public enum ColdData
{
    /// <summary>Its status hook tells, once it runs, how far behind it is; it is judged as every standby is, and not promoted while that is unknown.</summary>
    Reported,

    /// <summary>Every member works on the same storage: whoever is started has all that the primary has written there.</summary>
    Shared,
}

/// <summary>The workload that is started when the primary has failed.</summary>
public sealed record ColdSpec
{
    public const int DefaultStartTimeoutSeconds = 120;

    [Required]
    [Description("The standby's workload, in the group's namespace. The operator owns its replicas: none while the primary is a member of workloadRef, one when it is needed.")]
    public ScalableReference WorkloadRef { get; init; } = new();

    [Description("Reported: hook status tells the standby's lag once it runs; unknown is not promoted. Shared: all members work on the same storage, so that nothing that was written there is lost; the operator cannot check that.")]
    public ColdData Data { get; init; } = ColdData.Reported;

    [Description("For so long, after the old primary has been fenced, the standby may take until it is ready and answers. After that the failover is blocked, and says what is missing.")]
    [RangeMinimum(1)]
    [RangeMaximum(86400)]
    public int StartTimeoutSeconds { get; init; } = DefaultStartTimeoutSeconds;
}

/// <summary>Names a workload of any kind that has the subresource scale.</summary>
public sealed record ScalableReference
{
    [Description("API version of the workload.")]
    [Length(1, 253)]
    public string ApiVersion { get; init; } = "apps/v1";

    [Description("Kind of the workload: Deployment, StatefulSet, or any other one that is served with subresource scale. The chart grants the right to scale these two.")]
    [Length(1, 63)]
    public string Kind { get; init; } = "Deployment";

    [Required]
    [Description("Name of the workload.")]
    [Length(1, 253)]
    public string Name { get; init; } = "";
}
