using System.Collections.Concurrent;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Reporting;
using k8s.Models;
using Prometheus;

namespace FailoverOperator.Recording;

/// <summary>
/// The operator's metrics. Labels are bounded: groups, their members, phases, causes and results; a group that goes
/// takes its series with it.
/// </summary>
public sealed class OperatorMetrics(CollectorRegistry registry)
{
    private static readonly string[] GroupLabels = ["namespace", "group"];
    private static readonly string[] MemberLabels = ["namespace", "group", "member"];

    private readonly IMetricFactory _factory = Metrics.WithCustomRegistry(registry);

    /// <summary>The members of each group that have series. To look for them among all series would cost every look at one group a walk through all others.</summary>
    private readonly ConcurrentDictionary<(string Namespace, string Group), string[]> _members = new();

    private Histogram Duration => field ??= _factory.CreateHistogram("redundancy_failover_duration_seconds",
        "Time that a phase of a failover took; phase total is the whole downtime.", ["namespace", "group", "phase"],
        new HistogramConfiguration { Buckets = [0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 30, 60, 120, 300] });

    private Counter Failovers => field ??= _factory.CreateCounter("redundancy_failovers_total", "Ended failovers.", ["namespace", "group", "type", "cause", "result"]);

    private Counter Fences => field ??= _factory.CreateCounter("redundancy_fences_total", "Old primaries that were kept from writing, by the proof of it.", ["namespace", "group", "evidence"]);

    private Counter Suppressed => field ??= _factory.CreateCounter("redundancy_failovers_suppressed_total", "Times that a needed failover was kept back, by the reason of condition Suppressed.", ["namespace", "group", "reason"]);

    private Counter Ejections => field ??= _factory.CreateCounter("redundancy_ejections_total", "Times that a member was taken out of traffic, in modes without failovers.", GroupLabels);

    private Gauge LeaseSlack => field ??= _factory.CreateGauge("redundancy_lease_slack_seconds",
        "Time between the moment when a holder has surely stopped and the one when its lease expires, clocks at their worst; absent without agents.", GroupLabels);

    private Gauge Available => field ??= _factory.CreateGauge("redundancy_available", "1 while a primary takes writes.", GroupLabels);

    private Gauge FailoverReady => field ??= _factory.CreateGauge("redundancy_failover_ready", "1 while a failover would work.", GroupLabels);

    private Gauge SparesReady => field ??= _factory.CreateGauge("redundancy_spares_ready", "Standbys that could take over.", GroupLabels);

    private Gauge SparesWanted => field ??= _factory.CreateGauge("redundancy_spares_wanted", "Standbys that are wanted.", GroupLabels);

    private Gauge Term => field ??= _factory.CreateGauge("redundancy_term", "Fencing epoch; of several slots the highest.", GroupLabels);

    private Gauge Blocked => field ??= _factory.CreateGauge("redundancy_failover_blocked", "1 while a failover is needed and cannot go on.", GroupLabels);

    private Gauge TimeBetweenFailures => field ??= _factory.CreateGauge("redundancy_mean_time_between_failures_seconds", "Observed time for each failure of the primary; absent without one.", GroupLabels);

    private Gauge TimeToRecovery => field ??= _factory.CreateGauge("redundancy_mean_time_to_recovery_seconds", "Mean downtime of the failovers; absent without one.", GroupLabels);

    private Gauge TimeToDetection => field ??= _factory.CreateGauge("redundancy_mean_time_to_detection_seconds", "Mean time until a failover was begun; absent without one.", GroupLabels);

    private Gauge Availability => field ??= _factory.CreateGauge("redundancy_availability_ratio", "Share of the observed time that was not downtime of a failover; absent at first.", GroupLabels);

    private Gauge Lag => field ??= _factory.CreateGauge("redundancy_replication_lag_bytes", "Bytes that a standby is behind its primary; absent while unknown.", MemberLabels);

    private Gauge Healthy => field ??= _factory.CreateGauge("redundancy_member_healthy", "1 while a member is healthy.", MemberLabels);

    private Gauge OpenCircuits => field ??= _factory.CreateGauge("redundancy_member_circuits_open",
        "Operations that kept failing on a member and are not tried for a while.", MemberLabels);

    public void Ended(RedundancyGroup group, Failover failover)
    {
        var (status, labels) = (failover.Status!, Labels(group));
        Failovers.WithLabels([.. labels, failover.Spec.Type.ToString(), failover.Spec.Cause.ToString(), status.Phase.ToString()]).Inc();
        if (failover.Spec.Type != FailoverType.Failover) return;
        foreach (var phase in status.Phases) Duration.WithLabels([.. labels, phase.Name.ToString().ToLowerInvariant()]).Observe(phase.Milliseconds / 1000.0);
        if (status.DowntimeMilliseconds is { } downtime) Duration.WithLabels([.. labels, "total"]).Observe(downtime / 1000.0);
    }

    public void Fenced(RedundancyGroup group, FenceEvidence evidence) => Fences.WithLabels([.. Labels(group), evidence.ToString()]).Inc();

    /// <param name="reason">Of condition Suppressed.</param>
    public void KeptBack(RedundancyGroup group, string reason) => Suppressed.WithLabels([.. Labels(group), reason]).Inc();

    public void Ejected(RedundancyGroup group) => Ejections.WithLabels(Labels(group)).Inc();

    public void Report(RedundancyGroup group, GroupReport report, bool blocked)
    {
        var labels = Labels(group);
        Available.WithLabels(labels).Set(IsTrue(report, Api.ConditionTypes.Available));
        FailoverReady.WithLabels(labels).Set(IsTrue(report, Api.ConditionTypes.FailoverReady));
        SparesReady.WithLabels(labels).Set(report.SparesReady);
        SparesWanted.WithLabels(labels).Set(group.Spec.Spares);
        Blocked.WithLabels(labels).Set(blocked ? 1 : 0);
        if (report.Slots.Max(s => s.Term) is { } term) Term.WithLabels(labels).Set(term);
        if (group.Spec.Agent is null) LeaseSlack.RemoveLabelled(labels);
        else LeaseSlack.WithLabels(labels).Set(Slack(group.Spec).TotalSeconds);
        if (report.Statistics is { } statistics) Report(labels, statistics);
        KeepMembers(labels, [.. report.Members.Select(m => m.Name)]);
        foreach (var member in report.Members)
        {
            Healthy.WithLabels([.. labels, member.Name]).Set(member.Health == MemberHealth.Healthy ? 1 : 0);
            if (member.LagBytes is { } lag) Lag.WithLabels([.. labels, member.Name]).Set(lag);
            else Lag.RemoveLabelled([.. labels, member.Name]);
            OpenCircuits.WithLabels([.. labels, member.Name]).Set(report.OpenCircuits.GetValueOrDefault(member.Name));
        }
    }

    private void Report(string[] labels, GroupStatistics statistics)
    {
        Set(TimeBetweenFailures, statistics.MeanTimeBetweenFailuresSeconds);
        Set(TimeToRecovery, statistics.MeanTimeToRecoveryMilliseconds / 1000.0);
        Set(TimeToDetection, statistics.MeanTimeToDetectionMilliseconds / 1000.0);
        Set(Availability, double.TryParse(statistics.Availability, System.Globalization.CultureInfo.InvariantCulture, out var percent) ? percent / 100 : null);

        void Set(Gauge gauge, double? value)
        {
            if (value is { } known) gauge.WithLabels(labels).Set(known);
            else gauge.RemoveLabelled(labels);
        }
    }

    /// <summary>The group is gone.</summary>
    public void Forget(RedundancyGroup group)
    {
        var labels = Labels(group);
        foreach (var gauge in new[] { Available, FailoverReady, SparesReady, SparesWanted, Term, Blocked, LeaseSlack, TimeBetweenFailures, TimeToRecovery, TimeToDetection, Availability }) gauge.RemoveLabelled(labels);
        KeepMembers(labels, []);
        foreach (var counter in new[] { Failovers, Fences, Suppressed, Ejections })
        {
            foreach (var series in counter.GetAllLabelValues().Where(l => l[0] == labels[0] && l[1] == labels[1]).ToList()) counter.RemoveLabelled(series);
        }
        foreach (var series in Duration.GetAllLabelValues().Where(l => l[0] == labels[0] && l[1] == labels[1]).ToList()) Duration.RemoveLabelled(series);
    }

    /// <summary>Those of others go.</summary>
    private void KeepMembers(string[] labels, string[] names)
    {
        var group = (labels[0], labels[1]);
        foreach (var gone in _members.GetValueOrDefault(group, []).Where(name => !names.Contains(name)))
        {
            foreach (var gauge in new[] { Lag, Healthy, OpenCircuits }) gauge.RemoveLabelled([.. labels, gone]);
        }
        if (names.Length > 0) _members[group] = names;
        else _members.TryRemove(group, out _);
    }

    private static TimeSpan Slack(RedundancyGroupSpec spec) => LeaseTimings.Of(new LeaseTerms
    {
        LeaseDurationSeconds = spec.Detection.LeaseDurationSeconds,
        StopAfterMilliseconds = spec.Fencing.StopAfterMilliseconds,
        DemoteTimeoutMilliseconds = spec.Fencing.DemoteTimeoutMilliseconds,
    }).Slack;

    private static double IsTrue(GroupReport report, string type) => report.Conditions.First(c => c.Type == type).Status == ConditionStatus.True ? 1 : 0;

    private static string[] Labels(RedundancyGroup group) => [group.Namespace(), group.Name()];
}
