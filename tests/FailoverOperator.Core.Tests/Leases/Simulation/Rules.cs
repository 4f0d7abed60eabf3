using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Tests.Leases.Simulation;

/// <summary>What an agent of the simulation goes by: the product's own code, unless a mutant overrides it.</summary>
internal class HolderRules
{
    public virtual AgentOrder Decide(AgentMemory memory, TimeSpan now) => AgentProtocol.Decide(memory, now);

    public virtual AgentMemory Saw(AgentMemory memory, LeaseRecord? lease, TimeSpan now) => memory.Saw(lease, now);

    public virtual AgentMemory Renewing(AgentMemory memory, LeaseTerms applied, TimeSpan now) => memory.Renewing(applied, now);

    public virtual AgentMemory Renewed(AgentMemory memory, Renewal sent, LeaseRecord lease, TimeSpan now) => memory.Renewed(sent, lease, now);

    public virtual AcknowledgeOutcome Acknowledge(AgentMemory memory, AcknowledgeRequest request, TimeSpan now) => memory.Acknowledge(request, now);

    /// <summary>The server has been told to stop, and may still be writable.</summary>
    public virtual AgentMemory DemotionBegun(AgentMemory memory) => memory;
}

/// <summary>What an operator of the simulation goes by.</summary>
internal class ElectorRules
{
    public virtual TimeSpan UnchangedFor(ElectorView view) => view.AnsweredAt - view.ChangedAt;

    public virtual bool IsOver(LeaseObservation lease, LeaseTerms wanted) =>
        ElectorProtocol.IsOver(lease.Record, lease.UnchangedFor, lease.Duration(LeaseTimings.Of(wanted).Duration));

    public virtual bool MayBeAssigned(LeaseRecord? lease, string uid, bool expired, IReadOnlySet<string> ended) =>
        ElectorProtocol.MayBeAssigned(lease, uid, expired, ended);

    public virtual LeaseRecord Recreate(long term, LeaseTerms terms) => ElectorProtocol.Recreate(term, terms);

    public virtual LeaseRecord Assign(LeaseRecord? lease, bool expired, string holder, long term, LeaseTerms terms) =>
        ElectorProtocol.Assign(lease, expired, holder, term, terms);
}

/// <summary>What an operator's process knows of the age of the lease. Moments are of its own monotonic clock.</summary>
/// <param name="AnsweredAt">When the API server answered last: what has not been seen since is not taken for unchanged.</param>
/// <param name="ChangedAt">When it observed the last change.</param>
/// <param name="IsFirst">It has observed no change yet: the lease was as it is when this process first saw it.</param>
/// <param name="RenewedAgo">By the wall clocks of holder and operator.</param>
internal sealed record ElectorView(TimeSpan AnsweredAt, TimeSpan ChangedAt, bool IsFirst, TimeSpan RenewedAgo);
