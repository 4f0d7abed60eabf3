using System.Globalization;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Reporting;

/// <summary>
/// For how long an old primary may write unheard before its end is proven, by the settings, as against what may be lost without a person's word.
/// <see cref="LossJudge"/> counts that time; this says beforehand that it will be too long. The worst that has an end, as <see cref="Feasibility"/>.
/// </summary>
public sealed record LossFeasibility(IReadOnlyList<TimeShare> Shares, TimeSpan Objective, TimeSpan Tolerance)
{
    private const string GracePeriod = "terminationGracePeriodSeconds of the pods";

    /// <summary>Nobody, not even a person, may let it go on.</summary>
    public required bool IsForbidden { get; init; }

    /// <summary>The field that decides most must not be lower than this.</summary>
    public required int LeastSeconds { get; init; }

    private long WorstMilliseconds => Shares.Sum(s => s.Milliseconds);

    private long AllowedMilliseconds => (long)(Objective + Tolerance).TotalMilliseconds;

    public bool IsMet => WorstMilliseconds <= AllowedMilliseconds;

    /// <summary>Null: such a silence does not count here, or a person is to be asked anyway.</summary>
    public static LossFeasibility? Of(GroupObservation group)
    {
        var spec = group.Spec;
        // A quorum has every acknowledged write, whatever was heard. A cold standby tells only when it runs.
        if ((group.HasAgents && LeasePlan.IsSynchronous(spec)) || spec.Standby == StandbyTemperature.Cold) return null;
        if (spec.Promotion.DataLoss == DataLossPolicy.RequireApproval) return null;
        if (!group.HasAgents && IsToldOf(group)) return null;
        return new([.. UntilProven(group)], DataLoss.Objective(spec), FailoverProcedure.ReadinessBound(spec))
        {
            IsForbidden = spec.Promotion.DataLoss == DataLossPolicy.Forbid,
            LeastSeconds = group.HasAgents ? LeaseTimings.Of(spec).LeastDurationSeconds : 1,
        };
    }

    /// <summary>Says what is too long, which field decides most, and what would do.</summary>
    public string Explain()
    {
        var parts = string.Join(" and ", Shares.Select(s => $"{s.What} {Seconds(s.Milliseconds)} ({s.Field})"));
        var then = IsForbidden ? "nobody is promoted, and promotion.dataLoss: Forbid lets nobody allow it" : "a person is asked";
        return $"an old primary that nobody hears may write on for {Seconds(WorstMilliseconds)} before its end is proven, {parts}; beyond {Seconds(AllowedMilliseconds)}, "
            + $"{(IsForbidden ? "" : "targets.rpoSeconds and ")}the usual pause between two answers, {then}, unless a standby tells that it went on to receive the log; {Advice()}";
    }

    private string Advice()
    {
        var most = Shares.MaxBy(s => s.Milliseconds)!;
        var fits = (most.Milliseconds - (WorstMilliseconds - AllowedMilliseconds)) / 1000;
        var lower = fits >= LeastSeconds ? string.Create(CultureInfo.InvariantCulture, $"lower it to {fits}, or ") : "";
        var raise = IsForbidden ? "let a person decide (promotion.dataLoss: RequireApproval)"
            : string.Create(CultureInfo.InvariantCulture, $"raise targets.rpoSeconds to {(WorstMilliseconds - (long)Tolerance.TotalMilliseconds + 999) / 1000}");
        return $"{most.Field} decides most: {lower}{raise}";
    }

    /// <summary>
    /// Without agents the old primary's link goes down with its process, whose end is the proof: a standby that has its link has all of it. With them the
    /// lease outlives the process. Who has told nothing yet is given the benefit of the doubt.
    /// </summary>
    private static bool IsToldOf(GroupObservation group)
    {
        var standbys = group.Members.Select(m => m.Probe.Status).OfType<EngineStatus>().Where(s => s.Role == EngineRole.Standby).ToList();
        return standbys.Count == 0 || standbys.Any(s => s.ReportedLagBytes is not null || (s.Link != ReplicationLink.Unknown && group.Spec.Standby == StandbyTemperature.Hot));
    }

    private static IEnumerable<TimeShare> UntilProven(GroupObservation group)
    {
        var detection = group.Spec.Detection;
        if (group.HasAgents)
        {
            yield return new("the lease's end", detection.LeaseDurationSeconds * 1000L, "detection.leaseDurationSeconds");
            yield break;
        }
        yield return new("detection", (detection.UnhealthyAfterSeconds * 1000L) + detection.ProbeTimeoutMilliseconds, "detection.unhealthyAfterSeconds");
        yield return new("the end of its pod", (long)(group.Members.Max(m => m.Pod.GracePeriod) ?? TimeSpan.Zero).TotalMilliseconds, GracePeriod);
    }

    private static string Seconds(long milliseconds) => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000.0:0.0} s");
}
