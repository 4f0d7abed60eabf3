using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Simulation.Mutants;
using FailoverOperator.Simulator.Faults;

namespace FailoverOperator.Simulation;

/// <summary>The modes without agents: the operator as it ships, hooks and all, with members of each mode's own kind.</summary>
public sealed class ModesTests
{
    [Theory]
    [InlineData(RedundancyMode.NPlusM, 30, "fence PodTerminated", "fence ProcessEnded", "an operator deletes a pod", "acknowledged writes are lost, as allowed",
        "all slots but one are served, and that one has no candidate")]
    [InlineData(RedundancyMode.Quorum, 60, "an election", "a member is replaced", "the majority is lost, and the group says so")]
    [InlineData(RedundancyMode.ActiveActive, 20, "a member is taken out", "a member is let in again", "too few members are active, and the group says so")]
    public void Whatever_happens_each_mode_keeps_what_it_promises(RedundancyMode mode, int seeds, params string[] wanted)
    {
        var reached = new HashSet<string>();
        for (var seed = 1; seed <= seeds; seed++)
        {
            var result = Simulator.Simulation.Run(Schedule.In(mode, seed));
            Assert.True(result.Violation is null, $"{result.Violation}; replay it with: make simulate KIND={mode.ToString().ToLowerInvariant()} SEED={seed}");
            reached.UnionWith(result.Sometimes.Keys);
        }
        // Else nothing has been shown.
        Assert.Superset(wanted.ToHashSet(), reached);
    }

    [Theory]
    [InlineData(RedundancyMode.NPlusM)]
    [InlineData(RedundancyMode.Quorum)]
    [InlineData(RedundancyMode.ActiveActive)]
    public void The_same_seed_gives_the_same_trace_letter_for_letter(RedundancyMode mode)
    {
        var (one, other) = (Simulator.Simulation.Run(Schedule.In(mode, 1000), isRecording: true), Simulator.Simulation.Run(Schedule.In(mode, 1000), isRecording: true));
        Assert.Equal(one.Trace, other.Trace);
        Assert.Equal(one.TraceHash, other.TraceHash);
        Assert.NotEqual(Simulator.Simulation.Run(Schedule.In(mode, 1001)).TraceHash, one.TraceHash);
    }

    /// <summary>
    /// 20269: without questions of the operator's own nobody can know of a power cut before the node is called silent. 20297: after one everywhere
    /// kubelets call the pods ready before the control plane calls their nodes so.
    /// </summary>
    [Theory]
    [InlineData(20269)]
    [InlineData(20297)]
    public void Power_cuts_leave_in_who_is_called_ready(int seed)
    {
        var result = Simulator.Simulation.Run(Schedule.In(RedundancyMode.ActiveActive, seed));
        Assert.True(result.Violation is null, $"{result.Violation}; replay it with: make simulate KIND=activeactive SEED={seed}");
    }

    /// <summary>A primary that only the operator could not reach went on; of two spares one had all of that.</summary>
    [Theory]
    [InlineData(20301)]
    public void What_was_written_unheard_is_not_lost(int seed)
    {
        var result = Simulator.Simulation.Run(Schedule.In(RedundancyMode.NPlusM, seed));
        Assert.True(result.Violation is null, $"{result.Violation}; replay it with: make simulate KIND=nplusm SEED={seed}");
    }

    /// <summary>A change of the code moves what a seed does; a mistake is found by one near by all the same.</summary>
    [Theory]
    [InlineData(nameof(SlotMutants.BindsUnguarded), "two slots", 2)]
    [InlineData(nameof(SlotMutants.FencesInName), "I3", 1)]
    [InlineData(nameof(SharedMutants.FollowsOldTerms), "I6", 10)]
    [InlineData(nameof(SharedMutants.TakesSilenceForPresence), "L1", 2)]
    [InlineData(nameof(SharedMutants.TakesSilentNodesForLost), "I8", 16)]
    [InlineData(nameof(SharedMutants.NeverEjects), "ejection", 17)]
    [InlineData(nameof(SharedMutants.ReadmitsAllAtOnce), "readmission", 10)]
    public void A_mistake_is_found(string name, string invariant, int around)
    {
        var (_, seams, kind) = AllMutants.All.Single(m => m.Name == name);
        var found = Enumerable.Range(around, 60).Select(seed => Simulator.Simulation.Run(kind.Schedule(seed), seams).Violation).FirstOrDefault(v => v is not null);
        Assert.Equal(invariant, found?.Invariant);
    }
}
