using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;

namespace FailoverOperator.Simulator.Checking;

/// <summary>
/// I7: what the operator begins by itself keeps to the brakes. By the world's own time; that of the operators, which read when the last failover
/// ended by each other's wall clocks, is allowed to be as wrong as these are.
/// </summary>
public sealed class BrakeJudge(SimulatedWorld world)
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(2);

    /// <summary>Between the wall clocks of two operators.</summary>
    private static readonly TimeSpan WallClockError = TimeSpan.FromSeconds(60);

    private readonly Dictionary<string, TimeSpan> _standbySince = [];
    private readonly Dictionary<string, TimeSpan> _lastMoves = [];

    /// <summary>What the brakes may add to a recovery.</summary>
    public TimeSpan LongestPause => world.Options.Spec.Protection is var p && p == ProtectionSpec.Off
        ? TimeSpan.Zero
        : TimeSpan.FromSeconds(p.CooldownMaximumSeconds + p.ReturnAfterSeconds + (2 * world.Options.Spec.Failback.StabilizationSeconds));

    /// <summary>A server is, or is no more, one that only follows.</summary>
    public void Changed(string pod, bool isStandby)
    {
        if (isStandby) _standbySince.TryAdd(pod, world.Loop.Now);
        else _standbySince.Remove(pod);
    }

    public void Changed(Failover? before, Failover after)
    {
        if (after.Spec is not { RequestRef: null, From: { } from }) return;
        if (before is null) CheckBegin(after.Metadata.Name, after.Spec, from);
        // The failed one may come back to its own place at any time.
        if (after is { Spec.Type: FailoverType.Failover, Status: { Phase: FailoverPhase.Completed, Candidate.Name: var to } }
            && before?.Status?.Phase != FailoverPhase.Completed && to != from.Name)
            _lastMoves[after.Spec.Slot] = world.Loop.Now;
    }

    private void CheckBegin(string name, FailoverSpec plan, MemberReference from)
    {
        if (plan.Type == FailoverType.Failback) CheckStability(name, plan.Target!);
        if (plan.Type != FailoverType.Failover || plan.Target == from.Name || !_lastMoves.TryGetValue(plan.Slot, out var last)) return;
        var cooldown = TimeSpan.FromSeconds(world.Options.Spec.Protection.CooldownSeconds);
        var allowed = cooldown - Tolerance - (world.Options.Operators > 1 ? WallClockError : TimeSpan.Zero);
        if (cooldown > TimeSpan.Zero) world.Judge.Happened("a failover after another one, with a cooldown");
        if (world.Loop.Now - last < allowed) world.Judge.Break(
            "I7", FormattableString.Invariant($"{name} begins {(world.Loop.Now - last).TotalSeconds:0.0} s after the last failover has ended; the cooldown is {cooldown.TotalSeconds:0} s"));
    }

    private void CheckStability(string name, string target)
    {
        world.Judge.Happened("failback");
        var wanted = TimeSpan.FromSeconds(world.Options.Spec.Failback.StabilizationSeconds);
        var stood = _standbySince.TryGetValue(target, out var since) ? world.Loop.Now - since : TimeSpan.Zero;
        if (stood < wanted - Tolerance) world.Judge.Break(
            "I7", FormattableString.Invariant($"{name} leads back to {target}, which has been a standby for {stood.TotalSeconds:0.0} s; {wanted.TotalSeconds:0} s are wanted"));
    }
}
