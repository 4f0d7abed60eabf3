using FailoverOperator.Api.Agents;

namespace FailoverOperator.Agent.Peers;

/// <summary>The agents of the other members.</summary>
public interface IPeers
{
    /// <summary>Asks one of them to let the holder stay. Null: no answer that could be understood. Only the token throws.</summary>
    Task<AcknowledgeReply?> AcknowledgeAsync(LeaseMember member, AcknowledgeRequest request, CancellationToken cancellationToken);
}
