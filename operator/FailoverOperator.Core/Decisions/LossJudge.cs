using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Decisions;

/// <summary>
/// What would be lost if a member took the old primary's place. Invariant I4: what may be lost without a person's word is within the objective,
/// and an unknown loss is not. It is counted up to the proof of the old primary's end: what nobody heard of, it may have written.
/// </summary>
/// <param name="byQuorum">Each acknowledged write is in so many members that those who were heard have it.</param>
internal sealed class LossJudge(RedundancyGroupSpec spec, Benchmark benchmark, bool byQuorum)
{
    /// <summary>Time from the last word of the old primary to the proof of its end. Null: not counted, see <see cref="DataLoss.Silence"/>.</summary>
    public required TimeSpan? Silence { get; init; }

    /// <summary>What the old primary told before its last word. Null: only what is written down is known.</summary>
    public required PositionHistory? Positions { get; init; }

    /// <summary>Members are asked now and then: so much silence says nothing.</summary>
    public required TimeSpan Tolerance { get; init; }

    private TimeSpan Objective => DataLoss.Objective(spec);

    private TimeSpan Unheard => Silence > Tolerance ? Silence.Value - Tolerance : TimeSpan.Zero;

    /// <summary>Bytes behind the old primary's last known position. Null: unknown.</summary>
    public long? LagOf(EngineStatus status) =>
        benchmark.PrimaryPositionBytes is { } primary && benchmark.PositionOf(status) is { } position && benchmark.KinshipOf(status) >= Kinship.Parent ? Math.Max(0, primary - position) : null;

    public Eligibility Judge(Member member, EngineStatus status) => Strictly(member, status) switch
    {
        // That is more than a loss: it would have the others copy nothing.
        Eligibility.Ineligible refusal when status.IsEmpty == true => refusal with { IsForLoss = false },
        var judged => judged,
    };

    private Eligibility Strictly(Member member, EngineStatus status)
    {
        var name = member.Name;
        if (byQuorum) return ByQuorum(name, status);
        if (status.ReportedLagBytes == 0 && !FollowsSomebodyElse(status) && status.Link != ReplicationLink.Down) return new Eligibility.Eligible(0);
        if (benchmark.RequiredPositionBytes is null || status.PositionBytes is not { } position) return ByTime(member, status);
        if (Unheard > Objective) return AfterSilence(member, status);
        var required = RequiredPositionBytes;
        return benchmark.KinshipOf(status) switch
        {
            Kinship.Same => ByPosition(name, position, required),
            Kinship.Parent when ByPosition(name, benchmark.PositionOf(status)!.Value, required) is Eligibility.Eligible eligible => eligible,
            // What it lacks was written since its link was up last.
            Kinship.Parent when status.Link == ReplicationLink.Down && spec.Standby != StandbyTemperature.Warm => ByTime(member, status),
            _ => Foreign(name),
        };
    }

    /// <summary>Whoever went on to receive what nobody else heard has at least what was heard.</summary>
    private Eligibility AfterSilence(Member member, EngineStatus status)
    {
        if (benchmark.KinshipOf(status) is Kinship.Other or Kinship.Earlier) return Foreign(member.Name);
        var heard = Positions?.Newest ?? benchmark.PrimaryPositionBytes ?? benchmark.RequiredPositionBytes!.Value;
        return benchmark.PositionOf(status) is { } position && position < heard ? ByPosition(member.Name, position, heard) : ByTime(member, status);
    }

    /// <summary>Where the old primary was, by its own word, so long before the proof of its end as may be lost.</summary>
    private long RequiredPositionBytes => Unheard == TimeSpan.Zero && spec.Promotion.DataLoss == DataLossPolicy.WithinTarget
        // It may have been heard since that was written down.
        ? Math.Max(benchmark.RequiredPositionBytes!.Value, Positions?.RequiredWithin(Objective) ?? 0)
        : Positions?.RequiredWithin(Objective - Unheard) ?? benchmark.PrimaryPositionBytes ?? benchmark.RequiredPositionBytes!.Value;

    /// <summary>That a standby receives the log says nothing of what it has taken in: without a position or a lag nothing is known.</summary>
    private static Eligibility OfLate(Member member, EngineStatus status) => status.ReportedLagBytes is > 0 and { } lag
        ? No(Reasons.BeyondRpo, $"{member.Name} says that it is {lag} bytes behind, and may miss none: how many seconds of writes they are is not known") with { MayCatchUp = true }
        : No(Reasons.LagUnknown, $"{member.Name} does not tell how far behind it is, and with standby: Warm its link alone does not either");

    /// <summary>What the old primary logged beyond was never acknowledged, if the quorum says so.</summary>
    private Eligibility ByQuorum(string name, EngineStatus status) =>
        benchmark.PositionOf(status) is not { } position ? No(Reasons.LagUnknown, $"{name} does not tell its position")
        : benchmark.KinshipOf(status) is Kinship.Other ? Foreign(name)
        : benchmark.KinshipOf(status) is Kinship.Earlier ? No(Reasons.LagUnknown, $"{name} has come no further than a log from before the old primary's")
        : benchmark.IsShort(status)
            ? No(Reasons.BeyondRpo, $"{name} may miss writes that were acknowledged before {benchmark.From?.Name} became the primary")
        : new Eligibility.Eligible(benchmark.PrimaryPositionBytes is { } primary ? Math.Max(0, primary - position) : null);

    private Eligibility ByPosition(string name, long position, long required) => position >= required
        ? new Eligibility.Eligible(Math.Max(0, (benchmark.PrimaryPositionBytes ?? position) - position))
        : No(Reasons.BeyondRpo, $"{name} misses {What(required - position)}{WhileUnheard}") with { MayCatchUp = true };

    private string What(long bytes) => spec.Promotion.DataLoss == DataLossPolicy.WithinTarget
        ? $"more than the last {spec.Targets.RpoSeconds} s of writes ({bytes} bytes beyond)"
        : $"{bytes} bytes that the old primary had";

    /// <summary>
    /// Without the primary's position: a standby that received the log until so long ago misses at most what was
    /// written since.
    /// </summary>
    private Eligibility ByTime(Member member, EngineStatus status)
    {
        var name = member.Name;
        // Somebody made it the primary: what it misses is lost, whoever is chosen, and a second writer would lose more.
        if (spec.Engine.StartsAs == StartState.ReadOnly && status is { Role: EngineRole.Primary, Writable: true })
            return new Eligibility.Eligible(null);
        if (FollowsSomebodyElse(status))
        {
            return No(Reasons.LagUnknown,
                $"{name} follows {status.FollowsAddress}, which is not {benchmark.From!.Name}, and what it misses of that is unknown");
        }
        if (spec.Standby == StandbyTemperature.Warm) return OfLate(member, status);
        var since = status.Link == ReplicationLink.Up ? TimeSpan.Zero : status.LinkDownFor ?? ServedAgo(member, status);
        if (since is null) return No(Reasons.LagUnknown, $"{name} does not tell how far behind it is{WhileUnheard}");
        return since <= Objective
            ? new Eligibility.Eligible(null)
            : No(Reasons.LagUnknown,
                FormattableString.Invariant($"{name} has received nothing for {since.Value.TotalSeconds:0} s, ")
                + $"and what the primary wrote since is unknown{WhileUnheard}");
    }

    /// <summary>
    /// An old primary that has not come to follow anybody since had everything when it was the only one to write. By its agent's clock, which an
    /// operator that was started anew can still ask; and only if its engine keeps what it has logged when it is ended. Null: unknown.
    /// </summary>
    private TimeSpan? ServedAgo(Member member, EngineStatus status) =>
        spec.Engine.Type == EngineType.PostgreSQL && !benchmark.IsShort(status) ? status.Agent?.ServedAgo + member.Probe.Age : null;

    /// <summary>Its link says how far behind another one it is, not behind the old primary.</summary>
    private bool FollowsSomebodyElse(EngineStatus status) =>
        benchmark.From?.Address is { } address && status.FollowsAddress is { } followed && followed != address;

    private string WhileUnheard => Unheard > TimeSpan.Zero
        ? $"; {benchmark.From?.Name} {(Silence == TimeSpan.MaxValue ? "may have written" : FormattableString.Invariant($"was not heard for {Silence!.Value.TotalSeconds:0} s"))} before its end was proven"
        : "";

    private static Eligibility.Ineligible Foreign(string name) => new(Reasons.LagUnknown, $"{name} holds another history than the primary's");

    private static Eligibility.Ineligible No(string reason, string message) => new(reason, message) { IsForLoss = true };
}
