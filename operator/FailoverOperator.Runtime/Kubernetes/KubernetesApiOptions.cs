namespace FailoverOperator.Runtime.Kubernetes;

/// <summary>Bounds of the calls to the API server.</summary>
public sealed record KubernetesApiOptions
{
    /// <summary>Bound of one call with all its retries, and of opening a watch.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Bound of one attempt of a read: a dead connection must not use up the whole call.
    /// A write has one attempt that may take the whole call, for giving up on it leaves its outcome unknown.
    /// </summary>
    public TimeSpan ReadAttemptTimeout { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>Retries after the first attempt.</summary>
    public int MaxRetries { get; init; } = 4;

    /// <summary>Delay before the first retry; doubles, with jitter.</summary>
    public TimeSpan RetryBaseDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    public TimeSpan RetryMaxDelay { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Objects in one page of a list.</summary>
    public int PageSize { get; init; } = 500;

    /// <summary>Name that the API server records for the writes.</summary>
    public string FieldManager { get; init; } = "failover-operator";
}

/// <summary>An object that the server sent and that cannot be read: left out, and reported here.</summary>
public sealed record UnreadableObject(string Kind, string Namespace, string Name, string Problem);
