using System.Globalization;
using FailoverOperator.Api;
using FailoverOperator.Simulator.Cluster;
using FailoverOperator.Simulator.Engines;
using k8s.Models;

namespace FailoverOperator.Simulator.Workloads.Voters;

/// <summary>
/// Holds against what is really so: whom the Service leads to was elected in the term that it tells; nobody is replaced who may come back, or while no
/// majority is there without it. And the store itself, lest it excuse what the operator does.
/// </summary>
internal sealed class LeaderJudge(SimulatedWorld world, VotersWorkload workload)
{
    /// <summary>What the operator has heard may be so old.</summary>
    private static readonly TimeSpan Hearsay = TimeSpan.FromSeconds(12);

    private readonly Dictionary<long, string> _leaders = [];
    private readonly List<(int Index, LogRecord Record)> _acknowledged = [];
    private readonly Dictionary<string, TimeSpan> _atWorkAt = [];

    /// <summary>Somebody was elected once: a member without data is one that has lost them.</summary>
    public bool IsFounded => _leaders.Count > 0;

    public void Elected(VoterMember member)
    {
        world.Trace.Write(member.PodName, $"is elected in term {member.Term}, log to {member.Volume.PositionBytes}");
        world.Judge.Happened("an election");
        if (!_leaders.TryAdd(member.Term, member.PodName)) world.Judge.Break("store", $"{member.PodName} and {_leaders[member.Term]} were both elected in term {member.Term}");
        if (_acknowledged.Any(a => a.Index >= member.Volume.Log.Count || member.Volume.Log[a.Index] != a.Record))
            world.Judge.Break("store", $"{member.PodName} was elected in term {member.Term} without all acknowledged writes");
    }

    public void Acknowledged(int index, LogRecord record) => _acknowledged.Add((index, record));

    /// <summary>Who works now.</summary>
    public void Look()
    {
        foreach (var member in workload.Members.Where(m => m is { IsAtWork: true, IsLearner: false })) _atWorkAt[member.PodName] = world.Loop.Now;
    }

    /// <summary>I6: who is pointed to in a term led in it, and no later one was pointed to before, which the world's judge sees.</summary>
    public void Pointed(V1Service service)
    {
        if (service.Metadata.Name != Objects.Service || !service.Spec.Selector.TryGetValue(ApiGroup.PodNameLabel, out var pod)) return;
        if (service.Metadata.Annotations?.TryGetValue(ApiGroup.TermLabel, out var text) != true || !long.TryParse(text, CultureInfo.InvariantCulture, out var term)) return;
        if (_leaders.GetValueOrDefault(term) != pod)
            world.Judge.Break("I6", $"the Service leads to {pod} in term {term}, in which {_leaders.GetValueOrDefault(term) ?? "nobody"} was elected");
    }

    /// <summary>I8: the operator has deleted a member's pod.</summary>
    public void Replaced(V1Pod pod)
    {
        world.Judge.Happened("a member is replaced");
        var name = pod.Metadata.Name;
        if (world.Nodes.First(n => n.Name == pod.Spec.NodeName) is { IsDestroyed: false } node)
            world.Judge.Break("I8", $"{name} was deleted, though {node.Name} may come back");
        Look();
        var others = _atWorkAt.Count(m => m.Key != name && world.Loop.Now - m.Value <= Hearsay);
        if (others < workload.Majority) world.Judge.Break("I8", $"{name} was deleted while only {others} others work, and {workload.Majority} are a majority");
    }
}
