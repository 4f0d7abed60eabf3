namespace FailoverOperator.TestBed;

/// <summary>Does to nodes and containers what no Kubernetes API can.</summary>
public interface INodePower
{
    /// <summary>The machine of the API server; it takes power cuts, too.</summary>
    string ControlPlane { get; }

    /// <summary>Power cut, all at once: no packet leaves, no process says goodbye.</summary>
    Task CutAsync(string node);

    Task RestoreAsync(string node);

    /// <summary>The network cable is pulled; every process keeps running.</summary>
    Task PartitionAsync(string node);

    Task HealAsync(string node);

    /// <summary>Every process stops where it is, as when a virtual machine is paused; its clock does not.</summary>
    Task FreezeAsync(string node);

    Task ThawAsync(string node);

    /// <summary>Gets ready to send a signal to the first process of a container. The id is as pods state it.</summary>
    Task<IArmedSignal> ArmAsync(string node, string containerId, string signal);
}

/// <summary>Sends a signal at once when told to.</summary>
public interface IArmedSignal : IAsyncDisposable
{
    /// <summary>Ends when the signal has been sent.</summary>
    Task FireAsync();
}
