using FailoverOperator.Simulator.Engines;

namespace FailoverOperator.Simulator.Workloads.Shards;

/// <summary>The data of all slots that a member has, its own or copied, and the highest term that it was told for each.</summary>
internal sealed class ShardDisk : MemberDisk
{
    private readonly SortedDictionary<string, ShardData> _bySlot = new(StringComparer.Ordinal);

    public IEnumerable<ShardData> All => _bySlot.Values;

    public ShardData Of(string slot) => _bySlot.TryGetValue(slot, out var known) ? known : _bySlot[slot] = new ShardData(slot);

    public void Lose()
    {
        foreach (var data in _bySlot.Values) data.Lose();
    }
}

/// <summary>A member's data of one slot.</summary>
internal sealed class ShardData(string slot)
{
    public Volume Volume { get; } = new(slot);

    /// <summary>Of a lower one it takes no orders.</summary>
    public long Term { get; set; }

    public void Lose()
    {
        Volume.Lose();
        Term = 0;
    }
}
