using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Sharing;

/// <summary>
/// Mode ActiveActive: who takes traffic. Pure. A failing member is taken out at once; it is let in again when it has been fit for long
/// enough, one member at a time. As load balancers do, the last ones are never taken out: when nobody seems fit, all whom their
/// kubelets call ready take traffic.
/// </summary>
public static class ActiveActive
{
    public static IReadOnlyList<Placed> Place(SharedObservation seen)
    {
        var group = seen.Group;
        var all = group.Members.Select(m => new Judged(m, Fitness.Of(m, group.Spec))).ToList();
        if (all.Any(j => j is { IsServing: true, Fitness: Fitness.Fit or Fitness.Unknown }))
            return [.. all.Select(j => j with { IsLetIn = j.Member == NextIn(seen, all) }).Select(j => Usual(seen, j))];
        // Nobody takes traffic, as at the first start: waiting would help nobody.
        if (all.Any(j => j.Fitness is Fitness.Fit)) return [.. all.Select(j => Usual(seen, j with { IsLetIn = true }))];
        return [.. all.Select(Panic)];
    }

    /// <summary>When the next member is due to be let in. Null: nobody waits.</summary>
    public static TimeSpan? NextAdmissionIn(SharedObservation seen, IReadOnlyList<Placed> placed)
    {
        var waiting = placed.Where(p => p.Standing is Standing.Waiting).Select(p => WaitsFor(seen, p.Member)).ToList();
        return waiting.Count == 0 ? null : waiting.Min();
    }

    private static Standing.Serving? Stays(Judged judged) => judged switch
    {
        { Fitness: Fitness.Fit, IsServing: true } or { Fitness: Fitness.Fit, IsLetIn: true } => new(),
        { Fitness: Fitness.Unknown(var why), IsServing: true } => new(why),
        _ => null,
    };

    private static Placed Usual(SharedObservation seen, Judged judged) => new(judged.Member, Stays(judged) ?? judged.Fitness switch
    {
        Fitness.Fit => new Standing.Waiting(Explain(seen, judged.Member)),
        Fitness.Unknown(var why) => new Standing.Out(why),
        Fitness.Failing(var why, _) => new Standing.Out(why),
        Fitness.Gone(var why) => (Standing)new Standing.Out(why),
        var fitness => throw new ArgumentOutOfRangeException(nameof(judged), fitness, "unknown fitness"),
    });

    /// <summary>
    /// Nobody is known to be fit. Whoever takes traffic goes on to, and those whom kubelets call ready come back: when all are silent it is
    /// more likely that the operator cannot hear them, when all nodes look down their kubelets have spoken since, and if not, nothing is lost.
    /// </summary>
    private static Placed Panic(Judged judged) => new(judged.Member, judged.Fitness switch
    {
        Fitness.Failing(var why, var isReady) when judged.IsServing || isReady => new Standing.Serving(why),
        Fitness.Failing(var why, _) => new Standing.Out(why),
        Fitness.Unknown(var why) => new Standing.Out(why),
        Fitness.Gone(var why) => (Standing)new Standing.Out(why),
        var fitness => throw new ArgumentOutOfRangeException(nameof(judged), fitness, "unknown fitness"),
    });

    /// <summary>Who has been fit for longest, if it is time. Null: nobody.</summary>
    private static Member? NextIn(SharedObservation seen, IEnumerable<Judged> all) => all
        .Where(j => j is { Fitness: Fitness.Fit, IsServing: false } && WaitsFor(seen, j.Member) == TimeSpan.Zero)
        .OrderByDescending(j => seen.FitFor.GetValueOrDefault(j.Member.Uid)).ThenBy(j => j.Member.Name, StringComparer.Ordinal)
        .Select(j => j.Member).FirstOrDefault();

    private static TimeSpan WaitsFor(SharedObservation seen, Member member)
    {
        var readmission = seen.Group.Spec.Readmission ?? new ReadmissionSpec();
        var stable = TimeSpan.FromSeconds(readmission.StabilizationSeconds) - seen.FitFor.GetValueOrDefault(member.Uid);
        var turn = seen.AdmittedAgo is { } ago ? TimeSpan.FromSeconds(readmission.IntervalSeconds) - ago : TimeSpan.Zero;
        var longer = stable > turn ? stable : turn;
        return longer > TimeSpan.Zero ? longer : TimeSpan.Zero;
    }

    private static string Explain(SharedObservation seen, Member member)
    {
        var readmission = seen.Group.Spec.Readmission ?? new ReadmissionSpec();
        return seen.FitFor.GetValueOrDefault(member.Uid) < TimeSpan.FromSeconds(readmission.StabilizationSeconds)
            ? $"takes traffic again when it has been healthy for {readmission.StabilizationSeconds} s (readmission.stabilizationSeconds)"
            : $"takes traffic again in its turn (readmission.intervalSeconds: {readmission.IntervalSeconds})";
    }

    private sealed record Judged(Member Member, Fitness Fitness)
    {
        public bool IsServing => Member.RoleLabel == RoleLabels.Active;

        public bool IsLetIn { get; init; }
    }
}
