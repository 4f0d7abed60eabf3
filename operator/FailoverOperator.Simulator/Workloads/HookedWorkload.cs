using FailoverOperator.Acting;
using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Engines;
using FailoverOperator.Observing;
using FailoverOperator.Simulator.Cluster;
using FailoverOperator.Simulator.Operators;
using FailoverOperator.Simulator.Scheduling;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverOperator.Simulator.Workloads;

/// <summary>Members that are asked and told by hooks, or by nothing at all: the engines are those that ship, down to what the hooks answer.</summary>
internal abstract class HookedWorkload(SimulatedWorld world) : Workload(world)
{
    private readonly SortedDictionary<string, MemberDisk> _disks = new(StringComparer.Ordinal);

    /// <summary>Every hook is one command, told all that a command can be told.</summary>
    public static HookSpec Hook(int timeoutSeconds) => new()
    {
        Exec = new ExecHookSpec { Command = ["/hooks/member", "$(ACTION)", "$(SLOT)", "$(TERM)", "$(PRIMARY_ADDRESS)"] },
        TimeoutSeconds = timeoutSeconds,
    };

    public override void AddEngine(IServiceCollection services, string machine, SimulatedProcess process)
    {
        services.AddSingleton<IPodCommandRunner>(new SimulatedCommandRunner(World, machine, process));
        services.AddSingleton<EngineMaker>(s => (group, slot, credentials, onDisturbed) =>
            World.Seams.Engine(s.GetRequiredService<EngineFactory>().Make(group, slot, credentials, onDisturbed)));
    }

    public override void Heal()
    {
        foreach (var disk in _disks.Values) disk.UnstartableUntil = TimeSpan.Zero;
    }

    protected T DiskOf<T>(string member)
        where T : MemberDisk, new()
    {
        if (_disks.TryGetValue(member, out var known)) return (T)known;
        var disk = new T();
        _disks[member] = disk;
        return disk;
    }

    protected IEnumerable<T> Disks<T>()
        where T : MemberDisk => _disks.Values.Cast<T>();

    protected RedundancyGroupStatus? Status => World.Cluster.Find<RedundancyGroup>(Objects.Group)?.Status;

    protected bool Says(string condition) => Status?.Conditions.Any(c => c.Type == condition && c.Status == ConditionStatus.True) == true;

    protected bool SaysOf(string condition, string reason) => Status?.Conditions.Any(c => c.Type == condition && c.Reason == reason) == true;

    /// <summary>The budget that keeps people from evicting more is there.</summary>
    protected bool IsGuarded(int least) =>
        World.Cluster.Find<V1PodDisruptionBudget>($"{Objects.Group}-members")?.Spec.MinAvailable?.Value == FormattableString.Invariant($"{least}");

    /// <summary>There are enough spares, wherever they are.</summary>
    protected bool IsRedundant => Status?.Conditions.Any(
        c => c.Type == ConditionTypes.Redundant && (c.Status == ConditionStatus.True || c.Reason == Reasons.ZoneConcentrated)) == true;
}
