using FailoverOperator.Simulator.Engines;
using FailoverOperator.Simulator.Scheduling;

namespace FailoverOperator.Simulator.Cluster;

/// <summary>A machine of the cluster.</summary>
public sealed class Node(string name, string zone, NodeClock clock)
{
    public string Name => name;

    public string Zone => zone;

    public NodeClock Clock => clock;

    public bool IsPowered { get; set; } = true;

    /// <summary>It has no power, and never will have.</summary>
    public bool IsDestroyed { get; set; }

    /// <summary>The kubelet does nothing, and tells nothing; what runs goes on.</summary>
    public bool KubeletHangs { get; set; }

    /// <summary>When the control plane heard of its kubelet last.</summary>
    public TimeSpan HeartbeatAt { get; set; }

    /// <summary>Containers that run on it, whatever the API server knows of them, in the order in which they were started.</summary>
    public List<PodContainer> Containers { get; } = [];
}

/// <summary>Who has which address. An address is given once.</summary>
public sealed class Addresses
{
    private readonly Dictionary<string, PodContainer> _byAddress = [];
    private int _given;

    public string Next() => FormattableString.Invariant($"10.0.{++_given / 250}.{(_given % 250) + 1}");

    public void Set(PodContainer container) => _byAddress[container.Address] = container;

    public PodContainer? Find(string address) => _byAddress.GetValueOrDefault(address);
}
