using FailoverOperator.Api.Attributes;

namespace FailoverOperator.Api.RedundancyGroups;

/// <summary>
/// What the group's failures have cost since counting began. Kept here, since the Failover objects are deleted by and by. Each mean comes with the
/// number of values that it is of.
/// </summary>
public sealed record GroupStatistics
{
    [Description("Since when is counted, RFC 3339.")]
    public string? Since { get; init; }

    [Description("When this was reckoned last, RFC 3339; at least once an hour.")]
    public string? AsOf { get; init; }

    [Description("Every Failover up to this term is counted, once. 0 in mode NPlusM, where slots[].countedTerm says so for each slot.")]
    public long CountedTerm { get; init; }

    [Description("Failures of the primary that a failover ended with a verified write.")]
    public int Failovers { get; init; }

    [Description("Failovers that ended as Failed; another one followed, or a person.")]
    public int FailedFailovers { get; init; }

    [Description("Changes of the primary that a person had asked for without a fault, ended with a verified write. They are in nothing else but plannedDowntimeMilliseconds.")]
    public int PlannedChanges { get; init; }

    [Description("Milliseconds without writes, over all plannedChanges.")]
    public long PlannedDowntimeMilliseconds { get; init; }

    [Description("Failovers whose downtime is known, n of meanTimeToRecoveryMilliseconds.")]
    public int Recoveries { get; init; }

    [Description("Milliseconds without writes, over all recoveries.")]
    public long DowntimeMilliseconds { get; init; }

    [Description("Failovers whose time to detection is known, n of meanTimeToDetectionMilliseconds.")]
    public int Detections { get; init; }

    [Description("Milliseconds from the last sign of service to the beginning of the failover, over all detections.")]
    public long DetectionMilliseconds { get; init; }

    [Description("MTBF: time from since to asOf for each of the failovers. Absent: there was none.")]
    public long? MeanTimeBetweenFailuresSeconds { get; init; }

    [Description("MTTR: from the last sign of service to the first verified write. Absent: not known.")]
    public long? MeanTimeToRecoveryMilliseconds { get; init; }

    [Description("MTTD: from the last sign of service to the beginning of the failover. Absent: not known.")]
    public long? MeanTimeToDetectionMilliseconds { get; init; }

    [Description("Percentage of the time from since to asOf that was not downtime of a failover, rounded down. Absent: not known yet.")]
    public string? Availability { get; init; }
}
