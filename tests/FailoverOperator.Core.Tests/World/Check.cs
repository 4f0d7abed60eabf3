using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Tests.World;

/// <summary>The invariants, checked against what is true in the world, not against what the operator sees.</summary>
internal static class Check
{
    /// <summary>I1: at most one member that a term made writable, unless a fence was skipped knowingly.</summary>
    public static void OneWriter(World world)
    {
        if (world.Failovers.Any(f => f.Status.Fence?.Evidence == FenceEvidence.Unproven)) return;
        var writers = world.Writable.ToList();
        Holds(world, writers.Count <= 1, $"I1: {string.Join(" and ", writers.Select(w => $"{w.Uid} (term {w.Process.Term})"))} are writable");
    }

    /// <summary>I2: terms only grow.</summary>
    public static void Terms(World world, FailoverSpec plan) =>
        Holds(world, world.Failovers.All(f => f.Spec.Term < plan.Term) && plan.Term > world.PublishedTerm, $"I2: term {plan.Term} is not the highest");

    /// <summary>I3: the old primary does not write any more when its fence counts as proven.</summary>
    public static void Enter(World world, FailoverRecord running, Step.Enter enter)
    {
        Lossless(world, running, enter);
        if (enter.Phase != FailoverPhase.Electing || running.Spec.From is not { } from || !running.ReplacesPrimary || enter.Fence == FenceEvidence.Unproven) return;
        var writes = world.Pods.Any(p => p.Uid == from.Uid && p.Process is { Alive: true, Writable: true });
        Holds(world, !writes, $"I3: {from.Uid} still writes, but its fence counts as proven: {enter.Fence}");
    }

    /// <summary>A switchover loses nothing, or says so.</summary>
    private static void Lossless(World world, FailoverRecord running, Step.Enter enter)
    {
        if (!running.IsPlanned || enter is not { Phase: FailoverPhase.Promoting, LostBytes: 0, Candidate: { } candidate }) return;
        var has = world.Pods.First(p => p.Uid == candidate.Uid).Process.Position;
        Holds(world, has >= world.StoppedAt(running.Spec.From!.Uid), $"{candidate.Uid} has {has} of {world.StoppedAt(running.Spec.From.Uid)}, and nothing is said to be lost");
    }

    /// <summary>I6: a lower term is never published.</summary>
    public static void Publish(World world, long term) =>
        Holds(world, term >= world.PublishedTerm, $"I6: term {term} is published after {world.PublishedTerm}");

    /// <summary>I6: traffic leads to one member at most.</summary>
    public static void Traffic(World world) =>
        Holds(world, world.Pods.Count(p => p.Exists && p.RoleLabel == "active" && (world.SelectedPod ?? p.Name) == p.Name) <= 1, "I6: traffic leads to two members");

    /// <summary>I7: the pause after the failover before, how many there may be, and to whom the last one may not have led back.</summary>
    public static void Pace(World world, FailoverSpec plan)
    {
        var protection = world.Protection;
        if (plan.Type != FailoverType.Failover || protection == ProtectionSpec.Off) return;
        var hour = world.Failovers.Where(f => f.Spec.Type == FailoverType.Failover && f.Status.Phase is FailoverPhase.Completed or FailoverPhase.Failed)
            .Where(f => f.Status.Candidate?.Name != f.Spec.From!.Name && world.EndedFor(f) < TimeSpan.FromHours(1)).ToList();
        Holds(world, hour.Count(f => f.Spec.Term > world.AcknowledgedTerm) < protection.MaxFailoversPerHour, $"I7: {plan.Term} is beyond the budget");
        var moves = hour.Where(f => f.Status.Phase == FailoverPhase.Completed).ToList();
        if (moves is not [.., var last]) return;
        var pause = Enumerable.Range(1, moves.Count - 1).Aggregate(protection.CooldownSeconds, (seconds, _) => Math.Min(2 * seconds, protection.CooldownMaximumSeconds));
        Holds(world, world.EndedFor(last) >= TimeSpan.FromSeconds(pause), $"I7: {plan.Term} begins {world.EndedFor(last)} after {last.Name}, {pause} s are due");
    }

    /// <summary>I8: the last working member is never fenced on purpose.</summary>
    public static void Terminate(World world, World.Pod pod, FailoverRecord? running)
    {
        Holds(world, world.See().Members.Any(m => m.Uid != pod.Uid && m.Answers), $"I8: {pod.Uid} is the last that works");
        // Looked at beforehand: until then everything can be taken back.
        if (running is not { IsPlanned: true, Status.Phase: FailoverPhase.Fencing }) return;
        Holds(world, running.Status.End is { } end && world.Pods.Any(p => p.Uid != pod.Uid && p.Process.Position >= end.PositionBytes),
            $"{pod.Uid} is ended for a switchover, and nobody else has all of its log");
    }

    public static void Holds(World world, bool holds, string what)
    {
        if (!holds) throw new InvalidOperationException($"{what} at {world.Now.TotalSeconds:0.0} s{Environment.NewLine}{world.Journal}");
    }
}
