using System.Globalization;
using FailoverOperator.Simulator.Cluster;
using FailoverOperator.Simulator.Engines;

namespace FailoverOperator.Simulator.Workloads.Shards;

/// <summary>A member of a group of shards: one server for each slot, all in one process, as in examples/nplusm-shards.</summary>
internal sealed class ShardMember : HookedContainer
{
    private static readonly TimeSpan LinkCheckInterval = TimeSpan.FromSeconds(1);

    private readonly ShardDisk _disk;
    private readonly SortedDictionary<string, ShardServer> _servers = new(StringComparer.Ordinal);

    public ShardMember(SimulatedWorld world, Node node, ShardDisk disk, IEnumerable<string> slots, SlotJudge judge, string podName, string podUid,
        string address, string id, Action<PodContainer> onEnd)
        : base(world, node, disk, podName, podUid, address, id, onEnd)
    {
        _disk = disk;
        Instance = FormattableString.Invariant($"run-{world.NextProcessId()}");
        foreach (var slot in slots) _servers[slot] = new ShardServer(this, slot, disk.Of(slot), judge);
    }

    public string Instance { get; }

    public IEnumerable<ShardServer> Servers => _servers.Values;

    public ShardServer Of(string slot) => _servers[slot];

    public override void Write(string slot, long number, Action<WriteOutcome> tell)
    {
        if (HasEnded) tell(WriteOutcome.Refused);
        else Process.Do(() => tell(HasStarted ? _servers[slot].Write(number) : WriteOutcome.Refused));
    }

    public override void LoseVolume() => _disk.Lose();

    protected override void Begin() => CheckLinks();

    protected override HookResult Execute(IReadOnlyList<string> arguments)
    {
        if (arguments is not [_, var action, var slot, var term, var primary]) return HookResult.Fails("usage: member ACTION SLOT TERM PRIMARY_ADDRESS");
        var server = _servers[slot];
        var number = long.Parse(term, CultureInfo.InvariantCulture);
        return action switch
        {
            "status" => HookResult.Tells(server.Tell()),
            "promote" => server.Promote(number),
            "demote" => server.Demote(number),
            "follow" => server.Follow(number, primary),
            "verify" => server.Write(Clients.Writer.Verifying) == WriteOutcome.Acknowledged ? HookResult.Done : HookResult.Fails("it takes no writes"),
            _ => new HookResult(2, "", $"unknown action {action}"),
        };
    }

    protected override void EndProcesses()
    {
        base.EndProcesses();
        foreach (var server in _servers.Values) server.Close();
    }

    private void CheckLinks()
    {
        foreach (var server in _servers.Values) server.CheckLink();
        After(LinkCheckInterval, CheckLinks);
    }
}
