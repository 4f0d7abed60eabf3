namespace FailoverOperator.Engines.Agents;

/// <summary>How the operator talks to the agents of one group.</summary>
public sealed record AgentSettings
{
    public int Port { get; init; } = Api.Agents.AgentContract.DefaultPort;

    /// <summary>Time for one question, connecting included.</summary>
    public TimeSpan ProbeTimeout { get; init; } = TimeSpan.FromSeconds(1);
}
